//! Invariants of what system calls return.

use crate::invariant::{invariants, overall};
use stormfs::errno::Errno;
use stormfs::op::{Op, OpKind, Outcome};

/// What may justify that a call fell short.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is an excuse of its own, given or not")]
pub struct Excuses {
    /// The source buffer had bytes that could not be faulted in.
    pub bad_source: bool,
    /// The store gave up at a write fault.
    pub abandoned_fault: bool,
    /// The device has failed some request of this run.
    pub device_failed: bool,
    /// Direct I/O may have met calls through the page cache, which is answered with EIO.
    pub collided: bool,
    /// The device is small enough that space can run out.
    pub space_was_short: bool,
    /// The memory that its process may have came to its limit meanwhile, and there may have been none.
    pub memory_was_short: bool,
    /// Its ranges did not fit its files, or the blocks, as they were or may have been then.
    pub unfit: bool,
    /// The call reached, or may have reached, beyond the end of the file.
    pub beyond_eof: bool,
}

/// The source of a write that ends early.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Readable {
    /// Bytes of it that can be read.
    pub bytes: u64,
    /// Where in the file the first of them is to be. `None`: at its end, wherever that was.
    pub pos: Option<u64>,
}

/// How a filesystem counts what it has written of such a source, if it does not count bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rounding {
    /// What is written ends at a multiple of so many bytes in the file.
    pub unit: u64,
    /// Whether at any, not only at the last before the byte that cannot be read.
    pub anywhere: bool,
}

impl Rounding {
    /// Whether so many bytes may be counted, fewer than could be read.
    fn allows(self, Readable { bytes, pos }: Readable, counted: u64) -> bool {
        let Some(missing) = bytes.checked_sub(counted) else { return false };
        let Some(pos) = pos else { return self.anywhere || missing < self.unit };
        let last = (pos + bytes) / self.unit * self.unit;
        let whole = counted == 0 || (pos + counted).is_multiple_of(self.unit);
        counted == last.saturating_sub(pos) || self.anywhere && whole
    }
}

/// `EDQUOT`, which is lack of space, too.
const QUOTA: i32 = 122;

/// `ENOMEM`.
const MEMORY: i32 = 12;

invariants! { subject 5;
    /// A call fails, or does less than it was asked, only for a reason: a source that cannot be
    /// read, a write fault given up, a device that failed, space or memory that ran out, the end of
    /// the file.
    Always(user) fn results_are_justified(op: &Op, asked: u64, outcome: Outcome, excuses: Excuses) {
        let mapped_source = op.kind() == OpKind::WriteFromMmap;
        let fell_short = match outcome {
            Ok(done) => done < asked && moves_bytes(op),
            Err(error) => {
                let known = match error {
                    // A page of a mapping that the device fails to read is no source either.
                    Errno::Fault => {
                        // Nor is a page of a hole that a filesystem in memory has no room for.
                        let missing = excuses.beyond_eof
                            || excuses.device_failed
                            || excuses.space_was_short;
                        // Nor is any that the kernel has no memory to fault in, of the caller's own.
                        let unheld = excuses.memory_was_short;
                        excuses.bad_source || unheld || mapped_source && missing
                    }
                    Errno::Io => excuses.device_failed || excuses.collided,
                    Errno::NoSpace => excuses.space_was_short,
                    Errno::Bus => {
                        excuses.abandoned_fault
                            || excuses.beyond_eof
                            || excuses.device_failed
                            || excuses.space_was_short
                            || excuses.memory_was_short
                    }
                    Errno::Invalid => asked == 0 || excuses.unfit,
                    Errno::Other(number) => {
                        number == QUOTA && excuses.space_was_short
                            || number == MEMORY && excuses.memory_was_short
                    }
                    Errno::TooBig => false,
                };
                return if known {
                    Ok(())
                } else {
                    Err(overall(format!("{op} to succeed"), format!("{error} without a reason")))
                };
            }
        };
        let excused = match op.kind() {
            // The end of the file cuts no write short, and no lack of space a read by a call.
            OpKind::Write | OpKind::Append | OpKind::DirectWrite => {
                excuses.bad_source || excuses.device_failed || excuses.space_was_short
            }
            OpKind::MmapStore => {
                excuses.abandoned_fault
                    || excuses.beyond_eof
                    || excuses.device_failed
                    || excuses.space_was_short
            }
            // The kernel may copy less than it was asked: whole blocks that it can share, for one.
            OpKind::CopyRange => true,
            OpKind::Read | OpKind::DirectRead => excuses.beyond_eof || excuses.device_failed,
            OpKind::MmapLoad
            | OpKind::WriteFromMmap
            | OpKind::Truncate
            | OpKind::Punch
            | OpKind::ZeroRange
            | OpKind::Fallocate
            | OpKind::Fsync
            | OpKind::Sync
            | OpKind::Writeback
            | OpKind::Evict
            | OpKind::Release
            | OpKind::Reflink
            | OpKind::Collapse
            | OpKind::Insert
            | OpKind::Fdatasync
            | OpKind::SyncRange
            | OpKind::Msync
            | OpKind::DontNeed
            | OpKind::PageOut => {
                excuses.beyond_eof || excuses.device_failed || excuses.space_was_short
            }
        };
        if !fell_short || excused || excuses.memory_was_short {
            return Ok(());
        }
        Err(overall(format!("{op} to be complete"), format!("{outcome:?} without a reason")))
    }

    /// A write to a filesystem of the kernel whose source cannot be read from some byte on returns how
    /// many bytes there are before that one, or EFAULT if there are none.
    Always(user) fn results_count_every_readable_byte(
        source: Readable, counted: u64, rounding: Option<Rounding>,
    ) {
        let rounded = || rounding.is_some_and(|rounding| rounding.allows(source, counted));
        if counted == source.bytes || rounded() {
            return Ok(());
        }
        let Readable { bytes, pos } = source;
        let at = pos.map_or("at the end of the file".to_owned(), |pos| format!("at {pos}"));
        Err(overall(format!("{bytes} readable bytes to be written {at}"), format!("{counted}")))
    }

    /// When nobody acts, a file of a filesystem of the kernel can be synced, and read from its first byte
    /// to its size.
    Quiet(user) fn results_are_good_when_quiet(complaint: Option<&str>) {
        complaint.map_or(Ok(()), |complaint| Err(overall("nothing to fail", complaint)))
    }

    /// An error of writeback is reported by an fsync of the file, at least once.
    Quiet(user) fn results_report_writeback_errors(failed: u64, reported: u64) {
        if failed == 0 || 0 < reported {
            return Ok(());
        }
        Err(overall("an fsync that reports the writeback error", "none did"))
    }
}

