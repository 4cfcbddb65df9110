//! Cases as C files: they compile without a warning, run alone, and show what is wrong.

use crate::allowed::is_allowed;
use crate::stand::{Ran, Stand};
use std::fs;
use std::process::Command;

const CALLS: &str = "\
name: calls
about: Every kind of call, one after the other. */ int x; /*
world: threads
target: {kernel: ext4}
files: [{name: a, size: 20000, layout: written}, {name: b-x, size: 0}]
actors:
  - name: w
    does:
      - write: {at: 100, size: 9000}
      - mmap_store: {at: 300, size: 8000}
      - append: {size: 777, file: b-x}
      - truncate: {to: 4000}
      - write: {at: 0, size: 10, pieces: [3, 5]}
      - punch: {at: 100, size: 900}
      - zero_range: {at: 1000, size: 500}
      - read: {at: 0, size: 6000}
      - fsync
      - evict: {at: 0, size: 8000}
      - mmap_load: {at: 0, size: 7000}
      - fallocate: {at: 0, size: 30000}
      - writeback: {at: 0, size: 4096}
      - release
      - sync
      - write_from_mmap: {at: 9000, from: 100, size: 500}
      - write: {at: 100, size: 9000, unreadable_at: 5000}
";

/// A write stands between its mapping and its copy while a mapper stores.
const WINDOW: &str = "\
name: window
files: [{name: a, size: 64KiB}]
actors:
  - {name: w, does: [write: {at: 0, size: 8KiB, unreadable_at: 4096}]}
  - {name: m, does: [mmap_store: {at: 4096, size: 10}]}
script: [run w until write.mapped, run m until done, run w until done]
";

/// Compiles it, if there is a compiler.
#[expect(clippy::print_stderr, reason = "who tests wants to know what could not be tried")]
pub(crate) fn compiled(stand: &Stand, name: &str) -> bool {
    let (file, out) = (stand.path(&format!("{name}.c")), stand.path(name));
    let mut cc = Command::new("cc");
    cc.args(["-Wall", "-Wextra", "-Werror", "-O1", "-pthread", "-o"]).arg(out).arg(file);
    let Ok(output) = cc.output() else {
        eprintln!("C files are not compiled: there is no cc");
        return false;
    };
    let ran = Ran::of(output);
    assert_eq!(ran.code, Some(0), "{name}: {ran:?}");
    true
}

fn run(stand: &Stand, name: &str, words: &[&str]) -> Ran {
    Ran::of(Command::new(stand.path(name)).args(words).output().unwrap())
}

#[test]
fn a_case_becomes_a_file_that_runs_alone() {
    let stand = Stand::with(CALLS);
    fs::create_dir(stand.path("there")).unwrap();
    let exported = stand.run("export a.yaml -o case.c");
    assert_eq!(exported.code, Some(0), "{exported:?}");
    let text = fs::read_to_string(stand.path("case.c")).unwrap();
    assert!(text.contains("pwrite(fd[F_a], source, 9000, 100)"), "{text}");
    if !compiled(&stand, "case") {
        return;
    }
    let there = stand.path("there").display().to_string();
    let fine = run(&stand, "case", &[&there, "3"]);
    assert_eq!(fine.code, Some(0), "{fine:?}");
    assert!(fine.out.ends_with("wrong in 0 of 3 rounds\n"), "{fine:?}");
    assert_eq!(stand.names("there"), [""; 0]);
    assert_eq!(run(&stand, "case", &["/nowhere"]).code, Some(2));
    assert_eq!(run(&stand, "case", &[]).code, Some(2));
    // A call that does other than it is taken to do, or expected to.
    for (right, wrong, told) in [
        ("ftruncate(fd[F_a], 4000)", "ftruncate(fd[F_a], 4001)", "after w 4: a has 4001 bytes"),
        ("memset(source, value, len);", "memset(source, value + (len == 10), len);", "byte 0 of a"),
        ("KEEP_SIZE, 100, 900)", "KEEP_SIZE, 100, 899)", "byte 999 of a"),
        ("pread(fd[F_a], look.bytes, 6000", "pread(fd[F_a], look.bytes, 3000", "returned 3000"),
        ("source, 9000, 100), 9000, 5000", "source, 2000, 100), 9000, 5000", "returned 2000, and"),
    ] {
        let planted = text.replacen(right, wrong, 1);
        assert_ne!(planted, text, "{right}");
        stand.write("planted.c", planted);
        assert!(compiled(&stand, "planted"));
        let shown = run(&stand, "planted", &[&there]);
        assert_eq!(shown.code, Some(1), "{wrong}: {shown:?}");
        assert!(shown.out.contains("WRONG: ") && shown.out.contains(told), "{shown:?}");
    }
}

#[test]
fn a_write_stands_still_where_it_did_on_the_model() {
    let stand = Stand::with(WINDOW);
    let exported = stand.run("export a.yaml -o window.c");
    assert_eq!(exported.code, Some(0), "{exported:?}");
    let text = fs::read_to_string(stand.path("window.c")).unwrap();
    let steps: Vec<_> = ["stands(&", "run_m_1_thread, run_m_1", "resume(&", "check_sizes(\"at"]
        .map(|step| text.find(step).unwrap_or_else(|| panic!("{step}: {text}")))
        .into();
    assert!(steps.is_sorted(), "{text}");
    if compiled(&stand, "window")
        && is_allowed("a window of C", &["/proc/sys/vm/unprivileged_userfaultfd"])
    {
        let ran = run(&stand, "window", &[&stand.path("").display().to_string(), "20"]);
        assert_eq!(ran.code, Some(0), "{ran:?}");
    }
}

#[test]
fn threads_race_where_nothing_else_is_known() {
    let does = "does: [write: {at: 0, size: 9000}, punch: {at: 50, size: 5000}, fsync]";
    let stand = Stand::with(&format!(
        "world: threads\ntarget: {{kernel: tmpfs}}\nactors: [{{name: a, {does}}}, {{name: b, {does}}}]\n"
    ));
    assert_eq!(stand.run("export a.yaml -o race.c").code, Some(0));
    if compiled(&stand, "race") {
        let ran = run(&stand, "race", &[&stand.path("").display().to_string(), "50"]);
        assert_eq!(ran.code, Some(0), "{ran:?}");
    }
    stand.write("drawn.yaml", "actors: [{name: a, ops: {write: 1}}]");
    let refused = stand.run("export drawn.yaml");
    assert_eq!(refused.code, Some(2), "{refused:?}");
    assert!(refused.err.contains("this is no case"), "{refused:?}");
}

#[test]
fn the_order_that_a_case_states_is_kept() {
    let cases = [
        ("script: [write Y, fsync Y, run X]", "Y 1, Y 2, X 1, X 3"),
        ("script: [run Y until returned, run Y until returned, run X]", "Y 1, Y 2, X 1, X 3"),
        ("script: [read X, run Y, run X]", "X 1, Y 1, Y 2, X 2, X 3"),
        ("script: [write Y, run X, fsync Y]", "Y 1, X 1, X 3, Y 2"),
        (
            "script: [write Y, run X until write.mapped, run X until returned, fsync Y]",
            "Y 1, X 2, Y 2, X 3",
        ),
        ("schedule: [Y 1.1 call -> X]", "X 1, X 3, Y 1, Y 2"),
    ];
    let two = "write: {at: 0, size: 12KiB}, fsync";
    let look = "read: {at: 0, size: 12KiB}";
    let one = ("write: {at: 0, size: 12KiB}", "script: [write Y, run X]", "Y 1, X 1, X 2, X 3");
    for (does, told, order) in
        cases.map(|(told, order)| (two, told, order)).into_iter().chain([one])
    {
        let target = if told.starts_with("script") {
            "world: threads\ntarget: {kernel: ext4}\n"
        } else {
            ""
        };
        let stand = Stand::with(&format!(
            "{target}actors:\n- {{name: Y, does: [{does}]}}\n\
             - {{name: X, does: [{look}, write: {{at: 0, size: 100}}, {look}]}}\n{told}\n"
        ));
        let exported = stand.run("export a.yaml -o order.c");
        assert_eq!(exported.code, Some(0), "{told}: {exported:?}");
        assert!(!exported.err.contains("left out"), "{told}: {exported:?}");
        let text = fs::read_to_string(stand.path("order.c")).unwrap();
        assert!(text.contains(": 1, shown"), "{told}: {text}");
        let place = |call: &str| text.find(&format!("\"after {call}\"")).expect(call);
        assert!(order.split(", ").map(place).is_sorted(), "{told}: {text}");
        if compiled(&stand, "order") {
            let ran = run(&stand, "order", &[&stand.path("").display().to_string()]);
            assert_eq!(ran.code, Some(0), "{told}: {ran:?}");
        }
    }
}

/// What POSIX leaves open at the end of a file, and filesystems answer in several ways.
const END: &str = "\
world: threads
target: {kernel: ext4}
files: [{name: a, size: 0}, {name: b, size: 100, layout: written}]
actors:
  - name: w
    does:
      - truncate: {to: 100}
      - mmap_store: {at: 90, size: 30}
      - mmap_load: {at: 90, size: 30}
      - write: {at: 200, size: 50}
      - mmap_load: {at: 0, size: 4096}
      - read: {at: 0, size: 4096}
      - write: {at: 500, size: 50, unreadable_at: 0, file: b}
      - read: {at: 0, size: 600, file: b}
      - write: {at: 0, size: 9000, unreadable_at: 5000, file: b}
      - append: {size: 100, file: b, unreadable_at: 0}
";

#[test]
fn what_posix_leaves_open_is_not_wrong() {
    let stand = Stand::with(END);
    assert_eq!(stand.run("export a.yaml -o end.c").code, Some(0));
    if compiled(&stand, "end") {
        for there in [stand.path("").display().to_string(), "/dev/shm".to_owned()] {
            let ran = run(&stand, "end", &[&there]);
            assert_eq!(ran.code, Some(0), "{there}: {ran:?}");
        }
    }
}

#[test]
fn there_is_room_for_the_calls_of_every_actor_of_a_name() {
    let stand = Stand::with(
        "world: threads\ntarget: {kernel: tmpfs}\nactors: [{name: a, count: 4, does: [write: {at: 0, size: 9000}, punch: {at: 50, size: 5000}]}]\n",
    );
    assert_eq!(stand.run("export a.yaml -o many.c").code, Some(0));
    let text = fs::read_to_string(stand.path("many.c")).unwrap();
    assert!(text.contains("EFFECTS = 10 }"), "{text}");
    if compiled(&stand, "many") {
        let ran = run(&stand, "many", &[&stand.path("").display().to_string(), "20"]);
        assert_eq!(ran.code, Some(0), "{ran:?}");
        let usage = run(&stand, "many", &[]);
        assert!(usage.err.ends_with("DIRECTORY [ROUNDS]\n"), "{usage:?}");
        let narrow = text.replace("EFFECTS = 10 }", "EFFECTS = 3 }");
        stand.write("narrow.c", narrow);
        assert!(compiled(&stand, "narrow"));
        let full = run(&stand, "narrow", &[&stand.path("").display().to_string(), "1"]);
        assert_eq!(full.code, Some(2), "{full:?}");
    }
}

#[test]
fn what_is_left_out_says_why() {
    let read = WINDOW
        .replace("write: {at: 0, size: 8KiB, unreadable_at: 4096}", "punch: {at: 0, size: 9000}");
    let read = read.replace("write.mapped", "punch.unmapped");
    let exported = Stand::with(&read).run("export a.yaml -o a.c");
    let told = "left out: w 1 stood at `punch.unmapped` while others ran, where nobody can stop it from outside";
    assert!(exported.err.contains(told), "{exported:?}");
    let unseen = format!("{WINDOW}expect: {{caught: {{by: folio_bits_are_consistent}}}}\n");
    let exported = Stand::with(&unseen).run("export a.yaml -o a.c");
    assert!(exported.err.contains("whether folio_bits_are_consistent: "), "{exported:?}");
}

#[test]
fn what_no_program_can_show_is_not_written() {
    let caught = |by: &str| format!("{WINDOW}expect: {{caught: {{by: {by}}}}}\n");
    let held = WINDOW.replace("[run w", "[hold disk at ioend.before_convert, run w");
    for (case, why) in [
        (caught("space_survives_a_mount"), "cannot see whether space_survives_a_mount"),
        (caught("progress_is_made"), "cannot see whether progress_is_made"),
        (held, "holds a disk"),
    ] {
        let stand = Stand::with(&case);
        let refused = stand.run("export a.yaml -o a.c");
        assert_eq!(refused.code, Some(2), "{refused:?}");
        assert!(refused.err.contains(why) && refused.err.contains("replay"), "{refused:?}");
        assert!(!stand.path("a.c").exists());
    }
}
