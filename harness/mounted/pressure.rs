//! Little memory for the page cache: a cgroup of this process and those that it starts, for as long as a
//! storm takes.

use crate::cgroup::{self, Home};
use crate::refusal::Refusal;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Cursor, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// See the module. It ends when this is dropped.
#[derive(Debug)]
pub struct Pressure {
    home: Home,
    group: PathBuf,
    /// What the page cache may have.
    bytes: u64,
    /// Whether groups below the home have a controller only since this was made.
    has_enabled: bool,
    files: Option<Files>,
    /// The limit that holds.
    last: AtomicU64,
}

/// What is read and written again and again: opened while there was memory enough.
#[derive(Debug)]
struct Files {
    limit: File,
    stat: File,
    /// How often somebody came to the limit.
    met: File,
    /// Memory of the kernel, where `stat` does not tell it.
    kernel: Option<File>,
}

impl Pressure {
    /// Puts this process into a group of its own, without a limit at first: what is charged to it from now on
    /// will count. Processes that it has started before stay outside, and those that it starts go with it.
    ///
    /// # Errors
    ///
    /// It is not allowed here, or somebody does it already.
    pub fn enter(bytes: u64) -> Result<Pressure, Refusal> {
        let refused = |came: String| {
            let tried = format!("a memory cgroup for {bytes} bytes of page cache");
            Refusal::told(tried, came, cgroup::ADVICE).of("memory")
        };
        let home = Home::find().map_err(refused)?;
        home.sweep();
        let group = home.own();
        let failed = |error: io::Error| refused(format!("{}: {error}", home.dir.display()));
        fs::create_dir(&group).map_err(failed)?;
        let mut pressure = Pressure {
            home,
            group,
            bytes,
            has_enabled: false,
            files: None,
            last: AtomicU64::new(u64::MAX),
        };
        let entered = pressure.settle();
        entered.map_err(|error| refused(format!("{}: {error}", pressure.group.display())))?;
        Ok(pressure)
    }

    fn settle(&mut self) -> io::Result<()> {
        moved(std::process::id(), &self.group)?;
        if self.home.unified {
            self.enable()?;
        } else {
            // Who finds no memory at the limit waits for some, or is told so by its call. Nobody is killed.
            fs::write(self.group.join("memory.oom_control"), "1")?;
        }
        self.files = Some(Files::open(&self.group, self.home.unified)?);
        Ok(())
    }

    /// Gives groups below the home the controller, where they have none.
    fn enable(&mut self) -> io::Result<()> {
        let has = |list: String| list.split_whitespace().any(|name| name == "memory");
        if has(self.home.read(SUBTREE)) {
            return Ok(());
        }
        // Nobody may be in the home for that: whoever serves a disk goes beside, where there is no limit.
        let others = self.home.members();
        if !others.is_empty() {
            fs::create_dir(self.beside())?;
            others.into_iter().try_for_each(|process| moved(process, &self.beside()))?;
        }
        fs::write(self.home.dir.join(SUBTREE), "+memory")?;
        self.has_enabled = true;
        Ok(())
    }

    fn beside(&self) -> PathBuf {
        let mut name = self.group.clone().into_os_string();
        name.push(cgroup::BESIDE);
        name.into()
    }

    /// Sets the limit: what the page cache may have, and what of the group's memory is something else. Nobody
    /// else may be at work in the group: the kernel takes pages until the limit holds, or none can be taken.
    ///
    /// # Errors
    ///
    /// The kernel does not take it, as pages cannot be taken back. Then the last limit holds.
    pub fn set(&self) -> io::Result<()> {
        self.limit_to(self.wanted())
    }

    /// Raises the limit, if what is no page cache has grown: those at work must not come to an end of all
    /// memory, and the kernel takes no page for that. Beyond `memory.high` they do not.
    ///
    /// # Errors
    ///
    /// The kernel does not take it.
    pub fn raise(&self) -> io::Result<()> {
        let wanted = self.wanted();
        let grows = !self.home.unified && self.last.load(Ordering::Relaxed) < wanted;
        if grows { self.limit_to(wanted) } else { Ok(()) }
    }

