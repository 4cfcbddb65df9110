//! What this process may do here, what needs it, and how to have it allowed. Asked by whoever is refused,
//! and by whoever wants to know beforehand.

use crate::cgroup::{self, Home};
use crate::faults;
use crate::kind::Kind;
use crate::look;
use crate::refusal::{NEEDS_NO_RIGHT, Refusal};
use crate::source;
use nix::errno::Errno;
use nix::sys::memfd::{MFdFlags, memfd_create};
use std::fs::{self, File};

/// Something that not everybody may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Right {
    /// Its name.
    pub what: &'static str,
    /// By which way it is there, or what of it is missing.
    pub found: String,
    /// If it may not be done: what cannot be done without it.
    pub needed_for: Option<&'static str>,
    /// How to have it allowed.
    pub allow: String,
}

impl Right {
    fn there(what: &'static str, found: impl Into<String>) -> Right {
        Right { what, found: found.into(), needed_for: None, allow: String::new() }
    }

    /// Whether it may be done.
    pub fn is_there(&self) -> bool {
        self.needed_for.is_none()
    }

    /// What is to be said of it if it may not be done.
    pub fn advice(&self) -> Option<String> {
        Some(format!("{} need it: {}", self.needed_for?, self.allow))
    }
}

/// Mounting a filesystem that is made for a run.
pub fn mounting() -> Right {
    const WHAT: &str = "mounting";
    let lacks = |found: &str, allow: &str| Right {
        what: WHAT,
        found: found.to_owned(),
        needed_for: Some("`kernel:` targets, with their fsck and second mount,"),
        allow: format!("{allow}{NEEDS_NO_RIGHT}"),
    };
    if !may(SYS_ADMIN) && nix::unistd::geteuid().is_root() {
        return lacks(
            "this root has no CAP_SYS_ADMIN, as in a container",
            "start the container with --cap-add SYS_ADMIN and its loop devices, or --privileged",
        );
    }
    if !may(SYS_ADMIN) {
        return lacks("not for this user", "be root");
    }
    if is_in_user_namespace() {
        return lacks(
            "root of a user namespace only, which may mount no filesystem with a disk",
            "be root outside of it",
        );
    }
    Right::there(WHAT, "allowed, by CAP_SYS_ADMIN")
}

/// Why a filesystem of that kind cannot be mounted by this user.
pub(crate) fn refuse_mount(kind: Kind) -> Option<Refusal> {
    // A tmpfs has no disk, and any root may mount one.
    if kind.mkfs().is_none() && may(SYS_ADMIN) {
        return None;
    }
    let right = mounting();
    let tried = format!("{} of its own", kind.name());
    (!right.is_there()).then(|| Refusal::told(tried, right.found, right.allow).of("kernel"))
}

/// Stopping a write at its source: `userfaultfd` that is told of faults of the kernel. Any of three ways
/// will do.
pub fn stopping() -> Right {
    const WHAT: &str = "userfaultfd";
    const SYSCTL: &str = "/proc/sys/vm/unprivileged_userfaultfd";
    let sysctl = fs::read_to_string(SYSCTL).map(|text| text.trim().to_owned());
    let ways = [
        ("CAP_SYS_PTRACE", if may(SYS_PTRACE) { "yes".to_owned() } else { "no".to_owned() }),
        ("vm.unprivileged_userfaultfd", sysctl.unwrap_or_else(|_| "absent".to_owned())),
        ("/dev/userfaultfd", device()),
    ];
    let ways = ways.map(|(way, state)| format!("{way}: {state}")).join(", ");
    match (faults::by_call(), faults::by_device()) {
        (Ok(()), _) => Right::there(WHAT, format!("by the system call ({ways})")),
        (Err(_), Ok(())) => Right::there(WHAT, format!("by its device ({ways})")),
        (Err(error), Err(_)) => Right {
            what: WHAT,
            found: format!("{error:?} ({ways})"),
            needed_for: Some("steps of a script that stop a write inside, and `conform`,"),
            allow: faults::ADVICE.to_owned(),
        },
    }
}

/// Sources that end early in pages that are poisoned, beside other ways.
pub fn poisoning() -> Right {
    const WHAT: &str = "poisoned pages";
    match source::poisoning() {
        Ok(()) => Right::there(WHAT, "sources of writes can end in them"),
        Err(refusal) => Right {
            what: WHAT,
            found: format!("{}: {}", refusal.tried, refusal.came),
            needed_for: Some("sources of writes that end `by: poison`, one of four ways,"),
            allow: refusal.advice,
        },
    }
}

