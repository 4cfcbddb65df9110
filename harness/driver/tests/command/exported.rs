//! C files of cases on real filesystems: every kind of call, every place to stand at, and what a machine lacks.

use crate::allowed::is_allowed;
use crate::export::compiled;
use crate::stand::{Ran, Stand};
use mounted::{Kind, Spec, Venue, Volume};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::fd::{AsFd, AsRawFd};
use std::process::{Command, Stdio};

/// Every kind of call that any filesystem knows, and what is left of them read again.
const KINDS: &str = "\
name: kinds
world: threads
target: {kernel: ext4}
files: [{name: a, size: 64KiB, layout: written}, {name: b, size: 64KiB}]
actors:
  - name: w
    does:
      - write: {at: 0, size: 40000, pieces: [1, 4096, 5000]}
      - read: {at: 100, size: 20000, pieces: [7, 4096, 4097]}
      - direct_write: {at: 8KiB, size: 8KiB}
      - direct_read: {at: 4KiB, size: 16KiB}
      - copy_file_range: {at: 100, from: 5000, size: 9000, file: b, from_file: a}
      - MOVES
      - read: {at: 0, size: 100000}
      - fdatasync
      - sync_file_range: {at: 0, size: 10000, wait: true}
      - mmap_store: {at: 5000, size: 5000}
      - msync: {at: 5000, size: 5000}
      - dontneed
      - page_out
      - release
      - append: {size: 5000}
      - append: {size: 777, file: b, pieces: [5, 99]}
      - write_from_mmap: {at: 9000, from: 100, size: 500}
      - read: {at: 8000, size: 3000}
      - write: {at: 100, size: 9000, unreadable_at: 5000}
      - write: {at: 200, size: 9000, unreadable_at: 3000, pieces: [2999, 3005]}
      - write: {at: 300, size: 9000, unreadable_at: 3000}
      - truncate: {to: 4000}
      - punch: {at: 100, size: 900}
      - mmap_store: {at: 3900, size: 9000}
      - mmap_store: {at: 100000, size: 90}
      - mmap_load: {at: 0, size: 20000}
      - mmap_load: {at: 100000, size: 90}
      - fallocate: {at: 0, size: 30000}
      - evict
      - read: {at: 0, size: 100000}
      - read: {at: 0, size: 100000, file: b}
";

const MOVES: &str =
    "collapse_range: {at: 4KiB, size: 8KiB}\n      - insert_range: {at: 8KiB, size: 4KiB}";

fn run(stand: &Stand, name: &str, words: &[&str]) -> Ran {
    Ran::of(Command::new(stand.path(name)).args(words).output().unwrap())
}

/// The C file of a case, compiled. None if there is no compiler.
fn exported(case: &str, name: &str) -> Option<(Stand, String)> {
    let stand = Stand::with(case);
    let exported = stand.run(&format!("export a.yaml -o {name}.c"));
    assert_eq!(exported.code, Some(0), "{exported:?}");
    let text = fs::read_to_string(stand.path(&format!("{name}.c"))).unwrap();
    compiled(&stand, name).then_some((stand, text))
}

/// An ext4 of its own, if that can be made, and a path to it.
fn ext4(what: &str) -> Option<(Volume, String)> {
    if !is_allowed(what, &["/dev/loop-control"]) {
        return None;
    }
    match Volume::open(&Venue::Made(Spec::plain(Kind::Ext4))) {
        Ok(volume) => {
            let fd = volume.root().as_fd().as_raw_fd();
            Some((volume, format!("/proc/{}/fd/{fd}", std::process::id())))
        }
        Err(refusal) => {
            let _ = writeln!(std::io::stderr(), "skipped: {what}: {refusal}");
            None
        }
    }
}

