//! The directory of a night: what is on disk is whole and is never lost, whatever happens next.
//!
//! Every file is written beside its place and then moved there, once all of it is on disk. A disk
//! that is full keeps what it has; the night goes on in memory, and is put there as soon as it fits.

use super::night::cases;
use crate::console::Console;
use report::record::{Night, Shard};
use report::{page, writing};
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
    is_full: bool,
    /// The cases that were put there.
    cases: BTreeSet<String>,
}

impl Shelf {
    /// The shelf in `dir`, which is made when something is put there.
    pub fn new(dir: PathBuf, console: Console) -> Shelf {
        Shelf { dir, console, is_full: false, cases: BTreeSet::new() }
    }

    /// Knows the cases that an earlier start has put there.
    #[must_use]
    pub fn knows(mut self, night: &Night) -> Shelf {
        self.cases = cases(night).into_iter().map(|(name, _)| name).collect();
        self
    }

    /// Puts the night there, and says if that did not go well, or goes well again.
    ///
    /// # Errors
    ///
    /// Nothing there has changed, or not all of it.
    pub fn put(&mut self, night: &Night) -> io::Result<()> {
        let put = put(&self.dir, night);
        match &put {
            Err(error) if !self.is_full => {
                let told = "the night goes on in memory, and it is tried again; free some space";
                self.console.warn(&format!("results cannot be written: {error}; {told}"));
            }
            Ok(()) if self.is_full => self.console.say("results can be written again"),
            _ => {}
        }
        self.is_full = put.is_err();
        put.inspect(|()| self.clear(night))
    }

    /// Takes away the cases that are told by a smaller one now.
    fn clear(&mut self, night: &Night) {
        let now: BTreeSet<String> = cases(night).into_iter().map(|(name, _)| name).collect();
        for name in self.cases.difference(&now) {
            // One that stays does no harm.
            drop(fs::remove_file(self.dir.join(name)));
        }
        self.cases = now;
    }
}

/// Puts a night into a directory: first its cases, then the page, and the record last.
///
/// # Errors
///
/// Something could not be written; no file is there in part.
pub fn put(dir: &Path, night: &Night) -> io::Result<()> {
    for (name, text) in cases(night) {
        let path = dir.join(&name);
        // A case that is there is left alone, so that a night of many hours does not write it anew.
        if fs::read(&path).is_ok_and(|bytes| bytes == text.as_bytes()) {
            continue;
        }
        let (folder, name) = name.split_once('/').expect("cases lie in a folder");
        writing::publish(&dir.join(folder), &[(name, text)])?;
    }
    let (page, json) = (page::night(night), night.to_json());
    writing::publish(dir, &[("report.html", &page), (RECORD, &json)])
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
