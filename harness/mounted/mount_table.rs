//! What the kernel tells of the mount that a descriptor belongs to.

use std::ffi::OsString;
use std::fs;
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;

/// A mount that has a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mounting {
    /// Its type as the kernel names it, as `fuse.sshfs`.
    pub filesystem: String,
    /// What is mounted: a device, a server, or any word.
    pub source: String,
    /// Its options and those of its filesystem.
    pub options: String,
    /// The upper directory, if it is an overlay. It may lie where this process cannot see it.
    pub upper: Option<PathBuf>,
}

/// The mount of a descriptor. `None`: it has no path here, or `/proc` is not there.
pub fn of(file: impl AsFd) -> Option<Mounting> {
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
    let told = words.next().unwrap_or_default();
    let upper = told.split(',').find_map(|option| option.strip_prefix("upperdir="));
    let upper = upper.map(|path| PathBuf::from(OsString::from_vec(unescaped(path))));
    // Both say whether it can be written to.
    let options = own.split(',').chain(told.split(','));
    let mut all: Vec<&str> = Vec::new();
    for option in options.filter(|option| !option.is_empty()) {
        if !all.contains(&option) {
            all.push(option);
        }
    }
    let plain = |text: &str| String::from_utf8_lossy(&unescaped(text)).into_owned();
    let (filesystem, source) = (plain(kind), plain(source));
    Some(Mounting { filesystem, source, options: all.join(","), upper })
}

/// Blanks and their like are three octal digits there.
fn unescaped(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((first, behind)) = rest.split_first() {
        let code = behind.get(..3).filter(|_| *first == b'\\');
        let code = code.and_then(|code| std::str::from_utf8(code).ok());
        let code = code.and_then(|code| u8::from_str_radix(code, 8).ok());
        bytes.push(code.unwrap_or(*first));
        rest = if code.is_some() { &behind[3..] } else { behind };
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_the_table_is_read() {
        let table = "\
21 26 0:20 / /proc rw,nosuid - proc proc rw
36 35 98:0 /mnt1 /mnt\\0402 rw,noatime master:1 shared:7 - ext3 /dev/my\\011\\134040root rw,errors=continue
37 35 0:9 / /x ro - 9p none rw
";
        let found = named(table, "36").unwrap();
        assert_eq!((&*found.filesystem, &*found.source), ("ext3", "/dev/my\t\\040root"));
        assert_eq!(found.options, "rw,noatime,errors=continue");
        assert_eq!(named(table, "37").unwrap().options, "ro,rw");
        assert_eq!(named(table, "3"), None);
    }

    #[test]
    fn the_upper_directory_of_an_overlay_is_found() {
        let table = "\
21 1 0:5 / / rw,relatime - ext4 /dev/vda rw
31 21 0:40 / /a rw - overlay overlay rw,lowerdir=/l,upperdir=/not/it,workdir=/w
32 21 0:41 / /b\\040c rw shared:7 master:1 - overlay none rw,lowerdir=/l:/k,upperdir=/up\\040per\\134x,workdir=/w
33 21 0:42 / /c ro - overlay overlay ro,lowerdir=/l:/k
";
        let upper = |id| named(table, id).and_then(|mount| mount.upper);
        assert_eq!(upper("32"), Some(PathBuf::from("/up per\\x")));
        assert_eq!(upper("31"), Some(PathBuf::from("/not/it")));
        for none in ["33", "21", "3", "99"] {
            assert_eq!(upper(none), None, "{none}");
        }
    }

    #[test]
    fn the_mount_of_a_file_is_found() {
        let file = fs::File::open("/proc/self/status").unwrap();
        assert_eq!(of(&file).unwrap().filesystem, "proc");
    }
}
