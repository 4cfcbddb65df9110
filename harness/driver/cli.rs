//! The command line: what can be asked for, and who answers.

use crate::commands;
use crate::console::Console;
use crate::exit::Exit;
use clap::{Args, Parser, Subcommand, ValueEnum};
use report::compare::Gate;
use std::path::PathBuf;
use std::time::Duration;

/// Storms a model of the buffered write path and checks every operation.
#[derive(Debug, Parser)]
#[command(name = "pagestorm", version, after_help = EXITS)]
pub struct Cli {
    /// What to do; without it, the three most useful commands are shown.
    #[command(subcommand)]
    pub command: Option<Command>,
}

const EXITS: &str = "Exit status: 0 as expected, 1 violation or another verdict than expected, \
2 bad usage or scenario, 3 only a gate was missed, 4 nothing ran, 5 the environment cannot, 70 the harness failed, \
130 and 143 interrupted";

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run scenarios, and judge them.
    Run(Box<RunArgs>),
    /// Run reproducers again, and compare them with what they say of themselves.
    Replay(ReplayArgs),
    /// Soak scenarios for hours under new seeds, alone or beside other machines.
    Soak(Box<crate::soak::args::SoakArgs>),
    /// Add up what several machines have soaked in one night.
    Merge(crate::soak::args::MergeArgs),
    /// Read scenarios and tell every mistake in them, without running anything.
    Check {
        /// Scenarios.
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
        /// Read them as `run --target` does, and say which keys it drops.
        #[arg(long, value_name = "T", value_parser = crate::scenario::target)]
        target: Option<String>,
    },
    /// List the scenarios of a directory, and what a scenario can ask for.
    List {
        /// Where scenarios are looked for.
        #[arg(default_value = "scenarios", value_name = "DIR")]
        dir: PathBuf,
    },
    /// List what the oracle checks, on what, and why it must hold.
    Invariants {
        /// Only what is checked there: kernel:xfs, kernel:ext4, kernel:btrfs, kernel:tmpfs, or a directory.
        #[arg(long, value_name = "T", value_parser = crate::scenario::target)]
        target: Option<String>,
    },
    /// List the bugs that a scenario can switch on; show one whole; or hunt them, by every strategy.
    Bugs(BugsArgs),
    /// Make a reproducer as small as it can be while it fails alike.
    Shrink(ShrinkArgs),
    /// Run scenarios under one value after the other, and tabulate what becomes of each.
    Matrix(MatrixArgs),
    /// List the named points, where an actor can be delayed.
    Points,
    /// Tell why a case fails: what broke, what led there, and what would have prevented it.
    Explain(ExplainArgs),
    /// Write a case as one C file, with libc and nothing else, that a person can mail.
    Export(ExportArgs),
    /// Make the files of a run or of a night again, of its result.json or night.json.
    Report(ReportArgs),
    /// Compare two runs: latency and throughput, and failures that came, stayed and went.
    Compare(CompareArgs),
    /// Look whether this machine can run storms, and say what to do where it cannot.
    Doctor,
    /// Measure what the harness itself costs; takes about a minute. Or how fast it is beside another tool.
    Bench(BenchArgs),
    /// Tell which calls run and which block while another stands still in the middle, in the model and in
    /// a real filesystem, side by side. Needs root and FUSE; takes some seconds.
    Conform(ConformArgs),
    /// Print the JSON Schema of scenarios, for editors.
    Schema {
        /// Print that of result.json instead.
        #[arg(long)]
        result: bool,
        /// Print that of night.json instead, which a soak leaves.
        #[arg(long, conflicts_with = "result")]
        night: bool,
    },
}

