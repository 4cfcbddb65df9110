//! Passes that make what is around the calls simpler: pauses, the device, the filesystem.

use crate::ground::NoGround;
use crate::scenario::plan::{DevicePlan, FilesystemPlan, Plan};
use crate::shrink::departures;
use crate::shrink::shrinker::{Candidate, Shrinker};
use crate::shrink::trial::Fails;
use std::time::Duration;
use stormfs::choices::Choices;
use stormfs::quantity::PAGE;

/// The device that a scenario has if it says nothing.
const USUAL_DEVICE: u64 = 64 << 20;

/// All of them, once.
pub(super) fn all(shrinker: &mut Shrinker<'_>) -> Result<(), NoGround> {
    loop {
        let offers = shrinker.lighter(offers(shrinker.case()));
        let offer = |_: &Fails, nth: usize| Some(Candidate::followed(offers[nth].clone()));
        if shrinker.first("settings", offers.len(), offer)?.is_none() {
            return Ok(());
        }
    }
}

/// The cases that are simpler in one value.
pub(super) fn offers(case: &Plan) -> Vec<Plan> {
    let mut offers = Vec::new();
    for name in departures(case) {
        let decision = Choices::DECISIONS.iter().find(|decision| decision.name == name);
        let default = decision.map_or("", |decision| decision.values[0].0);
        let mut choices = case.filesystem.choices;
        if choices.set(name, default) {
            offers.push(with_filesystem(case, FilesystemPlan { choices, ..case.filesystem }));
        }
    }
    for actor in 0..case.actors.len() {
        let mut case = case.clone();
        case.actors[actor].pause = Duration::ZERO;
        offers.push(case);
    }
    let DevicePlan { latency_min, size, .. } = case.device;
    for latency in [Duration::ZERO, latency_min / 2, Duration::from_micros(1)] {
        let device = DevicePlan { latency_min: latency, latency_max: latency, ..case.device };
        offers.push(with_device(case, device));
    }
    for size in [USUAL_DEVICE, (size / 2).max(USUAL_DEVICE), (size * 2).min(USUAL_DEVICE)] {
        offers.push(with_device(case, DevicePlan { size, ..case.device }));
    }
    offers.push(with_device(case, DevicePlan { workers: 1, ..case.device }));
    let FilesystemPlan { block_size, max_folio, .. } = case.filesystem;
    for (block_size, max_folio) in [
        (PAGE, PAGE),
        (block_size, PAGE.max(block_size)),
        (PAGE, max_folio),
        (block_size * 2, max_folio),
    ] {
        let filesystem = FilesystemPlan { block_size, max_folio, ..case.filesystem };
        if block_size <= max_folio {
            offers.push(with_filesystem(case, filesystem));
        }
    }
    offers.push(with_filesystem(case, FilesystemPlan { preset: None, ..case.filesystem }));
    offers.retain(|case| case.device.size.is_multiple_of(case.filesystem.block_size));
    offers
}

fn with_filesystem(case: &Plan, filesystem: FilesystemPlan) -> Plan {
    Plan { filesystem, ..case.clone() }
}

fn with_device(case: &Plan, device: DevicePlan) -> Plan {
    Plan { device, ..case.clone() }
}
