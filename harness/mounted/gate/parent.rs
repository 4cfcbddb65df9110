//! Whether the process that started us is on its way out.
//!
//! Its descriptors are not closed, and no signal comes of its death, while one of its threads still waits in
//! the kernel, perhaps for a request that is held here. So its first thread is looked at: it has
//! ended, or is about to.

use nix::unistd::{Pid, getppid};
use std::fs;

/// See the module.
pub(super) fn is_dying(parent: Pid) -> bool {
    if getppid() != parent {
        return true;
    }
    let status = fs::read_to_string(format!("/proc/{parent}/status"));
    status.is_ok_and(|status| says_so(&status))
}

/// Signal 9 in a set of signals.
const KILL: u64 = 1 << 8;

fn says_so(status: &str) -> bool {
    let value = |key: &str| status.lines().find_map(|line| line.strip_prefix(key)).map(str::trim);
    let state = value("State:").unwrap_or_default();
    let killed = |key| {
        let set = value(key).and_then(|set| u64::from_str_radix(set, 16).ok());
        set.is_some_and(|set| set & KILL != 0)
    };
    state.starts_with(['Z', 'X']) || killed("SigPnd:") || killed("ShdPnd:")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_dying_when_it_is_killed_even_if_it_cannot_die_yet() {
        let status = |state, pending, shared| {
            format!("Name:\tx\nState:\t{state}\nSigPnd:\t{pending}\nShdPnd:\t{shared}\n")
        };
        let none = "0000000000000000";
        assert!(!says_so(&status("S (sleeping)", none, none)));
        assert!(!says_so(&status("D (disk sleep)", "0000000000004002", none)));
        assert!(says_so(&status("D (disk sleep)", "0000000000000100", none)));
        assert!(says_so(&status("D (disk sleep)", none, "0000000000000100")));
        assert!(says_so(&status("Z (zombie)", none, none)));
        assert!(!is_dying(getppid()));
        assert!(is_dying(Pid::from_raw(i32::MAX)));
    }
}