/// What `run` can be told. What changes the scenario is the same as a `--set` of that name.
#[derive(Debug, Args)]
pub struct RunArgs {
    /// Scenarios. All are read before the first one runs.
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// The master seed: a number, or 0x and hexadecimal digits.
    #[arg(long, value_name = "N")]
    pub seed: Option<String>,
    /// How many seeds to run (simulated world).
    #[arg(long, value_name = "N")]
    pub seeds: Option<String>,
    /// Operations: per seed (simulated world) or in total (threads).
    #[arg(long, value_name = "N")]
    pub ops: Option<String>,
    /// How long to run, as in 10s. In the simulated world it ends after the seeds that are running
    /// then; without --seeds there is no other end.
    #[arg(long, value_name = "D")]
    pub time: Option<String>,
    /// The world: simulated or threads. Keys of the file that have no meaning in it are dropped; a
    /// script is refused in threads.
    #[arg(long, value_name = "W")]
    pub world: Option<String>,
    /// The target: kernel:xfs, kernel:ext4, kernel:btrfs or kernel:tmpfs, made for the run, or a directory
    /// of anything that is mounted. Keys of the file that are about the filesystem model are dropped.
    #[arg(long, value_name = "T", value_parser = crate::scenario::target)]
    pub target: Option<String>,
    /// End at the first seed that fails, instead of going on for failures of another kind.
    #[arg(long)]
    pub fail_fast: bool,
    /// The device: auto, loop, image or ram.
    #[arg(long, value_name = "D")]
    pub device: Option<String>,
    /// Threads that share the seeds; as many as there are processors by default.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub jobs: Option<u16>,
    /// Change one value of the scenario, as in `actors[0].size.max=4KiB`.
    #[arg(long = "set", value_name = "PATH=VALUE", value_parser = path_and_value)]
    pub sets: Vec<(String, String)>,
    /// Where result.json goes as well; - prints it instead of the summary.
    #[arg(long, value_name = "FILE|-")]
    pub json: Option<PathBuf>,
    /// Where the tests of all scenarios go, in XML for CI engines; each has its own in its directory
    /// anyway.
    #[arg(long, value_name = "FILE")]
    pub junit: Option<PathBuf>,
    /// Who reads along: with github, failures become annotations and a job summary. By default as the
    /// environment says.
    #[arg(long, value_name = "FORMAT")]
    pub format: Option<Format>,
    /// How long a failure is made smaller at most, as in 1m, and how long it is looked into for its
    /// story; with 0s it is kept as it was found, and no story is told.
    #[arg(long, value_name = "D", default_value = "20s", value_parser = crate::scenario::time)]
    pub shrink: Duration,
    /// Where the directories of runs go.
    #[arg(long, default_value = "reports", value_name = "DIR")]
    pub reports: PathBuf,
    /// Say nothing on stderr but what went wrong.
    #[arg(long)]
    pub quiet: bool,
}

/// Who reads what is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// People.
    Plain,
    /// A runner of `GitHub` Actions.
    Github,
}

const REBUILT: &str = "Of result.json: report.html, junit.xml and, of a run of threads, latency.hlog. \
Of night.json: the same, and the cases in failures/. All have the bytes that they had, if this is the \
version that wrote them. Not of result.json: failures/, since a record says how a case ends and not every \
step of it; `run` with the seed makes them again, or, of threads, perhaps not.";

/// What `report` can be told.
#[derive(Debug, Args)]
#[command(after_help = REBUILT)]
pub struct ReportArgs {
    /// The directory of a run or of a night, or its result.json or night.json.
    #[arg(value_name = "DIR")]
    pub run: PathBuf,
    /// Where the files go instead of that directory.
    #[arg(short, long, value_name = "DIR")]
    pub output: Option<PathBuf>,
}

