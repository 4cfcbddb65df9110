//! Operations that stormfs does not model, on real filesystems: performed, or left out and counted.

use crate::allowed::is_allowed;
use crate::stand::Stand;
use report::record::Record;
use std::fs;

/// Every kind, once each after a first write, as one actor that nobody disturbs.
const LISTED: &str = "\
name: listed
world: threads
files: [{name: a, size: 64KiB, layout: written}, {name: b, size: 64KiB}]
actors:
  - name: one
    does:
      - write: {at: 0, size: 40000, pieces: [1, 4096, 5000]}
      - read: {at: 100, size: 20000, pieces: [7, 4096, 4097]}
      - direct_write: {at: 8KiB, size: 8KiB}
      - direct_read: {at: 4KiB, size: 16KiB}
      - copy_file_range: {at: 100, from: 5000, size: 9000, file: b, from_file: a}
      - reflink: {at: 16KiB, from: 8KiB, size: 8KiB, file: b, from_file: a}
      - collapse_range: {at: 4KiB, size: 8KiB}
      - insert_range: {at: 8KiB, size: 4KiB}
      - fdatasync
      - sync_file_range: {at: 0, size: 10000, wait: true}
      - mmap_store: {at: 5000, size: 5000}
      - msync: {at: 5000, size: 5000}
      - dontneed
      - page_out
      - release
      - append: {size: 5000}
      - read: {at: 0, size: 100000}
      - read: {at: 0, size: 100000, file: b}
expect: clean
";

/// What needs an ability that some filesystem lacks.
const ABLE: [&str; 6] =
    ["direct_write", "direct_read", "copy_file_range", "reflink", "collapse_range", "insert_range"];

/// Every operation of the list was performed, or is told as left out.
fn all_told(record: &Record) -> Vec<String> {
    let performed = record.counts.operations;
    let left: Vec<_> = record.counts.left_out.iter().collect();
    let count: u64 = left.iter().map(|(_, left)| left.count).sum();
    assert_eq!(performed + count, 18, "{:?}", record.counts);
    for (name, left) in &left {
        assert!(ABLE.contains(&name.as_str()), "{name}");
        assert!(left.reason.starts_with('E'), "{left:?}");
        assert_eq!(record.counts.operations_by_kind[*name], 0);
    }
    left.into_iter().map(|(name, _)| name.clone()).collect()
}

#[test]
fn whatever_is_mounted_does_what_it_can() {
    let stand = Stand::with(LISTED);
    fs::create_dir(stand.path("there")).unwrap();
    let ran = stand.run("run a.yaml --target there --json -");
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let record = ran.record();
    all_told(&record);
    let mounted = record.device.mounted.expect("it is mounted");
    assert!(!mounted.filesystem.is_empty() && !mounted.mount.is_empty(), "{mounted:?}");
}

#[test]
fn each_filesystem_does_what_it_can_and_the_rest_is_counted() {
    if !is_allowed("what each filesystem can do", &[]) {
        return;
    }
    let stand = Stand::with(LISTED);
    for (name, missing) in [
        ("xfs", &[][..]),
        ("ext4", &["reflink"]),
        ("btrfs", &["collapse_range", "insert_range"]),
        ("tmpfs", &["collapse_range", "insert_range", "reflink"]),
    ] {
        let ran = stand.run(&format!("run a.yaml --target kernel:{name} --json -"));
        assert_eq!(ran.code, Some(0), "{name}: {ran:?}");
        let record = ran.record();
        assert_eq!(all_told(&record), missing, "{name}");
        let page = fs::read_to_string(stand.path("reports/listed-0x1/report.html")).unwrap();
        assert_eq!(page.contains("what the filesystem cannot do"), !missing.is_empty(), "{name}");
        let mounted = record.device.mounted.expect("it is mounted");
        assert_eq!(mounted.filesystem, name);
        assert_eq!(mounted.lacks.contains_key("reflink"), missing.contains(&"reflink"));
    }
}

#[test]
fn who_draws_only_what_is_missing_comes_to_an_end() {
    if !is_allowed("what no filesystem can do", &[]) {
        return;
    }
    let text = "\
name: none
world: threads
ops: 50
files: [{name: a, size: 64KiB}]
actors:
  - {name: one, ops: {reflink: 1, collapse_range: 3}}
  - {name: two, ops: {write: 1, insert_range: 1}}
";
    let stand = Stand::with(text);
    let ran = stand.run("run a.yaml --target kernel:tmpfs --json -");
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let counts = ran.record().counts;
    assert_eq!((counts.operations, counts.operations_by_kind["write"]), (50, 50));
    let drawn = |kind: &str| counts.left_out.get(kind).map_or(0, |left| left.count);
    // Who is done late draws nothing at all.
    assert!(drawn("reflink") + drawn("collapse_range") <= 1, "{counts:?}");
    assert!(0 < drawn("insert_range"), "{counts:?}");
}

#[test]
fn storms_of_all_kinds_are_clean() {
    if !is_allowed("storms of all kinds", &[]) {
        return;
    }
    let text = "\
name: storm
world: threads
ops: 3000
target: {kernel: xfs, descriptors: 3}
files: [{name: a, size: 200000}, {name: b, size: 100000}]
actors:
  - name: one
    count: 2
    iovecs: 4
    within: 300000
    ops: {write: 6, read: 4, append: 1, direct_write: 2, direct_read: 2, copy_file_range: 2, reflink: 2,
          collapse_range: 2, insert_range: 2, fdatasync: 1, sync_file_range: 2, msync: 1, dontneed: 1,
          page_out: 1, release: 1, evict: 1, truncate: 1, punch: 1, zero_range: 1, fallocate: 1}
  - {name: map, within: 300000, ops: {mmap_load: 2, mmap_store: 2, write_from_mmap: 1}}
";
    let stand = Stand::with(text);
    for name in ["xfs", "btrfs"] {
        let ran = stand.run(&format!("run a.yaml --set target.kernel={name} --json -"));
        assert_eq!(ran.code, Some(0), "{name}: {ran:?}");
        let record = ran.record();
        let share = record.timing.oracle_share.expect("time is real");
        assert!(0.0 < share && share < 1.0, "{name}: {share}");
        assert_eq!(record.counts.operations, 3000, "{name}");
    }
}
