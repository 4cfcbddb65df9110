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
use nix::sys::statfs::{TMPFS_MAGIC, statfs};
use sim::chance::Seed;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

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

/// What fsx does by default, as far as tmpfs can: a read and a write come twice, with and without
/// `RWF_DONTCACHE`. Files of 256 KiB, operations of up to 64 KiB.
const MIX: &str = "
world: threads
ops: OPS
target: {directory: /dev/shm}
files: [{name: a, size: 256KiB}, {name: b, size: 256KiB}, {name: c, size: 256KiB}, {name: d, size: 256KiB}]
actors:
  - {name: fsx, count: 1, within: 256KiB, size: {min: 1, max: 64KiB, shape: uniform},
     ops: {read: 2, write: 2, mmap_load: 1, mmap_store: 1, truncate: 1, fallocate: 1, punch: 1,
           copy_file_range: 1}}
";

/// Takes the figures. `tell` hears what is being measured.
///
/// # Errors
///
/// What is wrong with fsx, or with the place where both are to run.
pub fn against(fsx: &Path, mut tell: impl FnMut(&str)) -> Result<Vec<Figure>, Trouble> {
    let ground = ground()?;
    let place = &ground.path;
    tell(&format!("{}: which of its operations it skips", fsx.display()));
    let share = performed(fsx, place)?;
    tell(&format!("{}: it performs {:.1} % of what it draws", fsx.display(), 100.0 * share));
    let (mut theirs, mut one, mut four) = (Vec::new(), Vec::new(), Vec::new());
    for round in 1..=ROUNDS {
        let arguments = arguments(round, DRAWN);
        tell(&format!("round {round} of {ROUNDS}: fsx {}, 1 actor, 4 actors", arguments.join(" ")));
        let started = Stopwatch::start();
        run(fsx, place, &arguments)?;
        theirs.push(f64::from(DRAWN) * share / started.elapsed().as_secs_f64());
        one.push(checked_a_second(1, round)?);
        four.push(checked_a_second(4, round)?);
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
        rate("checked, 4 actors, a file each", four),
    ])
}

/// What fsx is told, besides where.
fn arguments(seed: u64, count: u32) -> Vec<String> {
    ["-q", "-S", &seed.to_string(), "-N", &count.to_string()].map(str::to_owned).to_vec()
}

/// The share of what fsx draws that it performs, by its own record; all of it, if it keeps none.
fn performed(fsx: &Path, place: &Path) -> Result<f64, Trouble> {
    run(fsx, place, &arguments(1, 1))?;
    let record = place.join("record");
    let mut arguments = arguments(1, LOGGED);
    arguments.push(format!("--record-ops={}", record.display()));
    // Not every fsx has that option.
    let recorded = run(fsx, place, &arguments).ok().and_then(|()| fs::read_to_string(&record).ok());
    let Some(recorded) = recorded.filter(|text| !text.trim().is_empty()) else { return Ok(1.0) };
    let skipped = recorded.lines().filter(|line| line.starts_with("skip")).count();
    let count = |lines: usize| f64::from(u32::try_from(lines).unwrap_or(u32::MAX));
    Ok(1.0 - count(skipped) / count(recorded.lines().count()))
}

fn run(fsx: &Path, place: &Path, arguments: &[String]) -> Result<(), Trouble> {
    let mut command = Command::new(fsx);
    command.args(arguments).arg("-P").arg(place).arg(place.join("file"));
    mounted::die_with_parent(&mut command);
    let output = command.output().map_err(|error| Trouble {
        cause: format!("{} cannot be run: {error}", fsx.display()),
        advice: "say where fsx is, that of xfstests: `--against fsx=PATH`".to_owned(),
    })?;
    if output.status.success() {
        return Ok(());
    }
    Err(Trouble {
        cause: format!("{}: {}, {}", fsx.display(), output.status, last_words(&output)),
        advice: format!("see what it says: {} {}", fsx.display(), arguments.join(" ")),
    })
}

fn last_words(output: &Output) -> String {
    let lines = [&output.stderr, &output.stdout].map(|text| String::from_utf8_lossy(text));
    let last =
        lines.iter().filter_map(|text| text.lines().rev().find(|line| !line.trim().is_empty()));
    last.map(|line| line.trim().to_owned())
        .next()
        .unwrap_or_else(|| "and it said nothing".to_owned())
}

/// Operations a second that so many actors performed, and that were checked.
fn checked_a_second(actors: u32, seed: u64) -> Result<f64, Trouble> {
    let plan = plan(actors);
    let interrupted = Arc::new(AtomicBool::new(false));
    let orders = Orders {
        plan: &plan,
        seed: Seed(seed),
        record: false,
        judged: true,
        look: Look::default(),
        interrupted: &interrupted,
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
    let text = MIX.replace("OPS", &(actors * DRAWN).to_string());
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

    #[test]
    fn what_fsx_skips_does_not_count_and_an_fsx_that_does_not_say_skips_nothing() {
        let (dir, place) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let keeps = r#"for word; do case $word in --record-ops=*)
            printf 'skip read 0x0\nwrite 0x1 0x2 0x3\nread 0x1 0x1 0x3\nskip punch_hole 0x0\n' > "${word#*=}";;
        esac; done"#;
        let unknown = "for word; do case $word in --record-ops=*) exit 90;; esac; done";
        for (text, share) in [(keeps, 0.5), ("exit 0", 1.0), (unknown, 1.0)] {
            let _ = fs::remove_file(place.path().join("record"));
            let found = performed(&script(dir.path(), text), place.path());
            assert!(found.is_ok_and(|found| (found - share).abs() < 1e-9), "{text}");
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
