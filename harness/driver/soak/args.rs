//! What `soak` and `merge` can be told.

use crate::cli::Format;
use crate::scenario;
use clap::Args;
use std::ops::Range;
use std::path::PathBuf;
use std::time::Duration;

/// What `soak` can be told.
#[derive(Debug, Args)]
pub struct SoakArgs {
    /// Scenarios, and directories of them, with those below.
    #[arg(default_value = "scenarios", value_name = "FILE|DIR")]
    pub files: Vec<PathBuf>,
    /// How long it takes, as in 45m. Without --time and --seeds it is what `SOAK_DURATION` says, or 8h.
    #[arg(long, value_name = "D", value_parser = scenario::time)]
    pub time: Option<Duration>,
    /// How many iterations each scenario has at most, over all shards: seeds in the simulated world; in
    /// that of threads one slice of two seconds for every hundred.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=1_000_000_000))]
    pub seeds: Option<u64>,
    /// Only the iterations of one shard: I of N, from 1; `auto` asks the engine that runs it.
    #[arg(long, value_name = "I/N|auto", default_value = "1/1")]
    pub shard: String,
    /// The worlds to soak in: simulated, threads or both.
    #[arg(long, value_name = "W", default_value = "both", value_parser = ["both", "simulated", "threads"])]
    pub world: String,
    /// The target of all scenarios, as `run` takes it: then all run on threads, and nothing is expected
    /// to fail.
    #[arg(long, value_name = "T", conflicts_with = "world", value_parser = crate::scenario::target)]
    pub target: Option<String>,
    /// Cases that failed once, which run first; scenarios/regressions if there is such a directory.
    #[arg(long, value_name = "DIR")]
    pub regressions: Option<PathBuf>,
    /// Go on with a night that was interrupted, killed or out of time: that of --out, else the latest
    /// of this shard below --reports.
    #[arg(long)]
    pub resume: bool,
    /// The campaign's seed, instead of one made from the date and the commit: a number, or 0x and
    /// hexadecimal digits.
    #[arg(long, value_name = "S", value_parser = seed)]
    pub seed: Option<u64>,
    /// The date that the campaign's seed is made from, as in 2026-01-31; today (UTC) by default. All
    /// shards of a night need the same.
    #[arg(long, value_name = "D", conflicts_with = "seed", value_parser = date)]
    pub date: Option<String>,
    /// Where the directories of nights go.
    #[arg(long, default_value = "reports", value_name = "DIR")]
    pub reports: PathBuf,
    /// The directory of this night, instead of one below --reports.
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// How long one failure is made smaller at most, and then looked into for its story. In a night
    /// with an end all of them together take at most a tenth of it, and one 20s without this. One of
    /// --seeds alone ends by --shrink-runs, so that it is the same on every machine. With 0s failures
    /// are kept as they were found.
    #[arg(long, value_name = "D", value_parser = scenario::time)]
    pub shrink: Option<Duration>,
    /// With how many runs one failure is made smaller at most.
    #[arg(long, value_name = "N", default_value = "20000")]
    pub shrink_runs: u64,
    /// Threads that share the seeds; as many as there are processors by default.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub jobs: Option<u16>,
    /// Where night.json goes as well; - prints it instead of the summary.
    #[arg(long, value_name = "FILE|-")]
    pub json: Option<PathBuf>,
    /// Where the tests of the night go, in XML for CI engines; its directory has them anyway.
    #[arg(long, value_name = "FILE")]
    pub junit: Option<PathBuf>,
    /// Who reads along: with github, failures become annotations and a job summary. By default as the
    /// environment says.
    #[arg(long, value_name = "FORMAT")]
    pub format: Option<Format>,
    /// Say nothing on stderr but what went wrong.
    #[arg(long)]
    pub quiet: bool,
}

/// What `merge` can be told.
#[derive(Debug, Args)]
pub struct MergeArgs {
    /// Directories of nights, or of what was merged before.
    #[arg(required = true, value_name = "DIR")]
    pub dirs: Vec<PathBuf>,
    /// Where the merged night goes: a directory, or the report.html in it. Cases of an earlier night
    /// there are put aside, into failures.before.
    #[arg(short, long, value_name = "DIR|DIR/report.html")]
    pub output: Option<PathBuf>,
    /// Take what is there, though shards are missing or did not end.
    #[arg(long)]
    pub allow_missing: bool,
    /// Take nights of different seeds, dates, commits and versions together; all of them are told.
    #[arg(long)]
    pub allow_mixed: bool,
    /// Where night.json goes as well; - prints it instead of the summary.
    #[arg(long, value_name = "FILE|-")]
    pub json: Option<PathBuf>,
    /// Where the tests of the night go, in XML for CI engines; its directory has them anyway.
    #[arg(long, value_name = "FILE")]
    pub junit: Option<PathBuf>,
    /// Who reads along: with github, failures become annotations and a job summary. By default as the
    /// environment says.
    #[arg(long, value_name = "FORMAT")]
    pub format: Option<Format>,
    /// Say nothing on stderr but what went wrong.
    #[arg(long)]
    pub quiet: bool,
}

fn seed(text: &str) -> Result<u64, String> {
    let parsed = match text.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16),
        None => text.parse(),
    };
    parsed.map_err(|_| "write a number, or 0x and hexadecimal digits".to_owned())
}

/// A day that there is, in the one form that names the same seeds everywhere.
fn date(text: &str) -> Result<String, String> {
    let fits = text.len() == 10
        && text.bytes().enumerate().all(|(at, byte)| match at {
            4 | 7 => byte == b'-',
            _ => byte.is_ascii_digit(),
        });
    let write = "write YEAR-MONTH-DAY, as in 2026-01-31";
    if !fits {
        return Err(write.to_owned());
    }
    let number = |range: Range<usize>| text[range].parse::<u32>().expect("these are digits");
    let (year, month, day) = (number(0..4), number(5..7), number(8..10));
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        2 if is_leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => 0,
    };
    if (1..=days).contains(&day) {
        Ok(text.to_owned())
    } else {
        Err(format!("there is no such day; {write}"))
    }
}
