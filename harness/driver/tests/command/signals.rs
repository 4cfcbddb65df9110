//! Signals: an interrupted run tells what it found, and a killed one leaves nothing behind.

use crate::stand::{CLEAN, Ran, Stand, THREADS, is_root};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use report::record::VerdictKind;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::Child;
use std::time::Duration;

/// Time for a run to get going, and for the kernel to clean up.
const A_MOMENT: Duration = Duration::from_millis(300);

/// Waits for the first line on stderr, then a moment.
fn first_line(child: &mut Child) -> String {
    let mut line = String::new();
    let stderr = child.stderr.as_mut().unwrap();
    // Unbuffered but for what one line needs: the rest stays in the pipe.
    BufReader::with_capacity(1, stderr).read_line(&mut line).unwrap();
    sim::sleep(A_MOMENT);
    line
}

fn send(child: &Child, signal: Signal) {
    kill(Pid::from_raw(i32::try_from(child.id()).unwrap()), signal).unwrap();
}

#[test]
fn an_interrupted_run_writes_what_it_found() {
    let table = [
        (THREADS, "--device image", Signal::SIGTERM, 143),
        (THREADS, "--device image", Signal::SIGINT, 130),
        (CLEAN, "--seeds 10000000", Signal::SIGINT, 130),
        (CLEAN, "--seeds 1 --ops 1000000000", Signal::SIGTERM, 143),
    ];
    for (scenario, words, signal, code) in table {
        let stand = Stand::with(scenario);
        let mut child = stand.start(&format!("run a.yaml --seed 9 {words}"));
        first_line(&mut child);
        send(&child, signal);
        let ran = Ran::of(child.wait_with_output().unwrap());
        assert_eq!(ran.code, Some(code), "{words}: {ran:?}");
        let record = stand.record();
        assert_eq!(record.verdict.kind, VerdictKind::Interrupted, "{words}");
        assert!(0 < record.counts.operations, "{words}");
        assert!(ran.out.contains(": interrupted"), "{ran:?}");
        assert!(ran.err.contains("ending the run"), "{ran:?}");
    }
}

#[test]
fn interrupted_hunts_tell_what_they_caught() {
    let stand = Stand::new();
    let mut child = stand.start("bugs --run stale-iomap-write --masters 1000000");
    sim::sleep(A_MOMENT);
    send(&child, Signal::SIGINT);
    first_line(&mut child);
    let ran = Ran::of(child.wait_with_output().unwrap());
    assert_eq!(ran.code, Some(130), "{ran:?}");
    assert!(ran.out.contains("/1000000, not run "), "{ran:?}");
    assert!(!ran.out.contains(" caught 0/"), "{ran:?}");
}

#[test]
fn a_killed_run_leaves_no_device_and_no_file() {
    let stand = Stand::with(THREADS);
    let device =
        if is_root() && Path::new("/dev/loop-control").exists() { "loop" } else { "image" };
    let mut child = stand.start(&format!("run a.yaml --device {device}"));
    let line = first_line(&mut child);
    assert!(line.contains(&format!("; {device}")), "{line}");
    let node = line.split_whitespace().find_map(|word| word.strip_prefix("/dev/loop"));
    assert_eq!(node.is_some(), device == "loop", "{line}");
    let number = node.unwrap_or_default().trim_end_matches(',');
    // Files without a name show by a number of their own, so that another's is told from ours.
    let attached = || fs::read_to_string(format!("/sys/block/loop{number}/loop/backing_file"));
    let ours = attached().ok();
    assert_eq!(ours.is_some(), device == "loop", "{line}");
    send(&child, Signal::SIGKILL);
    assert_eq!(child.wait().unwrap().code(), None);
    sim::sleep(A_MOMENT);
    assert_eq!(stand.names("."), ["a.yaml"]);
    assert!(ours.is_none() || attached().ok() != ours, "/dev/loop{number} is still attached");
}

#[test]
fn the_second_signal_ends_the_run_at_once() {
    // Each operation stands still for longer than the test waits.
    let slow = THREADS.replace("pause: 1ms", "pause: 20s");
    let stand = Stand::with(&slow);
    let mut child = stand.start("run a.yaml --device image");
    first_line(&mut child);
    send(&child, Signal::SIGINT);
    sim::sleep(A_MOMENT);
    assert!(child.try_wait().unwrap().is_none(), "the actor pauses, and the run waits for it");
    send(&child, Signal::SIGINT);
    let ran = Ran::of(child.wait_with_output().unwrap());
    assert_eq!(ran.code, Some(130), "{ran:?}");
    assert_eq!(stand.names("reports"), [""; 0]);
}

#[test]
fn an_interrupted_replay_of_what_threads_left_tells_what_it_has_counted() {
    let stand = Stand::with(
        "world: threads\ntarget: {directory: .}\nactors: [{name: w, does: [write: {at: 0, size: 9000}]}]\n",
    );
    for words in ["", "--target ."] {
        let mut child = stand.start(&format!("replay a.yaml --times 1000000 {words}"));
        while !keeps_signals(&child) {
            assert!(child.try_wait().unwrap().is_none(), "it has ended by itself");
            sim::sleep(Duration::from_millis(1));
        }
        send(&child, Signal::SIGINT);
        let ran = Ran::of(child.wait_with_output().unwrap());
        assert_eq!(ran.code, Some(130), "{ran:?}");
        assert!(ran.out.contains("a.yaml: ") && ran.out.contains("ended before "), "{ran:?}");
    }
}

/// Whether SIGINT would not just end it.
fn keeps_signals(child: &Child) -> bool {
    let status = fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap();
    let kept = status.lines().find_map(|line| line.strip_prefix("SigBlk:")).unwrap();
    u64::from_str_radix(kept.trim(), 16).unwrap() & 2 != 0
}
