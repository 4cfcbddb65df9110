//! The calls of an actor's list: the table of their keys, and both stages of reading them.

use super::fields::{Fields, Given, Read};
use super::format::{LARGEST_FILE, LONGEST, key, size};
use super::keys::{Fallback, Key, Kind, Shape, Variant};
use super::node::Place;
use super::problem::Problem;
use super::quantity::show_size;
use super::suggest::did_you_mean;
use super::values;
use crate::call::{Call, WHOLE_FILE};
use crate::user_buffer::Gap;
use stormfs::op::{Op, OpKind, Transfer};
use stormfs::quantity::ByteRange;

const AT: Key = key("at", "The first byte.", Fallback::Required, size(0, LARGEST_FILE));

const SIZE: Key = key("size", "How many bytes.", Fallback::Required, size(1, LONGEST));

const FILE: Key =
    key("file", "The file, by its name.", Fallback::Rule("the first of `files`"), Kind::Name);

const NUMBER: Key = key(
    "number",
    "By which a place names it, in `schedule` and `strikes`; numbers rise.",
    Fallback::Rule("one more than that of the call before it, from 1 on"),
    Kind::Number { min: 1, max: LARGEST_NUMBER },
);

/// Far more than anybody counts, and far below what an operation's id can hold.
const LARGEST_NUMBER: u64 = 1_000_000_000_000;

const KEEP_SIZE: Key = key(
    "keep_size",
    "Whether the size stays as it is, `FALLOC_FL_KEEP_SIZE`.",
    Fallback::Text("false"),
    Kind::Flag,
);

const UNREADABLE_AT: Key = key(
    "unreadable_at",
    "The offset in its source of a byte that cannot be read: the copy ends there.",
    Fallback::Rule("every byte can be read, unless the fault `short_copy` strikes"),
    size(0, LONGEST),
);

const TRANSIENT: Key = key(
    "transient",
    "Whether that byte can be read once it was faulted in.",
    Fallback::Text("false"),
    Kind::Flag,
);

const ABANDONED: Key = key(
    "abandoned",
    "Whether it gives up at its first write fault, once the fault has reserved its blocks.",
    Fallback::Rule("false, unless the fault `abandoned_fault` strikes"),
    Kind::Flag,
);

const PIECES: Key = key(
    "pieces",
    "The offsets in its source at which one iovec ends and the next begins, as `[100, 4KiB]`.",
    Fallback::Rule("one piece"),
    Kind::Offsets,
);

const PIECES_READ: Key = key(
    "pieces",
    "The offsets at which one iovec ends and the next begins, as `[100, 4KiB]`; `target` only.",
    Fallback::Rule("one piece"),
    Kind::Offsets,
);

/// What stands there if a range is left out.
const EVERYTHING: Fallback = Fallback::Rule("all of the file");

const PART: [Key; 4] = [
    key("at", "The first byte.", EVERYTHING, size(0, LARGEST_FILE)),
    key("size", "How many bytes.", Fallback::Rule("up to the end"), size(1, LARGEST_FILE)),
    FILE,
    NUMBER,
];

const TRANSFER: [Key; 6] = [
    AT,
    key("from", "The first byte of the source.", Fallback::Required, size(0, LARGEST_FILE)),
    SIZE,
    key(
        "from_file",
        "The file of the source, by its name.",
        Fallback::Rule("the same file"),
        Kind::Name,
    ),
    FILE,
    NUMBER,
];

macro_rules! form {
    ($name:literal, $about:literal, $keys:expr $(,)?) => {
        Variant {
            name: $name,
            about: $about,
            shape: Shape { what: concat!("`", $name, "`"), decisions: false, keys: $keys },
        }
    };
}

