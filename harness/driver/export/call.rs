//! One call in C.

use super::names::text;
use crate::call::Call;
use crate::user_buffer::Gap;
use stormfs::op::Op;
use stormfs::quantity::{ByteRange, PAGE};

/// What a call is written with.
pub(super) struct Cast<'a> {
    /// Its actor.
    pub(super) who: &'a str,
    /// Its file, as it is called in the case, and in C.
    pub(super) file: (&'a str, &'a str),
    /// The byte that it writes.
    pub(super) value: u64,
    /// The stop of its source, if it has one.
    pub(super) stop: Option<&'a str>,
}

/// The lines of a call, and the parts of the program that it needs.
#[derive(Debug)]
pub(super) struct Written {
    pub(super) lines: Vec<String>,
    pub(super) parts: Vec<&'static str>,
}

/// Writes `call`. `None`: what it leaves is more than the program can follow.
pub(super) fn written(call: &Call, cast: &Cast<'_>) -> Option<Written> {
    Some(match call.op {
        Op::Read(range) => access(call, cast, ("reads", "pread"), range, &["read"]),
        Op::MmapLoad(range) => access(call, cast, ("load", "load"), range, &["map", "load"]),
        Op::MmapStore(range) => access(call, cast, ("store", "store"), range, &["map", "store"]),
        Op::Write(range) => write(call, cast, Some(range.start), range.len()),
        Op::Append(len) => write(call, cast, None, len),
        Op::WriteFromMmap { pos, source } => from_mapping(call, cast, pos, source),
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
        Op::DirectRead(_)
        | Op::DirectWrite(_)
        | Op::CopyRange(_)
        | Op::Reflink(_)
        | Op::Collapse(_)
        | Op::Insert(_) => return None,
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
    })
}

