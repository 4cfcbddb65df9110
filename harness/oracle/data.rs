//! Invariants of the bytes.

use crate::content::{Class, Mismatch};
use crate::invariant::{Evidence, Verdict, at, invariants};
use crate::pattern::Origin;
use std::collections::BTreeSet;
use stormfs::folio::Folio;
use stormfs::quantity::{ByteRange, FileBlock, wide};
use stormfs::view::View;

invariants! { subject 0;
    /// A read returns what was last written there, or zero where nothing was; with operations in
    /// flight together, what some order of them leaves. Of a write that ended early exactly the
    /// bytes it reported are there.
    Always(user) fn data_matches_model(seen: Result<(), &Mismatch>) {
        seen.map_err(evidence)
    }

    /// No byte below the end of the file comes from memory that nobody initialised or from a device
    /// block that this file never wrote: that is how other people's data leaks.
    Always(user) fn data_is_never_poison(seen: Result<(), &Mismatch>) {
        seen.map_err(evidence)
    }

    /// When a file grows, what it grows over reads as zero, whatever was on disk or stored beyond
    /// the end through a mapping before the growing operation began. Stores concurrent with it may
    /// survive or not.
    Always(user) fn data_exposed_by_growth_is_zero(seen: Result<(), &Mismatch>) {
        seen.map_err(evidence)
    }

    /// After a successful sync, dropping every folio and reading again yields the same bytes. The
    /// page cache hides lost reservations and lost writes until then. Bytes whose writeback failed
    /// may also be what the device held before.
    Quiet(user) fn data_survives_eviction(seen: Result<(), &Mismatch>) {
        seen.map_err(evidence)
    }

    /// A block that is uptodate, clean and not in I/O equals what reading it from the device would
    /// give. Not judged for blocks whose writeback has failed: those keep their bytes, clean.
    Quiet fn data_in_clean_folios_equals_disk(
        file: View<'_>,
        folio: &Folio,
        failed: &BTreeSet<FileBlock>,
    ) {
        for block in 0..folio.blocks() {
            if !failed.contains(&file.geometry().block_of(folio.bytes_of(block, block + 1).start)) {
                clean_block_equals_disk(file, folio, block)?;
            }
        }
        Ok(())
    }

    /// An operation that makes zeros up to the end of the file leaves zeros behind the end, too, in
    /// what is cached of its last folio: mappings may have stored there before, and see it still. Judged
    /// when the operation ends, under the locks that hold off new stores; not judged if writeback of
    /// the last block has failed.
    Always fn data_beyond_eof_is_zero_after_zeroing(
        file: View<'_>,
        failed: &BTreeSet<FileBlock>,
    ) {
        let size = file.size();
        let folio = file.folio(size).filter(|folio| folio.range().start < size);
        let Some(folio) = folio else { return Ok(()) };
        let tail = ByteRange::new(size, folio.range().end);
        let mut bytes = vec![0; buffer(tail)];
        folio.read(size, &mut bytes);
        let uptodate = |at: usize| {
            let (bit, _) = folio.touching(ByteRange::at(size + wide(at), 1));
            folio.uptodate() >> bit & 1 == 1
        };
        let wrong = (0..bytes.len()).find(|at| bytes[*at] != 0 && uptodate(*at));
        match wrong {
            Some(wrong) if !failed.contains(&file.geometry().block_of(size)) => {
                let place = ByteRange::at(size + wide(wrong), 1);
                Err(at(place, "zero behind the end of the file", format!("{:#04x}", bytes[wrong])))
            }
            _ => Ok(()),
        }
    }

    /// Once its last block is clean, the device holds zeros between the end of the file and the end
    /// of that block, so that growing the file later cannot expose anything. Judged after a sync, and
    /// when an operation ends that has changed the size or made zeros. Not judged if writeback of that
    /// block has failed: the zeros may be what failed, and growing zeroes the block again.
    Always fn data_beyond_eof_on_disk_is_zero(file: View<'_>, failed: &BTreeSet<FileBlock>) {
        if failed.contains(&file.geometry().block_of(file.size())) || last_block_is_busy(file) {
            return Ok(());
        }
        let size = file.size();
        let tail = ByteRange::new(size, file.geometry().up(size));
        let mut bytes = vec![0; buffer(tail)];
        let told = file.on_disk(tail, &mut bytes);
        match bytes.iter().position(|byte| *byte != 0) {
            Some(wrong) if told => {
                let place = ByteRange::at(tail.start + wide(wrong), 1);
                Err(at(place, "zero beyond the end of the file", format!("{:#04x}", bytes[wrong])))
            }
            _ => Ok(()),
        }
    }
}

/// Which invariant a wrong byte breaks: the one that says most.
pub fn judge(checks: &crate::invariant::Checks, seen: &Result<(), Mismatch>) -> Verdict {
    let wrong = seen.as_ref().copied();
    match seen.as_ref().err() {
        Some(Mismatch { origin: Origin::FolioPoison | Origin::DevicePoison, .. }) => {
            data_is_never_poison(checks, wrong)
        }
        // Nothing at all was allowed where a call returned more bytes than the file had.
        Some(Mismatch { class: Class::BeyondEof, allowed, .. }) if !allowed.is_empty() => {
            data_exposed_by_growth_is_zero(checks, wrong)
        }
        _ => {
            data_is_never_poison(checks, Ok(()))?;
            data_exposed_by_growth_is_zero(checks, Ok(()))?;
            data_matches_model(checks, wrong)
        }
    }
}

/// Whether the block that holds the end of the file is still to be written.
fn last_block_is_busy(file: View<'_>) -> bool {
    let size = file.size();
    file.folio(size).is_some_and(|folio| {
        let (bit, _) = folio.touching(ByteRange::at(size, 1));
        folio.is_writeback() || (folio.dirty_blocks() | folio.modified()) >> bit & 1 == 1
    })
}

fn evidence(wrong: &Mismatch) -> Evidence {
    let text = wrong.to_string();
    let (expected, found) = text.split_once("; found ").unwrap_or((&text, ""));
    let expected = expected.split_once("expected ").map_or(expected, |(_, what)| what);
    let found = format!("{found} ({})", wrong.class.name());
    at(ByteRange::at(wrong.pos, wide(wrong.found.len())), expected, found)
}

fn clean_block_equals_disk(file: View<'_>, folio: &Folio, block: u32) -> Result<(), Evidence> {
    let has = |bits: u128| bits >> block & 1 == 1;
    let bytes = folio.bytes_of(block, block + 1);
    let below = ByteRange::new(bytes.start, bytes.end.min(file.size()));
    let clean = has(folio.uptodate()) && !has(folio.dirty_blocks()) && !folio.is_writeback();
    if !clean || below.is_empty() {
        return Ok(());
    }
    let (mut cached, mut disk) = (vec![0; buffer(below)], vec![0; buffer(below)]);
    folio.read(below.start, &mut cached);
    if !file.on_disk(below, &mut disk) {
        return Ok(());
    }
    match cached.iter().zip(&disk).position(|(cached, disk)| cached != disk) {
        None => Ok(()),
        Some(wrong) => {
            let found = format!("{:#04x} cached, {:#04x} on disk", cached[wrong], disk[wrong]);
            let place = ByteRange::at(below.start + wide(wrong), 1);
            Err(at(place, "clean bytes equal to those on disk", found))
        }
    }
}

fn buffer(range: ByteRange) -> usize {
    usize::try_from(range.len()).expect("at most a folio")
}
