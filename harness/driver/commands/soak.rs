//! `soak`: scenarios run for hours under seeds that are new every night.

use super::attended::attended;
use super::{lacking, outcome, together};
use crate::clock::Stopwatch;
use crate::console::Console;
use crate::environment;
use crate::exit::Exit;
use crate::interrupt::Interrupts;
use crate::progress::{Goal, Progress, Ticker};
use crate::scenario;
use crate::scenario::plan::WorldKind;
use crate::soak::alarm::Alarm;
use crate::soak::args::SoakArgs;
use crate::soak::course::{Course, Stopped};
use crate::soak::entries::{self, Entry, Given, Wanted};
use crate::soak::regressions::{self, Cases};
use crate::soak::shard::{self, Share};
use crate::soak::shelf::{self, Shelf};
use crate::soak::sums::hash_text;
use crate::soak::told::told;
use crate::soak::turn::Work;
use crate::soak::{night, seeds, union};
use rayon::ThreadPoolBuilder;
use report::record::{
    Night, NightVerdict, Part, Seed, Shard, ShardEnd, ShardState, Soaked, Tool, World,
};
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long a night is if nobody says.
const NIGHT: Duration = Duration::from_hours(8);

/// How long one failure is made smaller if nobody says.
const SHRINK: Duration = Duration::from_secs(20);

/// The same where nothing depends on the clock: not reached but by a case that is of no use.
const PATIENCE: Duration = Duration::from_mins(10);

/// Where regressions are looked for if nobody says.
const REGRESSIONS: &str = "scenarios/regressions";

/// Iterations of simulations for which threads have one slice.
const SEEDS_A_SLICE: u64 = 100;

/// Slices of threads that fit into a night at least.
const SLICES: u32 = 200;

/// Soaks, and ends as bad as what was found.
pub fn soak(args: &SoakArgs, console: Console) -> Exit {
    let prepared = Prepared::of(args);
    let prepared = match prepared {
        Ok(prepared) => prepared,
        Err(wrong) => {
            for text in wrong {
                console.raw(&text);
            }
            return Exit::Usage;
        }
    };
    let interrupts = Interrupts::catch();
    let jobs = args.jobs.map_or(0, usize::from);
    let Ok(pool) = ThreadPoolBuilder::new().num_threads(jobs).build() else {
        console.warn("the system has no room for so many threads: use a smaller --jobs");
        return Exit::Environment;
    };
    prepared.announce(console);
    lacking::tell(prepared.given.entries.iter().map(|entry| &entry.plan), console);
    let progress = Progress::default();
    let mut ticker = Ticker::new(console, &progress, Goal::Time);
    let alarm = Alarm::default();
    let look = || {
        ticker.tick();
        if interrupts.look() {
            ticker.clear();
            console.warn("ending the night; once more ends it at once");
        }
        alarm.look(interrupts.caught().is_some());
    };
    let campaign = prepared.night.campaign.clone();
    let course = prepared.course(&campaign, (args, console), (&interrupts, &alarm, &progress));
    let done = attended(&pool, look, || course.run());
    ticker.clear();
    let (night, exit, put) = match done {
        Ok(done) => done,
        Err(Stopped::Damaged(what)) => {
            console.warn(&what);
            return Exit::Harness;
        }
        Err(Stopped::Nowhere(error)) => {
            let remedy = outcome::remedy(&error);
            console.warn(&format!("the night cannot be written: {error}; {remedy}"));
            return Exit::Environment;
        }
    };
    let delivered =
        outcome::deliver(&told(&night), &night.to_json(), args.json.as_deref(), console);
    let place = put.is_ok().then_some(&*prepared.dir);
    let left = together::leave_night(&night, place, args.junit.as_deref(), console);
    let written = ending(&night, (&prepared.dir, put), console);
    exit.max(delivered).max(left).max(written).max(interrupts.caught().unwrap_or(Exit::Ok))
}

