//! What opens and closes a window in a real filesystem: the gate before its disk, or the source of a write.

use super::calls::{OTHER, Opened, SAME, SIZE};
use super::original::told;
use super::watched::STEP;
use super::windows::Window;
use mounted::file::Bytes;
use mounted::gate::{Access, InForce};
use mounted::{Gate, Habit, Stops, Wanted, look};
use nix::errno::Errno;
use nix::fcntl::PosixFadviseAdvice;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

/// Ready to be armed.
pub(super) enum Lever {
    /// Such accesses to this block of the device are to be held.
    Disk(Access, Range<u64>),
    /// A write is to stand still at a byte of its source.
    Source(Box<mounted::Reins>),
}

/// One that is armed.
pub(super) enum Held<'a> {
    Disk(InForce<'a>, Access),
    Source(Box<mounted::Reins>),
}

/// What does not come to the gate in so long does not come.
const PATIENCE: Duration = Duration::from_secs(10);

/// Bytes of the write that is to stand still.
const WRITTEN: usize = 8192;

impl Lever {
    /// Makes the file what the window needs. The second is the source of the write that opens it.
    pub(super) fn new(
        window: Window,
        hands: &Opened,
        habit: Habit,
    ) -> Result<(Lever, Option<Arc<Stops>>), String> {
        hands.file.truncate(SIZE).map_err(told)?;
        let access = match window {
            Window::WriteMapped => return stopping(&[0], habit),
            Window::MidCopy => return stopping(&[WRITTEN / 2], habit),
            Window::WritebackHeld => Access::Write,
            Window::ReadHeld | Window::ReadHeldInBegin => Access::Read,
        };
        let block = written(hands).and_then(|block| prepare(access, hands).map(|()| block));
        Ok((Lever::Disk(access, block.map_err(told)?), None))
    }

    /// From now on the window opens for whoever comes to it.
    pub(super) fn arm(self, gate: &Gate) -> Result<Held<'_>, String> {
        match self {
            Lever::Disk(access, block) => {
                let force = gate.hold(access, block).map_err(told)?;
                Ok(Held::Disk(force, access))
            }
            Lever::Source(window) => Ok(Held::Source(window)),
        }
    }
}

impl Held<'_> {
    /// Whether somebody comes to it, who has not returned before.
    pub(super) fn opens(&mut self, has_returned: impl Fn() -> bool) -> Result<bool, String> {
        match self {
            Held::Disk(force, _) => Ok(force.met(1, PATIENCE).map_err(told)? == 1),
            Held::Source(window) => {
                while window.look().map_err(told)?.is_none() {
                    if has_returned() || sim::stopping() {
                        return Ok(false);
                    }
                    sim::sleep(STEP);
                }
                Ok(true)
            }
        }
    }

    /// Whether it is still open: a read and a write have not returned then, and writeback is not over.
    pub(super) fn stands(&self, hands: &Opened, has_returned: bool) -> bool {
        match self {
            Held::Disk(_, Access::Write) => {
                look::cached(&hands.file, SAME).is_ok_and(|cached| cached.writeback == 1)
            }
            Held::Disk(..) | Held::Source(_) => !has_returned,
        }
    }

    /// Whether it is the disk that is held.
    pub(super) fn is_of_disk(&self) -> bool {
        matches!(self, Held::Disk(..))
    }

    /// Lets them go.
    pub(super) fn close(self) -> Result<(), String> {
        match self {
            Held::Disk(force, _) => {
                force.lift();
                Ok(())
            }
            Held::Source(mut window) => window.let_go().map_err(told),
        }
    }
}

/// What the one does who stands in the window.
pub(super) fn act(window: Window, hands: &Opened, source: Option<&Stops>) {
    let file = &hands.file;
    let write = |pos, bytes| file.write(pos, bytes).map(drop);
    // Whatever comes of it, the one who leads sees how far it has come.
    let _ = match (window, source) {
        (Window::WritebackHeld, _) => file.write_back(SAME, false),
        (Window::ReadHeld, _) => file.read(SAME.start, &mut [0; 4096], &[]).map(drop),
        (Window::ReadHeldInBegin, _) => write(SAME.start + 100, Bytes::Whole(&[3; 100], &[])),
        (Window::WriteMapped | Window::MidCopy, Some(source)) => {
            write(SAME.start, Bytes::Stopping(source))
        }
        (Window::WriteMapped | Window::MidCopy, None) => Ok(()),
    };
}

fn stopping(stops: &[usize], habit: Habit) -> Result<(Lever, Option<Arc<Stops>>), String> {
    let wanted = Wanted { bytes: &[4; WRITTEN], cuts: &[], stops, unreadable: None };
    let made = mounted::Reins::new(wanted, habit).map_err(|refusal| refusal.to_string())?;
    Ok((Lever::Source(Box::new(made.0)), Some(made.1)))
}

/// Writes all of the file: where its block lies on the device that the window is about.
fn written(hands: &Opened) -> Result<Range<u64>, Errno> {
    // One page at a time, so that each has a folio of its own.
    for pos in (0..SIZE).step_by(4096) {
        hands.file.write(pos, Bytes::Whole(&[1; 4096], &[]))?;
    }
    hands.file.sync()?;
    let extents = look::extents(&hands.file, SAME)?;
    let extent = extents.first().ok_or(Errno::ENODATA)?;
    let disk = extent.disk + (SAME.start - extent.start);
    Ok(disk..disk + 4096)
}

/// Makes its page dirty, so that it can be written back, or drops it, so that it can be read.
fn prepare(access: Access, hands: &Opened) -> Result<(), Errno> {
    let file = &hands.file;
    if access == Access::Write {
        return file.write(SAME.start, Bytes::Whole(&[2; 4096], &[])).map(drop);
    }
    hands.advise(0..SIZE, PosixFadviseAdvice::POSIX_FADV_RANDOM)?;
    file.drop_cache(SAME)?;
    let is_alone = look::cached(file, SAME)?.pages == 0 && look::cached(file, OTHER)?.pages == 1;
    if is_alone { Ok(()) } else { Err(Errno::EBUSY) }
}