/// Whether the call returns a byte count that has to be complete.
fn moves_bytes(op: &Op) -> bool {
    matches!(
        op.kind(),
        OpKind::Read
            | OpKind::Write
            | OpKind::Append
            | OpKind::WriteFromMmap
            | OpKind::MmapLoad
            | OpKind::MmapStore
            | OpKind::DirectRead
            | OpKind::DirectWrite
            | OpKind::CopyRange
            | OpKind::Reflink
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::invariant::Checks;
    use stormfs::quantity::ByteRange;

    /// The position, the readable bytes; counts that only `last`, and `any`, allow, and that nobody does.
    type Row<'a> = (Option<u64>, u64, &'a [u64], &'a [u64], &'a [u64]);

    #[test]
    fn a_count_ends_where_the_source_does_or_at_the_last_whole_unit_before() {
        let last = Some(Rounding { unit: 4096, anywhere: false });
        let any = Some(Rounding { unit: 4096, anywhere: true });
        let table: &[Row<'_>] = &[
            (Some(100), 9000, &[8092], &[0, 3996], &[8091, 8093, 9001, 4096, 1]),
            (Some(4096), 8192, &[], &[0, 4096], &[8191, 8193, 4095]),
            (Some(100), 3995, &[0], &[], &[1, 3994, 3996]),
            (Some(100), 3996, &[], &[0], &[1, 3997]),
            (Some(5), 0, &[], &[], &[1, 4091]),
            (None, 9000, &[8999, 4905], &[0, 4904], &[9001]),
        ];
        let checks = Checks::default();
        for (pos, bytes, by_last, by_any, wrong) in table {
            let source = Readable { bytes: *bytes, pos: *pos };
            let is_right = |counted, rounding| {
                results_count_every_readable_byte(&checks, source, counted, rounding).is_ok()
            };
            assert!([None, last, any].iter().all(|rounding| is_right(*bytes, *rounding)));
            for counted in *by_last {
                assert!(
                    !is_right(*counted, None) && is_right(*counted, last),
                    "{source:?}: {counted}"
                );
            }
            for counted in *by_any {
                assert!(
                    !is_right(*counted, last) && is_right(*counted, any),
                    "{source:?}: {counted}"
                );
            }
            for counted in *wrong {
                assert!(!is_right(*counted, any), "{source:?}: {counted}");
            }
        }
    }

    #[test]
    fn memory_that_is_short_is_a_reason_for_what_it_leads_to_and_for_nothing_else() {
        let range = ByteRange::at(0, 100);
        let memory = Err(Errno::Other(MEMORY));
        for (op, outcome, justified) in [
            (Op::Write(range), memory, true),
            (Op::Write(range), Ok(40), true),
            (Op::Write(range), Err(Errno::Fault), true),
            (Op::Read(range), Ok(40), true),
            (Op::Truncate(5), memory, true),
            (Op::Punch(range), memory, true),
            (Op::Fsync, memory, true),
            (Op::Release, memory, true),
            (Op::MmapStore(range), Err(Errno::Bus), true),
            (Op::MmapLoad(range), Ok(40), true),
            (Op::Write(range), Err(Errno::Io), false),
            (Op::Write(range), Err(Errno::NoSpace), false),
            (Op::Fsync, Err(Errno::Io), false),
            (Op::Truncate(5), Err(Errno::Other(1)), false),
        ] {
            for short in [true, false] {
                let excuses = Excuses { memory_was_short: short, ..Excuses::default() };
                let checks = Checks::default();
                let verdict = results_are_justified(&checks, &op, 100, outcome, excuses);
                assert_eq!(verdict.is_ok(), justified && short, "{op}, {outcome:?}, {short}");
            }
        }
    }

    #[test]
    fn a_page_of_a_mapping_that_cannot_be_read_is_a_reason_to_fail() {
        let source = ByteRange::at(0, 100);
        let copy = Op::WriteFromMmap { pos: 500, source };
        let excuses = Excuses { device_failed: true, ..Excuses::default() };
        let full = Excuses { space_was_short: true, ..Excuses::default() };
        for (op, excuses, justified) in [
            (copy.clone(), excuses, true),
            (copy.clone(), full, true),
            (Op::Write(source), full, false),
            (copy, Excuses::default(), false),
            (Op::Write(source), excuses, false),
        ] {
            let checks = Checks::default();
            let verdict = results_are_justified(&checks, &op, 100, Err(Errno::Fault), excuses);
            assert_eq!(verdict.is_ok(), justified, "{op}, {excuses:?}");
        }
    }
}
