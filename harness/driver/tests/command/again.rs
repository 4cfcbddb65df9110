//! A failure on a real filesystem: made smaller, run again, and written as a C file. What fails is planted
//! from outside: whoever runs it may make no file longer than 1 MiB, and nobody told the oracle.

use crate::export::compiled;
use crate::stand::{PAGESTORM, Ran, Stand};
use std::fs;
use std::process::Command;

const STORM: &str = "\
name: limited
world: threads
ops: 400
target: {directory: there}
files: [{name: a, size: 900000}, {name: b, size: 5000}]
actors:
  - {name: w, count: 2, ops: {write: 4, read: 1, mmap_load: 1, punch: 1}, size: {max: 64KiB}, within: 1100KiB}
";

/// A command of these words under the limit.
fn limited(stand: &Stand, program: &str, words: &str) -> Ran {
    let limits = "trap '' XFSZ; ulimit -f 2048; exec \"$@\"";
    let mut command = Command::new("sh");
    command.args(["-c", limits, "sh", program]).args(words.split_whitespace());
    command.current_dir(stand.path(".")).env_remove("GITHUB_ACTIONS");
    Ran::of(command.output().unwrap())
}

#[test]
fn a_failure_of_a_real_filesystem_is_shrunk_run_again_and_exported() {
    let stand = Stand::with(STORM);
    fs::create_dir(stand.path("there")).unwrap();
    let found = limited(&stand, PAGESTORM, "run a.yaml --shrink 20s --reports out");
    assert_eq!(found.code, Some(1), "{found:?}");
    assert!(found.err.contains("fails in 25 of 25 runs"), "{found:?}");
    let dir = format!("out/{}/failures", stand.names("out")[0]);
    let case = format!("{dir}/results_are_justified-write.yaml");
    let text = fs::read_to_string(stand.path(&case)).unwrap_or_else(|_| panic!("{found:?}"));
    // One write is enough, on one file.
    assert_eq!(text.matches("write:").count(), 1, "{text}");
    assert!(text.contains("target: {directory: \"there\"}"), "{text}");
    assert_eq!(text.matches("name: ").count(), 3, "{text}");

    let again = limited(&stand, PAGESTORM, &format!("replay {case} --times 7"));
    assert_eq!(again.code, Some(0), "{again:?}");
    assert!(again.out.contains("fails in 7 of 7 runs, results_are_justified"), "{again:?}");
    fs::create_dir(stand.path("other")).unwrap();
    let other = limited(&stand, PAGESTORM, &format!("replay {case} --times 3 --target other"));
    assert_eq!(other.code, Some(0), "{other:?}");
    assert!(other.out.contains("fails in 3 of 3 runs, results_are_justified"), "{other:?}");
    let explained = stand.run(&format!("explain {case}"));
    assert_eq!(explained.code, Some(2), "{explained:?}");
    assert!(explained.err.contains("`pagestorm export` writes it as a C file"), "{explained:?}");
    let free = stand.run(&format!("replay {case} --times 3"));
    assert_eq!(free.code, Some(1), "{free:?}");
    assert!(free.out.contains("fails in 0 of 3 runs"), "{free:?}");
    // What the storm did last, as it was found, becomes the same.
    let whole: Vec<_> = stand.names(&dir);
    let is_whole = |name: &&String| name.starts_with("seed-") && !name.contains(".fsxops");
    let whole = whole.iter().find(is_whole);
    let words = format!("shrink {dir}/{} -o small.yaml --time 20s", whole.unwrap());
    let shrunk = limited(&stand, PAGESTORM, &words);
    assert_eq!(shrunk.code, Some(0), "{shrunk:?}");
    assert!(shrunk.err.contains("fails in 25 of 25 runs"), "{shrunk:?}");
    let refused = stand.run("shrink small.yaml --time 5s");
    assert_eq!(refused.code, Some(1), "{refused:?}");

    assert_eq!(stand.run(&format!("export {case} -o case.c")).code, Some(0));
    if compiled(&stand, "case") {
        let shown = limited(&stand, "./case", "there");
        assert_eq!(shown.code, Some(1), "{shown:?}");
        assert!(shown.out.contains("WRONG: "), "{shown:?}");
        let fine = Command::new(stand.path("case")).arg(stand.path("there")).output().unwrap();
        assert_eq!(fine.status.code(), Some(0));
    }
}
