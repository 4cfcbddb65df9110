//! The disk of a real filesystem in a script: its writes are held at the gate before it, from one step to
//! another, and whether that held up any writeback is looked at before they go on.

use super::Real;
use super::script::How;
use mounted::gate::{Access, InForce};
use mounted::look;
use std::time::Duration;
use stormfs::points::Point;
use stormfs::quantity::PAGE;

/// A disk that is held.
pub(super) struct HeldDisk<'a> {
    force: InForce<'a>,
    /// The step that holds it, from 1.
    step: usize,
    access: Access,
}

/// What is in writeback has come to the gate by then.
const ARRIVAL: Duration = Duration::from_secs(2);

impl Real {
    /// Holds every write of the disk. Whether there was one is known when it is resumed.
    pub(super) fn hold_disk<'a>(
        &'a self,
        held: &mut Option<HeldDisk<'a>>,
        step: usize,
        point: Point,
    ) -> How {
        if held.is_some() {
            self.resume_disk(held);
            self.settle();
        }
        if point != Point::IoendBeforeConvert {
            let name = point.name();
            return How::Not(format!("writes can be held, and none of them stands at `{name}`"));
        }
        self.hold(held, step, Access::Write)
    }

    /// Holds every read of the disk. Whether there was one is known when it is resumed.
    pub(super) fn hold_reads<'a>(&'a self, held: &mut Option<HeldDisk<'a>>, step: usize) -> How {
        if held.is_some() {
            self.resume_disk(held);
            self.settle();
        }
        self.hold(held, step, Access::Read)
    }

    fn hold<'a>(&'a self, held: &mut Option<HeldDisk<'a>>, step: usize, access: Access) -> How {
        let Some(gate) = self.host.volume.gate() else {
            return How::Not("there is no disk of its own that could be held".to_owned());
        };
        match gate.hold(access, 0..u64::MAX) {
            Ok(force) => *held = Some(HeldDisk { force, step, access }),
            Err(errno) => return How::Not(format!("the gate does not answer: {}", errno.desc())),
        }
        How::Not("it was never resumed".to_owned())
    }

    /// Lets the writes go on that are held, and tells what came of the step that held them.
    pub(super) fn resume_disk(&self, held: &mut Option<HeldDisk<'_>>) -> How {
        let Some(HeldDisk { force, step, access }) = held.take() else {
            return How::Not("the disk is not held".to_owned());
        };
        let came = match access {
            Access::Read => read(&force),
            Access::Write => self.came_of(&force),
        };
        force.lift();
        let mut followed = self.followed.lock();
        if let Some(hold) = followed.iter_mut().find(|followed| followed.step == step) {
            hold.how = came;
        }
        How::Steered(None)
    }

    /// Whether some file is so small that its bytes lie among the metadata.
    fn is_inline(&self) -> bool {
        (0..self.names.len()).any(|number| {
            let extents = look::extents(self.file(number), 0..PAGE);
            extents.is_ok_and(|extents| extents.iter().any(|extent| extent.is_inline))
        })
    }

    /// A log is written to the disk, too, so that a write alone says nothing: but with all of them held, no
    /// page leaves writeback.
    fn came_of(&self, force: &InForce<'_>) -> How {
        if !self.writes_back() && self.is_inline() {
            return How::Not(INLINE.to_owned());
        }
        if !self.writes_back() {
            return How::Not("nothing was in writeback when it was resumed".to_owned());
        }
        match force.met(1, ARRIVAL) {
            Ok(0) => How::Not("no write came to the disk".to_owned()),
            Ok(_) => {
                let name = Point::IoendBeforeConvert.name();
                How::Nearby(format!("`{name}`: the write is in flight, and not on the disk yet"))
            }
            Err(errno) => How::Not(format!("the gate does not answer: {}", errno.desc())),
        }
    }
}

const INLINE: &str = "its bytes lie in the metadata (inline), so no writeback of pages was held";

