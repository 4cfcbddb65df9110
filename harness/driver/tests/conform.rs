//! The model against the original: what runs in a window of the one runs in it in the other, and what blocks
//! blocks.

#[path = "command/allowed.rs"]
mod allowed;

use allowed::is_allowed;
use driver::conform::windows::Window;
use driver::conform::{Answer, Verdict, table};
use mounted::Kind;
use std::collections::BTreeSet;

#[test]
fn the_model_lets_run_what_xfs_lets_run() {
    if !is_allowed("windows of XFS", &["/dev/fuse", "/proc/sys/vm/unprivileged_userfaultfd"]) {
        return;
    }
    let table = table(Kind::Xfs, |_| true).unwrap();
    let failures: Vec<_> = table.cells.iter().filter(|cell| cell.verdict().is_failure()).collect();
    assert!(failures.is_empty(), "{failures:#?}");
    for window in Window::ALL {
        // A table in which nothing blocks, or everything does, has opened no window.
        let cells = table.cells.iter().filter(|cell| cell.window == window);
        let alike = cells.filter(|cell| cell.verdict() == Verdict::Alike);
        let runs: BTreeSet<_> = alike.map(|cell| cell.kernel == Answer::Runs).collect();
        assert_eq!(runs.len(), 2, "{}", window.name());
    }
}
