//! `replay`: cases are run again, and compared with what they say of themselves.

mod elsewhere;
mod passages;
mod stands;
mod told;
mod searched;
mod again;

use super::attended::attended;
use super::{lacking, outcome};
use crate::cli::ReplayArgs;
use crate::console::Console;
use crate::exit::Exit;
use crate::ground::NoGround;
use crate::interrupt::Interrupts;
use crate::onlooker::Look;
use crate::replay::{self, Replay};
use crate::scenario::plan::Recorded;
use crate::scenario::{self, Plan, Report};
use crate::vocabulary;
use rayon::ThreadPoolBuilder;
use rayon::iter::{IntoParallelRefIterator, ParallelIterator};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use told::Told;

/// How often a case is run, where nobody says.
const TIMES: u32 = 2;

/// Replays every file, and ends as the most severe of them does. If one cannot be read, none runs.
pub fn replay(args: &ReplayArgs, console: Console) -> Exit {
    if let Some(target) = &args.target {
        return elsewhere::replay(args, target, console);
    }
    let read = |file: &Path| Case::read(file, &args.sets);
    let tell = |report: Report| console.raw(&report.render(console.styled));
    let cases: Vec<_> = args.files.iter().map(|file| read(file).map_err(tell).ok()).collect();
    let Some(cases) = cases.into_iter().collect::<Option<Vec<_>>>() else { return Exit::Usage };
    lacking::tell(cases.iter().map(|case| &case.plan), console);
    let interrupts = Interrupts::catch();
    let jobs = args.jobs.map_or(0, usize::from);
    let Ok(pool) = ThreadPoolBuilder::new().num_threads(jobs).build() else {
        console.warn("the system has no room for so many threads: use a smaller --jobs");
        return Exit::Environment;
    };
    let look = || {
        if interrupts.look() {
            console.warn("ending the replay; once more ends it at once");
        }
    };
    let flag = Arc::clone(interrupts.flag());
    let (left, cases): (Vec<_>, Vec<_>) = cases.into_iter().partition(Case::is_of_threads);
    let shows = args.trace || args.until.is_some();
    if let Some(case) = left.first().filter(|_| shows) {
        let told = "threads have left it, and no schedule to follow: replay it first, and then the \
                    case that is found";
        console.warn(&format!("{}: {told}", case.file));
        return Exit::Usage;
    }
    let done = if shows {
        attended(&pool, look, || shown(&cases, args, &flag)).map(|text| console.print(&text))
    } else {
        let ran = attended(&pool, look, || every(&cases, args, &left, &flag));
        ran.map(|told| tell_all(&told, args, interrupts.caught(), console))
    };
    match done {
        Ok(exit) => exit.max(interrupts.caught().unwrap_or(Exit::Ok)),
        Err(refused) => {
            console.warn(&refused.to_string());
            refused.exit()
        }
    }
}

/// A case with its text, in which places are shown.
pub(super) struct Case {
    file: String,
    text: String,
    sets: Vec<(String, String)>,
    plan: Plan,
}

impl Case {
    fn read(file: &Path, sets: &[(String, String)]) -> Result<Case, Report> {
        let text = scenario::text_of(file)?;
        let file = file.display().to_string();
        let plan = scenario::parse(&file, &text, &vocabulary::known(), sets)?;
        let case = Case { file: file.clone(), text: text.clone(), sets: sets.to_vec(), plan };
        if !case.plan.is_explicit() && !case.is_of_threads() {
            return Err(scenario::not_for(scenario::Command::Replay, (&file, &text), &case.plan));
        }
        Ok(case)
    }

    /// Whether it is what threads left.
    fn is_of_threads(&self) -> bool {
        if self.plan.is_real_case() {
            return true;
        }
        let has_order = |recorded: &Recorded| !recorded.order.is_empty();
        self.plan.schedule.is_none() && self.plan.recorded.as_ref().is_some_and(has_order)
    }
}

fn every(
    cases: &[Case],
    args: &ReplayArgs,
    left: &[Case],
    interrupted: &Arc<AtomicBool>,
) -> Result<Vec<Told>, NoGround> {
    let one = |case: &Case| {
        let replay = Replay::of(&case.plan, args.times.unwrap_or(TIMES).into(), interrupted)?;
        Told::of(case, &replay, interrupted)
    };
    let mut told: Vec<Told> = cases.par_iter().map(one).collect::<Result<_, _>>()?;
    for case in left {
        told.push(if case.plan.is_real_case() {
            again::told(case, args.times, interrupted, || ())?
        } else {
            searched::told(case, args.search, interrupted)?
        });
    }
    Ok(told)
}

/// Tells what came of each. Of runs that were cut short nothing can be told but what was counted before.
fn tell_all(told: &[Told], args: &ReplayArgs, caught: Option<Exit>, console: Console) -> Exit {
    let told: Vec<&Told> = told.iter().filter(|one| caught.is_none() || one.stands).collect();
    if let Some(caught) = caught.filter(|_| told.is_empty()) {
        return caught;
    }
    let lines: Vec<_> = told.iter().map(|one| one.line.clone() + "\n").collect();
    let json = told::json(&told);
    let delivered = outcome::deliver(&lines.concat(), &json, args.json.as_deref(), console);
    for one in &told {
        one.details(console);
    }
    told.iter().map(|one| one.exit).max().unwrap_or(Exit::Ok).max(delivered)
}

/// What `--trace` and `--until` print.
fn shown(
    cases: &[Case],
    args: &ReplayArgs,
    interrupted: &Arc<AtomicBool>,
) -> Result<String, NoGround> {
    let look = Look { trace: true, until: args.until, ..Look::default() };
    let mut text = String::new();
    for case in cases {
        let storm = replay::run(&case.plan, look, interrupted)?;
        if 1 < cases.len() {
            text.extend([&case.file, ":\n"]);
        }
        if args.trace {
            text += &passages::table(&case.plan, &storm.end.trace);
        }
        text += &stands::ending(&case.plan, &storm, args.until);
        if args.until.is_some() {
            text += &stands::everybody(&case.plan, &storm);
            text += &stands::files(&case.plan, &storm);
        }
    }
    Ok(text)
}
