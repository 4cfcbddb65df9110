//! What threads left, looked for in the simulated world.

use super::Case;
use super::told::Told;
use crate::commands::outcome::write_whole;
use crate::exit::Exit;
use crate::scenario;
use crate::search::{self, Found, MANNERS, Manner, TAILS};
use block::OpenError;
use serde_json::json;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// Searches, writes the case that is found beside the file, and says what came of it.
pub(super) fn told(
    case: &Case,
    budget: u64,
    interrupted: &Arc<AtomicBool>,
) -> Result<Told, OpenError> {
    let searched = search::search(&case.plan, &case.file, budget, interrupted)?;
    let storms = searched.storms;
    let Some(Found { reproducer, calls, manner }) = searched.found else {
        let manners = MANNERS.map(Manner::name).join("; ");
        let tails: Vec<_> = TAILS.iter().map(usize::to_string).collect();
        let line = format!(
            "{}: not found in the simulated world: {storms} storms of the last {} calls, as many as there \
             are, {manners}; that does not mean that it was no failure",
            case.file,
            tails.join(", ")
        );
        let json = json!({ "file": case.file, "verdict": "not found", "storms": storms });
        return Ok(Told::searched(&case.file, line, Exit::Failed, json));
    };
    let path = beside(&case.file);
    let (name, manner) = (path.display().to_string(), manner.name());
    let written = write_whole(&path, scenario::write(&reproducer.case).as_bytes());
    let found = format!("found in the simulated world, with the last {calls} calls {manner}");
    let (line, exit) = match written {
        Ok(()) => (format!("{}: {found}: {name}", case.file), Exit::Ok),
        Err(error) => {
            (format!("{}: {found}; {name} was not written: {error}", case.file), Exit::Environment)
        }
    };
    let json = json!({
        "file": case.file, "verdict": "found", "storms": storms, "calls": calls, "manner": manner,
        "case": name,
    });
    Ok(Told::searched(&case.file, line, exit, json))
}

/// Where the case goes: `a.yaml` becomes `a-found.yaml`.
fn beside(file: &str) -> PathBuf {
    let path = Path::new(file);
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!("{stem}-found.yaml"))
}