/// The last words: where everything is, and how to see a failure again.
fn ending(night: &Night, (dir, put): (&Path, io::Result<()>), console: Console) -> Exit {
    if let Err(error) = put {
        let told = outcome::unwritten("the night", &error);
        console.warn(&format!("{told}; --resume runs again what is lost"));
        return Exit::Unwritten;
    }
    console.say(&format!("report: {}", dir.join("report.html").display()));
    let file = night.signatures.iter().find_map(|signature| signature.file.as_ref());
    if let Some(file) = file {
        console.warn(&format!("reproduce with: pagestorm replay {}", dir.join(file).display()));
    }
    Exit::Ok
}

/// A night that can begin.
struct Prepared {
    share: Share,
    dir: PathBuf,
    night: Night,
    given: Given,
    cases: Option<Cases>,
    seeds: Option<u64>,
    time: Option<Duration>,
    before: Duration,
    resumed: bool,
}

impl Prepared {
    fn of(args: &SoakArgs) -> Result<Prepared, Vec<String>> {
        let one = |text: String| vec![text + "\n"];
        let share = shard::share(&args.shard, &|name| std::env::var(name).ok()).map_err(one)?;
        let time = time(args).map_err(one)?;
        let (dir, begun) = begun(args, share.shard).map_err(one)?;
        let resumed = begun.is_some();
        let mut night = begun.unwrap_or_else(|| fresh(args));
        let regressions = args.regressions.clone();
        let default = Path::new(REGRESSIONS).is_dir().then(|| PathBuf::from(REGRESSIONS));
        let regressions = regressions.or(default);
        let wanted = Wanted {
            files: &args.files,
            except: regressions.as_deref(),
            world: match args.world.as_str() {
                "simulated" => Some(WorldKind::Simulated),
                "threads" => Some(WorldKind::Threads),
                _ => None,
            },
            target: args.target.as_deref(),
            slice: &slice(time),
        };
        let given = entries::read(&wanted)?;
        all_are_given(&night, &given.entries).map_err(one)?;
        let cases = match regressions {
            Some(dir) if night.regressions.is_empty() => {
                Some(regressions::read(&dir, share.shard)?)
            }
            _ => None,
        };
        for left in &given.left_out {
            if !night.left_out.contains(left) {
                night.left_out.push(left.clone());
            }
        }
        // What the machine could not do before, it may do now.
        night.left_out.retain(|left| !left.refused);
        let milliseconds = night.shards.first().map_or(0, |state| state.elapsed_ms);
        let starts = night.shards.first().map_or(0, |state| state.starts) + 1;
        night.shards = vec![ShardState {
            campaign: night.campaign.clone(),
            shard: share.shard,
            ended: ShardEnd::Running,
            seeds: args.seeds,
            time_ms: time.map(|time| u64::try_from(time.as_millis()).unwrap_or(u64::MAX)),
            elapsed_ms: milliseconds,
            starts,
            environment: environment::environment(),
        }];
        let before = Duration::from_millis(milliseconds);
        Ok(Prepared { share, dir, night, given, cases, seeds: args.seeds, time, before, resumed })
    }

    fn announce(&self, console: Console) {
        let Soaked { seed, date, commit } = &self.night.campaign;
        let origin = match (date, commit) {
            (Some(date), Some(commit)) => format!("from {date} and commit {commit}"),
            (Some(date), None) => format!("from {date}; no commit is known here"),
            (None, Some(commit)) => format!("as given, at commit {commit}"),
            (None, None) => "as given; no commit is known here".to_owned(),
        };
        let shard = self.share.shard;
        let from = self.share.from.map(|name| format!(" (from {name})")).unwrap_or_default();
        let verb = if self.resumed { "going on with" } else { "soak:" };
        console.say(&format!("{verb} seed {seed} ({origin}), shard {shard}{from}"));
        let of = |world| self.given.entries.iter().filter(|one| one.plan.world == world).count();
        let (simulated, threads) = (of(WorldKind::Simulated), of(WorldKind::Threads));
        let mut limits = Vec::new();
        limits.extend(self.seeds.map(|seeds| format!("{seeds} iterations each")));
        limits.extend(self.time.map(|time| format!("{} s", time.as_secs_f64())));
        console.say(&format!(
            "{simulated} scenarios simulated and {threads} on threads, {}; into {}",
            limits.join(" or "),
            self.dir.display()
        ));
        let mut reasons: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for left in &self.night.left_out {
            reasons.entry(&left.why).or_default().push(&left.file);
        }
        for (why, files) in reasons {
            console.say(&format!("left out: {}: {why}", summed_up(&files)));
        }
    }

