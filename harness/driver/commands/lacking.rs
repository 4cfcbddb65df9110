//! What a command that runs in directories does without, because its user may not do it.

use crate::console::Console;
use crate::scenario::plan::{Plan, TargetPlan};
use mounted::rights;

/// Tells it once, if one of the plans is about a directory.
pub(super) fn tell<'a>(plans: impl IntoIterator<Item = &'a Plan>, console: Console) {
    if !plans.into_iter().any(|plan| matches!(plan.target, TargetPlan::Directory(_))) {
        return;
    }
    let (dropping, mut lacks) = (rights::dropping(), false);
    for right in [&rights::mounting(), &rights::stopping(), &dropping] {
        if let Some(advice) = right.advice() {
            console.say(&format!("without {}: {}; {advice}", right.what, right.found));
            lacks = true;
        }
    }
    if lacks && dropping.is_there() {
        console.say(&format!("with {}: {}", dropping.what, dropping.found));
    }
}
