//! `fsx` beside Pagestorm: its own mix, on the same tmpfs, in turns.
//!
//! An operation of fsx counts if fsx performed it: those that it draws and skips do not, as far as it
//! tells which those are. One of ours counts if it did something, and was judged: not one that was left
//! out, failed, or found nothing to read.

use crate::bench::{Figure, median};
use crate::clock::Stopwatch;
use crate::onlooker::Look;
use crate::scenario::plan::Plan;
use crate::scenario::{Known, parse};
use crate::scratch::Scratch;
use crate::storm::{self, Orders};
use nix::sys::signal::{Signal, killpg};
use nix::sys::statfs::{TMPFS_MAGIC, statfs};
use nix::unistd::Pid;
use sim::chance::Seed;
use std::fs::{self, File};
use std::io;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Why there are no figures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// What happened.
    pub cause: String,
    /// What to do about it.
    pub advice: String,
}

/// Where there is a tmpfs on every Linux.
const SHARED_MEMORY: &str = "/dev/shm";

/// Rounds of which the median counts; in each everybody has a turn.
const ROUNDS: u64 = 5;

/// Operations that fsx draws in one turn, and that each of our actors performs.
const DRAWN: u32 = 50_000;

/// How many operations fsx remembers: it can tell of no more which it has skipped.
const LOGGED: u32 = 10_000;

/// How long one run of fsx may take. It takes seconds.
const LIMIT: Duration = Duration::from_mins(5);

/// How many bytes it may say in one run. It says a line or two.
const MOST_SAID: u64 = 16 << 20;

/// How often one looks whether it has ended: less than a thousandth of its time is lost.
const LOOK_UP: Duration = Duration::from_millis(1);

/// What every fsx says at the end of a run in which it found nothing.
const DONE: &str = "completed A-OK";

/// What fsx does by default, as far as tmpfs can: a read and a write come twice, with and without
/// `RWF_DONTCACHE`. Files of 256 KiB, operations of up to 64 KiB.
const MIX: &str = "
world: threads
ops: OPS
target: {directory: /dev/shm, mm: MM}
files: [{name: a, size: 256KiB}, {name: b, size: 256KiB}, {name: c, size: 256KiB}, {name: d, size: 256KiB}]
actors:
  - {name: fsx, count: 1, within: 256KiB, size: {min: 1, max: 64KiB, shape: uniform},
     ops: {read: 2, write: 2, mmap_load: 1, mmap_store: 1, truncate: 1, fallocate: 1, punch: 1,
           copy_file_range: 1}}
";

/// Takes the figures, or ends early once `interrupted` is raised. `tell` hears what is being measured.
///
/// # Errors
///
/// What is wrong with fsx, or with the place where both are to run.
pub fn against(
    path: &Path,
    interrupted: &Arc<AtomicBool>,
    mut tell: impl FnMut(&str),
) -> Result<Vec<Figure>, Trouble> {
    let ground = ground()?;
    let fsx = Fsx { path, place: &ground.path, interrupted, limit: LIMIT };
    tell(&format!("{}: which of its operations it skips", path.display()));
    let share = fsx.performed()?;
    tell(&format!("{}: it performs {:.1} % of what it draws", path.display(), 100.0 * share));
    let (mut theirs, mut one, mut four) = (Vec::new(), Vec::new(), Vec::new());
    for round in 1..=ROUNDS {
        let arguments = arguments(round, DRAWN);
        if interrupted.load(Ordering::SeqCst) {
            return Err(fsx.trouble(&arguments, ENDED));
        }
        tell(&format!("round {round} of {ROUNDS}: fsx {}, 1 actor, 4 actors", arguments.join(" ")));
        let started = Stopwatch::start();
        fsx.run(&arguments)?;
        theirs.push(f64::from(DRAWN) * share / started.elapsed().as_secs_f64());
        one.push(checked_a_second(1, round, interrupted)?);
        four.push(checked_a_second(4, round, interrupted)?);
    }
    let ratio =
        |ours: &[f64]| median(ours.iter().zip(&theirs).map(|(our, their)| our / their).collect());
    let (single, several) = (ratio(&one), ratio(&four));
    let figure = |what, value, unit, goal, reached| Figure { what, value, unit, goal, reached };
    let rate = |what, rates| figure(what, median(rates) / 1e3, "k/s", "none", true);
    Ok(vec![
        figure("checked operations, 1 actor / fsx", single, "x", ">= 1", 1.0 <= single),
        figure("checked operations, 4 actors / fsx", several, "x", ">= 2", 2.0 <= several),
        rate("performed by fsx", theirs.clone()),
        rate("checked, 1 actor", one),
        rate("checked, 4 actors, a file and an mm each", four),
    ])
}

