//! A case of the model as steps: who goes on, and how far, in the words of a script.
//!
//! The case runs once. Wherever an actor stands while another goes on, a step ends; what the disk and
//! the conductor do in between is theirs. Of places that no sentence names, the last one before that has
//! a name is taken, and it is said so.

use crate::case;
use crate::ground::NoGround;
use crate::onlooker::Look;
use crate::replay;
use crate::scenario::ordinal;
use crate::scenario::plan::{Action, ActorPlan, Plan, Step, Target, Who};
use crate::stage::CALL;
use sim::world::Passage;
use std::collections::BTreeMap;
use std::sync::Arc;
use stormfs::points::Point;

/// See the module.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Retold {
    /// The steps.
    pub steps: Vec<Step>,
    /// What no sentence says.
    pub lost: Vec<String>,
}

/// The steps of a case.
pub fn steps(case: &Plan) -> Retold {
    let look = Look { trace: true, ..Look::default() };
    let storm = match replay::run(case, look, &Arc::default()) {
        Ok(storm) => storm,
        Err(refused) => return unrun(&refused),
    };
    let actors = crate::storm::actors(case);
    let names: Vec<String> = case.actors.iter().flat_map(ActorPlan::names).collect();
    let mut retold = Retold::default();
    let mut turns = turns(&storm.end.trace, actors);
    // Where the model ended because something was found, a kernel goes on.
    let last = turns.pop();
    for turn in turns {
        turn.tell(&names, &mut retold);
    }
    if let Some(Turn { actor, .. }) = last {
        let text = format!("run {} until done", names[actor]);
        let action = Action::Run { actor, until: vec![Target::Done] };
        retold.steps.push(Step { text, action });
    }
    if !case.strikes.is_empty() {
        let strikes = "its strikes are left out: they strike at places of the model";
        retold.lost.push(strikes.to_owned());
    }
    retold
}

/// Nothing is known of a case that could not run.
fn unrun(refused: &NoGround) -> Retold {
    let told = "it cannot run on the model, which its steps are taken from";
    let lost = format!("{told}: {}; {}", refused.cause(), refused.advice());
    Retold { steps: Vec::new(), lost: vec![lost] }
}

/// What one actor does until another one goes on.
struct Turn<'a> {
    actor: usize,
    /// The operation that it was in before; none if it had not begun.
    before: Option<u64>,
    /// What it passed on the way; the last is where it stood then.
    passed: Vec<&'a Passage>,
}

/// The turns of the actors, one after the other.
fn turns(trace: &[Passage], actors: usize) -> Vec<Turn<'_>> {
    let mut turns: Vec<Turn<'_>> = Vec::new();
    let mut stand: BTreeMap<usize, u64> = BTreeMap::new();
    for passage in trace {
        let Who::Actor(actor) = case::who(passage.task, actors) else { continue };
        if passage.operation == 0 {
            continue;
        }
        let before = stand.insert(actor, passage.operation);
        match turns.last_mut().filter(|turn| turn.actor == actor) {
            Some(turn) => turn.passed.push(passage),
            None => turns.push(Turn { actor, before, passed: vec![passage] }),
        }
    }
    turns
}

