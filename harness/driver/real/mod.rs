//! A real filesystem as a target: calls are system calls, and the oracle is told before and after.

mod checks;
mod hands;
mod perform;
pub mod storm;

use crate::call::Call;
use crate::scenario::plan::{ActorPlan, Plan};
use crate::target::{Ids, Performed, Reach, Target, patterned, reaches_beyond};
use hands::Hands;
use mounted::{Abilities, Mapping, Place, Refusal, Volume, look};
use oracle::Outside;
use oracle::results::{Excuses, results_are_justified};
use report::record::{Device, DeviceKind};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use stormfs::op::{OpId, OpKind};
use stormfs::quantity::{ByteRange, narrow, wide};

/// See the module.
pub struct Real {
    /// The filesystem.
    volume: Volume,
    abilities: Abilities,
    oracle: Arc<Outside>,
    names: Vec<String>,
    /// What the conductor and the actors have of each file, by task and file.
    hands: Vec<Hands>,
    /// Whether some file may become smaller.
    shrinks: bool,
    /// Evictions that left something in the cache.
    unevicted: AtomicU64,
}

/// The longest mapping that anybody has of a file, so that files can outgrow what actors aim at.
const LONGEST_MAPPING: u64 = 1 << 40;

/// Addresses that all mappings take together: half of what a process has.
const ADDRESSES: u64 = 1 << 46;

impl Real {
    /// Opens the filesystem at `place` and makes the files of `plan` on it, empty.
    pub fn open(plan: &Plan, place: &Place) -> Result<Real, Refusal> {
        let volume = Volume::open(place)?;
        let failed =
            |tried: &str, errno| Refusal::errno(tried, errno, "see whether it can be written to");
        let abilities =
            Abilities::of(&volume).map_err(|errno| failed("a file of eight blocks", errno))?;
        let longest = plan.actors.iter().map(|actor| actor.size.max).max().unwrap_or(0);
        let mappings = wide((1 + crate::storm::actors(plan)) * plan.files.len());
        let mapped = narrow((ADDRESSES / mappings).min(LONGEST_MAPPING));
        let mut names = Vec::new();
        let mut hands: Vec<_> =
            (0..=crate::storm::actors(plan)).map(|_| Hands::default()).collect();
        for file in &plan.files {
            let made = volume.create(&file.name).map_err(|errno| failed(&file.name, errno))?;
            for hands in &mut hands {
                let opened = hands.take_up(&made, mapped, narrow(longest));
                opened.map_err(|errno| failed(&file.name, errno))?;
            }
            names.push(file.name.clone());
        }
        let mut kinds = plan.actors.iter().flat_map(ActorPlan::kinds);
        Ok(Real {
            volume,
            abilities,
            oracle: Arc::new(Outside::new(plan.files.len())),
            names,
            hands,
            shrinks: kinds.any(|kind| kind == OpKind::Truncate),
            unevicted: AtomicU64::new(0),
        })
    }

    /// What it is and where, for people.
    pub fn detail(&self) -> &str {
        &self.volume.detail
    }

    /// What a record says of it.
    pub fn told(&self) -> Device {
        Device {
            kind: DeviceKind::Mounted,
            size: self.volume.size(),
            detail: self.detail().to_owned(),
        }
    }

    /// What the filesystem can do.
    pub fn abilities(&self) -> &Abilities {
        &self.abilities
    }

    /// Any descriptor of a file.
    fn file(&self, file: usize) -> &mounted::File {
        self.hands[0].file(file)
    }

    /// Every mapping of a file.
    fn mappings(&self, file: usize) -> impl Iterator<Item = &Mapping> {
        self.hands.iter().map(move |hands| hands.mapping(file))
    }
}

impl Target for Real {
    fn prepare(&self, id: OpId, call: &Call, memory: &mut Vec<u8>) {
        patterned(id, &call.op, memory);
    }

    fn perform(&self, id: OpId, _mapper: usize, call: &Call, memory: &mut [u8]) -> Performed {
        self.call(id, call, memory)
    }

    fn size(&self, file: usize) -> u64 {
        self.file(file).size().unwrap_or(0)
    }

    fn extent(&self, file: usize, pos: u64) -> ByteRange {
        let file = self.file(file);
        let data = look::next_data(file, pos).ok().flatten();
        let hole = look::next_hole(file, pos).ok().flatten();
        match (data, hole) {
            (Some(data), Some(hole)) => ByteRange::new(pos, data.max(hole)),
            _ => ByteRange::at(pos, 0),
        }
    }

    fn reach(&self, file: usize) -> Reach {
        Reach { size: self.size(file), instant: 0 }
    }

    fn judge(&self, call: &Call, performed: Performed, before: Reach) {
        let after = self.reach(call.file);
        let excuses = Excuses {
            bad_source: performed.short_source.fired && performed.short_source.persistent,
            abandoned_fault: false,
            device_failed: false,
            space_was_short: self.is_nearly_full(),
            beyond_eof: self.shrinks || reaches_beyond(&call.op, before.size.min(after.size)),
        };
        let Performed { asked, outcome, .. } = performed;
        let checks = self.oracle.checks();
        let verdict = results_are_justified(checks, &call.op, asked, outcome, excuses);
        self.oracle.judge(call.file, None, verdict);
    }

    fn begin(&self) {}

    fn judge_still(&self, _ids: Ids<'_>) {
        self.look_at_everything();
    }

    fn finish(&self, _ids: Ids<'_>) {
        self.look_at_the_end();
    }
}
