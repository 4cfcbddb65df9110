//! Tests that need what not every machine gives are skipped there, and say so.

use std::io::Write;
use std::path::Path;

/// Whether `what` can be tried: by root, where all of `also` is there. If it cannot, it is told, past the
/// harness of tests, which keeps what is printed from whoever would read it.
pub(crate) fn is_allowed(what: &str, also: &[&str]) -> bool {
    let missing = also.iter().find(|path| !Path::new(path).exists()).copied();
    let missing = if nix::unistd::geteuid().is_root() { missing } else { Some("root") };
    if let Some(missing) = missing {
        let _ = writeln!(std::io::stderr(), "skipped: {what}: needs {missing}");
    }
    missing.is_none()
}