/// What fsx is told, besides where.
fn arguments(seed: u64, count: u32) -> Vec<String> {
    ["-q", "-S", &seed.to_string(), "-N", &count.to_string()].map(str::to_owned).to_vec()
}

/// Another program, which is to be fsx.
struct Fsx<'a> {
    path: &'a Path,
    /// A directory for its file, and for what it says.
    place: &'a Path,
    interrupted: &'a AtomicBool,
    /// How long one run may take.
    limit: Duration,
}

impl Fsx<'_> {
    /// The share of what fsx draws that it performs, by its own record; all of it, if it keeps none.
    fn performed(&self) -> Result<f64, Trouble> {
        self.run(&arguments(1, 1))?;
        let record = self.place.join("record");
        let mut arguments = arguments(1, LOGGED);
        arguments.push(format!("--record-ops={}", record.display()));
        // Not every fsx has that option.
        let recorded = self.run(&arguments).ok().and_then(|()| fs::read_to_string(&record).ok());
        let Some(recorded) = recorded.filter(|text| !text.trim().is_empty()) else {
            return Ok(1.0);
        };
        let skipped = recorded.lines().filter(|line| line.starts_with("skip")).count();
        let count = |lines: usize| f64::from(u32::try_from(lines).unwrap_or(u32::MAX));
        Ok(1.0 - count(skipped) / count(recorded.lines().count()))
    }

    /// Runs it to its end, which must be that of an fsx that found nothing.
    fn run(&self, arguments: &[String]) -> Result<(), Trouble> {
        let path = self.path.display();
        let (file, said) = (self.place.join("file"), self.place.join("said"));
        // What one run has left says nothing of the next.
        let _ = fs::remove_file(&file);
        let mut command = Command::new(self.path);
        command.args(arguments).arg("-P").arg(self.place).arg(&file).stdin(Stdio::null());
        // What it may have started ends with it.
        command.process_group(0);
        mounted::die_with_parent(&mut command);
        let status = self.status(command, &said).map_err(|stopped| match stopped {
            Stopped::Unable(error) => Trouble {
                cause: format!("{path} cannot be run: {error}"),
                advice: NAME_IT.to_owned(),
            },
            Stopped::Here(why) => self.trouble(arguments, &why),
        })?;
        let text = fs::read(&said).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        if !status.success() {
            return Err(self.trouble(arguments, &format!("{status}, {}", last_words(&text))));
        }
        let missing = match (file.is_file(), text.contains(DONE)) {
            (true, true) => return Ok(()),
            (false, _) => "it did not make the file that it was to write".to_owned(),
            (true, false) => format!("it did not say `{DONE}`"),
        };
        let cause = format!("{path} is no fsx: it ended well, but {missing}");
        Err(Trouble { cause, advice: NAME_IT.to_owned() })
    }

    fn trouble(&self, arguments: &[String], what: &str) -> Trouble {
        let path = self.path.display();
        let advice = format!("see what it does and says: {path} {}", arguments.join(" "));
        Trouble { cause: format!("{path}: {what}"), advice }
    }

    /// How it ended, unless it had to be ended. What it says goes to the file at `said`.
    fn status(&self, mut command: Command, said: &Path) -> Result<ExitStatus, Stopped> {
        let output = File::create(said)?;
        let mut child = command.stdout(output.try_clone()?).stderr(output.try_clone()?).spawn()?;
        let started = Stopwatch::start();
        loop {
            if let Some(status) = child.try_wait()? {
                return Ok(status);
            }
            let why = if self.interrupted.load(Ordering::SeqCst) {
                ENDED.to_owned()
            } else if self.limit < started.elapsed() {
                format!("it has not ended after {:?}, and was killed", self.limit)
            } else if output.metadata().is_ok_and(|data| MOST_SAID < data.len()) {
                format!("it says more than {} MiB, and was killed", MOST_SAID >> 20)
            } else {
                sim::sleep(LOOK_UP);
                continue;
            };
            end(&mut child);
            return Err(Stopped::Here(why));
        }
    }
}

