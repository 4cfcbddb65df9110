//! Records of runs that are over, read from where they were left.

use report::record::Record;
use report::visible;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

/// Bytes of a `result.json` at most: no run writes as many.
const LARGEST: u64 = 256 << 20;

/// Reads the record in a directory of a run, or in a file. Beside it, the directory that it lies in.
///
/// # Errors
///
/// What is wrong with it, and what to do.
pub fn read(path: &Path) -> Result<(PathBuf, Record), String> {
    let file = if path.is_dir() { path.join("result.json") } else { path.to_owned() };
    let name = file.display().to_string();
    let wrong = |reason: &str| format!("{}: {reason}", visible::line(&name));
    let mut text = String::new();
    let read = File::open(&file).and_then(|file| file.take(LARGEST).read_to_string(&mut text));
    match read {
        Err(error) => {
            let help = "give the directory of a run, or its result.json";
            return Err(wrong(&format!("{error}; {help}")));
        }
        Ok(bytes) if u64::try_from(bytes).is_ok_and(|bytes| bytes == LARGEST) => {
            return Err(wrong("it is larger than any result.json"));
        }
        Ok(_) => {}
    }
    let record = Record::from_json(&text).map_err(|error| wrong(&error.to_string()))?;
    let dir = file.parent().unwrap_or(Path::new("")).to_owned();
    Ok((dir, record))
}
