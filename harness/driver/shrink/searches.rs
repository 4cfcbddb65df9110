//! Passes for what is small: something simpler is tried under many schedules, not only under the
//! one that is known. What comes out has as few preemptions as a search finds.

use crate::ground::NoGround;
use crate::scenario::plan::Plan;
use crate::shrink::removals::{calls, without_actors, without_calls};
use crate::shrink::shrinker::{Candidate, How, Shrinker};
use crate::shrink::trial::Fails;
use crate::shrink::{arguments, positions, settings};
use std::collections::BTreeSet;
use stormfs::quantity::wide;

/// Cases with more calls have too many schedules for a search: they are stormed.
const SMALL: usize = 12;

/// A case that is small, but so large or preempted so often, may be stuck: it is stormed, too.
const STUCK: (usize, usize) = (4, 2);

/// Schedules that are tried for each thing that may go.
const TRIES: usize = 120;

/// Schedules that are tried for each thing that may be simpler.
const FEW_TRIES: usize = 24;

/// Schedules that are tried for each part that may go of a case that is not small.
const STORMS: usize = 20;

/// All of them, once.
pub(super) fn all(shrinker: &mut Shrinker<'_>) -> Result<(), NoGround> {
    let weight = shrinker.weight();
    let is_small = calls(shrinker.case()) <= SMALL;
    if is_small {
        let calls = |case: &Plan| parts(case, 1);
        search(shrinker, "search: calls", TRIES, roaming, calls)?;
        search(shrinker, "search: schedule", 4 * TRIES, roaming, |case| vec![case.clone()])?;
    }
    let is_stuck = STUCK.0 < weight.calls || STUCK.1 < weight.preemptions;
    if shrinker.weight() == weight && (is_stuck || !is_small) {
        storms(shrinker)?;
    }
    if shrinker.weight() == weight && is_small {
        search(shrinker, "search: arguments", FEW_TRIES, roaming, |case| {
            let calls = (0..calls(case)).flat_map(|call| arguments::simpler_call(case, call));
            let files = (0..case.files.len()).flat_map(|file| arguments::simpler_file(case, file));
            let all = calls.chain(files).chain(positions::offers(case));
            all.chain(settings::offers(case)).collect()
        })?;
    }
    Ok(())
}

/// Tries the case, and what is left of it without parts, under schedules that are drawn freely.
pub(super) fn storms(shrinker: &mut Shrinker<'_>) -> Result<(), NoGround> {
    search(shrinker, "storm: schedule", 4 * STORMS, storming, |case| vec![case.clone()])?;
    search(shrinker, "storm: actors", STORMS, storming, |case| {
        let actors = 0..case.actors.len();
        actors.filter_map(|actor| without_actors(case, actor..actor + 1)).collect()
    })?;
    let least = if shrinker.is_large() { 8 } else { usize::MAX };
    search(shrinker, "storm: calls", STORMS, storming, |case| {
        let len = calls(case);
        let sizes = BTreeSet::from([len / 2, len / 4, len / 8, len / least]);
        let sizes = sizes.into_iter().rev().map(|size| size.max(1));
        sizes.flat_map(|size| parts(case, size)).collect()
    })
}

/// The cases that lack so many calls in a row.
fn parts(case: &Plan, size: usize) -> Vec<Plan> {
    let starts = (0..calls(case)).step_by(size);
    starts.filter_map(|start| without_calls(case, start..start + size)).collect()
}

/// The `nth` of so many schedules, those with the fewest preemptions first.
fn roaming(nth: usize, tries: usize, most: usize) -> How {
    let preemptions = nth * (most.min(2) + 1) / tries;
    How::Roaming { nth: wide(nth), preemptions }
}

fn storming(nth: usize, _: usize, _: usize) -> How {
    How::Storming(wide(nth))
}

/// Tries each of what `simpler` has to offer under so many schedules, until nothing helps.
fn search(
    shrinker: &mut Shrinker<'_>,
    pass: &'static str,
    tries: usize,
    how: impl Fn(usize, usize, usize) -> How + Sync,
    simpler: impl Fn(&Plan) -> Vec<Plan>,
) -> Result<(), NoGround> {
    loop {
        let offers = simpler(shrinker.case());
        let most = shrinker.weight().preemptions;
        let tries = shrinker.tries(tries);
        let offer = |_: &Fails, number: usize| {
            let case = offers[number / tries].clone();
            Some(Candidate { case, how: how(number % tries, tries, most) })
        };
        if shrinker.first(pass, offers.len() * tries, offer)?.is_none() {
            return Ok(());
        }
    }
}
