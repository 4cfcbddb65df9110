//! Puts `result.json` or `night.json`, and what is made of it, into a directory, whole or not at all.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::record::{Night, Record};
use crate::{hlog, junit, page};

/// The name of a log of latencies.
const LOG: &str = "latency.hlog";

/// Where the files of a run are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// `result.json`, the record.
    pub json: PathBuf,
    /// `report.html`, the page.
    pub html: PathBuf,
    /// `junit.xml`, for CI engines.
    pub junit: PathBuf,
    /// `latency.hlog`, its latencies; of a run of real threads only.
    pub log: Option<PathBuf>,
}

/// Writes the record and what is made of it into `dir`, which is made if it is missing. All of it is
/// a function of the record.
///
/// Each file appears under its name only when all of its bytes are on disk, `result.json` last:
/// where it exists, what lies beside it is complete. On an error (a full disk, say) no half-written
/// file is left behind, and files of an earlier run stay as they were.
pub fn write_run(dir: &Path, record: &Record) -> io::Result<Written> {
    fs::create_dir_all(dir).map_err(naming(dir))?;
    let [json, html, junit, hlog] =
        ["result.json", "report.html", "junit.xml", LOG].map(|name| dir.join(name));
    let latencies = hlog::log(record);
    let log = latencies.is_some().then(|| hlog.clone());
    let written = Written { json, html, junit, log };
    let write =
        |path: &Path, text: String| Pending::write(path, text.as_bytes()).map_err(naming(path));
    let pending = [
        Some((&written.html, write(&written.html, page::render(record))?)),
        Some((&written.junit, write(&written.junit, junit::junit(&[record]))?)),
        latencies.map(|text| write(&hlog, text)).transpose()?.map(|log| (&hlog, log)),
        Some((&written.json, write(&written.json, record.to_json())?)),
    ];
    if written.log.is_none() {
        // A run of threads may have left one.
        absent(&hlog)?;
    }
    for (path, file) in pending.into_iter().flatten() {
        file.publish().map_err(naming(path))?;
    }
    synced(dir)?;
    Ok(written)
}

/// Writes a night and what is made of it into `dir`, which is made if it is missing: first its cases,
/// then what people and engines read, the record last. All of it is a function of the record.
///
/// Each file appears whole, as those of a run do. What else lies there stays.
pub fn write_night(dir: &Path, night: &Night) -> io::Result<()> {
    for (place, text) in night.cases() {
        let path = dir.join(&place);
        // A case that is there is left alone, so that a night of many hours does not write it anew.
        if fs::read(&path).is_ok_and(|bytes| bytes == text.as_bytes()) {
            continue;
        }
        let (folder, name) = place.split_once('/').expect("cases lie in a folder");
        publish(&dir.join(folder), &[(name, text)])?;
    }
    let (html, junit, json) = (page::night(night), junit::night(night), night.to_json());
    let log = hlog::night(night);
    let mut files = vec![("report.html", &*html), ("junit.xml", &*junit)];
    files.extend(log.as_deref().map(|log| (LOG, log)));
    files.push(("night.json", &*json));
    publish(dir, &files)?;
    if log.is_none() {
        absent(&dir.join(LOG))?;
    }
    Ok(())
}

/// Whether a place took nothing for want of space, which others may give back.
pub fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}

/// Puts files into `dir`, which is made if it is missing: all of them are written beside their places,
/// and then they appear there, in this order. On an error what was there stays.
pub fn publish(dir: &Path, files: &[(&str, &str)]) -> io::Result<()> {
    fs::create_dir_all(dir).map_err(naming(dir))?;
    let write = |(name, text): &(&str, &str)| {
        let path = dir.join(name);
        Pending::write(&path, text.as_bytes()).map_err(naming(&path))
    };
    let pending: Vec<Pending> = files.iter().map(write).collect::<io::Result<_>>()?;
    for one in pending {
        let path = one.target.clone();
        one.publish().map_err(naming(&path))?;
    }
    synced(dir)
}

/// Puts bytes into one file: a regular one appears whole, or stays as it was; anything else (a pipe,
/// `/dev/null`) is written to.
pub fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    if fs::metadata(path).is_ok_and(|data| !data.is_file()) {
        return OpenOptions::new().write(true).open(path)?.write_all(bytes);
    }
    Pending::write(path, bytes)?.publish()?;
    synced(path.parent().unwrap_or(Path::new("")))
}

/// Waits until the names in `dir` are on disk. The current directory may have no name.
fn synced(dir: &Path) -> io::Result<()> {
    let dir = if dir.as_os_str().is_empty() { Path::new(".") } else { dir };
    File::open(dir).and_then(|dir| dir.sync_all()).map_err(naming(dir))
}

/// Removes a file, if there is one.
fn absent(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(naming(path)(error)),
        _ => Ok(()),
    }
}

/// The same error, saying which path it is about.
fn naming(path: &Path) -> impl Fn(io::Error) -> io::Error {
    move |error| io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

/// A file that has all its bytes on disk, under another name. Dropping it removes it.
struct Pending {
    target: PathBuf,
    temporary: PathBuf,
}

impl Pending {
    fn write(target: &Path, bytes: &[u8]) -> io::Result<Pending> {
        let mut temporary = target.as_os_str().to_owned();
        temporary.push(".tmp");
        let temporary = PathBuf::from(temporary);
        // The fixed name lets a run clean up after one that was killed. A new file is made in any
        // case, so that a link of that name is never written through.
        absent(&temporary)?;
        let mut file = OpenOptions::new().write(true).create_new(true).open(&temporary)?;
        let pending = Pending { target: target.to_owned(), temporary };
        file.write_all(bytes)?;
        file.sync_all()?;
        Ok(pending)
    }

    fn publish(self) -> io::Result<()> {
        // Dropping afterwards finds nothing to remove.
        fs::rename(&self.temporary, &self.target)
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        // Nothing is left to do if it cannot be removed, and after publishing it is not there.
        drop(fs::remove_file(&self.temporary));
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::{Pending, synced, write_whole};

    #[test]
    fn an_unpublished_file_leaves_nothing_and_keeps_the_old_one() {
        let dir = tempfile::tempdir().unwrap();
        let target = dir.path().join("result.json");
        fs::write(&target, "old").unwrap();
        drop(Pending::write(&target, b"new").unwrap());
        assert_eq!(fs::read(&target).unwrap(), b"old");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
        Pending::write(&target, b"new").unwrap().publish().unwrap();
        assert_eq!(fs::read(&target).unwrap(), b"new");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn the_current_directory_needs_no_name() {
        synced(std::path::Path::new("")).unwrap();
    }

    #[test]
    fn a_link_of_the_temporary_name_is_replaced_and_not_followed() {
        let dir = tempfile::tempdir().unwrap();
        let precious = dir.path().join("precious");
        fs::write(&precious, "precious").unwrap();
        std::os::unix::fs::symlink(&precious, dir.path().join("result.json.tmp")).unwrap();
        write_whole(&dir.path().join("result.json"), b"new").unwrap();
        assert_eq!(fs::read(&precious).unwrap(), b"precious");
        assert_eq!(fs::read(dir.path().join("result.json")).unwrap(), b"new");
    }
}