/// What `compare` can be told.
#[derive(Debug, Args)]
pub struct CompareArgs {
    /// The directory of the run before, or its result.json.
    #[arg(value_name = "A")]
    pub a: PathBuf,
    /// The directory of the run after, or its result.json.
    #[arg(value_name = "B")]
    pub b: PathBuf,
    /// How much a figure may grow or shrink, as in p99=+20%. It is missed where the whole confidence
    /// interval of any kind of operation lies beyond it. The interval covers chance within these two
    /// runs, not how one run differs from the next of the same program: repeat both, and believe what
    /// all pairs show. May be given more than once.
    #[arg(long = "gate", value_name = "METRIC=PERCENT", value_parser = Gate::parse)]
    pub gates: Vec<Gate>,
    /// Compare runs of different machines, scenarios or worlds all the same.
    #[arg(long)]
    pub force: bool,
    /// Where the same goes as JSON; - prints it instead.
    #[arg(long, value_name = "FILE|-")]
    pub json: Option<PathBuf>,
}

/// What `replay` can be told.
#[derive(Debug, Args)]
pub struct ReplayArgs {
    /// Reproducers: scenarios with a schedule, or what threads left.
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Lead scripts and cases through a real filesystem, as far as its kernel can be led: kernel:xfs,
    /// kernel:ext4, kernel:btrfs or kernel:tmpfs, or a directory. What cannot be steered is told. What
    /// threads have left, on this filesystem or another, is run there again.
    #[arg(long, value_name = "T", value_parser = crate::scenario::target,
          conflicts_with_all = ["search", "trace", "until", "jobs"])]
    pub target: Option<String>,
    /// How often each is run: twice if it is not said, and what threads left on a real filesystem twenty
    /// times.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub times: Option<u32>,
    /// Storms in which the failure of threads is looked for, at most.
    #[arg(long, value_name = "N", default_value_t = 12_000,
          value_parser = clap::value_parser!(u64).range(1..=1_000_000_000))]
    pub search: u64,
    /// Print every point that is passed, one a line, and compare nothing.
    #[arg(long)]
    pub trace: bool,
    /// Stop after so many points, print where everybody stands, and compare nothing.
    #[arg(long, value_name = "STEP")]
    pub until: Option<u64>,
    /// Change one value of the scenario, as `run` does.
    #[arg(long = "set", value_name = "PATH=VALUE", value_parser = path_and_value)]
    pub sets: Vec<(String, String)>,
    /// Threads that share the runs; as many as there are processors by default.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub jobs: Option<u16>,
    /// Where the same goes as JSON; - prints it instead.
    #[arg(long, value_name = "FILE|-")]
    pub json: Option<PathBuf>,
    /// Say nothing on stderr but what went wrong.
    #[arg(long)]
    pub quiet: bool,
}

/// What `bugs` can be told.
#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("hunts").args(["run", "shrink", "strategies"]))]
#[command(group = clap::ArgGroup::new("shrinks").args(["shrink", "strategies"]))]
pub struct BugsArgs {
    /// Ids of bugs; all of them if none is given.
    #[arg(value_name = "ID")]
    pub ids: Vec<String>,
    /// Run the scenario of each bug under several master seeds, until something is found.
    #[arg(long)]
    pub run: bool,
    /// Shrink the first failure under each of several master seeds.
    #[arg(long, conflicts_with = "run")]
    pub shrink: bool,
    /// Count the schedules that each strategy tries until it meets the failure of each bug again,
    /// shrunk and without its schedule.
    #[arg(long, conflicts_with_all = ["run", "shrink"])]
    pub strategies: bool,
    /// How long one failure is shrunk at most, as in 20s, the default; with --strategies 5s.
    #[arg(long, value_name = "D", requires = "shrinks", value_parser = crate::scenario::time)]
    pub time: Option<Duration>,
    /// Count also with so many calls more before those of each actor, and after them, and with two
    /// readers beside.
    #[arg(long, value_name = "N", default_value_t = 0, requires = "strategies", conflicts_with_all = ["run", "shrink"],
          value_parser = clap::value_parser!(u16).range(..=1000))]
    pub padding: u16,
    /// Under how many master seeds: 1, 2, 3 and so on.
    #[arg(long, value_name = "N", default_value_t = 20, requires = "hunts",
          value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub masters: u32,
    /// Threads that share the work; as many as there are processors by default.
    #[arg(long, value_name = "N", requires = "hunts",
          value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub jobs: Option<u16>,
    /// Where the same goes as JSON; - prints it instead.
    #[arg(long, value_name = "FILE|-")]
    pub json: Option<PathBuf>,
}

