//! `explain`: tells why a case fails, for somebody who has never seen it.

mod render;

use crate::cli::ExplainArgs;
use crate::console::Console;
use crate::exit::Exit;
use crate::explain::{self, Refusal};
use crate::interrupt::Interrupts;
use crate::scenario::plan::{Plan, WorldKind};
use crate::scenario::{self, Report};
use crate::vocabulary;
use report::visible;

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
    match explain::explain(&plan, interrupts.flag()) {
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
        Err(Refusal::NoDevice(error)) => {
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
    Err(scenario::not_a_case(&file, &text))
}
