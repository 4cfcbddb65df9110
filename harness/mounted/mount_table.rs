//! What the kernel tells of the mount that a descriptor belongs to.

use std::fs;
use std::os::fd::{AsFd, AsRawFd};

/// A mount that has a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mounting {
    /// Its type as the kernel names it, as `fuse.sshfs`.
    pub(crate) filesystem: String,
    /// What is mounted: a device, a server, or any word.
    pub(crate) source: String,
    /// Its options and those of its filesystem.
    pub(crate) options: String,
}

/// The mount of a descriptor. `None`: it has no path here, or `/proc` is not there.
pub(crate) fn of(file: impl AsFd) -> Option<Mounting> {
    let number = file.as_fd().as_raw_fd();
    let info = fs::read_to_string(format!("/proc/self/fdinfo/{number}")).ok()?;
    let id = info.lines().find_map(|line| line.strip_prefix("mnt_id:"))?.trim();
    named(&fs::read_to_string("/proc/self/mountinfo").ok()?, id)
}

/// The mount of that number in `mountinfo`, as in `proc_pid_mountinfo(5)`.
fn named(table: &str, id: &str) -> Option<Mounting> {
    let line = table.lines().find(|line| line.split(' ').next() == Some(id))?;
    let (mount, filesystem) = line.split_once(" - ")?;
    let own = mount.split(' ').nth(5)?;
    let mut words = filesystem.split(' ');
    let (kind, source) = (words.next()?, words.next()?);
    // Both say whether it can be written to.
    let options = own.split(',').chain(words.next().unwrap_or_default().split(','));
    let mut all: Vec<&str> = Vec::new();
    for option in options.filter(|option| !option.is_empty()) {
        if !all.contains(&option) {
            all.push(option);
        }
    }
    let plain = |text: &str| text.replace("\\040", " ").replace("\\134", "\\");
    Some(Mounting { filesystem: plain(kind), source: plain(source), options: all.join(",") })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_the_table_is_read() {
        let table = "\
21 26 0:20 / /proc rw,nosuid - proc proc rw
36 35 98:0 /mnt1 /mnt\\0402 rw,noatime master:1 shared:7 - ext3 /dev/my\\040root rw,errors=continue
37 35 0:9 / /x ro - 9p none rw
";
        let found = named(table, "36").unwrap();
        assert_eq!((&*found.filesystem, &*found.source), ("ext3", "/dev/my root"));
        assert_eq!(found.options, "rw,noatime,errors=continue");
        assert_eq!(named(table, "37").unwrap().options, "ro,rw");
        assert_eq!(named(table, "3"), None);
    }

    #[test]
    fn the_mount_of_a_file_is_found() {
        let file = fs::File::open("/proc/self/status").unwrap();
        assert_eq!(of(&file).unwrap().filesystem, "proc");
    }
}