/// A call that leaves bytes and size as they are.
fn flush(call: &Call, cast: &Cast<'_>) -> Written {
    let (file, f) = cast.file;
    let on = |what: &str, range: ByteRange| {
        format!("{what}({file}, {} at {})", range.len(), range.start)
    };
    let must = |words: &str, c: &str| {
        plain(&[format!("must({}, {c});", told(call, cast, words))], &["must"])
    };
    let start = |range: ByteRange| {
        let c = format!("sync_file_range(fd[{f}], {}, SYNC_FILE_RANGE_WRITE)", long(range));
        must(&on("sync_file_range", range), &c)
    };
    let drop = |range: ByteRange| {
        let c = format!("posix_fadvise(fd[{f}], {}, POSIX_FADV_DONTNEED)", long(range));
        must(&on("drop_cache", range), &c)
    };
    if let Op::SyncRange { range, wait: true } = call.op {
        let c = format!("sync_file_range(fd[{f}], {}, {WAITING})", long(range));
        return must(&on("sync_file_range", range), &c);
    }
    match call.op {
        Op::Fsync => must(&format!("fsync({file})"), &format!("fsync(fd[{f}])")),
        Op::Fdatasync => must(&format!("fdatasync({file})"), &format!("fdatasync(fd[{f}])")),
        Op::Writeback(range) | Op::SyncRange { range, .. } => start(range),
        Op::Evict(range) | Op::DontNeed(range) => drop(range),
        Op::Msync(range) | Op::PageOut(range) => {
            let is_sync = matches!(call.op, Op::Msync(_));
            let (name, how) =
                if is_sync { ("msync", "MS_SYNC") } else { ("madvise", "MADV_PAGEOUT") };
            let (at, len) = pages(range);
            let call = told(call, cast, &on(name, range));
            plain(
                &[format!("must({call}, {name}(map[{f}] + {at}, {len}, {how}));")],
                &["map", "must"],
            )
        }
        Op::Release => {
            let again = format!("int again = open(path[{f}], O_RDWR | O_CLOEXEC);");
            let words = told(call, cast, &format!("open and close {file}"));
            plain(&[again, format!("must({words}, again < 0 || close(again));")], &["must"])
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
    let whole = range.len() == crate::call::WHOLE_FILE.len();
    (at, if whole { format!("MAPPED - {at}") } else { (range.end - at).to_string() })
}

fn told(call: &Call, cast: &Cast<'_>, words: &str) -> String {
    text(&format!("{} {}: {words}", cast.who, call.number))
}

fn plain(lines: &[String], parts: &[&'static str]) -> Written {
    Written { lines: lines.to_vec(), parts: parts.to_vec() }
}

/// A call of `function`, which is told of as `what`, on a range.
fn access(
    call: &Call,
    cast: &Cast<'_>,
    (function, what): (&str, &str),
    range: ByteRange,
    parts: &[&'static str],
) -> Written {
    let ((file, f), start, len) = (cast.file, range.start, range.len());
    let words = told(call, cast, &format!("{what}({file}, {len} at {start})"));
    let value = if function == "store" { format!(", {}", cast.value) } else { String::new() };
    plain(&[format!("{function}({words}, {f}, {start}, {len}{value});")], parts)
}

fn from_mapping(call: &Call, cast: &Cast<'_>, pos: u64, source: ByteRange) -> Written {
    let (file, f) = cast.file;
    let (len, end, from) = (source.len(), pos + source.len(), source.start);
    let words =
        told(call, cast, &format!("pwrite({file}, {len} at {pos}, from its mapping at {from})"));
    let keys = format!(".pos = {pos}, .end = {end}, .value = ANYTHING, .size = {end}");
    let result = format!("pwrite(fd[{f}], map[{f}] + {from}, {len}, {pos})");
    let lines = [
        format!("int call = {};", effect(f, &keys)),
        format!("wrote(call, {words}, {result}, {len}, -1);"),
    ];
    plain(&lines, &["map", "write"])
}

fn truncate(call: &Call, cast: &Cast<'_>, to: u64) -> Written {
    let (file, f) = cast.file;
    let words = told(call, cast, &format!("ftruncate({file}, {to})"));
    let keys = format!(".pos = {to}, .end = LLONG_MAX, .size = {}, .cuts = 1", to + 1);
    let lines = [
        format!("int call = {};", effect(f, &keys)),
        format!("did(call, {words}, ftruncate(fd[{f}], {to}));"),
    ];
    plain(&lines, &["effects"])
}

const ZERO: &str = "FALLOC_FL_ZERO_RANGE";

const ZERO_AND_KEEP: &str = "FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE";

const PUNCH: &str = "FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE";

/// A range that may reach to the end of all files.
fn long(range: ByteRange) -> String {
    let whole = range.len() == crate::call::WHOLE_FILE.len();
    format!("{}, {}", range.start, if whole { 0 } else { range.len() })
}

fn effect(file: &str, keys: &str) -> String {
    format!("begins((struct effect){{ .file = {file}, {keys} }})")
}

/// `fallocate(2)`, after which bytes up to `end` are zero.
fn allocate(call: &Call, cast: &Cast<'_>, range: ByteRange, mode: &str, end: u64) -> Written {
    let ((name, file), start, len) = (cast.file, range.start, range.len());
    let words = told(call, cast, &format!("fallocate({name}, {mode}, {len} at {start})"));
    let size = if mode.contains("KEEP_SIZE") { 0 } else { range.end };
    let keys = format!(".pos = {start}, .end = {end}, .size = {size}");
    let result = format!("fallocate(fd[{file}], {mode}, {start}, {len})");
    let lines = vec![
        format!("int call = {};", effect(file, &keys)),
        format!("did(call, {words}, {result});"),
    ];
    Written { lines, parts: vec!["effects"] }
}

/// A write at `pos`, or at the end of the file.
fn write(call: &Call, cast: &Cast<'_>, pos: Option<u64>, len: u64) -> Written {
    let (name, file) = cast.file;
    let value = cast.value;
    let readable = match call.gap {
        Some(Gap { at, persistent: true }) => at,
        _ => len,
    };
    let mut parts = vec!["write"];
    let source = match (cast.stop, call.gap) {
        (Some(stop), _) => format!("{stop}.source"),
        (None, None) => {
            parts.push("bytes");
            format!("bytes({len}, {value})")
        }
        (None, Some(Gap { at, persistent })) => {
            parts.push("hole");
            let ways = ["PROTECTED", "UNMAPPED", "BEYOND_EOF"];
            let nth = usize::try_from(call.number % 3).expect("it is below three");
            let way = if persistent { ways[nth] } else { "NOT_PRESENT" };
            format!("bytes_with_hole({len}, {value}, {at}, {way})")
        }
    };
    let what = match pos {
        Some(pos) => format!("pwrite({name}, {len} at {pos})"),
        None => format!("write({name}, {len} at its end)"),
    };
    let cannot =
        if readable < len { format!(", of which {readable} can be read") } else { String::new() };
    let words = told(call, cast, &(what + &cannot));
    let mut lines = vec![format!("unsigned char *source = {source};")];
    let pieces = pieces(call, len);
    if let Some(pieces) = &pieces {
        lines.push(format!("struct iovec pieces[] = {{ {} }};", pieces.join(", ")));
    }
    let count = pieces.as_ref().map_or(0, Vec::len);
    if let Some(pos) = pos {
        let end = pos + len;
        let keys = format!(".pos = {pos}, .end = {end}, .value = {value}, .size = {end}");
        lines.push(format!("int call = {};", effect(file, &keys)));
        let result = match &pieces {
            None => format!("pwrite(fd[{file}], source, {len}, {pos})"),
            Some(_) => format!("pwritev(fd[{file}], pieces, {count}, {pos})"),
        };
        lines.push(format!("wrote(call, {words}, {result}, {len}, {readable});"));
    } else {
        parts.push("append");
        // Where it will begin is known when it has ended.
        let keys = format!(".end = LLONG_MAX, .value = {value}, .size = LLONG_MAX");
        lines.push(format!("int end = open(path[{file}], O_RDWR | O_APPEND | O_CLOEXEC);"));
        lines.push(format!("int call = {};", effect(file, &keys)));
        let result = match &pieces {
            None => format!("write(end, source, {len})"),
            Some(_) => format!("writev(end, pieces, {count})"),
        };
        lines.push(format!("ssize_t result = {result};"));
        lines.push(format!("appended(call, {words}, end, result, {len}, {readable});"));
        lines.push("close(end);".to_owned());
    }
    if source.starts_with("bytes(") {
        lines.push("free(source);".to_owned());
    }
    Written { lines, parts }
}

/// The iovecs of a write, if it has several.
fn pieces(call: &Call, len: u64) -> Option<Vec<String>> {
    if call.pieces.is_empty() {
        return None;
    }
    let starts = [0].into_iter().chain(call.pieces.iter().copied());
    let ends = call.pieces.iter().copied().chain([len]);
    let piece = |(start, end): (u64, u64)| format!("{{ source + {start}, {} }}", end - start);
    Some(starts.zip(ends).map(piece).collect())
}