/// What `shrink` can be told.
#[derive(Debug, Args)]
pub struct ShrinkArgs {
    /// A reproducer. The result takes its place, and `FILE.orig` keeps what it was at first.
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Where the result goes instead. The best so far is always there, so that an interrupted
    /// command loses nothing, and shrinking that file goes on from there.
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// How long it takes at most.
    #[arg(long, value_name = "D", default_value = "20s", value_parser = crate::scenario::time)]
    pub time: Duration,
    /// Threads that share the work; as many as there are processors by default. The result does not
    /// depend on it, unless time runs out.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub jobs: Option<u16>,
    /// Say nothing on stderr but what went wrong.
    #[arg(long)]
    pub quiet: bool,
}

/// What `matrix` can be told.
#[derive(Debug, Args)]
pub struct MatrixArgs {
    /// Scenarios, one a row. What they expect is not looked at, and all are simulated.
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Values, one a column: a path and what to set it to; without values every word that can stand
    /// there. May be given more than once; by default `filesystem.preset` and
    /// `filesystem.write_cleanup`.
    #[arg(long, value_name = "PATH[=V,V...]")]
    pub across: Vec<String>,
    /// Change one value in every cell, as `run` does.
    #[arg(long = "set", value_name = "PATH=VALUE", value_parser = path_and_value)]
    pub sets: Vec<(String, String)>,
    /// Print tables in Markdown.
    #[arg(long)]
    pub markdown: bool,
    /// Threads that share the cells; as many as there are processors by default.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub jobs: Option<u16>,
    /// Where the same goes as JSON, with the evidence of each cell; - prints it instead.
    #[arg(long, value_name = "FILE|-")]
    pub json: Option<PathBuf>,
}

/// What `conform` can be told.
#[derive(Debug, Args)]
pub struct ConformArgs {
    /// The real filesystem.
    #[arg(long, value_name = "kernel:K", default_value = "kernel:xfs", value_parser = original)]
    pub target: Original,
    /// Print tables in Markdown.
    #[arg(long)]
    pub markdown: bool,
    /// Where the same goes as JSON; - prints it instead.
    #[arg(long, value_name = "FILE|-")]
    pub json: Option<PathBuf>,
}

/// What `bench` can be told.
#[derive(Debug, Args)]
pub struct BenchArgs {
    /// Measure fsx, of xfstests, and its mix in Pagestorm in turns, on the tmpfs at /dev/shm.
    #[arg(long, value_name = "fsx=PATH", value_parser = peer)]
    pub against: Option<Peer>,
}

/// Another tool.
#[derive(Debug, Clone)]
pub struct Peer {
    /// Where it is.
    pub path: PathBuf,
}

/// Reads one.
fn peer(text: &str) -> Result<Peer, String> {
    match text.split_once('=') {
        Some(("fsx", path)) if !path.is_empty() => Ok(Peer { path: path.into() }),
        _ => Err("the tool is fsx, and where it is: `fsx=/usr/lib/xfstests/ltp/fsx`".to_owned()),
    }
}

/// A real filesystem that the model can be held against.
#[derive(Debug, Clone, Copy)]
pub struct Original(pub mounted::Kind);

/// Reads one.
fn original(text: &str) -> Result<Original, String> {
    if text == "kernel:xfs" {
        return Ok(Original(mounted::Kind::Xfs));
    }
    Err("the model is one of XFS: `kernel:xfs`".to_owned())
}

