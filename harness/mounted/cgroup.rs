//! The memory cgroup that this process is in: where it is, and whether it may have another below it.

use nix::errno::Errno;
use nix::unistd::{AccessFlags, access};
use std::fs;
use std::path::{Path, PathBuf};

/// See the module.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Home {
    /// Its directory.
    pub(crate) dir: PathBuf,
    /// Whether it is of the unified hierarchy.
    pub(crate) unified: bool,
}

/// How to have it allowed.
pub(crate) const ADVICE: &str = "start it as root in a group of its own, as `systemd-run --scope -p \
     Delegate=yes pagestorm ...` does; in a container, /sys/fs/cgroup has to be writable";

impl Home {
    /// The group, if another may be made below it: nobody else is in it, so that it is nobody else's.
    ///
    /// # Errors
    ///
    /// Why not.
    pub(crate) fn find() -> Result<Home, String> {
        let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
        let home = located(&read("/proc/self/cgroup"), &read("/proc/self/mountinfo"))
            .ok_or("no cgroup for memory is mounted")?;
        let may = |path: &Path| access(path, AccessFlags::W_OK);
        let written = may(&home.dir).and_then(|()| may(&home.dir.join("cgroup.procs")));
        let controllers = home.read("cgroup.controllers");
        let strangers = home.members().into_iter().filter(|process| is_stranger(*process));
        let refused = home.refused(written, &controllers, strangers.count());
        refused.map_or(Ok(home), Err)
    }

    /// Why none can be made below it, if it can be `written` to, groups below it can have these controllers,
    /// and so many others are in it.
    fn refused(
        &self,
        written: Result<(), Errno>,
        controllers: &str,
        strangers: usize,
    ) -> Option<String> {
        let dir = self.dir.display();
        let has_memory = controllers.split_whitespace().any(|controller| controller == "memory");
        match (written, strangers) {
            (Err(errno), _) => Some(format!("{dir} cannot be written to ({errno:?})")),
            _ if self.unified && !has_memory => {
                Some(format!("{dir} was not given the controller `memory`"))
            }
            (Ok(()), 0) => None,
            (Ok(()), 1) => Some(format!("another process is in its group, {dir}")),
            (Ok(()), count) => Some(format!("{count} other processes are in its group, {dir}")),
        }
    }

    /// A file of it; empty if it cannot be read.
    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.dir.join(name)).unwrap_or_default()
    }

    /// The processes in it.
    pub(crate) fn members(&self) -> Vec<u32> {
        members(&self.dir)
    }

    /// Takes groups away that processes have left who died before they could.
    pub(crate) fn sweep(&self) {
        for entry in fs::read_dir(&self.dir).into_iter().flatten().flatten() {
            let name = entry.file_name();
            let maker = name.to_str().and_then(maker);
            if maker.is_some_and(|number| !Path::new(&format!("/proc/{number}")).exists()) {
                // It stays if somebody is in it, whom this namespace does not show.
                let _ = fs::remove_dir(entry.path());
            }
        }
    }

    /// The group that this process makes below it.
    pub(crate) fn own(&self) -> PathBuf {
        self.dir.join(format!("{PREFIX}{}", std::process::id()))
    }
}

/// What the names of our groups begin with; the number of the process follows.
const PREFIX: &str = "pagestorm-";

/// What the names of those end with in which others of ours are meanwhile.
pub(crate) const BESIDE: &str = "-beside";

/// The process that has made a group of that name, if it is one of ours.
fn maker(name: &str) -> Option<u32> {
    let rest = name.strip_prefix(PREFIX)?;
    rest.strip_suffix(BESIDE).unwrap_or(rest).parse().ok()
}

/// The processes in a group.
pub(crate) fn members(group: &Path) -> Vec<u32> {
    let all = fs::read_to_string(group.join("cgroup.procs")).unwrap_or_default();
    all.lines().filter_map(|line| line.trim().parse().ok()).collect()
}

/// Finds the group, from `/proc/self/cgroup` and `mountinfo`.
fn located(own: &str, mounts: &str) -> Option<Home> {
    let old = own.lines().find_map(|line| {
        let (controllers, path) = line.split_once(':')?.1.split_once(':')?;
        controllers.split(',').any(|name| name == "memory").then_some(path)
    });
    if let Some(path) = old {
        return Some(Home { dir: directory(mounts, "cgroup", path)?, unified: false });
    }
    let path = own.lines().find_map(|line| line.strip_prefix("0::"))?;
    Some(Home { dir: directory(mounts, "cgroup2", path)?, unified: true })
}

