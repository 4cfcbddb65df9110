//! One write in C.

use super::call::{Cast, Written, effect, is_unaligned};
use crate::call::Call;
use crate::scenario::plan::Unreadable;
use crate::user_buffer::Gap;
use stormfs::quantity::ByteRange;

/// Where a write takes its bytes from.
struct SourceText {
    /// What is done before it, and behind it.
    before: Vec<String>,
    after: Option<String>,
    /// Its iovecs, if it has several.
    pieces: Option<(String, String)>,
    parts: Vec<&'static str>,
}

/// A write at `pos`, or at the end of the file.
pub(super) fn plain(call: &Call, cast: &Cast<'_>, pos: Option<u64>, len: u64) -> Written {
    let ((name, file), value) = (cast.names(), cast.value);
    let readable = match call.gap {
        Some(Gap { at, persistent: true }) => at,
        _ => len,
    };
    let source = source(call, cast, len);
    let what = match (pos, source.pieces.is_some()) {
        (Some(pos), false) => format!("pwrite({name}, {len} at {pos})"),
        (Some(pos), true) => format!("pwritev({name}, {len} at {pos})"),
        (None, false) => format!("write({name}, {len} at its end)"),
        (None, true) => format!("writev({name}, {len} at its end)"),
    };
    let cannot =
        if readable < len { format!(", of which {readable} can be read") } else { String::new() };
    let words = cast.told(call, &(what + &cannot));
    let (mut lines, mut parts) = (source.before, source.parts);
    if let Some(pos) = pos {
        let end = pos + len;
        let keys = format!(".pos = {pos}, .end = {end}, .value = {value}, .size = {end}");
        lines.push(format!("int call = {};", effect(file, &keys)));
        let result = match &source.pieces {
            None => format!("pwrite(fd[{file}], source, {len}, {pos})"),
            Some((pieces, count)) => format!("pwritev(fd[{file}], {pieces}, {count}, {pos})"),
        };
        lines.push(format!("wrote(call, {words},\n\t{result}, {len}, {readable});"));
        parts.push("write");
    } else {
        // Where it will begin is known when it has ended.
        let keys = format!(".end = LLONG_MAX, .value = {value}, .size = LLONG_MAX");
        lines.push(format!("int end = open(path[{file}], O_RDWR | O_APPEND | O_CLOEXEC);"));
        lines.push(format!("int call = {};", effect(file, &keys)));
        let result = match &source.pieces {
            None => format!("write(end, source, {len})"),
            Some((pieces, count)) => format!("writev(end, {pieces}, {count})"),
        };
        lines.push(format!("ssize_t result = {result};"));
        lines.push(format!("appended(call, {words}, end, result, {len}, {readable});"));
        lines.push("close(end);".to_owned());
        parts.push("append");
    }
    lines.extend(source.after);
    Written { lines, parts }
}

fn source(call: &Call, cast: &Cast<'_>, len: u64) -> SourceText {
    if let Some(stop) = cast.stop {
        let pieces = Some((format!("{stop}.source"), format!("{stop}.pieces")));
        return SourceText { before: Vec::new(), after: None, pieces, parts: Vec::new() };
    }
    let value = cast.value;
    let mut parts = Vec::new();
    let (made, after, part) = match call.gap {
        None => (format!("bytes({len}, {value})"), "free(source);".to_owned(), "bytes"),
        Some(Gap { at, persistent }) => {
            let easy = ["PROTECTED", "UNMAPPED", "BEYOND_EOF"];
            let in_turn = easy[usize::try_from(call.number % 3).expect("it is below three")];
            let way = if persistent { named(cast.by).unwrap_or(in_turn) } else { "NOT_PRESENT" };
            let made = format!("bytes_with_hole({len}, {value}, {at}, {way})");
            parts.extend((way == POISONED).then_some("poison"));
            (made, format!("free_with_hole(source, {len}, {at});"), "hole")
        }
    };
    parts.push(part);
    let mut before = vec![format!("unsigned char *source = {made};")];
    let pieces = pieces(call, len, "source").map(|pieces| {
        before.push(defined(&pieces));
        parts.push("pieces");
        ("pieces".to_owned(), pieces.len().to_string())
    });
    SourceText { before, after: Some(after), pieces, parts }
}

