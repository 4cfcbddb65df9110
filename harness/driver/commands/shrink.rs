//! `shrink`: a reproducer becomes the smallest that is found to fail alike.

pub(super) mod real;

use super::attended::attended;
use super::lacking;
use crate::cli::ShrinkArgs;
use crate::clock::Stopwatch;
use crate::console::Console;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::interrupt::Interrupts;
use crate::reproducer;
use crate::scenario::plan::{Expectation, Plan};
use crate::scenario::{self, Report};
use crate::shrink::{self, Limits, Refused, Shrunk, Weight};
use crate::signature::signature;
use crate::vocabulary;
use rayon::ThreadPoolBuilder;
use report::writing::write_whole;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// How often the best so far is written and told, at most.
const PERIOD: Duration = Duration::from_millis(250);

/// Shrinks one reproducer, and writes the best so far on the way.
pub fn shrink(args: &ShrinkArgs, console: Console) -> Exit {
    let case = match read(&args.file) {
        Ok(case) => case,
        Err(report) => {
            console.raw(&report.render(console.styled));
            return Exit::Usage;
        }
    };
    lacking::tell([&case], console);
    let interrupts = Interrupts::catch();
    let Ok(pool) = ThreadPoolBuilder::new().num_threads(args.jobs.map_or(0, usize::from)).build()
    else {
        console.warn("the system has no room for so many threads: use a smaller --jobs");
        return Exit::Environment;
    };
    let flag = Arc::clone(interrupts.flag());
    let limits = Limits { time: args.time, runs: None, interrupted: &flag, parallel: true };
    let mut shelf = Shelf::new(args, console);
    let watch = Stopwatch::start();
    let look = || {
        if interrupts.look() {
            console.warn("ending with what there is; once more ends at once");
        }
    };
    if case.is_real_case() {
        let keep = &mut |case: &Plan, weight: &Weight| shelf.keep(case, weight, false);
        let shrunk = attended(&pool, look, || real::shrunk(&case, limits, keep));
        let exit = match shrunk {
            Err(refused) => refuse(&args.file, &refused, console),
            Ok(shrunk) => {
                shelf.keep(&shrunk.case, &shrunk.after, true);
                console.say(&real::told(&shrunk, watch.elapsed()));
                shelf.failed.take().map_or(Exit::Ok, |error| unwritten(&error, console))
            }
        };
        return exit.max(interrupts.caught().unwrap_or(Exit::Ok));
    }
    let result = attended(&pool, look, || {
        shrunk(&case, limits, &mut |case, weight| shelf.keep(case, weight, false)).map(|shrunk| {
            shelf.keep(&shrunk.case, &shrunk.after, true);
            (shrunk, shelf.failed)
        })
    });
    let exit = match result {
        Err(refused) => refuse(&args.file, &refused, console),
        Ok((_, Some(error))) => unwritten(&error, console),
        Ok((shrunk, None)) => {
            others(args, &shrunk, console);
            console.say(&told(&shrunk, watch.elapsed()));
            Exit::Ok
        }
    };
    exit.max(interrupts.caught().unwrap_or(Exit::Ok))
}

fn unwritten(error: &io::Error, console: Console) -> Exit {
    console.warn(&format!("the result was not written: {error}; use -o FILE"));
    Exit::Environment
}

fn read(file: &Path) -> Result<Plan, Report> {
    let text = scenario::text_of(file)?;
    let name = file.display().to_string();
    let case = scenario::parse(&name, &text, &vocabulary::known(), &[])?;
    let is_case = case.is_explicit() || case.is_real_case();
    if is_case {
        return Ok(case);
    }
    Err(scenario::not_for(scenario::Command::Shrink, (&name, &text), &case))
}

