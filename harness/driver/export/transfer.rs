//! One call in C that takes bytes from elsewhere in a file, or moves them there.

use super::call::{Cast, Written, effect};
use crate::call::Call;
use stormfs::op::Transfer;
use stormfs::quantity::ByteRange;

/// Where the bytes are that it takes, and where they go.
fn taken(cast: &Cast<'_>, transfer: Transfer) -> (String, String) {
    let (from, source) = (cast.of(transfer.from), transfer.source);
    let (start, len) = (source.start, source.len());
    let words = format!("{len} at {start} of {} to {} at {}", from.0, cast.names().0, transfer.pos);
    let (pos, end) = (transfer.pos, transfer.target().end);
    let keys = format!(
        ".pos = {pos}, .end = {end}, .value = COPIED,\n\t.from = {}, .at = {start}, .size = {end}, .refuses = 1",
        from.1
    );
    (words, keys)
}

/// `copy_file_range(2)`.
pub(super) fn copied(call: &Call, cast: &Cast<'_>, transfer: Transfer) -> Written {
    let (words, keys) = taken(cast, transfer);
    let words = cast.told(call, &format!("copy_file_range({words})"));
    let (from, to) = (cast.of(transfer.from).1, cast.names().1);
    let (start, len, pos) = (transfer.source.start, transfer.source.len(), transfer.pos);
    let lines = [
        format!("off_t from = {start}, to = {pos};"),
        format!("int call = {};", effect(to, &keys)),
        format!(
            "copied(call, {words},\n\tcopy_file_range(fd[{from}], &from, fd[{to}], &to, {len}, 0));"
        ),
    ];
    Written::new(&lines, &["copied", "copies", "refuses"])
}

/// `FICLONERANGE`.
pub(super) fn shared(call: &Call, cast: &Cast<'_>, transfer: Transfer) -> Written {
    let (words, keys) = taken(cast, transfer);
    let words = cast.told(call, &format!("FICLONERANGE({words})"));
    let (from, to) = (cast.of(transfer.from).1, cast.names().1);
    let (start, len, pos) = (transfer.source.start, transfer.source.len(), transfer.pos);
    let lines = [
        format!("struct file_clone_range blocks = {{ fd[{from}], {start}, {len}, {pos} }};"),
        format!("int call = {};", effect(to, &keys)),
        format!("did(call, {words},\n\tioctl(fd[{to}], FICLONERANGE, &blocks));"),
    ];
    Written::new(&lines, &["clone", "copies", "refuses", "effects"])
}

/// `fallocate(2)` that takes a range out, or puts one in.
pub(super) fn moved(
    call: &Call,
    cast: &Cast<'_>,
    (range, way, sign): (ByteRange, &str, &str),
) -> Written {
    let ((name, file), start, len) = (cast.names(), range.start, range.len());
    let mode = format!("FALLOC_FL_{way}_RANGE");
    let words = cast.told(call, &format!("fallocate({name}, {mode}, {len} at {start})"));
    // Of what it puts in, nothing is taken from there.
    let at = if sign == "-" { range.end.to_string() } else { format!("{start} - {len}") };
    let keys = format!(
        ".pos = {start}, .end = LLONG_MAX, .value = COPIED,\n\t.from = {file}, .at = {at}, .by = {sign}{len}, .refuses = 1"
    );
    let lines = [
        format!("int call = {};", effect(file, &keys)),
        format!("moved(call, {words},\n\tfallocate(fd[{file}], {mode}, {start}, {len}));"),
    ];
    Written::new(&lines, &["moves", "copies", "refuses"])
}
