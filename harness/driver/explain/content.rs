//! Whose bytes lie where: at one place that is watched, and block by block.

use oracle::content::Content as Model;
use oracle::pattern::{self, Origin, Plausible};
use stormfs::op::OpId;
use stormfs::quantity::{ByteRange, narrow};
use stormfs::view::View;

/// An operation that puts bytes of its own somewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Writer {
    /// The file.
    pub file: usize,
    /// The operation.
    pub op: OpId,
    /// Where.
    pub range: ByteRange,
    /// How many bytes before that its pattern was made for: an append does not know where it lands.
    pub shift: u64,
}

impl Writer {
    fn puts(&self, pos: u64, byte: u8) -> bool {
        let inside = self.range.start <= pos && pos < self.range.end;
        inside && pattern::byte(self.op, pos - self.shift) == byte
    }
}

/// The one of `writers` that puts this byte there, if it is one. A byte of a word that is not whole
/// cannot name its writer, but all who write are known.
fn only_writer(writers: &[Writer], pos: u64, byte: u8) -> Option<OpId> {
    let mut found = writers.iter().filter(|writer| writer.puts(pos, byte)).map(|it| it.op);
    let first = found.next()?;
    found.all(|other| other == first).then_some(first)
}

/// A place that is watched.
pub struct Sampled<'a> {
    /// The file.
    pub file: usize,
    /// The byte.
    pub pos: u64,
    /// Who has written to the file so far.
    pub writers: &'a [Writer],
}

/// What is at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Content {
    /// The byte.
    pub pos: u64,
    /// What the cache holds, if that is uptodate.
    pub cached: Option<Origin>,
    /// What the device holds, as the extents say. `None`: they name no block.
    pub disk: Option<Origin>,
}

impl Content {
    /// What is there now.
    pub fn at(view: View<'_>, place: &Sampled<'_>) -> Content {
        let word = ByteRange::at(place.pos - place.pos % 8, 8);
        Content {
            pos: place.pos,
            cached: cached(view, word).map(|bytes| whose(place, word.start, &bytes)),
            disk: on_disk(view, word).map(|bytes| whose(place, word.start, &bytes)),
        }
    }
}

/// Whose the byte at a place is; `around` was seen at `start`.
fn whose(place: &Sampled<'_>, start: u64, around: &[u8]) -> Origin {
    let byte = around[narrow(place.pos - start)];
    let told = pattern::classify(place.pos, start, around, Plausible::default(), []);
    let known = |op: OpId| place.writers.iter().any(|writer| writer.op == op);
    match told {
        Origin::Op(op) if known(op) => told,
        Origin::Op(_) | Origin::Unknown => {
            only_writer(place.writers, place.pos, byte).map_or(Origin::Unknown, Origin::Op)
        }
        Origin::Zero | Origin::FolioPoison | Origin::DevicePoison => told,
    }
}

fn cached(view: View<'_>, range: ByteRange) -> Option<Vec<u8>> {
    let folio = view.folio(range.start)?;
    let (first, last) = folio.touching(range);
    let uptodate = (first..last).all(|bit| folio.uptodate() >> bit & 1 == 1);
    uptodate.then(|| {
        let mut bytes = vec![0; narrow(range.len())];
        folio.read(range.start, &mut bytes);
        bytes
    })
}

fn on_disk(view: View<'_>, range: ByteRange) -> Option<Vec<u8>> {
    use stormfs::extent_map::State;
    let extent = view.extent(view.geometry().block_of(range.start));
    let mut bytes = vec![0; narrow(range.len())];
    let data = matches!(extent.state, Some(State::Mapped(_))) && view.on_disk(range, &mut bytes);
    data.then_some(bytes)
}