/// Runs the case to see how it fails, and shrinks it.
fn shrunk(
    case: &Plan,
    limits: Limits<'_>,
    progress: &mut (dyn FnMut(&Plan, &Weight) + Send),
) -> Result<Shrunk, Refused> {
    let storm = reproducer::run(case, &Arc::default())?;
    let failure = Failure::of(&storm);
    let expected = match &case.expect {
        Expectation::Caught { by, .. } => Some(by.as_str()),
        Expectation::Clean => None,
    };
    match failure {
        Some(failure) if expected.is_none_or(|by| by == failure.invariant) => {
            shrink::shrink(case, &failure, limits, progress)
        }
        other => Err(Refused::FailsOtherwise(other)),
    }
}

fn refuse(file: &Path, refused: &Refused, console: Console) -> Exit {
    console.warn(&format!("{}: {refused}", file.display()));
    match refused {
        Refused::FailsOtherwise(_) | Refused::OutOfTime(_) | Refused::Interrupted(_) => {
            Exit::Failed
        }
        Refused::NotDeterministic => Exit::Harness,
        Refused::NoGround(error) => error.exit(),
    }
}

/// Where the best so far is kept.
struct Shelf {
    file: PathBuf,
    /// Where the reproducer goes as it was, if the result takes its place.
    before: Option<PathBuf>,
    console: Console,
    watch: Stopwatch,
    written: Option<Duration>,
    failed: Option<io::Error>,
}

impl Shelf {
    fn new(args: &ShrinkArgs, console: Console) -> Shelf {
        let before = args.output.is_none().then(|| {
            let mut name = args.file.as_os_str().to_owned();
            name.push(".orig");
            PathBuf::from(name)
        });
        let before = before.filter(|before| !before.exists());
        let file = args.output.as_ref().unwrap_or(&args.file).clone();
        let watch = Stopwatch::start();
        Shelf { file, before, console, watch, written: None, failed: None }
    }

    /// Keeps the case, now and then or `now`.
    fn keep(&mut self, case: &Plan, weight: &Weight, now: bool) {
        let elapsed = self.watch.elapsed();
        if !now && self.written.is_some_and(|last| elapsed < last + PERIOD) {
            return;
        }
        self.written = Some(elapsed);
        self.failed = self.write(case).err();
        if !now {
            self.console.say(&format!("{:.1} s: {weight}", elapsed.as_secs_f64()));
        }
    }

    fn write(&mut self, case: &Plan) -> io::Result<()> {
        if let Some(before) = &self.before {
            write_whole(before, &std::fs::read(&self.file)?)?;
            self.before = None;
        }
        write_whole(&self.file, scenario::write(case).as_bytes())
    }
}

/// Keeps other failures that were met on the way, each in a file of its own.
fn others(args: &ShrinkArgs, shrunk: &Shrunk, console: Console) {
    let file = args.output.as_ref().unwrap_or(&args.file);
    for (failure, case) in &shrunk.others {
        let by = failure.invariant.to_owned();
        let case = Plan { expect: Expectation::Caught { by, bug: None }, ..case.clone() };
        let other = file.with_extension(format!("{}.yaml", failure.invariant));
        if other.exists() {
            continue;
        }
        let kept = match write_whole(&other, scenario::write(&case).as_bytes()) {
            Ok(()) => format!("it is in {}", other.display()),
            Err(error) => format!("it was not written: {error}"),
        };
        console.say(&format!("met another failure, {failure}; {kept}"));
    }
}

/// What was done, in one line, and the signature of what is left.
fn told(shrunk: &Shrunk, time: Duration) -> String {
    let Shrunk { case, before, after, executions, minimal, .. } = shrunk;
    let end = if *minimal {
        "nothing more can be taken out"
    } else {
        "there was no time for more: the same command goes on"
    };
    let by = match &case.expect {
        Expectation::Caught { by, .. } => by.as_str(),
        Expectation::Clean => "",
    };
    format!(
        "{before} -> {after}; {executions} runs, {:.1} s; {end}\n{}",
        time.as_secs_f64(),
        signature(by, case)
    )
}