    /// Takes the limit away until it is set again.
    ///
    /// # Errors
    ///
    /// The kernel does not take it.
    pub fn relieve(&self) -> io::Result<()> {
        self.last.store(u64::MAX, Ordering::Relaxed);
        self.limit(if self.home.unified { b"max" } else { b"-1" })
    }

    fn wanted(&self) -> u64 {
        self.bytes.saturating_add(self.kept())
    }

    fn limit_to(&self, bytes: u64) -> io::Result<()> {
        let mut text = [0; 20];
        let mut limit = Cursor::new(text.as_mut_slice());
        write!(limit, "{bytes}")?;
        let len = usize::try_from(limit.position()).map_err(io::Error::other)?;
        self.limit(&text[..len])?;
        self.last.store(bytes, Ordering::Relaxed);
        Ok(())
    }

    fn limit(&self, limit: &[u8]) -> io::Result<()> {
        let files = self.files.as_ref().ok_or(io::ErrorKind::NotFound)?;
        files.limit.write_all_at(limit, 0)
    }

    /// Bytes of the group that are no page cache of files: of processes, of files in memory, and of the kernel.
    fn kept(&self) -> u64 {
        let Some(Files { stat, kernel, .. }) = &self.files else { return 0 };
        let kernel = kernel.as_ref().map_or(0, |kernel| read(kernel, number));
        read(stat, |stat| kept(stat, self.home.unified)) + kernel
    }

    /// How much came of it: pages that were taken back; in the older hierarchy, which does not count them,
    /// how often somebody came to the limit.
    pub fn came(&self) -> u64 {
        let Some(files) = &self.files else { return 0 };
        if self.home.unified {
            // Whoever lowers the limit takes some, too, and `high` does not count that.
            return read(&files.stat, |stat| value(stat, "pgsteal"));
        }
        read(&files.met, number)
    }

    /// How often there may have been no memory for somebody: below `memory.high` there always is.
    pub fn lacked(&self) -> u64 {
        if !self.home.unified {
            return self.came();
        }
        let lacked = |text: &str| value(text, "max") + value(text, "oom");
        self.files.as_ref().map_or(0, |files| read(&files.met, lacked))
    }

    /// What the kernel counts of it, by its own words.
    pub fn told(&self) -> Vec<(&'static str, u64)> {
        let Some(files) = &self.files else { return Vec::new() };
        let names = if self.home.unified { TAKEN } else { TAKEN_BEFORE };
        let taken = names.iter().map(|name| (*name, read(&files.stat, |stat| value(stat, name))));
        let met = if self.home.unified {
            ("high", read(&files.met, |events| value(events, "high")))
        } else {
            ("failcnt", read(&files.met, number))
        };
        std::iter::once(met).chain(taken).collect()
    }
}

/// What `memory.stat` counts of pages that were taken, and were wanted back.
const TAKEN: &[&str] = &["pgscan", "pgsteal", "workingset_refault_file"];

/// The same in the older hierarchy: pages that came to the group, and went.
const TAKEN_BEFORE: &[&str] = &["pgpgin", "pgpgout"];

impl Files {
    fn open(group: &Path, unified: bool) -> io::Result<Files> {
        let open = |name: &str| File::open(group.join(name));
        // Beyond `memory.high` calls wait, and nobody lacks anything; the older hierarchy has no such limit.
        let (limit, met) = if unified {
            ("memory.high", "memory.events")
        } else {
            ("memory.limit_in_bytes", "memory.failcnt")
        };
        let files = Files {
            limit: OpenOptions::new().write(true).open(group.join(limit))?,
            stat: open("memory.stat")?,
            met: open(met)?,
            kernel: if unified { None } else { open("memory.kmem.usage_in_bytes").ok() },
        };
        // The kernel keeps the room that the first read takes.
        read(&files.stat, |_| 0);
        read(&files.met, |_| 0);
        files.kernel.as_ref().map(|kernel| read(kernel, |_| 0));
        Ok(files)
    }
}