/// Items of `does`, one for each kind of operation.
pub(super) static CALLS: &[Variant] = &[
    form!("read", "`pread(2)`, or `preadv(2)`.", &[AT, SIZE, FILE, PIECES_READ, NUMBER]),
    form!(
        "write",
        "`pwrite(2)` from anonymous memory.",
        &[AT, SIZE, FILE, UNREADABLE_AT, TRANSIENT, PIECES, NUMBER],
    ),
    form!(
        "append",
        "`write(2)` with `O_APPEND`.",
        &[SIZE, FILE, UNREADABLE_AT, TRANSIENT, PIECES, NUMBER],
    ),
    form!(
        "write_from_mmap",
        "`pwrite(2)` whose source is a mapping of the same file.",
        &[
            AT,
            key("from", "The first byte of the source.", Fallback::Required, size(0, LARGEST_FILE)),
            SIZE,
            FILE,
            NUMBER,
        ],
    ),
    form!("mmap_load", "Loads through a shared mapping.", &[AT, SIZE, FILE, NUMBER]),
    form!("mmap_store", "Stores through a shared mapping.", &[AT, SIZE, FILE, ABANDONED, NUMBER]),
    form!(
        "truncate",
        "`ftruncate(2)`, up or down.",
        &[key("to", "The new size.", Fallback::Required, size(0, LARGEST_FILE)), FILE, NUMBER],
    ),
    form!("punch", "`fallocate(2)` with `PUNCH_HOLE`; the size stays.", &[AT, SIZE, FILE, NUMBER]),
    form!("zero_range", "`fallocate(2)` with `ZERO_RANGE`.", &[AT, SIZE, KEEP_SIZE, FILE, NUMBER]),
    form!("fallocate", "Plain `fallocate(2)`.", &[AT, SIZE, KEEP_SIZE, FILE, NUMBER]),
    form!("fsync", "`fsync(2)`.", &[FILE, NUMBER]),
    form!("sync", "`sync(2)`, of every file.", &[NUMBER]),
    form!("writeback", "Background writeback: starts I/O and does not wait for it.", &PART),
    form!("evict", "Memory reclaim of clean folios.", &PART),
    form!(
        "release",
        "The last `close(2)`, which frees speculative preallocation.",
        &[FILE, NUMBER]
    ),
    form!("direct_read", "`pread(2)` with `O_DIRECT`; `target` only.", &[AT, SIZE, FILE, NUMBER]),
    form!("direct_write", "`pwrite(2)` with `O_DIRECT`; `target` only.", &[AT, SIZE, FILE, NUMBER]),
    form!("copy_file_range", "`copy_file_range(2)`; `target` only.", &TRANSFER),
    form!("reflink", "`FICLONERANGE`; `target` only.", &TRANSFER),
    form!(
        "collapse_range",
        "`fallocate(2)` with `COLLAPSE_RANGE`, while nobody else changes the file; `target` only.",
        &[AT, SIZE, FILE, NUMBER],
    ),
    form!(
        "insert_range",
        "`fallocate(2)` with `INSERT_RANGE`, while nobody else changes the file; `target` only.",
        &[AT, SIZE, FILE, NUMBER],
    ),
    form!("fdatasync", "`fdatasync(2)`; `target` only.", &[FILE, NUMBER]),
    form!(
        "sync_file_range",
        "`sync_file_range(2)` with `WRITE`; `target` only.",
        &[
            PART[0],
            PART[1],
            key(
                "wait",
                "Whether it waits before and after, `WAIT_BEFORE` and `WAIT_AFTER`.",
                Fallback::Text("false"),
                Kind::Flag,
            ),
            FILE,
            NUMBER,
        ],
    ),
    form!("msync", "`msync(2)` with `MS_SYNC`; `target` only.", &PART),
    form!(
        "dontneed",
        "`posix_fadvise(2)` with `DONTNEED`, which leaves what is mapped; `target` only.",
        &PART,
    ),
    form!("page_out", "`madvise(2)` with `MADV_PAGEOUT`; `target` only.", &PART),
];