    fn course<'a>(
        &'a self,
        campaign: &'a Soaked,
        (args, console): (&SoakArgs, Console),
        (interrupts, alarm, progress): (&'a Interrupts, &'a Alarm, &'a Progress),
    ) -> Course<'a> {
        let shard = self.share.shard;
        let works = self.given.entries.iter().filter_map(|entry| {
            let all = shard.share(iterations(entry, self.seeds));
            let before = self.night.parts.iter().find(|part| is_part(part, entry)).cloned();
            (all != 0).then(|| Work::new(entry, (campaign, shard), all, before))
        });
        let cases = self.cases.clone();
        Course {
            night: self.night.clone(),
            works: works.collect(),
            cases,
            shelf: Shelf::new(self.dir.clone(), console).knows(&self.night),
            time: self.time,
            shrink: args.shrink.unwrap_or(if self.time.is_some() { SHRINK } else { PATIENCE }),
            shrink_runs: args.shrink_runs,
            interrupted: interrupts.flag(),
            alarm,
            progress,
            before: self.before,
            watch: Stopwatch::start(),
        }
    }
}

/// Files that are left out for one reason: a few by name, many by their directories.
fn summed_up(files: &[&str]) -> String {
    const FEW: usize = 4;
    let mut below: BTreeMap<&Path, Vec<&str>> = BTreeMap::new();
    for file in files {
        below.entry(Path::new(file).parent().unwrap_or(Path::new(""))).or_default().push(file);
    }
    let told = below.iter().map(|(dir, files)| match (files.len(), dir.display().to_string()) {
        (count, _) if count <= FEW => files.join(", "),
        (count, dir) if dir.is_empty() => format!("{count} files"),
        (count, dir) => format!("{count} files in {dir}"),
    });
    told.collect::<Vec<_>>().join(", ")
}

/// How many iterations a scenario has over all shards.
fn iterations(entry: &Entry, seeds: Option<u64>) -> u64 {
    match (entry.plan.world, seeds) {
        _ if entry.once => 1,
        (_, None) => u64::MAX,
        (WorldKind::Simulated, Some(seeds)) => seeds,
        (WorldKind::Threads, Some(seeds)) => seeds.div_ceil(SEEDS_A_SLICE),
    }
}

fn is_part(part: &Part, entry: &Entry) -> bool {
    let world = match entry.plan.world {
        WorldKind::Simulated => World::Simulated,
        WorldKind::Threads => World::Threads,
    };
    let hash = hash_text(entry.text_hash);
    (&part.name, part.world, &part.text_hash) == (&entry.plan.name, world, &hash)
}

/// How long a slice of threads is: short enough for every scenario to have some in a night that is short.
fn slice(time: Option<Duration>) -> String {
    let usual = scenario::time(night::SLICE).expect("it is a time");
    let share = time.map_or(usual, |time| time / SLICES);
    format!("{}ms", share.clamp(Duration::from_millis(100), usual).as_millis())
}

/// When the night ends by itself.
fn time(args: &SoakArgs) -> Result<Option<Duration>, String> {
    if args.time.is_some() || args.seeds.is_some() {
        return Ok(args.time);
    }
    let Ok(told) = std::env::var("SOAK_DURATION") else { return Ok(Some(NIGHT)) };
    scenario::time(&told).map(Some).map_err(|error| format!("SOAK_DURATION={told}: {error}"))
}