/// One character a block: whose bytes it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whose {
    /// Nobody's: there is nothing.
    Nothing,
    /// Zeros.
    Zeros,
    /// This operation's.
    Op(OpId),
    /// This operation's in part; the rest is zero.
    Part(OpId),
    /// Memory or device blocks that nobody wrote.
    Poison,
    /// More than one of these.
    Mixed,
    /// Several answers are right.
    Open,
}

/// Whose bytes one block holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Block {
    /// As the model expects.
    pub model: Whose,
    /// In the cache.
    pub cache: Whose,
    /// On disk.
    pub disk: Whose,
    /// Whether some byte in the cache is none that the model expects.
    pub cache_is_wrong: bool,
    /// Whether some byte on disk is, and nothing in the cache hides it.
    pub disk_is_wrong: bool,
}

/// Whose bytes the blocks of `range` hold.
pub fn blocks(view: View<'_>, range: ByteRange, writers: &[Writer], model: &Model) -> Vec<Block> {
    let size = view.geometry().block_size();
    let starts = (range.start / size..range.end / size).map(|block| block * size);
    let whole = |start| ByteRange::at(start, size);
    let block = |start| {
        let of = |bytes: &Option<Vec<u8>>| {
            bytes.as_ref().map_or(Whose::Nothing, |bytes| owner(start, bytes, writers))
        };
        let wrong = |bytes: &Option<Vec<u8>>| {
            bytes.as_ref().is_some_and(|bytes| model.check(start, bytes).is_err())
        };
        let (cache, disk) = (cached(view, whole(start)), on_disk(view, whole(start)));
        let expected = model.expected(start..start + size);
        let inside = start < model.size();
        Block {
            model: match expected {
                None => Whose::Open,
                Some(bytes) if inside => owner(start, &bytes, writers),
                Some(_) => Whose::Nothing,
            },
            cache: of(&cache),
            disk: of(&disk),
            cache_is_wrong: wrong(&cache),
            disk_is_wrong: view.folio(start).is_none() && wrong(&disk),
        }
    };
    starts.map(block).collect()
}

/// Whose a whole block is.
fn owner(bytes_at: u64, bytes: &[u8], writers: &[Writer]) -> Whose {
    let mut found = Found::default();
    let (words, _) = bytes.as_chunks::<8>();
    for (word, pos) in words.iter().zip((bytes_at..).step_by(8)) {
        match u64::from_le_bytes(*word) {
            0 => found.zeros = true,
            pattern::FOLIO_POISON | pattern::DEVICE_POISON => found.poison = true,
            _ => {
                let whole = pattern::decode(pos, word, Plausible::default());
                let whole = whole.filter(|op| writers.iter().any(|writer| writer.op == *op));
                match whole {
                    Some(op) => found.add(Some(op)),
                    None => found.add_bytes(pos, *word, writers),
                }
            }
        }
    }
    found.verdict()
}

/// What the words of a block are.
#[derive(Default)]
struct Found {
    zeros: bool,
    poison: bool,
    /// A byte that names nobody.
    cut: bool,
    ops: Vec<OpId>,
}

impl Found {
    fn add(&mut self, op: Option<OpId>) {
        self.cut |= op.is_none();
        if let Some(op) = op.filter(|op| !self.ops.contains(op)) {
            self.ops.push(op);
        }
    }

    /// The bytes of a word that is nobody's as a whole.
    fn add_bytes(&mut self, pos: u64, word: [u8; 8], writers: &[Writer]) {
        for (byte, pos) in word.into_iter().zip(pos..) {
            if byte == 0 {
                self.zeros = true;
            } else {
                self.add(only_writer(writers, pos, byte));
            }
        }
    }

    fn verdict(&self) -> Whose {
        match self.ops[..] {
            [op] if !self.poison && !self.cut && self.zeros => Whose::Part(op),
            [op] if !self.poison && !self.cut => Whose::Op(op),
            [] if !self.cut && !self.poison => Whose::Zeros,
            [] if !self.cut && !self.zeros => Whose::Poison,
            _ => Whose::Mixed,
        }
    }
}
