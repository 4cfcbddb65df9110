//! A mount that is attached to no path: it ends when its descriptor and the last file opened through it
//! are closed, so it outlives nobody, and nobody else sees it.

use crate::refusal::Refusal;
use nix::errno::Errno;
use rustix::io::Errno as Raw;
use rustix::mount::{
    FsMountFlags, FsOpenFlags, MountAttrFlags, fsconfig_create, fsconfig_set_flag,
    fsconfig_set_string, fsmount, fsopen,
};
use std::fs::File;
use std::io::Read;
use std::os::fd::{AsFd, OwnedFd};

/// Mounts a filesystem of that kind with options as `mount -o` takes them, separated by commas.
/// Its root directory is what is returned.
pub(crate) fn mount(kind: &str, source: &str, options: &str) -> Result<OwnedFd, Refusal> {
    let tried = || match options {
        "" => format!("mount -t {kind} {source}"),
        options => format!("mount -t {kind} -o {options} {source}"),
    };
    let context = fsopen(kind, FsOpenFlags::FSOPEN_CLOEXEC).map_err(|error| {
        let error = errno(error);
        let advice = if error == Errno::ENODEV {
            "this kernel was built without it"
        } else if error == Errno::EPERM {
            "mounting needs CAP_SYS_ADMIN: run as root, or name a directory instead"
        } else {
            "a kernel since 5.2 can do this"
        };
        Refusal::errno(tried(), error, advice)
    })?;
    let (of_mount, own) = attributes(options);
    configure(&context, source, &own)
        .and_then(|()| fsconfig_create(&context))
        .and_then(|()| fsmount(&context, FsMountFlags::FSMOUNT_CLOEXEC, of_mount))
        .map_err(|error| {
            let advice = complaints(&context)
                .unwrap_or_else(|| "the kernel's log may say more (dmesg)".to_owned());
            Refusal::errno(tried(), errno(error), advice)
        })
}

type Attribute = MountAttrFlags;

/// Options that are none of a filesystem but of a mount, with what they take away and what they add.
const OF_MOUNTS: &[(&str, Attribute, Attribute)] = &[
    ("defaults", Attribute::empty(), Attribute::empty()),
    ("nosuid", Attribute::empty(), Attribute::MOUNT_ATTR_NOSUID),
    ("suid", Attribute::MOUNT_ATTR_NOSUID, Attribute::empty()),
    ("nodev", Attribute::empty(), Attribute::MOUNT_ATTR_NODEV),
    ("dev", Attribute::MOUNT_ATTR_NODEV, Attribute::empty()),
    ("noexec", Attribute::empty(), Attribute::MOUNT_ATTR_NOEXEC),
    ("exec", Attribute::MOUNT_ATTR_NOEXEC, Attribute::empty()),
    ("noatime", Attribute::MOUNT_ATTR__ATIME, Attribute::MOUNT_ATTR_NOATIME),
    ("atime", Attribute::MOUNT_ATTR__ATIME, Attribute::MOUNT_ATTR_RELATIME),
    ("relatime", Attribute::MOUNT_ATTR__ATIME, Attribute::MOUNT_ATTR_RELATIME),
    ("norelatime", Attribute::MOUNT_ATTR__ATIME, Attribute::MOUNT_ATTR_STRICTATIME),
    ("strictatime", Attribute::MOUNT_ATTR__ATIME, Attribute::MOUNT_ATTR_STRICTATIME),
    ("nostrictatime", Attribute::MOUNT_ATTR__ATIME, Attribute::MOUNT_ATTR_RELATIME),
    ("nodiratime", Attribute::empty(), Attribute::MOUNT_ATTR_NODIRATIME),
    ("diratime", Attribute::MOUNT_ATTR_NODIRATIME, Attribute::empty()),
    ("nosymfollow", Attribute::empty(), Attribute::MOUNT_ATTR_NOSYMFOLLOW),
    ("symfollow", Attribute::MOUNT_ATTR_NOSYMFOLLOW, Attribute::empty()),
];

/// What of `options` is said of the mount, the last word of each counting, and what is left for the
/// filesystem, which would refuse those. Nobody needs programs and devices there, unless he asks.
fn attributes(options: &str) -> (Attribute, Vec<&str>) {
    let mut attributes =
        Attribute::MOUNT_ATTR_NOSUID | Attribute::MOUNT_ATTR_NODEV | Attribute::MOUNT_ATTR_NOEXEC;
    let mut own = Vec::new();
    for option in options.split(',').map(str::trim).filter(|option| !option.is_empty()) {
        match OF_MOUNTS.iter().find(|(name, ..)| *name == option) {
            Some((_, without, with)) => attributes = attributes.difference(*without) | *with,
            None => own.push(option),
        }
    }
    (attributes, own)
}

fn configure(context: &OwnedFd, source: &str, options: &[&str]) -> Result<(), Raw> {
    fsconfig_set_string(context.as_fd(), "source", source)?;
    for option in options {
        match option.split_once('=') {
            Some((key, value)) => fsconfig_set_string(context.as_fd(), key, value)?,
            None => fsconfig_set_flag(context.as_fd(), *option)?,
        }
    }
    Ok(())
}

/// What the filesystem itself says about why: it is asked line by line.
fn complaints(context: &OwnedFd) -> Option<String> {
    let mut log = File::from(context.try_clone().ok()?);
    let mut lines = Vec::new();
    let mut line = [0; 1024];
    while let Ok(len) = log.read(&mut line) {
        let text = String::from_utf8_lossy(&line[..len]);
        // Each begins with its gravity: `e ` for an error.
        lines.push(text.trim().split_once(' ').map_or(text.trim(), |(_, rest)| rest).to_owned());
        if len == 0 || lines.len() == 4 {
            break;
        }
    }
    lines.retain(|line| !line.is_empty());
    (!lines.is_empty()).then(|| lines.join("; "))
}

fn errno(error: Raw) -> Errno {
    Errno::from_raw(error.raw_os_error())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_word_counts_and_the_filesystem_hears_only_what_is_its_own() {
        let safe = Attribute::MOUNT_ATTR_NOSUID
            | Attribute::MOUNT_ATTR_NODEV
            | Attribute::MOUNT_ATTR_NOEXEC;
        let table: [(&str, Attribute, &[&str]); 7] = [
            ("", safe, &[]),
            ("defaults,ro, size=7", safe, &["ro", "size=7"]),
            ("noatime", safe | Attribute::MOUNT_ATTR_NOATIME, &[]),
            (
                "noatime,commit=9,strictatime",
                safe | Attribute::MOUNT_ATTR_STRICTATIME,
                &["commit=9"],
            ),
            ("strictatime,relatime", safe, &[]),
            ("nodiratime,diratime,nosymfollow", safe | Attribute::MOUNT_ATTR_NOSYMFOLLOW, &[]),
            ("exec,suid,dev,nodev", Attribute::MOUNT_ATTR_NODEV, &[]),
        ];
        for (options, expected, own) in table {
            assert_eq!(attributes(options), (expected, own.to_vec()), "{options}");
        }
    }
}
