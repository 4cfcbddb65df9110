//! What a run happened on: kernel, processor, and the build.

use nix::sys::utsname::uname;
use report::record::Environment;
use std::fs;

/// What can be found out about this machine.
pub fn environment() -> Environment {
    Environment {
        kernel: kernel(),
        cpu: cpu(),
        cores: cores(),
        rustc: option_env!("PAGESTORM_RUSTC").map(str::to_owned),
        // To ask git at each build would build the program again at each commit.
        commit: None,
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

fn kernel() -> Option<String> {
    let name = uname().ok()?;
    let part = |part: &std::ffi::OsStr| part.to_string_lossy().into_owned();
    Some(format!("{} {}", part(name.sysname()), part(name.release())))
}

fn cpu() -> Option<String> {
    line_of("/proc/cpuinfo", "model name").or_else(|| line_of("/proc/cpuinfo", "CPU part"))
}
