//! The page and the terminal summary, one snapshot for each verdict.
//!
//! `UPDATE=1 cargo test -p report` writes the snapshots anew. The whole pages, with their style,
//! are in `target/tmp/pages` after a test run, to be looked at.

mod samples;
mod sha256;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use report::page;
use report::record::{Again, Lacking, Mounted, Record, VerdictKind};
use report::summary::summary;

/// The size that a usual page may have, in bytes.
const BUDGET: usize = 300_000;

fn all() -> Vec<(String, Record)> {
    let simulated =
        VerdictKind::ALL.iter().map(|kind| (kind.name().to_owned(), samples::record(*kind)));
    let threads = [("clean_threads", samples::threads()), ("rated", samples::rated())];
    simulated.chain(threads.map(|(name, record)| (name.to_owned(), record))).collect()
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

/// The policy names the script by its hash; what is in the page must be that script.
#[test]
fn the_policy_lets_the_one_script_run_and_nothing_else() {
    let page = page::render(&samples::record(VerdictKind::Violated));
    assert_eq!(page.matches("<script").count(), 1);
    let (_, rest) = page.split_once("<script>").unwrap();
    let (script, _) = rest.split_once("</script>").unwrap();
    let (_, policy) = page.split_once("http-equiv=\"Content-Security-Policy\" content=\"").unwrap();
    let (policy, _) = policy.split_once('"').unwrap();
    let digest = STANDARD.encode(sha256::digest(script.as_bytes()));
    let expected = format!("script-src 'sha256-{digest}'");
    assert!(policy.split("; ").any(|rule| rule == expected), "{policy}; it should say {expected}");
    assert!(policy.starts_with("default-src 'none'; "), "{policy}");
    let without = page::render(&samples::record(VerdictKind::Clean));
    assert!(!without.contains("<script"), "nothing to step through, no script");
}

#[test]
fn everything_of_a_story_is_there_without_a_script() {
    let record = samples::record(VerdictKind::Violated);
    let story = record.violations[0].story.as_deref().unwrap();
    let page = page::render(&record);
    let count = |text: &str| page.matches(text).count();
    assert_eq!(count("<li id=\"f1-"), story.lanes.rows.len());
    assert_eq!(count("<table class=\"strip"), story.strips.as_ref().unwrap().strips.len());
    assert_eq!(count("<li value=\""), story.turns.len());
    assert_eq!(count("class=\"step\""), story.provenance.as_ref().unwrap().links.len());
    let wrong = |strip: &report::record::Strip| strip.wrong.len();
    let wrong: usize = story.strips.iter().flat_map(|all| &all.strips).map(wrong).sum();
    assert!(0 < wrong);
    assert_eq!(count("<span class=\"unseen\"> wrong</span>"), wrong);
    for text in
        ["\u{2026} 5 points", "holds i_rwsem", "decided here", "nothing breaks", "it is needed"]
    {
        assert!(page.contains(text), "{text}");
    }
}

#[test]
fn failures_with_one_signature_are_one_entry() {
    let mut record = samples::record(VerdictKind::Violated);
    let mut again = record.violations[0].clone();
    (again.seed, again.story) = (report::record::Seed(0x77), None);
    record.violations.push(again.clone());
    record.violations.insert(0, again);
    let page = page::render(&record);
    assert_eq!(page.matches("<details class=\"failure\"").count(), 2);
    assert!(page.contains(" and 2 more") && page.contains("0x77, 0x2a, 0x77"));
    assert!(page.contains("<li id=\"f1-1\""), "the one with a story is told");
}

#[test]
fn a_huge_story_folds() {
    let mut record = samples::record(VerdictKind::Violated);
    let mut story = samples::story();
    let rows = story.lanes.rows.clone();
    story.lanes.rows = rows.iter().cycle().take(5_000).cloned().collect();
    story.lanes.columns = (0..50).map(|number| format!("task-{number}")).collect();
    let strips = story.strips.as_mut().unwrap();
    for strip in &mut strips.strips {
        for line in [&mut strip.model, &mut strip.cache, &mut strip.disk, &mut strip.extents] {
            *line = line.repeat(100);
        }
    }
    strips.strips = strips.strips.iter().cycle().take(500).cloned().collect();
    story.turns = story.turns.iter().cycle().take(5_000).cloned().collect();
    story.why.push("x".repeat(1 << 20));
    let links = &mut story.provenance.as_mut().unwrap().links;
    *links = links.iter().cycle().take(5_000).cloned().collect();
    record.violations[0].story = Some(Box::new(story));
    let all = (0..30).map(|number| {
        let mut violation = record.violations[0].clone();
        violation.signature = format!("F-{number}");
        violation
    });
    record.violations = all.collect();
    let page = page::render(&record);
    assert!(page.len() <= 2_000_000, "{} bytes", page.len());
    assert!(page.contains("events came before") && page.contains("others</span>"));
    assert!(page.contains("the story is in result.json") && page.contains("10 more"));
}

#[test]
fn a_damaged_story_is_rendered_all_the_same() {
    let mut record = samples::record(VerdictKind::Violated);
    let mut story = samples::story();
    for row in &mut story.lanes.rows {
        (row.column, row.points, row.step) = (u64::MAX, u64::MAX, u64::MAX);
    }
    story.lanes.columns.clear();
    (story.lanes.left_out, story.turns_left_out) = (u64::MAX, u64::MAX);
    let strips = story.strips.as_mut().unwrap();
    strips.first_block = u64::MAX;
    strips.strips[0].row = u64::MAX;
    strips.strips[1].cache.clear();
    let measured = story.inevitability.as_mut().unwrap();
    measured.runs = 0;
    measured.steps[0].step = u64::MAX;
    record.violations[0].story = Some(Box::new(story));
    assert!(page::render(&record).ends_with("</html>\n"));
}

#[test]
fn a_huge_run_folds() {
    let mut record = samples::record(VerdictKind::Violated);
    let violation = record.violations[0].clone();
    let violation = |number| {
        let signature = format!("F-{number}");
        report::record::Violation { signature, story: None, ..violation.clone() }
    };
    record.violations = (0..5_000).map(violation).collect();
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
    record.timeline = samples::threads().timeline;
    if let Some(timeline) = &mut record.timeline {
        (timeline.slice_ms, timeline.halted_ms) = (1 << 40, u64::MAX);
        (timeline.actors, timeline.workers) = (u64::MAX, u64::MAX);
        timeline.slices[3].operations = u64::MAX;
        timeline.slices[4].service.max = u64::MAX;
        timeline.faults[0].to_ms = 0;
        timeline.faults[0].count = u64::MAX;
        timeline.faults[1].from_ms = u64::MAX;
    }
    assert!(page::render(&record).ends_with("</html>\n"));
    assert!(summary(&record).ends_with('\n'));
}

/// The names of all tags, in order.
fn tags(page: &str) -> Vec<&str> {
    let starts = page.split('<').skip(1);
    starts.map(|rest| rest.split(['>', ' ']).next().unwrap_or_default()).collect()
}

/// The style and the script are no part of a snapshot: they are the same on every page.
fn without_style(page: &str) -> String {
    let mut page = page.to_owned();
    for (start, end) in [("<style>", "</style>"), ("<script>", "</script>")] {
        if let Some((before, rest)) = page.split_once(start) {
            let (_, after) = rest.split_once(end).expect("it ends");
            page = format!("{before}{start}{end}{after}");
        }
    }
    page
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

#[test]
fn the_page_of_a_real_filesystem_tells_of_it_and_of_nothing_that_only_the_model_has() {
    let mut record = samples::threads();
    record.device.detail = "xfs on /dev/loop3, image on /dev/shm".to_owned();
    record.device.mounted = Some(Mounted {
        filesystem: "xfs".to_owned(),
        mkfs: vec!["-bsize=1024".to_owned()],
        mount: "allocsize=4k".to_owned(),
        image: "/dev/shm".to_owned(),
        block_size: 1024,
        direct_unit: 512,
        lacks: BTreeMap::from([("cachestat".to_owned(), "ENOSYS".to_owned())]),
        memory: Some(16 << 20),
    });
    record.counts.memory = BTreeMap::from([("pgsteal".to_owned(), 4711)]);
    record.counts.points.clear();
    let lacking = Lacking { count: 7, reason: "EOPNOTSUPP".to_owned() };
    record.counts.left_out = BTreeMap::from([("reflink".to_owned(), lacking)]);
    if let Some(timeline) = &mut record.timeline {
        timeline.workers = 0;
    }
    record.counts.leeways = BTreeMap::from([("growth_in_steps".to_owned(), 8127)]);
    let again = Again { failed: 19, runs: 20, calls_found: 1040, calls: 3 };
    record.violations = samples::record(VerdictKind::Violated).violations;
    record.violations.truncate(1);
    (record.violations[0].again, record.violations[0].story) = (Some(again), None);
    let page = page::render(&record);
    for told in [
        "-bsize=1024",
        "allocsize=4k",
        "1 KiB blocks",
        "512 B",
        "cachestat (ENOSYS)",
        "EOPNOTSUPP",
        "growth_in_steps",
        "8,127",
        "pgsteal",
        "4,711",
        "Memory for its page cache",
        "fails in 19 of 20 runs",
        "from 1,040 to 3 calls",
        "As it was found",
    ] {
        assert!(page.contains(told), "{told}");
    }
    assert!(
        summary(&record)
            .contains("   fails     in 19 of 20 runs\n   smaller   from 1,040 to 3 calls\n")
    );
    for models in [
        "folios of up to",
        "points reached",
        "of the device",
        "Deviations",
        "over all seeds",
        "the simulated world",
        "met it",
    ] {
        assert!(!page.contains(models), "{models}");
    }
    assert!(summary(&record).contains("reflink"));
}

#[test]
fn a_script_that_ended_before_its_first_step_is_told() {
    let mut record = samples::threads();
    record.scenario.script = vec!["run a until done".to_owned(), "run b until done".to_owned()];
    assert!(record.led.is_empty());
    for told in [summary(&record), page::render(&record)] {
        assert!(told.contains("ended after 0 of 2 steps"), "{told}");
    }
}