/// What came of holding reads. Whoever waits for one is at the gate by now: steps end where an actor waits.
fn read(force: &InForce<'_>) -> How {
    match force.met(1, Duration::ZERO) {
        Ok(0) => How::Not("nothing was read from the disk before it was resumed".to_owned()),
        Ok(_) => How::Steered(None),
        Err(errno) => How::Not(format!("the gate does not answer: {}", errno.desc())),
    }
}

#[cfg(test)]
mod tests {
    use super::super::Host;
    use super::super::script::Followed;
    use super::super::trial::Trial;
    use super::*;
    use mounted::{Kind, Refusal, Spec, Venue};
    use std::io::Write;
    use stormfs::op::Op;
    use stormfs::quantity::ByteRange;

    fn why(how: &How) -> &str {
        match how {
            How::Steered(_) => "steered",
            How::Nearby(why) | How::Not(why) => why,
        }
    }

    #[test]
    fn a_disk_that_nobody_can_hold_is_not_held_and_says_why() {
        let trial = Trial::new();
        let mut held = None;
        let came_of = |held: &mut _, point| trial.real.hold_disk(held, 1, point);
        let no_disk = came_of(&mut held, Point::IoendBeforeConvert);
        assert_eq!(why(&no_disk), "there is no disk of its own that could be held");
        let elsewhere = came_of(&mut held, Point::WriteMapped);
        assert!(why(&elsewhere).contains("none of them stands at `write.mapped`"));
        assert_eq!(why(&trial.real.resume_disk(&mut held)), "the disk is not held");
    }

    #[test]
    fn bytes_in_the_metadata_are_no_pages_in_writeback() {
        let spec = Spec { gated: true, ..Spec::plain(Kind::Btrfs) };
        let host = match Host::open(&Venue::Made(spec)) {
            Ok(host) => host,
            Err(Refusal { tried, came, .. }) => {
                let _ = writeln!(std::io::stderr(), "skipped: bytes inline: {tried}: {came}");
                return;
            }
        };
        let trial = Trial::on(host);
        let mut held = None;
        trial.act(Op::Append(100));
        let how = trial.real.hold_disk(&mut held, 1, Point::IoendBeforeConvert);
        let text = "hold disk".to_owned();
        trial.real.followed.lock().push(Followed { step: 1, text, how });
        trial.act(Op::Writeback(ByteRange::new(0, 4096)));
        trial.act(Op::Append(100));
        trial.real.resume_disk(&mut held);
        drop(held);
        let followed = std::mem::take(&mut *trial.real.followed.lock());
        assert_eq!(why(&followed[0].how), INLINE);
        trial.real.conclude();
    }

    #[test]
    fn a_disk_is_held_and_what_came_of_it_is_known_when_it_is_resumed() {
        let spec = Spec { gated: true, ..Spec::plain(Kind::Ext4) };
        let host = match Host::open(&Venue::Made(spec)) {
            Ok(host) => host,
            Err(Refusal { tried, came, .. }) => {
                let _ =
                    writeln!(std::io::stderr(), "skipped: a disk that is held: {tried}: {came}");
                return;
            }
        };
        for (writes, expected) in [(true, "is in flight"), (false, "nothing was in writeback")] {
            let trial = Trial::on(std::sync::Arc::clone(&host));
            let range = ByteRange::new(0, 8192);
            trial.act(Op::Write(range));
            if !writes {
                trial.act(Op::Fsync);
            }
            let mut held = None;
            let how = trial.real.hold_disk(&mut held, 7, Point::IoendBeforeConvert);
            let text = "hold disk".to_owned();
            trial.real.followed.lock().push(Followed { step: 7, text, how });
            if writes {
                trial.act(Op::Writeback(range));
            }
            assert_eq!(why(&trial.real.resume_disk(&mut held)), "steered");
            drop(held);
            let followed = std::mem::take(&mut *trial.real.followed.lock());
            assert!(why(&followed[0].how).contains(expected), "{followed:?}");
            trial.real.conclude();
        }
    }
}
