//! The page and the terminal summary, one snapshot for each verdict.
//!
//! `UPDATE=1 cargo test -p report` writes the snapshots anew. The whole pages, with their style,
//! are in `target/tmp/pages` after a test run, to be looked at.

mod samples;

use std::fs;
use std::path::Path;

use report::page;
use report::record::{Record, VerdictKind};
use report::summary::summary;

/// The size that a usual page may have, in bytes.
const BUDGET: usize = 300_000;

fn all() -> Vec<(String, Record)> {
    let simulated =
        VerdictKind::ALL.iter().map(|kind| (kind.name().to_owned(), samples::record(*kind)));
    simulated.chain([("clean_threads".to_owned(), samples::threads())]).collect()
}

#[test]
fn pages_look_as_they_did() {
    let looks = Path::new(env!("CARGO_TARGET_TMPDIR")).join("pages");
    fs::create_dir_all(&looks).unwrap();
    for (name, record) in all() {
        let page = page::render(&record);
        assert!(page.len() <= BUDGET, "{name} has {} bytes", page.len());
        fs::write(looks.join(format!("{name}.html")), &page).unwrap();
        assert_snapshot(&format!("{name}.html"), &without_style(&page));
    }
}

#[test]
fn summaries_look_as_they_did() {
    for (name, record) in all() {
        let text = summary(&record);
        for line in text.lines().filter(|line| !line.contains("reproduce with: ")) {
            assert!(line.chars().count() <= 80, "{name}: wider than 80 columns: {line}");
        }
        assert_snapshot(&format!("{name}.txt"), &text);
    }
}

#[test]
fn hostile_text_stays_text() {
    let texts = [
        "</script><script>alert(1)</script>",
        "\"><img src=x onerror=alert(1)>",
        "'><svg/onload=alert(1)>",
        "</style></title></pre></textarea><b>",
        "&lt;b&gt;<!--",
        "a\u{2028}b\u{202e}c\u{0}d\u{1b}[31m",
        "\n\r\n\t",
    ];
    for text in texts {
        let record = samples::hostile(text);
        let page = page::render(&record);
        // Words of a command are elements, so spaces stay.
        let letters = text.replace(|one| one != ' ', "x");
        let harmless = page::render(&samples::hostile(&letters));
        assert!(tags(&page) == tags(&harmless), "{text:?} changed the structure");
        let summary = summary(&record);
        for shown in [&page, &summary] {
            let bad = shown.chars().find(|&one| {
                one != '\n' && one != '\t' && (one.is_control() || "\u{2028}\u{202e}".contains(one))
            });
            assert_eq!(bad, None, "{text:?}");
        }
    }
}

#[test]
fn a_huge_run_folds() {
    let mut record = samples::record(VerdictKind::Violated);
    let violation = record.violations[0].clone();
    record.violations = vec![violation; 5_000];
    record.scenario.text = "# \n".repeat(1 << 19);
    record.violations[0].strip = "M".repeat(1 << 20);
    let page = page::render(&record);
    assert!(page.len() <= BUDGET, "{} bytes", page.len());
    assert!(page.contains("4980 more") && page.contains("4780 more are in result.json"));
    assert!(summary(&record).contains("5000 violations, 5 of them here"));
}

#[test]
fn simulated_time_is_never_shown_as_nanoseconds() {
    let page = page::render(&samples::record(VerdictKind::Clean));
    let start = page.find("<section id=\"latency\"").unwrap();
    let end = page.find("<section id=\"coverage\"").unwrap();
    for unit in [" ns", " µs", " ms"] {
        assert!(!page[start..end].contains(unit), "{unit}");
    }
    assert!(page::render(&samples::threads()).contains(" µs"));
}

#[test]
fn a_damaged_record_is_rendered_all_the_same() {
    let mut record = samples::record(VerdictKind::Violated);
    for row in &mut record.latency.kinds {
        row.histogram = Some("AAAA".to_owned());
        row.n = u64::MAX;
        row.max = u64::MAX;
        row.min = u64::MAX;
    }
    record.counts.faults.values_mut().for_each(|fault| fault.fired = u64::MAX);
    record.counts.failed_operations.values_mut().for_each(|n| *n = u64::MAX);
    record.timing.elapsed_ms = u64::MAX;
    record.timing.oracle_share = Some(f64::NAN);
    assert!(page::render(&record).ends_with("</html>\n"));
    assert!(summary(&record).ends_with('\n'));
}

/// The names of all tags, in order.
fn tags(page: &str) -> Vec<&str> {
    let starts = page.split('<').skip(1);
    starts.map(|rest| rest.split(['>', ' ']).next().unwrap_or_default()).collect()
}

/// The style is not part of a snapshot: it is the same on every page.
fn without_style(page: &str) -> String {
    let (before, rest) = page.split_once("<style>").expect("every page has a style");
    let (_, after) = rest.split_once("</style>").expect("the style ends");
    format!("{before}<style></style>{after}")
}

fn assert_snapshot(name: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/snapshots").join(name);
    if std::env::var_os("UPDATE").is_some() {
        fs::write(&path, text).expect("the snapshots can be written");
    }
    let known = fs::read_to_string(&path).unwrap_or_default();
    let line = known.lines().zip(text.lines()).find(|(known, now)| known != now);
    assert!(known == text, "{name} differs, first in {line:?}; UPDATE=1 accepts the new one");
}