impl Drop for Pressure {
    /// What fails here leaves an empty group at worst, which the next start takes away.
    fn drop(&mut self) {
        // Whoever waits for memory has some now.
        let _ = self.relieve();
        self.files = None;
        if self.has_enabled {
            // Nobody can go back before.
            let _ = fs::write(self.home.dir.join(SUBTREE), "-memory");
        }
        for group in [&self.group, &self.beside()] {
            // Who is started meanwhile begins where its parent is, and who ends is there a moment longer.
            for _ in 0..PATIENCE {
                for process in cgroup::members(group) {
                    let _ = moved(process, &self.home.dir);
                }
                if fs::remove_dir(group).is_ok() || !group.exists() {
                    break;
                }
                sim::sleep(Duration::from_millis(1));
            }
        }
    }
}

/// How often a group is tried to be removed, a millisecond apart.
const PATIENCE: u32 = 100;

/// Which controllers groups below have.
const SUBTREE: &str = "cgroup.subtree_control";

fn moved(process: u32, group: &Path) -> io::Result<()> {
    let done = fs::write(group.join("cgroup.procs"), process.to_string());
    // It may have ended meanwhile.
    done.or_else(|error| if is_gone(process) { Ok(()) } else { Err(error) })
}

fn is_gone(process: u32) -> bool {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    status.is_empty() || status.contains("State:\tZ")
}

/// What such a file says now; 0 if it cannot be read. It takes no memory, of which there may be none.
fn read(file: &File, say: impl Fn(&str) -> u64) -> u64 {
    let mut bytes = [0; 8192];
    let found = file.read_at(&mut bytes, 0).unwrap_or(0);
    std::str::from_utf8(&bytes[..found]).map_or(0, say)
}

/// A file that holds a number.
fn number(text: &str) -> u64 {
    text.trim().parse().unwrap_or(0)
}

/// A line of `name value`.
fn value(text: &str, name: &str) -> u64 {
    let mut lines = text.lines().filter_map(|line| line.split_once(' '));
    lines.find(|(key, _)| *key == name).map_or(0, |(_, value)| number(value))
}

/// Bytes that `memory.stat` counts and that are no page cache of files.
fn kept(stat: &str, unified: bool) -> u64 {
    let kinds: &[&str] = if unified { &["anon", "shmem", "kernel"] } else { &["rss", "shmem"] };
    kinds.iter().map(|kind| value(stat, kind)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_found_by_their_whole_name() {
        let stat = "rss_huge 7\nrss 5\ntotal_rss 6\n";
        assert_eq!((value(stat, "rss"), value(stat, "shmem"), value("", "rss")), (5, 0, 0));
        assert_eq!((number("17\n"), number("max\n")), (17, 0));
    }

    #[test]
    fn what_is_no_cache_of_files_is_counted_in_either_hierarchy() {
        let old = "cache 900\nrss 50\nrss_huge 7\nshmem 4\nmapped_file 8\ntotal_rss 99\n";
        let new = "anon 50\nfile 900\nkernel 8\nkernel_stack 3\nshmem 4\nfile_mapped 9\n";
        assert_eq!((kept(old, false), kept(new, true)), (54, 62));
    }

    #[test]
    fn a_file_is_read_from_its_beginning_each_time() {
        let file = tempfile::tempfile().unwrap();
        file.write_all_at(b"low 1\nhigh 3\n", 0).unwrap();
        let high = |text: &str| value(text, "high");
        assert_eq!((read(&file, high), read(&file, high)), (3, 3));
        assert_eq!(read(&File::open("/").unwrap(), |_| 1), 1, "of nothing");
    }

    #[test]
    fn where_the_group_is_somebody_elses_nothing_is_made_in_it() {
        // Whoever has started the tests is in it, or there is none.
        let Err(found) = Home::find() else { return };
        let refused = Pressure::enter(16 << 20).unwrap_err();
        assert_eq!((refused.came, refused.of), (found, Some("memory")));
        assert!(refused.advice.contains("systemd-run --scope"));
    }
}
