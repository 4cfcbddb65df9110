//! What a scenario must be for everything to be tried out: nothing in it is left to chance.

use super::meaning::given;
use super::node::Place;
use super::plan::{FaultPlan, Layout, StrategyPlan};
use super::problem::{Problem, Problems};
use super::raw::RawScenario;

/// Reports what cannot be tried out, if everything is to be.
pub(super) fn refuse_chance(raw: &RawScenario, problems: &Problems) {
    let Some(strategy) = &raw.strategy else { return };
    let Some(StrategyPlan::Exhaustive(_)) = strategy.value else { return };
    let report = |place: Place, message: &str, help: &str| {
        problems.add(Problem::at(place, message).help(help));
    };
    if let Some(place) = given(raw.seeds) {
        let message = "`seeds` has no meaning where `strategy` is `exhaustive`";
        report(place, message, "remove it: schedules are counted, and no seed decides anything");
    }
    if let Some(place) = given(raw.time) {
        let message = "`time` has no meaning where `strategy` is `exhaustive`";
        report(place, message, "bound the schedules instead: `{exhaustive: {limit: 100000}}`");
    }
    for actor in raw.actors.iter().flatten() {
        if let Some(place) = actor.draws {
            let help = "list what it does: `does: [write: {at: 0, size: 4KiB}]`";
            report(place, "nothing is drawn where `strategy` is `exhaustive`", help);
        }
    }
    for file in raw.files.iter().flatten() {
        if let Some(layout) = file.layout.filter(|layout| layout.value == Layout::Any) {
            let message = "layout `any` is drawn, and nothing is";
            report(layout.place, message, "vary it: every combination is tried out");
        }
    }
    if let Some(device) = &raw.device
        && let (Some(min), Some(max)) = (device.latency_min, device.latency_max)
        && let Some(most) = max.value.filter(|most| min.value < *most)
    {
        let message = format!("a latency of up to {most:?} is drawn, and nothing is");
        report(max.place, &message, "remove it: in which order requests complete is tried out");
    }
    let ordering =
        |fault: &&FaultPlan| matches!(fault, FaultPlan::Delay { .. } | FaultPlan::Latency { .. });
    if let Some(faults) = &raw.faults
        && faults.value.iter().any(|fault| ordering(&fault))
    {
        let message = "`delay` and `latency` cannot be tried out: there are too many times";
        report(faults.place, message, "remove them: who goes on is tried out, and so who is late");
    }
}
