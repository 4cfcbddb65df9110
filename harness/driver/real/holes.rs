//! The bytes of a file as they are looked at: what holds data byte by byte, and long holes by where they
//! begin and end. A hole is zero, and may be where nothing else is expected.

use mounted::look;
use std::os::fd::AsFd;
use stormfs::quantity::wide;

/// Bytes compared at once.
pub(super) const STEP: usize = 256 << 10;

/// Shorter holes are read.
const LONG: u64 = 16 << 20;

/// Where to read on behind `pos`, of a file of `size` bytes: there, or near the end of the hole that it is
/// in. `expected` is where the first byte behind may be that is not zero.
pub(super) fn goes_on(file: impl AsFd, pos: u64, size: u64, expected: impl FnOnce() -> u64) -> u64 {
    if size.saturating_sub(pos) < LONG {
        return pos;
    }
    // The byte before is in the hole, too: so its first bytes have been read.
    let data = match look::next_data(file, pos.saturating_sub(1)) {
        Ok(Some(data)) if data < pos => return pos,
        Ok(data) => data.unwrap_or(size),
        Err(_) => return pos,
    };
    let near = data.min(expected()).min(size).saturating_sub(wide(STEP));
    let near = near - near % wide(STEP);
    if near.saturating_sub(pos) < LONG { pos } else { near }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nix::sys::uio::pwrite;
    use nix::unistd::ftruncate;

    #[test]
    fn long_holes_are_passed_over_as_far_as_nothing_is_expected_in_them() {
        const TIB: u64 = 1 << 40;
        let file = tempfile::tempfile().unwrap();
        if ftruncate(&file, 4 << 40).is_err() {
            eprintln!("skipped: long holes: needs a filesystem with long files");
            return;
        }
        assert_eq!(pwrite(&file, &[1; 4096], 1 << 40), Ok(4096));
        let step = wide(STEP);
        let on = |pos, expected| goes_on(&file, pos, 4 * TIB, || expected);
        assert_eq!(on(step, u64::MAX), TIB - step, "up to the data");
        assert_eq!(on(TIB - step, u64::MAX), TIB - step, "a short rest is read");
        assert_eq!(on(TIB + 4096, u64::MAX), TIB + 4096, "the hole has not begun before");
        assert_eq!(on(TIB + step, u64::MAX), 4 * TIB - step, "up to the end");
        assert_eq!(on(TIB + step, 2 * TIB), 2 * TIB - step, "up to what is expected");
        assert_eq!(
            on(TIB + step, TIB + step),
            TIB + step,
            "where something is expected it is read"
        );
        assert_eq!(goes_on(&file, step, step + 5, || 0), step);
    }
}
