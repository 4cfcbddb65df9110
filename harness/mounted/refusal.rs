//! Why a filesystem cannot be had, and what to do about it.

use block::{Attempt, OpenError};
use nix::errno::Errno;
use std::fmt;

/// See the module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// What was tried.
    pub tried: String,
    /// What came of it.
    pub came: String,
    /// What a person can do.
    pub advice: String,
    /// The key of a target that asked for what cannot be had, if it is one of them.
    pub of: Option<&'static str>,
}

/// The ways out that only some commands have: those that take a directory, and those that need no gate.
pub(crate) const NEEDS_NO_RIGHT: &str = "; a directory needs none of it: `--target PATH`";
const NEEDS_NO_DEVICE: &str = "; a directory of your own needs no device: --target PATH";
const NEEDS_NO_GATE: &str = "; only `latency`, `io_error` and `hold disk` need it on a real disk";

impl Refusal {
    /// `tried` ended with this error number.
    pub fn errno(tried: impl Into<String>, errno: Errno, advice: impl Into<String>) -> Refusal {
        Refusal::told(tried, format!("{errno:?}, {}", errno.desc()), advice)
    }

    /// `tried` ended with these words.
    pub fn told(
        tried: impl Into<String>,
        came: impl Into<String>,
        advice: impl Into<String>,
    ) -> Refusal {
        Refusal { tried: tried.into(), came: came.into(), advice: advice.into(), of: None }
    }

    /// `tried` found no device for an image.
    pub fn of_device(tried: impl Into<String>, error: &OpenError) -> Refusal {
        let advice = match error {
            OpenError::LoopControl { errno } | OpenError::LoopNode { errno, .. } => {
                let allow = if [Errno::EACCES, Errno::EPERM].contains(&Errno::from_raw(*errno)) {
                    "run as root"
                } else {
                    "load it (modprobe loop), or give the container /dev/loop-control and /dev/loop*"
                };
                allow.to_owned() + NEEDS_NO_DEVICE
            }
            OpenError::LoopFree { .. } => "detach one that is not in use (losetup -a)".to_owned(),
            OpenError::LoopAttach { .. } if error.is_without_configure() => {
                format!(
                    "LOOP_CONFIGURE is there since Linux 5.8: use such a kernel, and give the container \
                     its loop devices{NEEDS_NO_DEVICE}"
                )
            }
            OpenError::LoopAttach { .. } => {
                "try again: another program may have taken it".to_owned()
            }
            OpenError::Backing { tried, .. } => backing_advice(tried).to_owned(),
            OpenError::BlockSize { .. } | OpenError::Size { .. } => {
                "name another `size`".to_owned()
            }
        };
        Refusal::told(tried, error.cause(), advice)
    }

    /// `/dev/fuse` cannot be opened.
    pub(crate) fn of_fuse(errno: Errno) -> Refusal {
        let allow = if [Errno::EACCES, Errno::EPERM].contains(&errno) {
            "run as root, and let the container have it (--device /dev/fuse)"
        } else {
            "load it as root (modprobe fuse), or give the container /dev/fuse"
        };
        Refusal::errno("/dev/fuse", errno, format!("{allow}{NEEDS_NO_GATE}"))
    }

    /// The same to who takes no directory, and needs the gate: without what others can do instead.
    #[must_use]
    pub fn without_another_way(self) -> Refusal {
        let others = [NEEDS_NO_RIGHT, NEEDS_NO_DEVICE, NEEDS_NO_GATE];
        let kept = others.iter().find_map(|other| self.advice.strip_suffix(other));
        Refusal { advice: kept.unwrap_or(&self.advice).to_owned(), ..self }
    }

    /// The same, of that key; unless it is known better.
    #[must_use]
    pub fn of(self, key: &'static str) -> Refusal {
        Refusal { of: self.of.or(Some(key)), ..self }
    }
}