/// Why there is no status.
enum Stopped {
    /// It cannot be run.
    Unable(io::Error),
    /// It was ended.
    Here(String),
}

impl From<io::Error> for Stopped {
    fn from(error: io::Error) -> Stopped {
        Stopped::Unable(error)
    }
}

const ENDED: &str = "it was not waited for";
const NAME_IT: &str = "say where fsx is, that of xfstests: `--against fsx=PATH`";

/// Ends it, and whoever it has started.
fn end(child: &mut Child) {
    if let Ok(group) = i32::try_from(child.id()) {
        // It may have ended by itself by now.
        let _ = killpg(Pid::from_raw(group), Signal::SIGKILL);
    }
    let _ = child.wait();
}

fn last_words(text: &str) -> String {
    let last = text.lines().rev().map(str::trim).find(|line| !line.is_empty());
    last.unwrap_or("and it said nothing").to_owned()
}

/// Operations a second that so many actors performed, and that were checked.
fn checked_a_second(actors: u32, seed: u64, interrupted: &Arc<AtomicBool>) -> Result<f64, Trouble> {
    let plan = plan(actors);
    let orders = Orders {
        plan: &plan,
        seed: Seed(seed),
        record: false,
        judged: true,
        look: Look::default(),
        interrupted,
    };
    let storm = storm::run(orders)
        .map_err(|refused| Trouble { cause: refused.cause(), advice: refused.advice() })?;
    if let Some(violation) = storm.violation {
        let cause = format!("a violation: {}", violation.invariant);
        return Err(Trouble { cause, advice: "run the mix as a scenario, and see".to_owned() });
    }
    let failed: u64 = storm.tally.failed.values().sum();
    let checked = storm.tally.total_operations() - failed - storm.tally.idle;
    let checked = u32::try_from(checked).expect("a benchmark's length");
    Ok(f64::from(checked) / storm.acted.as_secs_f64())
}

/// The mix for so many actors, each with a file of its own, as there would be so many fsx.
fn plan(actors: u32) -> Plan {
    // Several are as separate as several fsx would be.
    let mm = if actors == 1 { "shared" } else { "own" };
    let text = MIX.replace("OPS", &(actors * DRAWN).to_string()).replace("MM", mm);
    let mut plan = match parse("fsx", &text, &Known::default(), &[]) {
        Ok(plan) => plan,
        Err(report) => panic!("the built-in scenario is valid: {report}"),
    };
    let actor = plan.actors.pop().expect("there is one");
    let numbers = (0..usize::try_from(actors).expect("a few")).map(|number| (number, &actor));
    plan.actors = numbers
        .map(|(number, actor)| {
            let name = format!("{}-{number}", actor.name);
            crate::scenario::plan::ActorPlan { name, apart: Some(number), ..actor.clone() }
        })
        .collect();
    plan.files.truncate(plan.actors.len());
    plan
}