/// The directory of a group.
fn directory(mounts: &str, kind: &str, path: &str) -> Option<PathBuf> {
    mounts.lines().find_map(|line| {
        let (mount, filesystem) = line.split_once(" - ")?;
        let mut words = filesystem.split(' ');
        let is_kind = words.next()? == kind;
        let has_memory = words.nth(1)?.split(',').any(|option| option == "memory");
        if !is_kind || kind == "cgroup" && !has_memory {
            return None;
        }
        let mut words = mount.split(' ').skip(3);
        let (root, point) = (words.next()?, words.next()?);
        let rest = path.strip_prefix(root.trim_end_matches('/'))?;
        let inside = rest.is_empty() || rest.starts_with('/');
        let rest = rest.trim_matches('/');
        let point = Path::new(point);
        inside.then(|| if rest.is_empty() { point.to_owned() } else { point.join(rest) })
    })
}

/// Whether it is neither this process nor one that this has started.
fn is_stranger(process: u32) -> bool {
    let mut at = process;
    while at != std::process::id() {
        match parent(at) {
            // It has ended.
            None if at == process && process != 0 => return false,
            None | Some(0) => return true,
            Some(parent) => at = parent,
        }
    }
    false
}

fn parent(process: u32) -> Option<u32> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    status.lines().find_map(|line| line.strip_prefix("PPid:"))?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_group_is_found_where_it_is_mounted() {
        const OLD: &str = "35 31 0:32 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory";
        const NEW: &str = "41 31 0:38 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw";
        const INSIDE: &str = "41 31 0:38 /a /sys/fs/cgroup ro - cgroup2 cgroup2 rw";
        for (own, mounts, dir) in [
            ("4:memory:/x/y\n0::/", OLD, Some(("/sys/fs/cgroup/memory/x/y", false))),
            ("4:cpu,memory:/\n", OLD, Some(("/sys/fs/cgroup/memory", false))),
            ("4:cpu:/x\n0::/a/b", NEW, Some(("/sys/fs/cgroup/a/b", true))),
            ("0::/a/b", INSIDE, Some(("/sys/fs/cgroup/b", true))),
            ("0::/ab", INSIDE, None),
            ("0::/a", OLD, None),
            ("4:memory:/x", NEW, None),
            ("", NEW, None),
        ] {
            let found = located(own, mounts);
            let found = found.as_ref().map(|home| (home.dir.to_str().unwrap(), home.unified));
            assert_eq!(found, dir, "{own}");
        }
    }

    #[test]
    fn a_group_that_cannot_be_ours_says_why() {
        let home = |unified| Home { dir: "/g".into(), unified };
        for (unified, written, controllers, strangers, why) in [
            (true, Ok(()), "cpu memory\n", 0, None),
            (false, Ok(()), "", 0, None),
            (true, Ok(()), "cpu\n", 0, Some("/g was not given the controller `memory`")),
            (false, Err(Errno::EROFS), "", 0, Some("/g cannot be written to (EROFS)")),
            (false, Ok(()), "", 1, Some("another process is in its group, /g")),
            (true, Ok(()), "memory", 2, Some("2 other processes are in its group, /g")),
        ] {
            let refused = home(unified).refused(written, controllers, strangers);
            assert_eq!(refused.as_deref(), why, "{unified} {written:?} {strangers}");
        }
    }

    #[test]
    fn only_groups_of_ours_are_known_by_their_names() {
        for (name, process) in [
            ("pagestorm-17", Some(17)),
            ("pagestorm-17-beside", Some(17)),
            ("pagestorm-17-other", None),
            ("pagestorm-", None),
            ("user-17", None),
        ] {
            assert_eq!(maker(name), process, "{name}");
        }
    }

    #[test]
    fn who_has_started_us_is_a_stranger_and_whom_we_start_is_not() {
        let own = std::process::id();
        assert!(!is_stranger(own) && is_stranger(parent(own).unwrap()) && is_stranger(0));
        let mut child = std::process::Command::new("sleep").arg("9").spawn().unwrap();
        assert!(!is_stranger(child.id()));
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(!is_stranger(child.id()), "it has ended");
    }
}
