//! A file around some bytes, one character a block: the notation of tests, violations and reports.
//!
//! ```text
//! extents  ..dddduuMMMM    . hole   d delalloc   u unwritten   M mapped
//! folios   --cDDDccWW--    - absent . not uptodate   c clean   D dirty   W writeback
//! ```

use stormfs::extent_map::State;
use stormfs::quantity::{BlockRange, ByteRange, FileBlock};
use stormfs::view::View;

/// A strip shows at most this many blocks.
const WIDTH: u64 = 64;

/// The blocks around `range`, eight before it and after it where there is room.
pub fn strip(file: View<'_>, range: ByteRange) -> String {
    let geometry = file.geometry();
    let touched = geometry.blocks_touching(range);
    let start = FileBlock(touched.start.0.saturating_sub(8));
    let end = FileBlock((touched.end.0 + 8).min(start.0 + WIDTH));
    let blocks = BlockRange { start, end };
    let eof = geometry.block_from(file.size());
    let caption = format!(
        "blocks {}..{} of {} bytes; i_size {} (block {})",
        start.0,
        end.0,
        geometry.block_size(),
        file.size(),
        eof.0
    );
    format!("{caption}\nextents  {}\nfolios   {}", extents(file, blocks), folios(file, blocks))
}

fn extents(file: View<'_>, blocks: BlockRange) -> String {
    let letter = |state| match state {
        None => ".",
        Some(State::Delalloc) => "d",
        Some(State::Unwritten(_)) => "u",
        Some(State::Mapped(_)) => "M",
    };
    let pieces = file.extents(blocks).into_iter();
    let run = |len: u64| usize::try_from(len).expect("at most a strip's width");
    pieces.map(|piece| letter(piece.state).repeat(run(piece.blocks.len()))).collect()
}

fn folios(file: View<'_>, blocks: BlockRange) -> String {
    (blocks.start.0..blocks.end.0).map(|block| folio_letter(file, FileBlock(block))).collect()
}

fn folio_letter(file: View<'_>, block: FileBlock) -> char {
    let geometry = file.geometry();
    let pos = geometry.pos_of(block);
    let Some(folio) = file.folio(pos) else { return '-' };
    let (bit, _) = folio.touching(ByteRange::at(pos, geometry.block_size()));
    let has = |bits: u128| bits >> bit & 1 == 1;
    match () {
        () if !has(folio.uptodate()) => '.',
        () if has(folio.dirty_blocks()) => 'D',
        () if folio.is_writeback() => 'W',
        () => 'c',
    }
}
