//! What a run happened on: kernel, processor, and the build.

use nix::sys::utsname::uname;
use nix::time::{ClockId, clock_getres};
use report::record::Environment;
use std::fs;
use std::time::Duration;

/// What can be found out about this machine.
pub fn environment() -> Environment {
    Environment {
        kernel: kernel(),
        cpu: cpu(),
        cores: cores(),
        clock_source: setting("clocksource/clocksource0/current_clocksource"),
        clock_resolution_ns: clock_resolution(),
        governor: setting("cpu/cpu0/cpufreq/scaling_governor"),
        rustc: option_env!("PAGESTORM_RUSTC").map(str::to_owned),
        commit: option_env!("PAGESTORM_COMMIT").map(str::to_owned),
    }
}

/// How many processors this process may run on.
pub fn cores() -> Option<u32> {
    let mask = line_of("/proc/self/status", "Cpus_allowed")?;
    let bits = mask.chars().filter_map(|digit| digit.to_digit(16)).map(u32::count_ones);
    Some(bits.sum())
}

/// The value behind `key:` in a file of such lines.
pub fn line_of(path: &str, key: &str) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    let value = |line: &str| {
        let (name, value) = line.split_once(':')?;
        (name.trim() == key).then(|| value.trim().to_owned())
    };
    text.lines().find_map(value)
}

/// What the kernel says of one of its devices that are no devices.
fn setting(name: &str) -> Option<String> {
    let text = fs::read_to_string(format!("/sys/devices/system/{name}")).ok()?;
    Some(text.trim().to_owned())
}

/// The step of the clock that measures latency, in nanoseconds.
fn clock_resolution() -> Option<u64> {
    let step = clock_getres(ClockId::CLOCK_MONOTONIC).ok()?;
    u64::try_from(Duration::from(step).as_nanos()).ok()
}

fn kernel() -> Option<String> {
    let name = uname().ok()?;
    let part = |part: &std::ffi::OsStr| part.to_string_lossy().into_owned();
    Some(format!("{} {}", part(name.sysname()), part(name.release())))
}

fn cpu() -> Option<String> {
    line_of("/proc/cpuinfo", "model name").or_else(|| line_of("/proc/cpuinfo", "CPU part"))
}