/// Where fsx runs.
fn ground() -> Result<Scratch, Trouble> {
    let trouble = |cause: String| Trouble {
        cause,
        advice: format!("mount a tmpfs at {SHARED_MEMORY} that you may write to"),
    };
    if !statfs(SHARED_MEMORY).is_ok_and(|it| it.filesystem_type() == TMPFS_MAGIC) {
        return Err(trouble(format!("{SHARED_MEMORY} is no tmpfs")));
    }
    let made = Scratch::new(Path::new(SHARED_MEMORY));
    made.map_err(|error| trouble(format!("a directory in {SHARED_MEMORY}: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;
    use std::path::PathBuf;

    fn script(dir: &Path, text: &str) -> PathBuf {
        let path = dir.join("fsx");
        fs::write(&path, format!("#!/bin/sh\n{text}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        path
    }

    /// What every fsx does at its end.
    const ENDS: &str = "for file; do :; done; : > $file; echo 'All operations completed A-OK!'";

    fn fsx<'a>(path: &'a Path, place: &'a Path, interrupted: &'a AtomicBool) -> Fsx<'a> {
        Fsx { path, place, interrupted, limit: LIMIT }
    }

    #[test]
    fn what_fsx_skips_does_not_count_and_an_fsx_that_does_not_say_skips_nothing() {
        let (dir, place) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let keeps = r#"for word; do case $word in --record-ops=*)
            printf 'skip read 0x0\nwrite 0x1 0x2 0x3\nread 0x1 0x1 0x3\nskip punch_hole 0x0\n' > "${word#*=}";;
        esac; done"#;
        let unknown = "for word; do case $word in --record-ops=*) exit 90;; esac; done";
        let interrupted = AtomicBool::new(false);
        for (text, share) in [(keeps, 0.5), (":", 1.0), (unknown, 1.0)] {
            let _ = fs::remove_file(place.path().join("record"));
            let path = script(dir.path(), &format!("{text}\n{ENDS}"));
            let found = fsx(&path, place.path(), &interrupted).performed();
            assert!(found.as_ref().is_ok_and(|found| (found - share).abs() < 1e-9), "{found:?}");
        }
    }

    #[test]
    fn what_does_not_do_what_fsx_does_is_none() {
        let (dir, place) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let (calm, raised) = (AtomicBool::new(false), AtomicBool::new(true));
        let short = Duration::from_millis(1);
        for (text, interrupted, limit, told) in [
            ("exit 0", &calm, LIMIT, "is no fsx: it ended well, but it did not make the file"),
            ("for file; do :; done; : > $file", &calm, LIMIT, "it did not say `completed A-OK`"),
            ("echo 'All operations completed A-OK!'", &calm, LIMIT, "it did not make the file"),
            ("sleep 600 & sleep 600", &calm, short, "it has not ended after 1ms, and was killed"),
            ("exec sleep 600", &raised, LIMIT, "it was not waited for"),
            ("yes 'says the same again'", &calm, LIMIT, "it says more than 16 MiB"),
        ] {
            let path = script(dir.path(), text);
            let fsx = Fsx { limit, ..fsx(&path, place.path(), interrupted) };
            let trouble = fsx.performed().unwrap_err();
            assert!(trouble.cause.contains(told), "{text}: {trouble:?}");
        }
    }

    #[test]
    fn the_mix_of_fsx_is_clean_and_every_actor_has_a_file_of_its_own() {
        let four = plan(4);
        assert_eq!((four.actors.len(), four.files.len()), (4, 4));
        let apart: Vec<_> = four.actors.iter().map(|actor| actor.apart).collect();
        assert_eq!(apart, [Some(0), Some(1), Some(2), Some(3)]);
        if ground().is_err() {
            return;
        }
        let small = Plan { ops: Some(4000), ..four };
        let interrupted = Arc::new(AtomicBool::new(false));
        let orders = Orders {
            plan: &small,
            seed: Seed(7),
            record: false,
            judged: true,
            look: Look::default(),
            interrupted: &interrupted,
        };
        let Ok(storm) = storm::run(orders) else { panic!("a tmpfs is there") };
        assert_eq!(storm.violation, None);
        assert_eq!(storm.tally.total_operations(), 4000);
        assert!(storm.tally.idle < 1000, "{}", storm.tally.idle);
    }
}