fn device() -> String {
    match File::options().read(true).write(true).open("/dev/userfaultfd") {
        Ok(_) => "may be opened".to_owned(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => "absent".to_owned(),
        Err(_) => "may not be opened".to_owned(),
    }
}

/// Holding, delaying and failing requests of a disk: a FUSE process before the loop device.
pub fn gating() -> Right {
    const WHAT: &str = "FUSE";
    match File::options().read(true).write(true).open("/dev/fuse") {
        Ok(_) => Right::there(WHAT, "/dev/fuse can be opened"),
        Err(error) => Right {
            what: WHAT,
            found: format!("/dev/fuse: {error}"),
            needed_for: Some("faults of a real disk, `hold disk` and `conform`"),
            allow: "be root, and load it: `modprobe fuse`".to_owned(),
        },
    }
}

/// Dropping what is cached of a file, and seeing that it is gone. The kernel lets go of clean pages of any
/// file that can be opened, and tells whoever may write to it what is left.
pub fn dropping() -> Right {
    const WHAT: &str = "dropping the cache";
    let cached =
        memfd_create(c"pagestorm", MFdFlags::MFD_CLOEXEC).and_then(|file| look::cached(file, 0..1));
    match cached {
        Ok(_) => {
            Right::there(WHAT, "by posix_fadvise, file by file, and cachestat: no right needed")
        }
        Err(error) => Right {
            what: WHAT,
            found: format!(
                "posix_fadvise drops it, but cachestat does not tell what stays: {error:?}"
            ),
            needed_for: Some("`evict` steps, and rereading files without direct I/O,"),
            allow: if error == Errno::ENOSYS {
                "use a kernel of 6.5 or later"
            } else {
                "something forbids it, a seccomp filter for instance: run outside of it"
            }
            .to_owned(),
        },
    }
}

/// Having little memory for the page cache: a memory cgroup below the own one.
pub fn limiting() -> Right {
    const WHAT: &str = "memory cgroup";
    match Home::find() {
        Ok(home) => Right::there(WHAT, format!("one can be made below {}", home.dir.display())),
        Err(found) => Right {
            what: WHAT,
            found,
            needed_for: Some("targets with `memory`"),
            allow: cgroup::ADVICE.to_owned(),
        },
    }
}

/// Numbers of capabilities, as in `linux/capability.h`.
const SYS_PTRACE: u32 = 19;
const SYS_ADMIN: u32 = 21;

/// Whether this process has that capability in force.
fn may(capability: u32) -> bool {
    let Ok(status) = fs::read_to_string("/proc/self/status") else { return false };
    has(&status, capability)
}

fn has(status: &str, capability: u32) -> bool {
    let line = status.lines().find_map(|line| line.strip_prefix("CapEff:"));
    let all = line.and_then(|hex| u64::from_str_radix(hex.trim(), 16).ok());
    all.is_some_and(|all| all >> capability & 1 == 1)
}

/// The first user namespace maps every number to itself.
fn is_in_user_namespace() -> bool {
    let Ok(map) = fs::read_to_string("/proc/self/uid_map") else { return false };
    map.split_whitespace().ne(["0", "0", "4294967295"])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn capabilities_are_read_from_the_status() {
        for (status, sys_admin, sys_ptrace) in [
            ("Name:\tx\nCapEff:\t000001ffffffffff\n", true, true),
            ("CapEff:\t0000000000200000\n", true, false),
            ("CapEff:\t00000000a80425fb\n", false, false),
            ("CapPrm:\t000001ffffffffff\n", false, false),
        ] {
            let found = (has(status, SYS_ADMIN), has(status, SYS_PTRACE));
            assert_eq!(found, (sys_admin, sys_ptrace), "{status}");
        }
    }

    #[test]
    fn what_is_missing_says_what_needs_it_and_what_to_do() {
        for right in [mounting(), stopping(), poisoning(), gating(), dropping(), limiting()] {
            assert_eq!(right.is_there(), right.advice().is_none(), "{right:?}");
            assert_eq!(right.is_there(), right.allow.is_empty(), "{right:?}");
        }
        let lacks = Right {
            what: "x",
            found: "no".to_owned(),
            needed_for: Some("all of it"),
            allow: "be y".to_owned(),
        };
        assert_eq!(lacks.advice(), Some("all of it need it: be y".to_owned()));
        assert_eq!(Right::there("x", "yes").advice(), None);
        assert_eq!(mounting().is_there(), refuse_mount(Kind::Xfs).is_none());
    }
}
