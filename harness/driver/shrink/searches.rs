//! Passes for what is small: something simpler is tried under many schedules, not only under the
//! one that is known. What comes out has as few preemptions as a search finds.

use crate::scenario::plan::Plan;
use crate::shrink::removals::{calls, without_calls};
use crate::shrink::shrinker::{Candidate, How, Shrinker};
use crate::shrink::{arguments, positions, settings};
use block::OpenError;
use stormfs::quantity::wide;

/// Cases with more calls are not searched: there are too many schedules.
const SMALL: usize = 12;

/// Schedules that are tried for each thing that may go.
const TRIES: usize = 120;

/// Schedules that are tried for each thing that may be simpler.
const FEW_TRIES: usize = 24;

/// All of them, once.
pub(super) fn all(shrinker: &mut Shrinker<'_>) -> Result<(), OpenError> {
    if SMALL < calls(shrinker.case()) {
        return Ok(());
    }
    let weight = shrinker.weight();
    search(shrinker, "search: calls", TRIES, |case| {
        (0..calls(case)).filter_map(|number| without_calls(case, number..number + 1)).collect()
    })?;
    search(shrinker, "search: schedule", 4 * TRIES, |case| vec![case.clone()])?;
    if shrinker.weight() == weight {
        search(shrinker, "search: arguments", FEW_TRIES, |case| {
            let calls = (0..calls(case)).flat_map(|call| arguments::simpler_call(case, call));
            let files = (0..case.files.len()).flat_map(|file| arguments::simpler_file(case, file));
            calls
                .chain(files)
                .chain(positions::offers(case))
                .chain(settings::offers(case))
                .collect()
        })?;
    }
    Ok(())
}

/// Tries each of what `simpler` has to offer under so many schedules, until nothing helps.
fn search(
    shrinker: &mut Shrinker<'_>,
    pass: &'static str,
    tries: usize,
    simpler: impl Fn(&Plan) -> Vec<Plan>,
) -> Result<(), OpenError> {
    loop {
        let offers = simpler(shrinker.case());
        let most = shrinker.weight().preemptions.min(2);
        let offer = |_: &Plan, number: usize| {
            let case = offers[number / tries].clone();
            let nth = wide(number % tries);
            // Fewer preemptions are tried first.
            let preemptions = (number % tries) * (most + 1) / tries;
            Some(Candidate { case, how: How::Roaming { nth, preemptions } })
        };
        if shrinker.first(pass, offers.len() * tries, offer)?.is_none() {
            return Ok(());
        }
    }
}