#[test]
fn every_kind_of_call_is_made_and_followed() {
    let case = KINDS.replace("MOVES", MOVES);
    let Some((stand, text)) = exported(&case, "kinds") else { return };
    let Some((_volume, there)) = ext4("every kind of call of C on ext4") else { return };
    let fine = run(&stand, "kinds", &[&there, "3"]);
    assert_eq!(fine.code, Some(0), "{fine:?}");
    // A call that does other than it is taken to do.
    for (right, wrong, told) in [
        ("off_t from = 5000,", "off_t from = 3995,", "byte 3292 of b"),
        ("COLLAPSE_RANGE, 4096, 8192)", "COLLAPSE_RANGE, 8192, 8192)", "byte 4096 of a"),
        ("INSERT_RANGE, 8192, 4096)", "INSERT_RANGE, 12288, 4096)", "byte 8192 of a"),
        (
            "pwrite(direct, source, 8192, 8192)",
            "pwrite(direct, source, 4096, 8192)",
            "returned 4096",
        ),
        ("pwritev(fd[F_a], pieces, 4, 0)", "pwritev(fd[F_a], pieces, 3, 0)", "returned 5000"),
        ("map[F_a] + 100, 500, 9000)", "map[F_a] + 9900, 500, 9000)", "byte 9000 of a"),
    ] {
        let planted = text.replacen(right, wrong, 1);
        assert_ne!(planted, text, "{right}");
        stand.write("planted.c", planted);
        assert!(compiled(&stand, "planted"));
        let shown = run(&stand, "planted", &[&there]);
        assert_eq!(shown.code, Some(1), "{wrong}: {shown:?}");
        assert!(shown.out.contains(told), "{wrong}: {shown:?}");
    }
}

/// A file grows over what was stored behind its end.
const GROWS: &str = "\
world: threads
target: {kernel: ext4}
files: [{name: a, size: 0}]
actors:
  - {name: w, does: [write: {at: 0, size: 1}, write: {at: 8KiB, size: 100}]}
  - {name: m, does: [mmap_store: {at: 0, size: 4096}]}
recorded:
  version: 0.1.0
  from: a.yaml
  seed: 1
  order: [w 1 begins on 0, w 1 ends, m 1 begins on 0, m 1 ends, w 2 begins on 0, w 2 ends]
";

#[test]
fn what_was_stored_behind_the_end_is_zero_when_the_file_has_grown() {
    let Some((stand, text)) = exported(GROWS, "grows") else { return };
    let Some((_volume, ext4)) = ext4("what was stored behind the end, in C, on ext4") else {
        return;
    };
    // As a filesystem does that clears nothing, or that has something else there.
    let shown = |value: u64| {
        let line = "check_sizes(\"at the end\");";
        let plants = format!("memset(map[F_a] + 100, {value}, 50);\n\t{line}");
        let planted = text.replacen(line, &plants, 1);
        assert_ne!(planted, text);
        stand.write("planted.c", planted);
        assert!(compiled(&stand, "planted"));
        [ext4.as_str(), "/dev/shm"].map(|there| {
            let ran = run(&stand, "planted", &[there]);
            (ran.code, ran.out.contains("WRONG: as it stands: byte 100 of a is "))
        })
    };
    let (wrong, right) = ((Some(1), true), (Some(0), false));
    let stored = 4;
    assert_eq!(shown(0), [right, right]);
    assert_eq!(shown(stored), [wrong, right], "on tmpfs it stays");
    assert_eq!(shown(200), [wrong, wrong]);
}

#[test]
fn a_filesystem_without_a_kind_of_call_cannot_show_it() {
    let without = KINDS.replace("      - MOVES\n", "");
    let there = "/dev/shm";
    if let Some((stand, _)) = exported(&without, "without") {
        let fine = run(&stand, "without", &[there, "3"]);
        assert_eq!(fine.code, Some(0), "{fine:?}");
    }
    for (call, words) in [
        (MOVES, "FALLOC_FL_COLLAPSE_RANGE"),
        ("reflink: {at: 8KiB, from: 0, size: 8KiB, file: b, from_file: a}", "FICLONERANGE"),
    ] {
        let Some((stand, _)) = exported(&KINDS.replace("MOVES", call), "case") else { return };
        let refused = run(&stand, "case", &[there]);
        assert_eq!(refused.code, Some(2), "{refused:?}");
        assert!(refused.err.starts_with("cannot run: w 6: "), "{refused:?}");
        assert!(
            refused.err.contains(words) && refused.err.contains("not supported"),
            "{refused:?}"
        );
    }
}

