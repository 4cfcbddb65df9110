//! One call in C.

use super::names::text;
use super::transfer;
use super::write;
use crate::call::{Call, WHOLE_FILE};
use crate::scenario::plan::Unreadable;
use stormfs::op::Op;
use stormfs::quantity::{ByteRange, PAGE};

/// What a call is written with.
pub(super) struct Cast<'a> {
    /// Its actor.
    pub(super) who: &'a str,
    /// Its file, by its number.
    pub(super) file: usize,
    /// The files, as each is called in the case, and in C.
    pub(super) files: &'a [(String, String)],
    /// The byte that it writes.
    pub(super) value: u64,
    /// The stop of its source, if it has one.
    pub(super) stop: Option<&'a str>,
    /// Whether others act beside it.
    pub(super) beside: bool,
    /// Whether files are mapped.
    pub(super) mapped: bool,
    /// How bytes of sources are made unreadable.
    pub(super) by: Unreadable,
}

impl Cast<'_> {
    /// Its file, as it is called in the case, and in C.
    pub(super) fn names(&self) -> (&str, &str) {
        self.of(self.file)
    }

    /// A file, as it is called in the case, and in C.
    pub(super) fn of(&self, file: usize) -> (&str, &str) {
        let (name, c) = &self.files[file];
        (name, c)
    }

    /// The words in which the program tells of `call`.
    pub(super) fn told(&self, call: &Call, words: &str) -> String {
        text(&format!("{} {}: {words}", self.who, call.number))
    }
}

/// The lines of a call, and the parts of the program that it needs.
#[derive(Debug, Default)]
pub(super) struct Written {
    pub(super) lines: Vec<String>,
    pub(super) parts: Vec<&'static str>,
}

