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
    /// Its ranges did not fit its files, or the blocks, as they were or may have been then.
    pub unfit: bool,
    /// The call reached, or may have reached, beyond the end of the file.
    pub beyond_eof: bool,
}

invariants! { subject 5;
    /// A call fails, or does less than it was asked, only for a reason: a source that cannot be
    /// read, a write fault given up, a device that failed, space that ran out, the end of the file.
    Always(user) fn results_are_justified(op: &Op, asked: u64, outcome: Outcome, excuses: Excuses) {
        let mapped_source = op.kind() == OpKind::WriteFromMmap;
        let fell_short = match outcome {
            Ok(done) => done < asked && moves_bytes(op),
            Err(error) => {
                let known = match error {
                    // A page of a mapping that the device fails to read is no source either.
                    Errno::Fault => {
                        let missing = excuses.beyond_eof || excuses.device_failed;
                        excuses.bad_source || mapped_source && missing
                    }
                    Errno::Io => excuses.device_failed || excuses.collided,
                    Errno::NoSpace => excuses.space_was_short,
                    Errno::Bus => {
                        excuses.abandoned_fault
                            || excuses.beyond_eof
                            || excuses.device_failed
                            || excuses.space_was_short
                    }
                    Errno::Invalid => asked == 0 || excuses.unfit,
                    Errno::TooBig | Errno::Other(_) => false,
                };
                return if known {
                    Ok(())
                } else {
                    Err(overall(format!("{op} to succeed"), format!("{error} without a reason")))
                };
            }
        };
        let excused = match op.kind() {
            // The end of the file cuts no write short, and no lack of space a read.
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
            OpKind::Read | OpKind::MmapLoad | OpKind::DirectRead => excuses.beyond_eof || excuses.device_failed,
            OpKind::WriteFromMmap
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
        if !fell_short || excused {
            return Ok(());
        }
        Err(overall(format!("{op} to be complete"), format!("{outcome:?} without a reason")))
    }

    /// A write to a filesystem of the kernel whose source cannot be read from some byte on returns how
    /// many bytes there are before that one, or EFAULT if there are none.
    Always(user) fn results_count_every_readable_byte(readable: u64, outcome: Outcome, rounded: bool) {
        let counted = match outcome {
            Ok(counted) => counted,
            Err(Errno::Fault) => 0,
            // Why is asked elsewhere.
            Err(_) => return Ok(()),
        };
        if counted == readable || rounded && counted < readable {
            return Ok(());
        }
        Err(overall(format!("{readable} readable bytes to be written"), format!("{outcome:?}")))
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

    #[test]
    fn a_page_of_a_mapping_that_cannot_be_read_is_a_reason_to_fail() {
        let source = ByteRange::at(0, 100);
        let copy = Op::WriteFromMmap { pos: 500, source };
        let excuses = Excuses { device_failed: true, ..Excuses::default() };
        for (op, excuses, justified) in [
            (copy.clone(), excuses, true),
            (copy, Excuses::default(), false),
            (Op::Write(source), excuses, false),
        ] {
            let checks = Checks::default();
            let verdict = results_are_justified(&checks, &op, 100, Err(Errno::Fault), excuses);
            assert_eq!(verdict.is_ok(), justified, "{op}, {excuses:?}");
        }
    }
}
