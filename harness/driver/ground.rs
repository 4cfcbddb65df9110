//! What a run stands on: a device for the filesystem model, or a real filesystem.

use crate::exit::Exit;
use crate::real::Real;
use crate::record;
use crate::scenario::plan::{Plan, TargetPlan};
use crate::storm::{self, Orders};
use block::{Device, OpenError};
use mounted::{Refusal, Spec, Venue};
use report::record as told;
use sim::chance::Seed;
use std::fmt;
use std::sync::Arc;

/// See the module.
pub enum Ground {
    /// The filesystem model's device.
    Device(Arc<Device>),
    /// A filesystem of the kernel, with the files of the plan.
    Real(Box<Real>),
}

/// Why there is none, or nothing is known of it.
#[derive(Debug)]
pub enum NoGround {
    /// The device could not be opened.
    Device(OpenError),
    /// The filesystem could not be made or opened.
    Real(Refusal),
    /// The harness itself failed: what panicked, and where.
    Harness(String),
}

impl Ground {
    /// What `plan` asks for. A simulation opens a device for each seed; this is the one of the first.
    ///
    /// # Errors
    ///
    /// Why there is none.
    pub fn open(plan: &Plan) -> Result<Ground, NoGround> {
        Ground::under(plan, Seed(plan.seed), false)
    }

    /// What one storm needs.
    ///
    /// # Errors
    ///
    /// Why there is none.
    pub fn of(orders: Orders<'_>) -> Result<Ground, NoGround> {
        Ground::under(orders.plan, orders.seed, orders.record)
    }

    fn under(plan: &Plan, seed: Seed, record: bool) -> Result<Ground, NoGround> {
        let Some(venue) = venue(plan, seed) else {
            return Ok(Ground::Device(storm::open_device(plan, seed, record)?));
        };
        Real::open(&plan.under(seed), &venue)
            .map(Box::new)
            .map(Ground::Real)
            .map_err(NoGround::Real)
    }

    /// What it is and where, for people.
    pub fn detail(&self) -> &str {
        match self {
            Ground::Device(device) => device.detail(),
            Ground::Real(real) => real.detail(),
        }
    }

    /// What a record says of it.
    pub fn told(&self) -> told::Device {
        match self {
            Ground::Device(device) => record::opened(device),
            Ground::Real(real) => real.told(),
        }
    }
}

/// Where a real filesystem is, or how it is made for what `seed` draws. `None`: the target is the model.
pub fn venue(plan: &Plan, seed: Seed) -> Option<Venue> {
    let plan = &*plan.under(seed);
    match &plan.target {
        TargetPlan::Model => None,
        TargetPlan::Kernel(spec) => {
            // Pages of an image in memory would count, and could not be taken.
            let beside = plan.memory.map(|_| std::env::temp_dir());
            let image = spec.image.clone().or(beside);
            Some(Venue::Made(Spec {
                gated: spec.gated || plan.holds_disk(),
                image,
                ..spec.clone()
            }))
        }
        TargetPlan::Directory(path) => Some(Venue::Directory(path.clone())),
    }
}

impl NoGround {
    /// What happened.
    pub fn cause(&self) -> String {
        match self {
            NoGround::Device(error) => error.cause(),
            NoGround::Real(refusal) => format!("{}: {}", refusal.tried, refusal.came),
            NoGround::Harness(panicked) => format!("the harness itself failed: {panicked}"),
        }
    }

    /// What a person can do about it.
    pub fn advice(&self) -> String {
        match self {
            NoGround::Device(error) => error.advice().to_owned(),
            NoGround::Real(refusal) => refusal.advice.clone(),
            NoGround::Harness(_) => "this is a bug of pagestorm".to_owned(),
        }
    }

    /// How a command ends because of it.
    pub fn exit(&self) -> Exit {
        match self {
            NoGround::Device(_) | NoGround::Real(_) => Exit::Environment,
            NoGround::Harness(_) => Exit::Harness,
        }
    }
}

impl fmt::Display for NoGround {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NoGround::Device(error) => error.fmt(f),
            NoGround::Real(refusal) => refusal.fmt(f),
            NoGround::Harness(_) => write!(f, "{}: {}", self.cause(), self.advice()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::plan::FaultPlan;
    use crate::scenario::{Known, parse};
    use std::collections::BTreeSet;

    #[test]
    fn a_gate_stands_where_what_a_seed_draws_needs_one() {
        let text = "world: threads\nops: 9\ntarget: {kernel: ext4}\nactors: [{name: w, ops: {write: 1}}]\n\
                    vary: {faults: [[], [{io_error: {on: read, chance: 1%}}], [{short_copy: {chance: 1%}}]]}\n";
        let plan = parse("a.yaml", text, &Known::default(), &[]).unwrap();
        let mut seen = BTreeSet::new();
        for seed in (0..40).map(Seed) {
            let drawn = plan.under(seed);
            let fails = drawn.faults.iter().any(|fault| matches!(fault, FaultPlan::IoError { .. }));
            let Some(Venue::Made(spec)) = venue(&plan, seed) else { panic!("{text}") };
            assert_eq!(spec.gated, fails, "{seed:?}");
            seen.insert((drawn.faults.len(), fails));
        }
        assert_eq!(seen, BTreeSet::from([(0, false), (1, false), (1, true)]));
    }
}
