//! The directory of a night: what is on disk is whole and is never lost, whatever happens next.
//!
//! Every file is written beside its place and then moved there, once all of it is on disk. A disk
//! that is full keeps what it has; the night goes on in memory, and is put there as soon as it fits.

use crate::console::Console;
use report::record::{Night, Shard};
use report::writing;
use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// The record of a night.
pub const RECORD: &str = "night.json";

/// Bytes of a record that are read at most.
const LARGEST: u64 = 1 << 30;

/// See the module.
pub struct Shelf {
    /// Where it is.
    pub dir: PathBuf,
    console: Console,
    is_stuck: bool,
    /// The cases that were put there.
    cases: BTreeSet<String>,
}

impl Shelf {
    /// The shelf in `dir`, which is made when something is put there.
    pub fn new(dir: PathBuf, console: Console) -> Shelf {
        Shelf { dir, console, is_stuck: false, cases: BTreeSet::new() }
    }

    /// Knows the cases that an earlier start has put there.
    #[must_use]
    pub fn knows(mut self, night: &Night) -> Shelf {
        self.cases = night.cases().into_iter().map(|(name, _)| name).collect();
        self
    }

    /// Puts the night there, and says if that did not go well, or goes well again.
    ///
    /// # Errors
    ///
    /// Nothing there has changed, or not all of it.
    pub fn put(&mut self, night: &Night) -> io::Result<()> {
        let put = writing::write_night(&self.dir, night);
        self.tell(&put);
        put.inspect(|()| self.clear(night))
    }

    /// The same before anything has run: a disk that is full may have space later, and is no error.
    ///
    /// # Errors
    ///
    /// The night would never be on disk.
    pub fn begin(&mut self, night: &Night) -> io::Result<()> {
        match writing::write_night(&self.dir, night) {
            Err(error) if !writing::is_full(&error) => Err(error),
            put => {
                self.tell(&put);
                Ok(())
            }
        }
    }

    fn tell(&mut self, put: &io::Result<()>) {
        match put {
            Err(error) if !self.is_stuck => {
                let more = if writing::is_full(error) { "; free some space" } else { "" };
                let told = "the night goes on in memory, and it is tried again";
                self.console.warn(&format!("results cannot be written: {error}; {told}{more}"));
            }
            Ok(()) if self.is_stuck => self.console.say("results can be written again"),
            _ => {}
        }
        self.is_stuck = put.is_err();
    }

    /// Takes away the cases that are told by a smaller one now.
    fn clear(&mut self, night: &Night) {
        let now: BTreeSet<String> = night.cases().into_iter().map(|(name, _)| name).collect();
        for name in self.cases.difference(&now) {
            // One that stays does no harm.
            drop(fs::remove_file(self.dir.join(name)));
        }
        self.cases = now;
    }
}

/// The night in a directory.
///
/// # Errors
///
/// What is wrong, and with which file.
pub fn take(dir: &Path) -> Result<Night, String> {
    let path = dir.join(RECORD);
    let told = |what: &str| format!("{}: {what}", path.display());
    let size = fs::metadata(&path).map_err(|error| told(&error.to_string()))?.len();
    if LARGEST < size {
        return Err(told("it is too large for the record of a night"));
    }
    let bytes = fs::read(&path).map_err(|error| told(&error.to_string()))?;
    let text = String::from_utf8(bytes).map_err(|_| told("this is not text"))?;
    Night::from_json(&text).map_err(|error| told(&error))
}

/// Whether there is a night in a directory.
pub fn holds_one(dir: &Path) -> bool {
    dir.join(RECORD).exists()
}

/// An error if there is a run in a directory: a night would take the place of its page.
pub fn holds_no_run(dir: &Path) -> Result<(), String> {
    if !dir.join("result.json").exists() {
        return Ok(());
    }
    Err(format!("{} holds a run, whose page would be lost: name another place", dir.display()))
}

/// Puts the files aside that lie among the cases of a night and are none of them: those of another
/// night that was here before. They go to a folder beside, in the place of what was there. The answer
/// is how many.
///
/// # Errors
///
/// Some of them are still where they were.
pub fn set_aside(dir: &Path, night: &Night) -> io::Result<usize> {
    let (failures, before) = (dir.join("failures"), dir.join("failures.before"));
    if !failures.is_dir() {
        return Ok(0);
    }
    let own: BTreeSet<PathBuf> = night.cases().iter().map(|(name, _)| dir.join(name)).collect();
    let entries: Vec<_> = fs::read_dir(&failures)?.collect::<Result<_, _>>()?;
    let others: Vec<_> = entries.iter().filter(|entry| !own.contains(&entry.path())).collect();
    if !others.is_empty() && before.exists() {
        fs::remove_dir_all(&before)?;
    }
    for entry in &others {
        fs::create_dir_all(&before)?;
        fs::rename(entry.path(), before.join(entry.file_name()))?;
    }
    Ok(others.len())
}

/// The name of a night's directory.
pub fn name(night: &Night, shard: Shard) -> String {
    let Night { campaign, .. } = night;
    let date = campaign.date.as_ref().map(|date| format!("{date}-")).unwrap_or_default();
    format!("night-{date}{}{}", campaign.seed, suffix(shard))
}

/// The latest night of a shard below `reports`.
pub fn latest(reports: &Path, shard: Shard) -> Option<PathBuf> {
    let changed =
        |dir: &PathBuf| fs::metadata(dir.join(RECORD)).and_then(|data| data.modified()).ok();
    let is_ours = |dir: &PathBuf| take(dir).is_ok_and(|night| of_shard(&night, shard));
    let entries = fs::read_dir(reports).ok()?.filter_map(|entry| Some(entry.ok()?.path()));
    let nights = entries.filter(|dir| holds_one(dir));
    let mut nights: Vec<_> = nights.filter_map(|dir| Some((changed(&dir)?, dir))).collect();
    nights.sort();
    nights.into_iter().rev().map(|(_, dir)| dir).find(is_ours)
}

/// Whether a night is that of this one shard.
pub fn of_shard(night: &Night, shard: Shard) -> bool {
    matches!(night.shards.as_slice(), [state] if state.shard == shard)
}

fn suffix(shard: Shard) -> String {
    match shard {
        Shard::WHOLE => String::new(),
        Shard { index, of } => format!("-shard-{index:03}-of-{of:03}"),
    }
}
