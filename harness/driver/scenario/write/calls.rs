//! A call as an item of `does`.

use super::super::plan::FilePlan;
use super::scalar::{Flow, bytes, word};
use crate::call::{Call, WHOLE_FILE};
use crate::user_buffer::Gap;
use stormfs::op::{Op, Transfer};
use stormfs::quantity::ByteRange;

/// The item, with its number if that is asked for.
pub(super) fn call(call: &Call, files: &[FilePlan], numbered: bool) -> String {
    let mut keys = Flow::default();
    if numbered {
        keys.put("number", call.number);
    }
    operation(&mut keys, &call.op);
    if let Some(from) = call.op.clone().source_file().filter(|from| **from != call.file) {
        keys.put_some("from_file", files.get(*from).map(|file| word(&file.name)));
    }
    if let Some(Gap { at, persistent }) = call.gap {
        keys.put("unreadable_at", bytes(at));
        if !persistent {
            keys.put("transient", true);
        }
    }
    if call.abandoned {
        keys.put("abandoned", true);
    }
    if !call.pieces.is_empty() {
        let pieces: Vec<_> = call.pieces.iter().map(|offset| bytes(*offset)).collect();
        keys.put("pieces", format!("[{}]", pieces.join(", ")));
    }
    if call.file != 0 {
        keys.put_some("file", files.get(call.file).map(|file| word(&file.name)));
    }
    let name = call.op.kind().name();
    if keys.is_empty() { name.to_owned() } else { format!("{name}: {}", keys.text()) }
}

fn operation(keys: &mut Flow, op: &Op) {
    match op {
        Op::Read(range)
        | Op::Write(range)
        | Op::MmapLoad(range)
        | Op::MmapStore(range)
        | Op::Punch(range)
        | Op::DirectRead(range)
        | Op::DirectWrite(range)
        | Op::Collapse(range)
        | Op::Insert(range) => put_range(keys, *range),
        Op::ZeroRange { range, keep_size } | Op::Fallocate { range, keep_size } => {
            put_range(keys, *range);
            if *keep_size {
                keys.put("keep_size", true);
            }
        }
        Op::Append(len) => keys.put("size", bytes(*len)),
        Op::WriteFromMmap { pos, source }
        | Op::CopyRange(Transfer { source, pos, .. })
        | Op::Reflink(Transfer { source, pos, .. }) => {
            keys.put("at", bytes(*pos));
            keys.put("from", bytes(source.start));
            keys.put("size", bytes(source.len()));
        }
        Op::Truncate(to) => keys.put("to", bytes(*to)),
        Op::Writeback(range)
        | Op::Evict(range)
        | Op::Msync(range)
        | Op::DontNeed(range)
        | Op::PageOut(range) => put_part(keys, *range),
        Op::SyncRange { range, wait } => {
            put_part(keys, *range);
            if *wait {
                keys.put("wait", true);
            }
        }
        Op::Fsync | Op::Sync | Op::Release | Op::Fdatasync => {}
    }
}

fn put_part(keys: &mut Flow, range: ByteRange) {
    if range.start != 0 {
        keys.put("at", bytes(range.start));
    }
    if range.end != WHOLE_FILE.end {
        keys.put("size", bytes(range.len()));
    }
}

fn put_range(keys: &mut Flow, range: ByteRange) {
    keys.put("at", bytes(range.start));
    keys.put("size", bytes(range.len()));
}
