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
    configure(&context, source, options)
        .and_then(|()| fsconfig_create(&context))
        .and_then(|()| {
            let safe = MountAttrFlags::MOUNT_ATTR_NOSUID
                | MountAttrFlags::MOUNT_ATTR_NODEV
                | MountAttrFlags::MOUNT_ATTR_NOEXEC;
            fsmount(&context, FsMountFlags::FSMOUNT_CLOEXEC, safe)
        })
        .map_err(|error| {
            let advice = complaints(&context)
                .unwrap_or_else(|| "the kernel's log may say more (dmesg)".to_owned());
            Refusal::errno(tried(), errno(error), advice)
        })
}

fn configure(context: &OwnedFd, source: &str, options: &str) -> Result<(), Raw> {
    fsconfig_set_string(context.as_fd(), "source", source)?;
    for option in options.split(',').map(str::trim).filter(|option| !option.is_empty()) {
        match option.split_once('=') {
            Some((key, value)) => fsconfig_set_string(context.as_fd(), key, value)?,
            None => fsconfig_set_flag(context.as_fd(), option)?,
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