#[test]
fn threads_that_take_bytes_and_move_them_race() {
    let does = "\
does: [write: {at: 0, size: 9000, pieces: [70]}, copy_file_range: {at: 0, from: 8KiB, size: 5000}, \
collapse_range: {at: 4KiB, size: 4KiB}, direct_write: {at: 4KiB, size: 8KiB}, insert_range: {at: 0, size: 4KiB}, \
direct_read: {at: 0, size: 8KiB}, append: {size: 50}, mmap_load: {at: 0, size: 9000}, fsync, \
mmap_store: {at: 100, size: 5000}, truncate: {to: 20KiB}, read: {at: 0, size: 30KiB}]";
    let case = format!(
        "world: threads\ntarget: {{kernel: ext4}}\nfiles: [{{name: a, size: 64KiB}}]\nactors: [{{name: a, count: 3, {does}}}]\n"
    );
    let Some((stand, _)) = exported(&case, "race") else { return };
    let Some((_volume, there)) = ext4("racing calls of C on ext4") else { return };
    let ran = run(&stand, "race", &[&there, "30"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
}

/// A write that stands where `WHERE` is, while a mapper loads what is copied.
const STANDS: &str = "\
filesystem: {max_folio: 4KiB}
files: [{name: a, size: 64KiB, layout: written}]
actors:
  - {name: w, does: [write: {at: 100, size: 12000, SOURCE}]}
  - {name: m, does: [mmap_load: {at: 100, size: 10}, mmap_load: {at: 4096, size: 4096}]}
script: [run w until WHERE, run m until done, run w until done]
";

#[test]
fn a_write_stands_where_a_led_one_does() {
    for (place, source, copied, told) in [
        (
            "write.mapped",
            "pieces: [5]",
            0,
            "Nearby: where the filesystem asks for the source ahead",
        ),
        ("write.folio_locked", "pieces: [5]", 0, "Nearby: it stands before it asks for its source"),
        ("2nd write.folio_locked", "pieces: [5, 9000]", 3996, "Nearby: it stands before it asks"),
        ("write.copied", "pieces: [5]", 3996, "Nearby: it stands behind that"),
        (
            "write.unlocked",
            "unreadable_at: 3996",
            3996,
            "It stands still where it did on the model",
        ),
        (
            "write.unlocked",
            "unreadable_at: 3997",
            3996,
            "It stands still where it did on the model",
        ),
        ("2nd write.copied", "unreadable_at: 5000", 5000, "Nearby: it stands behind that"),
    ] {
        let case = STANDS.replace("WHERE", place).replace("SOURCE", source);
        let Some((stand, text)) = exported(&case, "stands") else { return };
        assert!(text.contains(told), "{place}: {text}");
        if !is_allowed("a place of C to stand at", &["/proc/sys/vm/unprivileged_userfaultfd"]) {
            return;
        }
        let ran = run(&stand, "stands", &["/dev/shm", "20"]);
        assert_eq!(ran.code, Some(0), "{place}: {ran:?}");
        // What is copied there shows through a mapping, and what is not does not.
        let look = "resume(&stop_w_1);";
        let seen = format!(
            "for (int at = 100; at < 12100; at += 4000)\n\tprintf(\"%d\", map[F_a][at] != 1);\n\tputchar(10);\n\t{look}"
        );
        stand.write("seen.c", text.replacen(look, &seen, 1));
        let words = ["-Wall", "-Wextra", "-Werror", "-pthread", "-o", "seen", "seen.c"];
        let built = Command::new("cc").args(words).current_dir(stand.path(".")).status();
        assert!(built.unwrap().success());
        let ran = run(&stand, "seen", &["/dev/shm"]);
        let expected = match copied {
            0 => "\n000\n",
            3996 => "\n100\n",
            _ => "\n110\n",
        };
        assert!(ran.out.contains(expected), "{place}: {ran:?}");
    }
}

/// Two writes whose sources end, and one that stands at such a byte.
const ENDS: &str = "\
world: threads
target: {directory: /dev/shm}
files: [{name: a, size: 64KiB, layout: written}]
actors:
  - {name: w, does: [write: {at: 100, size: 9000, unreadable_at: 5000}, append: {size: 9, unreadable_at: 8}, write: {at: 100, size: 12000, unreadable_at: 3996}]}
  - {name: m, does: [mmap_load: {at: 100, size: 10}]}
faults: [{short_copy: {chance: 0%, by: BY}}]
script: [run w until returned, run w until returned, run w until write.unlocked, run m until done, run w until done]
";

#[test]
fn sources_end_in_the_way_that_is_named() {
    let allowed = is_allowed("sources of C that end", &["/proc/sys/vm/unprivileged_userfaultfd"]);
    let poisons = mounted::source::poisoning();
    for (by, how) in [
        ("protect", "PROTECTED"),
        ("unmap", "UNMAPPED"),
        ("bus", "BEYOND_EOF"),
        ("poison", "POISONED"),
    ] {
        let Some((stand, text)) = exported(&ENDS.replace("BY", by), "ends") else { return };
        assert!(text.contains(&format!("5000, {how});")), "{text}");
        assert!(text.contains(&format!("8, {how});")), "{text}");
        assert!(text.contains(&format!(".how = {how}")), "{text}");
        assert_eq!(text.contains("UFFDIO_POISON"), by == "poison", "{text}");
        assert_eq!(text.matches("syscall(SYS_userfaultfd").count(), 1, "in one way: {text}");
        if allowed && (by != "poison" || poisons.is_ok()) {
            let ran = run(&stand, "ends", &["/dev/shm", "20"]);
            assert_eq!(ran.code, Some(0), "{by}: {ran:?}");
            assert!(ran.out.contains("of which 3996 can be read = 3996"), "{by}: {ran:?}");
        }
    }
}

#[test]
fn nobody_gets_the_gap_of_a_source_that_is_unmapped() {
    let case = "world: threads\ntarget: {directory: /dev/shm}\n\
        files: [{name: a, size: 64KiB, layout: written}]\n\
        actors: [{name: w, does: [write: {at: 100, size: 9000, unreadable_at: 5000}]}]\n\
        faults: [{short_copy: {chance: 0%, by: unmap}}]\n";
    let Some((stand, text)) = exported(case, "gap") else { return };
    // So many pages take every gap that the kernel gives away, as those of other threads might.
    let taken = "UNMAPPED);\n\tfor (int i = 0; i < 5000; i++) {\n\
                 \t\tmmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);\n\t}";
    stand.write("taken.c", text.replacen("UNMAPPED);", taken, 1));
    assert!(compiled(&stand, "taken"));
    let ran = run(&stand, "taken", &["/dev/shm"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(ran.out.contains("of which 5000 can be read = 5000"), "{ran:?}");
}

#[test]
fn no_space_is_not_told_as_nothing_wrong() {
    let write = |nth: u64| format!("write: {{at: {}MiB, size: 16MiB}}", 16 * nth);
    let does = (0..10).map(write).collect::<Vec<_>>().join(", ");
    let case = format!(
        "world: threads\ntarget: {{kernel: ext4}}\nfiles: [{{name: a, size: 0}}]\nactors: [{{name: w, does: [{does}]}}]\n"
    );
    let Some((stand, _)) = exported(&case, "large") else { return };
    let Some((_volume, there)) = ext4("a C file without space") else { return };
    let full = run(&stand, "large", &[&there]);
    assert_eq!(full.code, Some(2), "{full:?}");
    assert!(full.err.contains("not enough space"), "{full:?}");
}

#[test]
fn nothing_stays_in_the_directory_however_it_ends() {
    let case = KINDS.replace("      - MOVES\n", "");
    let Some((stand, _)) = exported(&case, "killed") else { return };
    fs::create_dir(stand.path("there")).unwrap();
    let mut command = Command::new(stand.path("killed"));
    command.args([stand.path("there").as_os_str(), "1000000".as_ref()]);
    // Line by line, so that the first tells that it runs.
    let mut by_lines = Command::new("stdbuf");
    by_lines.arg("-oL").arg(command.get_program()).args(command.get_args());
    let Ok(mut child) = by_lines.stdout(Stdio::piped()).spawn() else {
        eprintln!("skipped: a C program that is killed: needs stdbuf");
        return;
    };
    let mut line = String::new();
    BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    assert!(line.starts_with("lay out: "), "{line}");
    kill(Pid::from_raw(i32::try_from(child.id()).unwrap()), Signal::SIGKILL).unwrap();
    assert!(!child.wait().unwrap().success());
    assert_eq!(stand.names("there"), [""; 0]);
}