/// A page that the hardware seems to have lost, in C.
pub(super) const POISONED: &str = "POISONED";

/// The way that is named, in C.
pub(super) fn named(by: Unreadable) -> Option<&'static str> {
    match by {
        Unreadable::Any => None,
        Unreadable::Protect => Some("PROTECTED"),
        Unreadable::Unmap => Some("UNMAPPED"),
        Unreadable::Bus => Some("BEYOND_EOF"),
        Unreadable::Poison => Some(POISONED),
    }
}

/// A write past the page cache.
pub(super) fn directly(call: &Call, cast: &Cast<'_>, range: ByteRange) -> Written {
    let ((name, file), value) = (cast.names(), cast.value);
    let (pos, end, len) = (range.start, range.end, range.len());
    let words = cast.told(call, &format!("pwrite({name}, {len} at {pos}, O_DIRECT)"));
    let mut keys = format!(".pos = {pos}, .end = {end}, .value = {value}, .size = {end}");
    let mut parts = vec!["bytes", "direct", "write"];
    if cast.beside {
        keys += ", .weak = 1";
        parts.extend(["weak", "collides"]);
    }
    let is_unaligned = is_unaligned(range);
    if is_unaligned {
        keys += ", .refuses = 1";
        parts.push("refuses");
    }
    let mut lines = vec![
        format!("int direct = directly({file});"),
        format!("unsigned char *source = bytes({len}, {value});"),
        format!("int call = {};", effect(file, &keys)),
        format!("ssize_t result = pwrite(direct, source, {len}, {pos});"),
    ];
    if !is_unaligned {
        let cannot = cast.told(call, "O_DIRECT is not supported here");
        lines.push("if (result < 0 && errno == EINVAL)".to_owned());
        lines.push(format!("\tcannot({cannot});"));
    }
    let readable = if cast.beside { "-1".to_owned() } else { len.to_string() };
    lines.push(format!("wrote(call, {words}, result, {len}, {readable});"));
    lines.extend(["close(direct);".to_owned(), "free(source);".to_owned()]);
    Written { lines, parts }
}

/// A write from a mapping of its own file.
pub(super) fn from_mapping(call: &Call, cast: &Cast<'_>, pos: u64, source: ByteRange) -> Written {
    let (file, f) = cast.names();
    let (len, end, from) = (source.len(), pos + source.len(), source.start);
    let words =
        cast.told(call, &format!("pwrite({file}, {len} at {pos}, from its mapping at {from})"));
    let mut parts = vec!["map", "write"];
    let bytes = if source.start < end && pos < source.end {
        ".value = ANYTHING".to_owned()
    } else {
        parts.push("copies");
        format!(".value = COPIED, .from = {f}, .at = {from}")
    };
    let keys = format!(".pos = {pos}, .end = {end}, {bytes}, .size = {end}");
    let result = format!("pwrite(fd[{f}], map[{f}] + {from}, {len}, {pos})");
    let lines = [
        format!("int call = {};", effect(f, &keys)),
        format!("wrote(call, {words},\n\t{result}, {len}, -1);"),
    ];
    Written::new(&lines, &parts)
}

/// Their definition.
pub(super) fn defined(pieces: &[String]) -> String {
    format!("struct iovec pieces[] = {{\n\t{},\n}};", pieces.join(",\n\t"))
}

/// The iovecs of a call whose memory has this name, if it has several.
pub(super) fn pieces(call: &Call, len: u64, memory: &str) -> Option<Vec<String>> {
    if call.pieces.is_empty() {
        return None;
    }
    let starts = [0].into_iter().chain(call.pieces.iter().copied());
    let ends = call.pieces.iter().copied().chain([len]);
    let piece = |(start, end): (u64, u64)| format!("{{ {memory} + {start}, {} }}", end - start);
    Some(starts.zip(ends).map(piece).collect())
}
