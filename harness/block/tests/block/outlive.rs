//! Nothing of a device outlives the process that opened it, and who may not have one is told why.
//!
//! Each story is told by a child: the same test, run again with a variable set.

use crate::world::{loop_refused, spec};
use block::{DeviceKind, DeviceSpec, OpenError, open};
use nix::unistd::{Gid, Uid, geteuid, setgid, setgroups, setuid};
use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

const ROLE: &str = "PAGESTORM_TEST_CHILD";

fn is_child() -> bool {
    std::env::var_os(ROLE).is_some()
}

/// Runs the test called `name` again as a child.
fn child(name: &str) -> Child {
    let this = std::env::current_exe().expect("a test knows its own program");
    let mut command = Command::new(this);
    command.args(["--exact", name, "--nocapture"]).env(ROLE, "1");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("it runs a second time")
}

/// What the child says, after the mark that tells it from the test runner.
fn say(words: &str) {
    let mut out = std::io::stdout();
    writeln!(out, "\nchild: {words}").and_then(|()| out.flush()).expect("the parent listens");
}

/// The words of the child, and the pipe, which must stay open for as long as the child lives.
fn listen(child: &mut Child) -> (String, impl Read + use<>) {
    let mut out = BufReader::new(child.stdout.take().expect("it is piped"));
    let mut lines = out.by_ref().lines().map_while(Result::ok);
    let words = lines.find_map(|line| line.strip_prefix("child: ").map(str::to_owned));
    (words.unwrap_or_default(), out)
}

#[test]
fn a_killed_process_leaves_no_loop_device_and_no_file() {
    if is_child() {
        let wish = DeviceSpec { simulated: false, ..spec(DeviceKind::Loop) };
        match open(&wish) {
            Ok(device) => {
                say(device.detail());
                // Until killed; if the parent dies first, this returns.
                let _ = std::io::stdin().read_line(&mut String::new());
            }
            Err(error) => say(&error.cause()),
        }
        return;
    }
    let mut child = child("outlive::a_killed_process_leaves_no_loop_device_and_no_file");
    let (detail, _pipe) = listen(&mut child);
    if let Some(errno) = loop_refused() {
        assert_eq!(detail, OpenError::LoopControl { errno }.cause());
        child.wait().unwrap();
        return;
    }
    let node = detail.strip_prefix("loop /dev/").and_then(|rest| rest.split(',').next());
    let sys = Path::new("/sys/block").join(node.expect("the detail names the device")).join("loop");
    let backing = std::fs::read_to_string(sys.join("backing_file")).unwrap();
    assert!(backing.trim_end().ends_with("(deleted)"), "it has a name: {backing}");
    child.kill().unwrap();
    child.wait().unwrap();
    let detached = (0..500).any(|_| {
        sim::sleep(Duration::from_millis(10));
        // Another process may have taken the device since.
        std::fs::read_to_string(sys.join("backing_file")).ok().as_ref() != Some(&backing)
    });
    assert!(detached, "{detail} is still attached");
    let named = std::fs::read_dir("/dev/shm").unwrap().map_while(Result::ok);
    let name = format!("pagestorm-{}-", child.id());
    let ours = named.filter(|entry| entry.file_name().to_string_lossy().starts_with(&name));
    assert_eq!(ours.count(), 0);
}

#[test]
fn without_root_auto_takes_an_image_and_loop_says_what_to_do() {
    if is_child() {
        if geteuid().is_root() {
            let nobody = 65534;
            setgroups(&[]).and_then(|()| setgid(Gid::from_raw(nobody))).unwrap();
            setuid(Uid::from_raw(nobody)).unwrap();
        }
        let wish = |kind| DeviceSpec { simulated: false, ..spec(kind) };
        let refused = open(&wish(DeviceKind::Loop)).expect_err("nobody may not");
        let auto = open(&wish(DeviceKind::Auto)).expect("an image can be had");
        assert_eq!(auto.kind(), DeviceKind::Image);
        return say(&format!("{refused} | {}", auto.detail()));
    }
    let mut child = child("outlive::without_root_auto_takes_an_image_and_loop_says_what_to_do");
    let (said, mut pipe) = listen(&mut child);
    pipe.read_to_end(&mut Vec::new()).unwrap();
    assert!(child.wait().unwrap().success(), "{said}");
    let (refused, detail) = said.split_once(" | ").expect("both were said");
    let Some(errno) = loop_refused().filter(|errno| *errno != nix::libc::EACCES) else {
        let cause = "loop devices need root (open /dev/loop-control: EACCES)";
        assert_eq!(refused, format!("{cause}: run as root, or use `--device image`"));
        assert!(detail.starts_with(&format!("image: {cause}; backing on /")), "{detail}");
        return;
    };
    let cause = OpenError::LoopControl { errno }.cause();
    assert!(refused.starts_with(&cause) && detail.contains(&cause), "{refused} | {detail}");
}
