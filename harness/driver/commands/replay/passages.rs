//! Every point that a run passed, one a line, as `--trace` prints it.

use crate::call::Call;
use crate::case;
use crate::scenario;
use crate::scenario::plan::Plan;
use crate::storm;
use sim::Passage;

/// The table. Where the default rule was left, a line ends as a switch of the schedule reads.
pub(super) fn table(plan: &Plan, trace: &[Passage]) -> String {
    let actors = storm::actors(plan);
    let name = |task: usize| case::name(plan, case::who(task, actors));
    let widest = trace.iter().map(|passage| name(passage.task).len()).max().unwrap_or(0).max(4);
    let mut lines = vec![format!("{:>8}  {:<widest$}  {:>8}  site", "step", "task", "place")];
    let mut begun = vec![0; actors];
    for passage in trace {
        let Passage { step, task, operation, point, site, .. } = *passage;
        if let Some(actor) = task.checked_sub(1).filter(|actor| *actor < actors)
            && begun[actor] != operation
        {
            begun[actor] = operation;
            if let Some(call) = call(plan, actor, operation) {
                let call = scenario::call_text(plan, call);
                lines.push(format!("{:10}{} {operation}: {call}", "", name(task)));
            }
        }
        let place = format!("{operation}.{point}");
        let went = went(passage, name);
        lines.push(format!("{step:>8}  {:<widest$}  {place:>8}  {}{went}", name(task), site.name));
    }
    lines.join("\n") + "\n"
}

/// The call of an actor that has this number.
pub(super) fn call(plan: &Plan, actor: usize, number: u64) -> Option<&Call> {
    let mut groups = plan.actors.iter().flat_map(|one| one.names().map(|_| &one.does));
    let calls = groups.nth(actor)?;
    calls.binary_search_by_key(&number, |call| call.number).ok().map(|found| &calls[found])
}

/// Who went on, if it was not the task itself.
fn went(passage: &Passage, name: impl Fn(usize) -> String) -> String {
    let Passage { task, to, default, waits, .. } = *passage;
    let word = if waits && passage.site.name != "end" { ", waits" } else { "" };
    if to != default {
        format!("{word} -> {}", name(to))
    } else if to != task {
        format!("{word}, and {} goes on", name(to))
    } else {
        word.to_owned()
    }
}
