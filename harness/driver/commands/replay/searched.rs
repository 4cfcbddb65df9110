//! What threads left, looked for in the simulated world.

use super::Case;
use super::told::Told;
use crate::exit::Exit;
use crate::ground::NoGround;
use crate::scenario;
use crate::search::{self, Found, MANNERS, Manner, TAILS};
use report::writing::write_whole;
use serde_json::json;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// Searches, writes the case that is found beside the file, and says what came of it.
pub(super) fn told(
    case: &Case,
    budget: u64,
    interrupted: &Arc<AtomicBool>,
) -> Result<Told, NoGround> {
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
    let text = scenario::write(&reproducer.case);
    let path = beside(&case.file, &text);
    let (name, manner) = (path.display().to_string(), manner.name());
    let written = write_whole(&path, text.as_bytes());
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

/// Where the case goes that is written as `text`: `a.yaml` becomes `a-found.yaml`, or `a-found-2.yaml` if
/// something else is there.
fn beside(file: &str, text: &str) -> PathBuf {
    let path = Path::new(file);
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let numbered = (2..).map(|number| format!("{stem}-found-{number}.yaml"));
    let names = std::iter::once(format!("{stem}-found.yaml")).chain(numbered);
    let is_free = |path: &PathBuf| {
        !path.exists() || std::fs::read(path).is_ok_and(|there| there == text.as_bytes())
    };
    let mut free = names.map(|name| path.with_file_name(name)).filter(is_free);
    free.next().expect("there are more numbers than files")
}

#[cfg(test)]
mod tests {
    use super::beside;
    use std::fs;

    #[test]
    fn nothing_is_written_over_but_the_same() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("a.yaml").display().to_string();
        let name = |text| beside(&file, text).file_name().unwrap().to_string_lossy().into_owned();
        assert_eq!(name("1"), "a-found.yaml");
        fs::write(beside(&file, "1"), "1").unwrap();
        assert_eq!((name("1"), name("2")), ("a-found.yaml".into(), "a-found-2.yaml".into()));
        fs::write(beside(&file, "2"), "2").unwrap();
        assert_eq!((name("2"), name("3")), ("a-found-2.yaml".into(), "a-found-3.yaml".into()));
    }
}
