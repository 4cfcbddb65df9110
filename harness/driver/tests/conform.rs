//! The model against the original: what runs in a window of the one runs in it in the other, and what blocks
//! blocks.

use driver::conform::windows::Window;
use driver::conform::{Came, Verdict, table};
use mounted::Kind;
use std::collections::BTreeSet;
use std::io::Write;
use std::path::Path;

#[test]
fn the_model_lets_run_what_xfs_lets_run() {
    if !nix::unistd::geteuid().is_root() || !Path::new("/dev/fuse").exists() {
        let _ = writeln!(std::io::stderr(), "skipped: a gate needs root and /dev/fuse");
        return;
    }
    let table = table(Kind::Xfs, |_| true).unwrap();
    let failures: Vec<_> = table.cells.iter().filter(|cell| cell.verdict().is_failure()).collect();
    assert!(failures.is_empty(), "{failures:#?}");
    for window in Window::ALL {
        // A table in which nothing blocks, or everything does, has opened no window.
        let cells = table.cells.iter().filter(|cell| cell.window == window);
        let alike = cells.filter(|cell| cell.verdict() == Verdict::Alike);
        let runs: BTreeSet<_> = alike.map(|cell| cell.kernel == Came::Runs).collect();
        assert_eq!(runs.len(), 2, "{}", window.name());
    }
}
