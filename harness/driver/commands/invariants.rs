//! `invariants`: what the oracle checks.

use crate::commands::check::missing;
use crate::commands::prose::wrapped;
use crate::console::Console;
use crate::exit::Exit;
use crate::real::leeway;
use crate::record::can_be_checked;
use crate::scenario::plan::TargetPlan;
use crate::scenario::{overrides_for, parse};
use crate::vocabulary;
use mounted::{Kind, Refusal, Spec, lent};
use oracle::invariant::When;
use oracle::{Invariant, Leeway, Scope};

/// Prints each invariant with who notices a breach, when it holds, on what it is checked, and why it must
/// hold; of a target only those that are checked there.
pub fn invariants(target: Option<&str>, console: Console) -> Exit {
    let target = target.map(plan_of);
    let leeways = match leeways(target.as_ref()) {
        Ok(leeways) => leeways,
        Err(refusal) => return missing(&refusal, console),
    };
    let mut text = String::new();
    for invariant in Invariant::all() {
        let Invariant { name, about, when, scope } = invariant;
        if !target.as_ref().is_none_or(|target| can_be_checked(name, target)) {
            continue;
        }
        let when = match when {
            When::Always => "always",
            When::Quiet => "when nothing is in flight",
        };
        let scope = match scope {
            Scope::User => "seen by users",
            Scope::State => "of state",
        };
        text.extend([name, " (", scope, ", ", when, "; ", &checked_on(name), ")\n"]);
        for line in about.lines() {
            text.extend(["    ", line.trim(), "\n"]);
        }
    }
    if !leeways.is_empty() {
        text.push_str("\nOf a real filesystem, what POSIX leaves open and some make use of:\n");
    }
    for leeway in leeways {
        let users = leeway::users(leeway).join(", ");
        text.extend(["\n", leeway.name(), " (", &users, ")\n"]);
        text.push_str(&wrapped("    ", leeway.about()));
    }
    console.print(&text)
}

/// Of a target only those that it is judged by: a directory is looked at, as a run does.
fn leeways(target: Option<&TargetPlan>) -> Result<Vec<Leeway>, Refusal> {
    let there: Box<dyn Fn(&Leeway) -> bool> = match target {
        None => Box::new(|_| true),
        Some(TargetPlan::Model) => Box::new(|_| false),
        Some(TargetPlan::Kernel(spec)) => {
            let name = spec.kind.name();
            Box::new(move |leeway| leeway::users(*leeway).contains(&name))
        }
        Some(TargetPlan::Directory(path)) => {
            let known = leeway::of(lent::directory(path)?);
            Box::new(move |leeway| known.has(*leeway))
        }
    };
    Ok(Leeway::ALL.into_iter().filter(there).collect())
}

/// What a scenario means by a target of the command line.
fn plan_of(target: &str) -> TargetPlan {
    const SMALL: &str = "actors: [{name: a, ops: {write: 1}}]";
    let overrides = overrides_for(target).expect("it was read before");
    let plan = parse("target", SMALL, &vocabulary::known(), &overrides);
    plan.expect("every target can be written to").target
}

/// On the model, on real filesystems, or on some of these.
fn checked_on(name: &str) -> String {
    let made = |kind: Kind| TargetPlan::Kernel(Spec::plain(kind));
    let lent = TargetPlan::Directory("/".into());
    let kinds: Vec<_> = Kind::ALL
        .into_iter()
        .filter(|kind| can_be_checked(name, &made(*kind)))
        .map(|kind| format!("kernel:{}", kind.name()))
        .collect();
    let real = match (kinds.len(), can_be_checked(name, &lent)) {
        (0, false) => None,
        (count, true) if count == Kind::ALL.len() => Some("real filesystems".to_owned()),
        (_, true) => Some(format!("{} and directories", kinds.join(", "))),
        (_, false) => Some(kinds.join(", ")),
    };
    match (can_be_checked(name, &TargetPlan::Model), real) {
        (true, None) => "on the model".to_owned(),
        (true, Some(real)) => format!("on the model and {real}"),
        (false, Some(real)) => format!("on {real}"),
        (false, None) => "on nothing".to_owned(),
    }
}
