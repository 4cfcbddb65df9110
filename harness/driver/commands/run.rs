//! `run`: scenarios are read, stormed and judged, one after the other.

use super::attended::attended;
use super::check::switches;
use super::keep::Keeper;
use super::lacking;
use super::outcome;
use super::story::Teller;
use super::together;
use crate::campaign::{self, Campaign, Mission};
use crate::cli::RunArgs;
use crate::clock::Stopwatch;
use crate::console::Console;
use crate::exit::Exit;
use crate::ground::{Ground, NoGround};
use crate::interrupt::Interrupts;
use crate::progress::{Goal, Progress, Ticker};
use crate::record::{self, Asked};
use crate::scenario::plan::{Plan, WorldKind};
use crate::scenario::{self, Report};
use crate::script::Misfire;
use crate::{verdict, vocabulary};
use rayon::{ThreadPool, ThreadPoolBuilder};
use report::number::{counted, wide};
use report::record::{Record, Seed};
use std::path::Path;

/// Runs every file, and ends as the most severe of them does. If one cannot be read, none runs.
pub fn run(args: &RunArgs, console: Console) -> Exit {
    if 1 < args.files.len() && args.json.as_ref().is_some_and(|file| file != Path::new("-")) {
        console.warn("--json FILE takes the result of one scenario: give one, or use --json -");
        return Exit::Usage;
    }
    let overrides = args.overrides();
    let Some(scenarios) = read_all(args, &overrides, console) else { return Exit::Usage };
    let interrupts = Interrupts::catch();
    let jobs = args.jobs.map_or(0, usize::from);
    let Ok(pool) = ThreadPoolBuilder::new().num_threads(jobs).build() else {
        console.warn("the system has no room for so many threads: use a smaller --jobs");
        return Exit::Environment;
    };
    lacking::tell(scenarios.iter().map(|one| &one.plan), console);
    let (mut exit, mut records) = (Exit::Ok, Vec::new());
    for scenario in &scenarios {
        let asked = scenario.asked(&overrides);
        let run = Run { args, asked, console, interrupts: &interrupts, pool: &pool };
        exit = exit.max(match run.to_its_end() {
            Ok((record, ended)) => {
                let told = outcome::tell(&record, args, console);
                records.push(record);
                ended.max(told)
            }
            Err(misfire) => {
                console.raw(&misfire.render(console.styled));
                Exit::Usage
            }
        });
        if let Some(caught) = interrupts.caught() {
            exit = exit.max(caught);
            break;
        }
    }
    exit.max(together::leave(&records, args, console))
}

/// A scenario that was read.
struct Loaded {
    file: String,
    text: String,
    plan: Plan,
}

impl Loaded {
    fn asked<'a>(&'a self, overrides: &'a [(String, String)]) -> Asked<'a> {
        Asked { file: &self.file, text: &self.text, overrides, plan: &self.plan }
    }
}

/// Reads every file, or tells what is wrong with all of them.
fn read_all(
    args: &RunArgs,
    overrides: &[(String, String)],
    console: Console,
) -> Option<Vec<Loaded>> {
    let tell = |report: Report| console.raw(&report.render(console.styled));
    let read = |file: &Path| read(file, overrides).map_err(tell).ok();
    let all: Vec<_> = args.files.iter().map(|file| read(file)).collect();
    all.into_iter().collect()
}

fn read(file: &Path, overrides: &[(String, String)]) -> Result<Loaded, Report> {
    let text = scenario::text_of(file)?;
    let file = file.display().to_string();
    let plan = scenario::parse(&file, &text, &vocabulary::known(), overrides)?;
    Ok(Loaded { file, text, plan })
}

/// One scenario on its way to a record.
struct Run<'a> {
    args: &'a RunArgs,
    asked: Asked<'a>,
    console: Console,
    interrupts: &'a Interrupts,
    pool: &'a ThreadPool,
}

