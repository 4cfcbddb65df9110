//! `explain`: tells why a case fails, for somebody who has never seen it.

mod render;

use super::attended::attended;
use crate::cli::ExplainArgs;
use crate::console::Console;
use crate::exit::Exit;
use crate::explain::{self, Refusal};
use crate::interrupt::Interrupts;
use crate::scenario::plan::{Plan, WorldKind};
use crate::scenario::{self, Report};
use crate::vocabulary;
use rayon::ThreadPoolBuilder;
use report::visible;
use std::sync::Arc;

/// Reads, runs and explains.
pub fn explain(args: &ExplainArgs, console: Console) -> Exit {
    let file = args.file.display().to_string();
    let file = visible::line(&file);
    let plan = match read(args) {
        Ok(plan) => plan,
        Err(report) => {
            console.raw(&report.render(console.styled));
            return Exit::Usage;
        }
    };
    let interrupts = Interrupts::catch();
    let Ok(pool) = ThreadPoolBuilder::new().build() else {
        console.warn("the system has no room for a thread on each processor");
        return Exit::Environment;
    };
    let look = || {
        if interrupts.look() {
            console.warn("ending; once more ends at once");
        }
    };
    let flag = Arc::clone(interrupts.flag());
    let explained = attended(&pool, look, || explain::explain(&plan, &flag));
    // Runs that were cut short would be taken for runs in which nothing breaks.
    if let Some(caught) = interrupts.caught() {
        return caught;
    }
    match explained {
        Ok(explanation) => {
            let json =
                serde_json::to_string_pretty(&explanation).expect("an explanation is plain data");
            let text = render::text(&explanation, Console::results_are_styled());
            super::outcome::deliver(&text, &(json + "\n"), args.json.as_deref(), console)
        }
        Err(Refusal::Passes) => {
            console.warn(&format!("{file}: nothing fails, so there is nothing to explain"));
            Exit::Failed
        }
        Err(Refusal::Differs) => {
            console.warn(&format!("{file}: two runs differ; this is a defect of the harness"));
            Exit::Harness
        }
        Err(Refusal::TooLong(points)) => {
            console.warn(&format!("{file}: {}", Refusal::too_long(points)));
            Exit::Usage
        }
        Err(Refusal::NoGround(error)) => {
            console.warn(&error.to_string());
            Exit::Environment
        }
    }
}

fn read(args: &ExplainArgs) -> Result<Plan, Report> {
    let text = scenario::text_of(&args.file)?;
    let file = args.file.display().to_string();
    let plan = scenario::parse(&file, &text, &vocabulary::known(), &args.sets)?;
    let is_determined = plan.is_explicit() || !plan.script.is_empty();
    if is_determined && plan.world == WorldKind::Simulated {
        return Ok(plan);
    }
    Err(scenario::not_for(scenario::Command::Explain, (&file, &text), &plan))
}