/// A call as written: its file is a name.
pub(super) struct RawCall {
    file: Read<Option<String>>,
    number: Read<Option<u64>>,
    /// The file of its source.
    from: Read<Option<String>>,
    /// What only a filesystem of the kernel can do, and where it stands.
    pub(super) real: Option<(&'static str, Place)>,
    /// Where it says that it gives up at its fault, as only the model's can be made to.
    pub(super) abandoned: Option<Place>,
    call: Call,
}

impl RawCall {
    /// What kind of call it is.
    pub(super) fn kind(&self) -> OpKind {
        self.call.op.kind()
    }
}

/// Reads the list of an actor; `None` for each that is wrong.
pub(super) fn calls(fields: &Fields<'_>) -> Option<Vec<Option<RawCall>>> {
    let items = fields.variants("does")?.into_iter();
    Some(items.map(|item| item.and_then(|(name, keys)| call(name, &keys))).collect())
}

/// The calls of a list with their numbers; `None` for each whose file is none of `files`, unless those
/// are wrong themselves, or whose number is not above that of the one before it.
pub(super) fn plan(
    raw: Vec<Option<RawCall>>,
    files: Option<&[&str]>,
    report: &mut dyn FnMut(Problem),
) -> Vec<Option<Call>> {
    let mut before = 0;
    let numbered = raw.into_iter().map(|raw| {
        let RawCall { file, number, from, call, .. } = raw?;
        let number = number?;
        let this = number.value.unwrap_or(before + 1);
        if this <= before {
            report(falls(number.place, this, before));
            return None;
        }
        before = this;
        let file = in_files(file?, files?, report)?;
        let mut call = Call { file, number: this, ..call };
        if let Some(source) = call.op.source_file() {
            let from = from?;
            *source = if from.value.is_some() { in_files(from, files?, report)? } else { file };
        }
        Some(call)
    });
    numbered.collect()
}

fn in_files(
    given: Given<Option<String>>,
    files: &[&str],
    report: &mut dyn FnMut(Problem),
) -> Option<usize> {
    let Some(name) = given.value else { return Some(0) };
    let number = files.iter().position(|known| *known == name);
    if number.is_none() {
        let problem = Problem::at(given.place, format!("there is no file `{name}`"));
        report(problem.help(did_you_mean(&name, files)));
    }
    number
}

fn falls(place: Place, number: u64, before: u64) -> Problem {
    let message = format!("`number` is {number}, and that of the call before it is {before}");
    let help = format!("numbers rise: write {} or more, or remove the key", before + 1);
    Problem::at(place, message).help(help)
}

fn call(name: &str, fields: &Fields<'_>) -> Option<RawCall> {
    let kind = OpKind::named(name).expect("the table has kinds of operation only");
    let keys = Keys { fields, size: size_of(kind, fields) };
    let op = keys.operation(kind);
    let file = if kind == OpKind::Sync {
        Some(Given { value: None, place: fields.place })
    } else {
        fields.maybe("file", values::name)
    };
    let nothing = Some(Given { value: None, place: fields.place });
    let writes = matches!(kind, OpKind::Write | OpKind::Append);
    let gap = if writes { keys.gap() } else { nothing };
    let vectored = writes || kind == OpKind::Read;
    let pieces = if vectored { keys.pieces() } else { Some(Vec::new()) };
    let transfers = matches!(kind, OpKind::CopyRange | OpKind::Reflink);
    let from = if transfers {
        fields.maybe("from_file", values::name)
    } else {
        Some(Given { value: None, place: fields.place })
    };
    let vectored = fields.given("pieces").filter(|_| kind == OpKind::Read);
    let real = match vectored {
        _ if !kind.is_modelled() => Some((kind.name(), fields.place)),
        Some(pieces) => Some(("preadv(2)", pieces.key.place)),
        None => None,
    };
    let abandoned = if kind == OpKind::MmapStore {
        fields.maybe("abandoned", values::flag)?.value.unwrap_or(false)
    } else {
        false
    };
    let call = Call { number: 0, file: 0, op: op?, pieces: pieces?, gap: gap?.value, abandoned };
    let abandoned = fields.given("abandoned").filter(|_| abandoned).map(|entry| entry.key.place);
    let number = fields.maybe("number", values::number);
    Some(RawCall { file, number, from, real, abandoned, call })
}

/// How many bytes a call is about, if it has to say so.
fn size_of(kind: OpKind, fields: &Fields<'_>) -> Option<u64> {
    let form = CALLS.iter().find(|form| form.name == kind.name())?;
    let key = form.shape.key("size")?;
    let required = matches!(key.default, Fallback::Required);
    required.then(|| fields.size("size"))?.map(|size| size.value)
}

/// The keys of one call.
struct Keys<'a> {
    fields: &'a Fields<'a>,
    /// `None` also if it was wrong, and has been reported.
    size: Option<u64>,
}