/// What to do if no directory takes an image.
fn backing_advice(tried: &[Attempt]) -> &'static str {
    let came = |errno| tried.iter().any(|attempt| Errno::from_raw(attempt.errno) == errno);
    if came(Errno::ENOSPC) {
        "make room there, name another directory with `image`, or a smaller `size`"
    } else if tried
        .iter()
        .any(|attempt| attempt.dir.is_dir() && Errno::from_raw(attempt.errno) == Errno::ENOENT)
    {
        "it is there, but no files can be made in it: name another with `image`"
    } else if came(Errno::ENOENT) {
        "there is no such directory: make it, or name another with `image`"
    } else if came(Errno::ENOTDIR) {
        "it is no directory: name one with `image`"
    } else if came(Errno::EOPNOTSUPP) {
        "its filesystem makes no files without names: name another directory with `image`"
    } else {
        "name a directory with `image` that can be written to"
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}; {}", self.tried, self.came, self.advice)
    }
}

impl std::error::Error for Refusal {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_that_takes_no_files_is_not_told_to_be_made() {
        let advice = |dir: &str| {
            let errno = std::io::Error::from(Errno::ENOENT).raw_os_error().unwrap();
            backing_advice(&[Attempt { dir: dir.into(), step: "openat", errno }])
        };
        assert!(advice("/proc").starts_with("it is there"), "{}", advice("/proc"));
        assert!(advice("/not/there").starts_with("there is no such directory"));
    }

    #[test]
    fn what_is_missing_is_told_with_how_to_allow_it() {
        let raw = |errno: Errno| std::io::Error::from(errno).raw_os_error().unwrap();
        let advice = |error| Refusal::of_device("a loop device", &error).advice;
        let control = |errno| advice(OpenError::LoopControl { errno: raw(errno) });
        assert!(control(Errno::EACCES).starts_with("run as root"));
        assert!(control(Errno::ENOENT).contains("modprobe loop"));
        let path = || "/dev/loop0".to_owned();
        let others = [
            OpenError::LoopNode { path: path(), errno: raw(Errno::ENXIO) },
            OpenError::LoopAttach { path: path(), errno: raw(Errno::EBUSY) },
            OpenError::LoopFree { errno: raw(Errno::ENOSPC) },
            OpenError::Backing { size: 1, tried: Vec::new() },
        ];
        // There is no other kind of device that a real filesystem could be on.
        assert!(others.into_iter().map(advice).all(|told| !told.contains("--device image")));
        let fuse = |errno| Refusal::of_fuse(errno).to_string();
        assert!(fuse(Errno::ENOENT).contains("modprobe fuse"));
        assert!(fuse(Errno::EPERM).contains("run as root"));
        assert!(fuse(Errno::ENODEV).contains("`io_error`"));
        let attach = |errno| advice(OpenError::LoopAttach { path: path(), errno: raw(errno) });
        assert!(attach(Errno::EBUSY).starts_with("try again"));
        assert!(attach(Errno::ENOTTY).contains("Linux 5.8"));
    }

    #[test]
    fn who_has_no_other_way_is_told_of_none() {
        let raw = |errno: Errno| std::io::Error::from(errno).raw_os_error().unwrap();
        let control = OpenError::LoopControl { errno: raw(Errno::EACCES) };
        let attach = OpenError::LoopAttach { path: "x".to_owned(), errno: raw(Errno::ENOTTY) };
        let right = Refusal::told("ext4", "no", format!("be root{NEEDS_NO_RIGHT}"));
        for refusal in [
            Refusal::of_fuse(Errno::ENOENT),
            Refusal::of_fuse(Errno::EACCES),
            Refusal::of_device("a loop device", &control),
            Refusal::of_device("a loop device", &attach),
            right,
        ] {
            let other = refusal.advice.rsplit("; ").next().unwrap().to_owned();
            let told = refusal.clone().without_another_way();
            assert_eq!(format!("{}; {other}", told.advice), refusal.advice);
        }
        let plain = Refusal::told("x", "y", "do z");
        assert_eq!(plain.clone().without_another_way(), plain);
    }
}
