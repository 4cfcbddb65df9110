//! `doctor`: whether this machine can run storms, and what to do where it cannot.

use crate::campaign::{self, Mission};
use crate::console::Console;
use crate::environment;
use crate::exit::Exit;
use crate::ground::Ground;
use crate::progress::Progress;
use crate::scenario::{Known, parse};
use block::{DeviceFaults, DeviceKind, DeviceSpec};
use mounted::rights::{self, Right};
use mounted::{Kind, Spec, Venue, Volume};
use nix::sys::statvfs::statvfs;
use sim::chance::Seed;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// One thing looked at.
struct Finding {
    what: &'static str,
    /// What was found.
    found: String,
    /// What to do; none if it is well.
    advice: Option<String>,
}

/// Space that the devices of the scenarios need, with room to spare.
const SPACE: u64 = 1 << 30;

/// Looks at everything; a line each. Fails only if not even a simulation can run.
pub fn doctor(console: Console) -> Exit {
    let simulation = simulation();
    let exit = if simulation.advice.is_some() { Exit::Environment } else { Exit::Ok };
    let findings = [
        simulation,
        loop_devices(),
        space("/dev/shm", Path::new("/dev/shm")),
        space("temporary directory", &std::env::temp_dir()),
        memory(),
        cores(),
        clock_source(),
        governor(),
        right(&rights::stopping()),
        right(&rights::poisoning()),
        right(&rights::gating()),
        right(&rights::mounting()),
        right(&rights::dropping()),
        right(&rights::limiting()),
    ];
    let findings = findings.into_iter().chain(filesystems());
    exit.max(console.print(&findings.map(lines).collect::<Vec<_>>().concat()))
}

fn lines(Finding { what, found, advice }: Finding) -> String {
    match advice {
        None => format!("ok    {what:<20} {found}\n"),
        Some(advice) => format!("warn  {what:<20} {found}\n{:<27}{advice}\n", ""),
    }
}

fn well(what: &'static str, found: impl Into<String>) -> Finding {
    Finding { what, found: found.into(), advice: None }
}

fn warned(what: &'static str, found: impl Into<String>, advice: impl Into<String>) -> Finding {
    Finding { what, found: found.into(), advice: Some(advice.into()) }
}

/// Runs a very small storm.
fn simulation() -> Finding {
    const SMALL: &str = "{seeds: 1, ops: 20, actors: [{name: a, ops: {write: 2, truncate: 1}}]}";
    let what = "simulated world";
    let plan = parse("doctor", SMALL, &Known::default(), &[]).expect("it is well-formed");
    let (interrupted, progress) = (Arc::new(AtomicBool::new(false)), Progress::default());
    let mission =
        Mission { plan: &plan, interrupted: &interrupted, progress: &progress, fail_fast: true };
    let ran = Ground::open(&plan).and_then(|ground| campaign::run(mission, ground));
    match ran {
        Ok(campaign) if campaign.found.is_none() => well(what, "20 operations ran, all checked"),
        Ok(_) => warned(what, "a run of 20 operations failed", "build from a clean clone"),
        Err(refused) => warned(what, refused.cause(), refused.advice()),
    }
}

fn loop_devices() -> Finding {
    let what = "loop devices";
    let spec = DeviceSpec {
        kind: DeviceKind::Loop,
        size: 1 << 20,
        block_size: 4096,
        simulated: false,
        faults: DeviceFaults::none(Seed(0).faults()),
    };
    match block::open(&spec) {
        Ok(device) => well(what, device.detail()),
        Err(error) => {
            let advice = format!("{}; `device: auto` takes an image file then", error.advice());
            warned(what, error.cause(), advice)
        }
    }
}

fn space(what: &'static str, dir: &Path) -> Finding {
    let name = dir.display();
    let Ok(stat) = statvfs(dir) else {
        return warned(
            what,
            format!("{name} is not there"),
            "set TMPDIR to a directory with space",
        );
    };
    let free = stat.blocks_available().saturating_mul(stat.fragment_size());
    let found = format!("{} MiB free in {name}", free >> 20);
    if free < SPACE {
        return warned(what, found, "free space there: loop devices and images of threads need it");
    }
    well(what, found)
}

fn memory() -> Finding {
    let what = "memory";
    let Some(line) = environment::line_of("/proc/meminfo", "MemAvailable") else {
        return warned(what, "unknown: /proc/meminfo cannot be read", "mount /proc");
    };
    let kibibytes = line.split_whitespace().next().and_then(|text| text.parse::<u64>().ok());
    let available = kibibytes.unwrap_or(0) >> 10;
    let found = format!("{available} MiB available");
    if available < SPACE >> 20 {
        return warned(what, found, "use fewer --jobs and smaller devices");
    }
    well(what, found)
}

fn cores() -> Finding {
    let what = "processors";
    match environment::cores() {
        None => warned(what, "unknown: /proc/self/status cannot be read", "mount /proc"),
        Some(1) => warned(what, "1", "threads hardly race on one: prefer the simulated world"),
        Some(cores) => well(what, cores.to_string()),
    }
}

fn clock_source() -> Finding {
    const FILE: &str = "/sys/devices/system/clocksource/clocksource0/current_clocksource";
    let what = "clock source";
    match first_line(FILE) {
        None => well(what, "unknown"),
        Some(source) if ["tsc", "kvm-clock", "arch_sys_counter"].contains(&source.as_str()) => {
            well(what, source)
        }
        Some(source) => {
            warned(what, source, "reading it takes long: latencies of threads are too high")
        }
    }
}

fn governor() -> Finding {
    let what = "CPU governor";
    match first_line("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor") {
        None => well(what, "unknown, as in most virtual machines"),
        Some(governor) if governor == "performance" => well(what, governor),
        Some(governor) => warned(
            what,
            governor,
            "latencies vary with it: `cpupower frequency-set -g performance`",
        ),
    }
}

/// What `target: {kernel: ...}` can be: each is made, mounted, and gone.
fn filesystems() -> Vec<Finding> {
    if !rights::mounting().is_there() {
        return Vec::new();
    }
    let one = |kind: Kind| {
        let opened = Volume::open(&Venue::Made(Spec::plain(kind)));
        match opened {
            Ok(volume) => well(kind.name(), volume.detail),
            Err(refusal) => {
                let found = format!("{}: {}", refusal.tried, refusal.came);
                warned(kind.name(), found, refusal.advice)
            }
        }
    };
    Kind::ALL.into_iter().map(one).collect()
}

/// Something that not everybody may do.
fn right(right: &Right) -> Finding {
    match right.advice() {
        None => well(right.what, &*right.found),
        Some(advice) => warned(right.what, &*right.found, advice),
    }
}

fn first_line(path: &str) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    text.lines().next().map(|line| line.trim().to_owned())
}