impl Keys<'_> {
    fn operation(&self, kind: OpKind) -> Option<Op> {
        Some(match kind {
            OpKind::Read => Op::Read(self.range("at")?),
            OpKind::Write => Op::Write(self.range("at")?),
            OpKind::Append => Op::Append(self.size?),
            OpKind::WriteFromMmap => {
                let (to, source) = (self.range("at"), self.range("from"));
                Op::WriteFromMmap { pos: to?.start, source: source? }
            }
            OpKind::MmapLoad => Op::MmapLoad(self.range("at")?),
            OpKind::MmapStore => Op::MmapStore(self.range("at")?),
            OpKind::Truncate => Op::Truncate(self.fields.size("to")?.value),
            OpKind::Punch => Op::Punch(self.range("at")?),
            OpKind::ZeroRange => {
                let (range, keep_size) = (self.range("at"), self.fields.flag("keep_size"));
                Op::ZeroRange { range: range?, keep_size: keep_size?.value }
            }
            OpKind::Fallocate => {
                let (range, keep_size) = (self.range("at"), self.fields.flag("keep_size"));
                Op::Fallocate { range: range?, keep_size: keep_size?.value }
            }
            OpKind::Fsync => Op::Fsync,
            OpKind::Sync => Op::Sync,
            OpKind::Writeback => Op::Writeback(self.part()?),
            OpKind::Evict => Op::Evict(self.part()?),
            OpKind::Release => Op::Release,
            OpKind::DirectRead => Op::DirectRead(self.range("at")?),
            OpKind::DirectWrite => Op::DirectWrite(self.range("at")?),
            OpKind::CopyRange => Op::CopyRange(self.transfer()?),
            OpKind::Reflink => Op::Reflink(self.transfer()?),
            OpKind::Collapse => Op::Collapse(self.range("at")?),
            OpKind::Insert => Op::Insert(self.range("at")?),
            OpKind::Fdatasync => Op::Fdatasync,
            OpKind::SyncRange => {
                let (range, wait) = (self.part(), self.fields.flag("wait"));
                Op::SyncRange { range: range?, wait: wait?.value }
            }
            OpKind::Msync => Op::Msync(self.part()?),
            OpKind::DontNeed => Op::DontNeed(self.part()?),
            OpKind::PageOut => Op::PageOut(self.part()?),
        })
    }

    /// Its file is not known yet.
    fn transfer(&self) -> Option<Transfer> {
        let (to, source) = (self.range("at"), self.range("from"));
        Some(Transfer { from: 0, source: source?, pos: to?.start })
    }

    /// The bytes from the key `start` on.
    fn range(&self, start: &str) -> Option<ByteRange> {
        let at = self.fields.size(start)?;
        let range = ByteRange::at(at.value, self.size?);
        if LARGEST_FILE < range.end {
            let most = show_size(LARGEST_FILE);
            let message = format!("`{start}` and `size` reach beyond {most}");
            let help = "no file is larger: lower one of them";
            self.fields.report(Problem::at(at.place, message).help(help));
            return None;
        }
        Some(range)
    }

    /// A range that may be left out.
    fn part(&self) -> Option<ByteRange> {
        let at = self.fields.maybe("at", values::size);
        let size = self.fields.maybe("size", values::size);
        let start = at?.value.unwrap_or(0);
        let end = size?.value.map_or(WHOLE_FILE.end, |size| start + size);
        Some(ByteRange::new(start, end))
    }

    fn gap(&self) -> Read<Option<Gap>> {
        let at = self.fields.maybe("unreadable_at", values::size);
        let transient = self.fields.flag("transient");
        let (at, transient) = (at?, transient?);
        let Some(offset) = at.value else {
            if self.fields.given("transient").is_none() {
                return Some(Given { value: None, place: at.place });
            }
            let message = "`transient` says how a byte is unreadable, and none is";
            let help = "add `unreadable_at`, the byte's offset in the source";
            self.fields.report(Problem::at(transient.place, message).help(help));
            return None;
        };
        let size = self.size?;
        if size <= offset {
            let message = format!("`unreadable_at` lies beyond the source, which has {size} bytes");
            let help = "write an offset below `size`";
            self.fields.report(Problem::at(at.place, message).help(help));
            return None;
        }
        let gap = Gap { at: offset, persistent: !transient.value };
        Some(Given { value: Some(gap), place: at.place })
    }

    fn pieces(&self) -> Option<Vec<u64>> {
        let offsets = self.fields.maybe("pieces", values::offsets)?;
        let pieces = offsets.value.unwrap_or_default();
        let size = self.size?;
        let rising = pieces.windows(2).all(|pair| pair[0] < pair[1]);
        let within = pieces.iter().all(|offset| (1..size).contains(offset));
        if !rising || !within {
            let message = "`pieces` are offsets in the source, each above the one before it";
            let help = format!("write them in order, from 1 to {}", size.saturating_sub(1));
            self.fields.report(Problem::at(offsets.place, message).help(help));
            return None;
        }
        Some(pieces)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_operation_has_a_form() {
        let forms: Vec<_> = CALLS.iter().map(|form| form.name).collect();
        let kinds: Vec<_> = OpKind::ALL.iter().map(|kind| kind.name()).collect();
        assert_eq!(forms, kinds);
    }
}