impl Written {
    pub(super) fn new(lines: &[String], parts: &[&'static str]) -> Written {
        Written { lines: lines.to_vec(), parts: parts.to_vec() }
    }
}

/// Writes `call`.
pub(super) fn written(call: &Call, cast: &Cast<'_>) -> Written {
    match call.op {
        Op::Read(range) => read(call, cast, range),
        Op::DirectRead(range) => read_directly(call, cast, range),
        Op::MmapLoad(range) | Op::MmapStore(range) => access(call, cast, range),
        Op::Write(range) => write::plain(call, cast, Some(range.start), range.len()),
        Op::Append(len) => write::plain(call, cast, None, len),
        Op::DirectWrite(range) => write::directly(call, cast, range),
        Op::WriteFromMmap { pos, source } => write::from_mapping(call, cast, pos, source),
        Op::Truncate(to) => truncate(call, cast, to),
        Op::Punch(range) => allocate(call, cast, range, PUNCH, range.end),
        Op::ZeroRange { range, keep_size: true } => {
            allocate(call, cast, range, ZERO_AND_KEEP, range.end)
        }
        Op::ZeroRange { range, keep_size: false } => allocate(call, cast, range, ZERO, range.end),
        Op::Fallocate { range, keep_size } => {
            let mode = if keep_size { "FALLOC_FL_KEEP_SIZE" } else { "0" };
            allocate(call, cast, range, mode, range.start)
        }
        Op::CopyRange(transfer) => transfer::copied(call, cast, transfer),
        Op::Reflink(transfer) => transfer::shared(call, cast, transfer),
        Op::Collapse(range) => transfer::moved(call, cast, (range, "COLLAPSE", "-")),
        Op::Insert(range) => transfer::moved(call, cast, (range, "INSERT", "")),
        Op::Fsync
        | Op::Fdatasync
        | Op::Sync
        | Op::Writeback(_)
        | Op::SyncRange { .. }
        | Op::Msync(_)
        | Op::Evict(_)
        | Op::DontNeed(_)
        | Op::PageOut(_)
        | Op::Release => flush(call, cast),
    }
}

/// A call that leaves bytes and size as they are.
fn flush(call: &Call, cast: &Cast<'_>) -> Written {
    let (file, f) = cast.names();
    let on = |what: &str, range: ByteRange| {
        if range == WHOLE_FILE {
            format!("{what}({file})")
        } else {
            format!("{what}({file}, {} at {})", range.len(), range.start)
        }
    };
    let must = |words: &str, c: &str| {
        Written::new(&[format!("must({}, {c});", cast.told(call, words))], &["must"])
    };
    let start = |range: ByteRange| {
        let c = format!("sync_file_range(fd[{f}], {}, SYNC_FILE_RANGE_WRITE)", long(range));
        must(&on("sync_file_range", range), &c)
    };
    let drop = |range: ByteRange| {
        let c = format!("posix_fadvise(fd[{f}], {}, POSIX_FADV_DONTNEED)", long(range));
        must(&on("posix_fadvise", range), &c)
    };
    let evict = |range: ByteRange| {
        let mut written = drop(range);
        // What is in page tables stays in the cache.
        if cast.mapped {
            written.lines.insert(0, format!("madvise(map[{f}], MAPPED, MADV_DONTNEED);"));
        }
        written
    };
    if let Op::SyncRange { range, wait: true } = call.op {
        let c = format!("sync_file_range(fd[{f}], {}, {WAITING})", long(range));
        return must(&on("sync_file_range", range), &c);
    }
    match call.op {
        Op::Fsync => must(&format!("fsync({file})"), &format!("fsync(fd[{f}])")),
        Op::Fdatasync => must(&format!("fdatasync({file})"), &format!("fdatasync(fd[{f}])")),
        Op::Writeback(range) | Op::SyncRange { range, .. } => start(range),
        Op::Evict(range) => evict(range),
        Op::DontNeed(range) => drop(range),
        Op::Msync(range) | Op::PageOut(range) => {
            let is_sync = matches!(call.op, Op::Msync(_));
            let (name, how) =
                if is_sync { ("msync", "MS_SYNC") } else { ("madvise", "MADV_PAGEOUT") };
            let (at, len) = pages(range);
            let call = cast.told(call, &on(name, range));
            Written::new(
                &[format!("must({call}, {name}(map[{f}] + {at}, {len}, {how}));")],
                &["map", "must"],
            )
        }
        Op::Release => {
            let again = format!("int again = open(path[{f}], O_RDWR | O_CLOEXEC);");
            let words = cast.told(call, &format!("open and close {file}"));
            Written::new(&[again, format!("must({words}, again < 0 || close(again));")], &["must"])
        }
        Op::Sync
        | Op::Read(_)
        | Op::Write(_)
        | Op::Append(_)
        | Op::WriteFromMmap { .. }
        | Op::MmapLoad(_)
        | Op::MmapStore(_)
        | Op::Truncate(_)
        | Op::Punch(_)
        | Op::ZeroRange { .. }
        | Op::Fallocate { .. }
        | Op::DirectRead(_)
        | Op::DirectWrite(_)
        | Op::CopyRange(_)
        | Op::Reflink(_)
        | Op::Collapse(_)
        | Op::Insert(_) => must("syncfs()", &format!("syncfs(fd[{f}])")),
    }
}

/// A sync of a range that waits for it.
const WAITING: &str =
    "SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER";

/// Whole pages of a range, as far as files are mapped.
fn pages(range: ByteRange) -> (u64, String) {
    let at = range.start / PAGE * PAGE;
    (at, if range == WHOLE_FILE { format!("MAPPED - {at}") } else { (range.end - at).to_string() })
}

/// Loads or stores.
fn access(call: &Call, cast: &Cast<'_>, range: ByteRange) -> Written {
    let ((file, f), start, len) = (cast.names(), range.start, range.len());
    if matches!(call.op, Op::MmapStore(_)) {
        let words = cast.told(call, &format!("store({file}, {len} at {start})"));
        let line = format!("store({words}, {f}, {start}, {len}, {});", cast.value);
        return Written::new(&[line], &["store"]);
    }
    let words = cast.told(call, &format!("load({file}, {len} at {start})"));
    Written::new(&[format!("load({words}, {f}, {start}, {len});")], &["load"])
}

fn read(call: &Call, cast: &Cast<'_>, range: ByteRange) -> Written {
    let ((file, f), start, len) = (cast.names(), range.start, range.len());
    let looks = format!("struct look look = looks({f}, {start}, {len});");
    let Some(pieces) = write::pieces(call, len, "look.bytes") else {
        let words = cast.told(call, &format!("pread({file}, {len} at {start})"));
        let read = format!("saw({words}, &look, pread(fd[{f}], look.bytes, {len}, {start}));");
        return Written::new(&[looks, read], &["look"]);
    };
    let count = pieces.len();
    let words = cast.told(call, &format!("preadv({file}, {len} at {start}, in {count} pieces)"));
    let lines = [
        looks,
        write::defined(&pieces),
        format!("saw({words}, &look, preadv(fd[{f}], pieces, {count}, {start}));"),
    ];
    Written::new(&lines, &["look", "pieces"])
}

/// Whether calls past the cache may be refused there.
pub(super) fn is_unaligned(range: ByteRange) -> bool {
    !(range.start.is_multiple_of(PAGE) && range.end.is_multiple_of(PAGE))
}

fn read_directly(call: &Call, cast: &Cast<'_>, range: ByteRange) -> Written {
    let ((file, f), start, len) = (cast.names(), range.start, range.len());
    let words = cast.told(call, &format!("pread({file}, {len} at {start}, O_DIRECT)"));
    let refused = if is_unaligned(range) {
        // It is not of whole blocks.
        "result = look.inside = 0;".to_owned()
    } else {
        format!("cannot({});", cast.told(call, "O_DIRECT is not supported here"))
    };
    let lines = [
        format!("int direct = directly({f});"),
        format!("struct look look = looks({f}, {start}, {len});"),
        format!("ssize_t result = pread(direct, look.bytes, {len}, {start});"),
        "if (result < 0 && errno == EINVAL)".to_owned(),
        format!("\t{refused}"),
        format!("saw({words}, &look, result);"),
        "close(direct);".to_owned(),
    ];
    let mut written = Written::new(&lines, &["look", "direct"]);
    written.parts.extend(cast.beside.then_some("collides"));
    written
}

fn truncate(call: &Call, cast: &Cast<'_>, to: u64) -> Written {
    let (file, f) = cast.names();
    let words = cast.told(call, &format!("ftruncate({file}, {to})"));
    let keys = format!(".pos = {to}, .end = LLONG_MAX, .size = {}, .cuts = 1", to + 1);
    let lines = [
        format!("int call = {};", effect(f, &keys)),
        format!("did(call, {words}, ftruncate(fd[{f}], {to}));"),
    ];
    Written::new(&lines, &["effects"])
}

const ZERO: &str = "FALLOC_FL_ZERO_RANGE";

const ZERO_AND_KEEP: &str = "FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE";

const PUNCH: &str = "FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE";

/// A range that may reach to the end of all files.
fn long(range: ByteRange) -> String {
    format!("{}, {}", range.start, if range == WHOLE_FILE { 0 } else { range.len() })
}

/// Announces what a call changes.
pub(super) fn effect(file: &str, keys: &str) -> String {
    format!("begins((struct effect){{\n\t.file = {file}, {keys}\n}})")
}

/// `fallocate(2)`, after which bytes up to `end` are zero.
fn allocate(call: &Call, cast: &Cast<'_>, range: ByteRange, mode: &str, end: u64) -> Written {
    let ((name, file), start, len) = (cast.names(), range.start, range.len());
    let words = cast.told(call, &format!("fallocate({name}, {mode}, {len} at {start})"));
    let size = if mode.contains("KEEP_SIZE") { 0 } else { range.end };
    let keys = format!(".pos = {start}, .end = {end}, .size = {size}");
    let result = format!("fallocate(fd[{file}], {mode}, {start}, {len})");
    let lines = vec![
        format!("int call = {};", effect(file, &keys)),
        format!("did(call, {words},\n\t{result});"),
    ];
    Written { lines, parts: vec!["effects"] }
}