impl Turn<'_> {
    fn tell(&self, names: &[String], retold: &mut Retold) {
        let Some(last) = self.passed.last() else { return };
        let name = &names[self.actor];
        let actor = self.actor;
        let mut step = |(until, words): (Vec<Target>, String)| {
            let text = format!("run {name} until {words}");
            retold.steps.push(Step { text, action: Action::Run { actor, until } });
        };
        if last.site.name == "end" {
            return step((vec![Target::Done], "done".to_owned()));
        }
        if last.waits && last.site.name != CALL {
            let until = vec![Target::Done, Target::Blocked];
            return step((until, "done or blocked".to_owned()));
        }
        // Places are counted within an operation.
        for _ in 0..self.returns() {
            step((vec![Target::Returned], "returned".to_owned()));
        }
        if last.site.name != CALL {
            let (until, unsaid) = self.named(last, name);
            until.into_iter().for_each(step);
            retold.lost.extend(unsaid);
        }
    }

    /// How many operations it returned from.
    fn returns(&self) -> usize {
        let passed = self.passed.iter().map(|passage| passage.operation);
        let all: Vec<u64> = self.before.into_iter().chain(passed).collect();
        all.windows(2).filter(|two| two[0] != two[1]).count()
    }

    /// The last place that has a name, of the operation that it stood in.
    /// And what of it no sentence says.
    fn named(&self, last: &Passage, name: &str) -> (Option<(Vec<Target>, String)>, Option<String>) {
        let in_it = || self.passed.iter().filter(|passage| passage.operation == last.operation);
        let found = in_it().rev().find_map(|passage| Point::named(passage.site.name));
        let unsaid = Point::named(last.site.name).is_none().then(|| {
            let Passage { operation, site, .. } = last;
            let instead = found.map_or("where it was", Point::name);
            format!(
                "`{name}` stands at `{}` in its operation {operation}, which has no name; it is left at \
                 {instead}",
                site.name
            )
        });
        let until = found.map(|point| {
            let nth = in_it().filter(|passage| passage.site.name == point.name()).count();
            let nth = u64::try_from(nth).expect("a count");
            let words = match nth {
                1 => point.name().to_owned(),
                nth => format!("{} {}", ordinal(nth), point.name()),
            };
            (vec![Target::Point { nth, point }], words)
        });
        (until, unsaid)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::{Known, parse};

    fn retell(schedule: &str) -> (Vec<String>, Vec<String>) {
        let text = format!(
            "filesystem: {{block_size: 4KiB, max_folio: 4KiB}}\n\
             actors:\n\
             - {{name: W, does: [write: {{at: 0, size: 8KiB}}]}}\n\
             - {{name: M, does: [fsync, mmap_store: {{at: 4KiB, size: 8}}]}}\n\
             schedule: {schedule}\n"
        );
        let case = parse("a.yaml", &text, &Known::default(), &[]).unwrap();
        let Retold { steps, lost } = steps(&case);
        (steps.into_iter().map(|step| step.text).collect(), lost)
    }

    #[test]
    fn who_went_on_after_whom_is_told_as_a_script() {
        let (steps, lost) = retell("[]");
        assert_eq!(steps, ["run W until done", "run M until done"]);
        assert_eq!(lost, [""; 0]);
    }

    #[test]
    fn places_are_counted_from_where_a_step_begins() {
        let (steps, lost) = retell("[W 1.13 write.faulted_in -> M]");
        // Who waits for the disk lets the first go on that can.
        let told = [
            "run W until 2nd write.faulted_in",
            "run M until done or blocked",
            "run W until done",
            "run M until done",
        ];
        assert_eq!(steps, told);
        assert_eq!(lost, [""; 0]);
    }

    #[test]
    fn places_are_counted_within_an_operation() {
        let text = "filesystem: {block_size: 4KiB, max_folio: 4KiB}\n\
             actors:\n\
             - {name: W, does: [write: {at: 0, size: 8KiB}, write: {at: 0, size: 8KiB}]}\n\
             - {name: M, does: [mmap_store: {at: 4KiB, size: 8}]}\n\
             schedule: [W 2.13 write.faulted_in -> M]\n";
        let case = parse("a.yaml", text, &Known::default(), &[]).unwrap();
        let told: Vec<_> = steps(&case).steps.into_iter().map(|step| step.text).collect();
        assert_eq!(
            told[..2],
            ["run W until returned", "run W until 2nd write.faulted_in"],
            "{told:?}"
        );
    }

    #[test]
    fn a_place_without_a_name_is_told_and_the_last_that_has_one_is_taken() {
        let (steps, lost) = retell("[W 1.14 folio lock -> M]");
        assert_eq!(steps[0], "run W until 2nd write.faulted_in");
        let told = "`W` stands at `folio lock` in its operation 1, which has no name; it is left at \
                    write.faulted_in";
        assert_eq!(lost, [told]);
    }

    #[test]
    fn a_case_that_cannot_run_is_told() {
        let refusal = mounted::Refusal::told("a device", "no memory", "free some");
        let lost = unrun(&NoGround::Real(refusal)).lost;
        let told = "it cannot run on the model, which its steps are taken from: a device: no memory; free some";
        assert_eq!(lost, [told]);
    }
}