impl Run<'_> {
    /// The record of the run, and how the command ends because of it. Of a script that could not be
    /// followed there is none, but the step at which it ended.
    fn to_its_end(&self) -> Result<(Record, Exit), Report> {
        let plan = self.asked.plan;
        let watch = Stopwatch::start();
        let (device, storm) = match Ground::open(plan) {
            Ok(ground) => (ground.told(), self.storm(ground)),
            Err(refused) => (record::refused(plan, &refused.cause()), Err(refused)),
        };
        let (mut campaign, verdict) = match storm {
            Ok(campaign) => {
                let interrupted = self.interrupts.caught().is_some();
                let verdict = verdict::verdict(plan, &campaign, interrupted);
                (campaign, verdict)
            }
            Err(refused) => {
                self.tell_where(&refused);
                let verdict = verdict::impossible(plan, refused.to_string());
                (Campaign::new(plan.world), verdict)
            }
        };
        if let Some(misfire) = &campaign.misfire {
            return Err(self.misfired(misfire));
        }
        let elapsed = watch.elapsed();
        let exit = verdict::exit(&verdict).max(self.keep(&mut campaign));
        let Run { interrupts, pool, .. } = *self;
        Teller { time: self.args.shrink, interrupts, pool }.tell(&mut campaign);
        let record = record::record(self.asked, device, &campaign, (verdict, elapsed));
        Ok((record, exit))
    }

    /// Shows what asks for a filesystem that cannot be had.
    fn tell_where(&self, refused: &NoGround) {
        let NoGround::Real(refusal) = refused else { return };
        let Some(key) = refusal.of else { return };
        let Asked { file, text, overrides, .. } = self.asked;
        let told = (refused.cause(), refused.advice());
        let report = scenario::at_key(file, text, overrides, ("target", key), told);
        self.console.raw(&report.render(self.console.styled));
    }

    /// Keeps the failures as files, unless the scenario is such a file.
    fn keep(&self, campaign: &mut Campaign) -> Exit {
        let Asked { plan, file, .. } = self.asked;
        if plan.is_explicit() || (plan.is_real_case() && plan.recorded.is_some()) {
            return Exit::Ok;
        }
        let dir = outcome::directory(&plan.name, Seed(plan.seed), &self.args.reports);
        let Run { console, interrupts, pool, .. } = *self;
        let keeper =
            Keeper { dir: &dir, from: file, time: self.args.shrink, console, interrupts, pool };
        keeper.keep(campaign)
    }

    fn misfired(&self, misfire: &Misfire) -> Report {
        let Asked { file, text, overrides, .. } = self.asked;
        let Misfire { step, message, stands, help } = misfire.clone();
        scenario::at_item(file, text, overrides, ("script", step - 1), (message, stands, help))
    }

    /// Runs the campaign on the pool, and meanwhile tells its progress and looks for signals.
    fn storm(&self, ground: Ground) -> Result<Campaign, NoGround> {
        let plan = self.asked.plan;
        self.announce(&ground);
        let progress = Progress::default();
        let interrupted = self.interrupts.flag();
        let mission =
            Mission { plan, interrupted, progress: &progress, fail_fast: self.args.fail_fast };
        let goal = match plan.world {
            WorldKind::Threads => Goal::Time,
            WorldKind::Simulated if plan.exhaustive().is_some() => Goal::Schedules,
            WorldKind::Simulated => Goal::Seeds(plan.seeds),
        };
        let mut ticker = Ticker::new(self.console, &progress, goal);
        let look = || {
            ticker.tick();
            if self.interrupts.look() {
                ticker.clear();
                self.console.warn("ending the run; once more ends it at once");
            }
        };
        let campaign = attended(self.pool, look, || campaign::run(mission, ground));
        ticker.clear();
        campaign
    }

    /// The first line: what runs where, and why there.
    fn announce(&self, ground: &Ground) {
        let plan = self.asked.plan;
        let seed = Seed(plan.seed);
        let seeds = match plan.world {
            WorldKind::Simulated if !plan.script.is_empty() => {
                format!("a script of {}", counted(wide(plan.script.len()), "step"))
            }
            WorldKind::Simulated if plan.schedule.is_some() => {
                format!("a schedule of {}", switches(plan))
            }
            WorldKind::Simulated if plan.exhaustive().is_some() => "every schedule".to_owned(),
            WorldKind::Simulated => format!("{} seeds from {seed}", plan.seeds),
            WorldKind::Threads => format!("seed {seed}"),
        };
        let (name, world) = (&plan.name, plan.world.name());
        self.console.say(&format!("{name}: {world} world, {seeds}; {}", ground.detail()));
        if let Some(variations) = &plan.variations {
            let count = variations.count();
            let of_each = match (plan.exhaustive(), record::drawn(plan)) {
                (Some(_), _) => format!("of each of {count} combinations"),
                (None, drawn) if drawn.is_empty() => {
                    format!("each seed draws one of {count} combinations")
                }
                (None, drawn) => {
                    format!("drawn of {count} combinations: `{}`", drawn.join("`, `"))
                }
            };
            self.console.say(&of_each);
        }
        if let Some(time) = plan.time.filter(|_| plan.world == WorldKind::Simulated) {
            let seconds = time.as_secs_f64();
            self.console.say(&format!(
                "ends after {seconds} s: how many seeds that are depends on the machine"
            ));
        }
        if plan.variants().iter().any(|plan| plan.swarm) {
            let things = "operations, sizes, positions, chances and pauses";
            self.console.say(&format!(
                "each seed draws {things} within what the scenario names; `swarm: false` does not"
            ));
        }
        if !plan.dropped.is_empty() {
            let keys = plan.dropped.join("`, `");
            let place = match &self.args.target {
                Some(target) => format!("target {target}"),
                None => format!("world {world}"),
            };
            self.console.say(&format!("dropped for the {place}: `{keys}` of the file"));
        }
    }
}