/// What `explain` can be told.
#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// A reproducer, or a scenario with a script.
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Change one value of it, as `run` does.
    #[arg(long = "set", value_name = "PATH=VALUE", value_parser = path_and_value)]
    pub sets: Vec<(String, String)>,
    /// Where the same goes as JSON; - prints it instead.
    #[arg(long, value_name = "FILE|-")]
    pub json: Option<PathBuf>,
}

/// What `export` can be told.
#[derive(Debug, Args)]
pub struct ExportArgs {
    /// A case: a reproducer, a script, or a scenario whose actors all list what they do.
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Where it goes; it is printed without this.
    #[arg(short, long, value_name = "FILE.c")]
    pub output: Option<PathBuf>,
    /// Change one value of the case, as `run` does.
    #[arg(long = "set", value_name = "PATH=VALUE", value_parser = path_and_value)]
    pub sets: Vec<(String, String)>,
}

impl RunArgs {
    /// What the command line changes in a scenario, `--set` last.
    pub fn overrides(&self) -> Vec<(String, String)> {
        let options = [
            ("world", &self.world),
            ("seed", &self.seed),
            ("seeds", &self.seeds),
            ("ops", &self.ops),
            ("time", &self.time),
            ("device.kind", &self.device),
        ];
        let given = options.into_iter().filter_map(|(path, value)| Some((path, value.clone()?)));
        let given = given.map(|(path, value)| (path.to_owned(), value));
        let target =
            self.target.iter().filter_map(|target| crate::scenario::overrides_for(target).ok());
        target.flatten().chain(given).chain(self.sets.iter().cloned()).collect()
    }
}

/// Does what was asked for.
pub fn answer(cli: &Cli) -> Exit {
    let console = Console::new(false);
    match &cli.command {
        None => commands::hint::hint(console),
        Some(Command::Run(args)) => commands::run::run(args, console_for(args.quiet, args.format)),
        Some(Command::Replay(args)) => commands::replay::replay(args, Console::new(args.quiet)),
        Some(Command::Soak(args)) => {
            commands::soak::soak(args, console_for(args.quiet, args.format))
        }
        Some(Command::Merge(args)) => {
            commands::merge::merge(args, console_for(args.quiet, args.format))
        }
        Some(Command::Check { files, target }) => {
            commands::check::check(files, target.as_deref(), console)
        }
        Some(Command::List { dir }) => commands::list::list(dir, console),
        Some(Command::Invariants { target }) => {
            commands::invariants::invariants(target.as_deref(), console)
        }
        Some(Command::Shrink(args)) => commands::shrink::shrink(args, Console::new(args.quiet)),
        Some(Command::Bugs(args)) => commands::bugs::bugs(args, console),
        Some(Command::Matrix(args)) => commands::matrix::matrix(args, console),
        Some(Command::Points) => commands::points::points(console),
        Some(Command::Explain(args)) => commands::explain::explain(args, console),
        Some(Command::Export(args)) => commands::export::export(args, console),
        Some(Command::Report(args)) => commands::report::report(args, console),
        Some(Command::Compare(args)) => commands::compare::compare(args, console),
        Some(Command::Doctor) => commands::doctor::doctor(console),
        Some(Command::Bench(args)) => commands::bench::bench(args, console),
        Some(Command::Conform(args)) => commands::conform::conform(args, console),
        Some(Command::Schema { night: true, .. }) => {
            console.print(report::record::Night::JSON_SCHEMA)
        }
        Some(Command::Schema { result, .. }) => commands::schema::schema(*result, console),
    }
}

/// The console of a command that says who reads along, if it says so.
fn console_for(quiet: bool, format: Option<Format>) -> Console {
    let console = Console::new(quiet);
    let told = format.map(|format| format == Format::Github);
    console.read_by_github(told.unwrap_or(console.is_read_by_github()))
}

fn path_and_value(text: &str) -> Result<(String, String), String> {
    let pair = text.split_once('=').map(|(path, value)| (path.to_owned(), value.to_owned()));
    pair.ok_or_else(|| "write PATH=VALUE, as in `seeds=10`".to_owned())
}