/// The directory of the night, and what is in it already.
fn begun(args: &SoakArgs, shard: Shard) -> Result<(PathBuf, Option<Night>), String> {
    if !args.resume {
        let dir =
            args.out.clone().unwrap_or_else(|| args.reports.join(shelf::name(&fresh(args), shard)));
        if shelf::holds_one(&dir) {
            let dir = dir.display();
            return Err(format!(
                "{dir} holds a night: --resume goes on with it, and --out takes another place"
            ));
        }
        shelf::holds_no_run(&dir)?;
        return Ok((dir, None));
    }
    let dir = args.out.clone().or_else(|| shelf::latest(&args.reports, shard));
    let Some(dir) = dir else {
        let reports = args.reports.display();
        return Err(format!(
            "there is no night of shard {shard} below {reports} to go on with: name one with --out"
        ));
    };
    if args.out.is_some() && !shelf::holds_one(&dir) {
        // A machine that was lost before it wrote anything begins anew.
        return Ok((dir, None));
    }
    let night = shelf::take(&dir)?;
    belongs(args, shard, &night).map_err(|why| format!("{}: {why}", dir.display()))?;
    Ok((dir, Some(night)))
}

/// Whether this start can go on with a night.
fn belongs(args: &SoakArgs, shard: Shard, night: &Night) -> Result<(), String> {
    if !shelf::of_shard(night, shard) {
        return Err(format!(
            "it is not the night of shard {shard}, and cannot be gone on with as such"
        ));
    }
    let known = &night.campaign;
    if args.seed.is_some_and(|seed| Seed(seed) != known.seed) {
        return Err(format!("its seed is {}, and another one is given", known.seed));
    }
    if args.date.is_some() && args.date != known.date {
        return Err("it has another date than the one that is given".to_owned());
    }
    let (then, now) = (&night.tool.version, env!("CARGO_PKG_VERSION"));
    if then != now {
        return Err(format!("version {then} began it, and this is {now}: begin another night"));
    }
    let now = seeds::commit();
    if let (Some(then), Some(now)) = (&known.commit, &now)
        && then != now
    {
        return Err(format!("it began at commit {then}, and this is {now}: begin another night"));
    }
    let whole =
        union::union(std::slice::from_ref(night), false).map_err(|error| error.to_string())?;
    night::concluded(whole).map(drop)
}

/// What an earlier start ran must be given again: it could not be added up otherwise.
fn all_are_given(night: &Night, entries: &[Entry]) -> Result<(), String> {
    let is_given = |part: &&Part| entries.iter().any(|entry| is_part(part, entry));
    match night.parts.iter().find(|part| !is_given(part)) {
        None => Ok(()),
        Some(part) => Err(format!(
            "the night has run {} ({} world), which is not given now, or whose text has changed: give \
             the same scenarios, or begin another night",
            part.name,
            part.world.name()
        )),
    }
}

/// A night in which nothing has happened.
fn fresh(args: &SoakArgs) -> Night {
    let campaign = seeds::campaign(args.seed, args.date.as_deref());
    Night {
        schema: Night::SCHEMA_VERSION,
        tool: Tool { name: "pagestorm".to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() },
        campaigns: vec![campaign.clone()],
        campaign,
        verdict: NightVerdict::default(),
        signatures: Vec::new(),
        scenarios: Vec::new(),
        left_out: Vec::new(),
        regressions: Vec::new(),
        shards: Vec::new(),
        parts: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::summed_up;

    #[test]
    fn many_files_are_told_by_their_directories() {
        let many: Vec<_> = (0..47).map(|number| format!("bugs/{number}.yaml")).collect();
        let many: Vec<_> = many.iter().map(String::as_str).collect();
        let few = ["a.yaml", "x/b.yaml"];
        assert_eq!(summed_up(&few), "a.yaml, x/b.yaml");
        assert_eq!(summed_up(&[&few[..], &many].concat()), "a.yaml, 47 files in bugs, x/b.yaml");
    }
}
