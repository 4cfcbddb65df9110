//! Broken scenarios, each with the message it must give: `broken/*.yaml` beside `broken/*.txt`.
//!
//! A scenario may carry overrides in comments, one a line: `# --set path=value`. With `UPDATE=1`
//! the messages are written anew; read them before committing them.

use driver::catalogue::Bug;
use driver::scenario::{self, Known, MAX_BYTES, Plan, Report};
use sim::chance::Seed;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use stormfs::choices::Choices;

const KNOWN: Known<'static> = Known {
    invariants: &["data_matches_model", "dirty_block_has_backing", "eof_tail_is_zero"],
    bugs: &[&STALE, &LEAK],
};

const STALE: Bug = bug("stale-iomap", &[("mapping_check", "never"), ("short_copy", "always")]);

const LEAK: Bug = bug("cow-leak", &[("short_copy", "if_uptodate")]);

const fn bug(id: &'static str, sets: &'static [(&'static str, &'static str)]) -> Bug {
    let (what, caught_by, scenario) = ("", "data_matches_model", "");
    Bug { id, what, fixed_by: &[], fstest: &[], sets, caught_by, scenario }
}

const NO_BUGS: Known<'static> = Known { invariants: KNOWN.invariants, bugs: &[] };

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/broken")
}

fn yaml_files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).expect("the folder is part of the sources");
    let mut files: Vec<_> = entries
        .map(|entry| entry.expect("the folder can be read").path())
        .filter(|path| path.extension().is_some_and(|end| end == "yaml"))
        .collect();
    files.sort();
    files
}

fn overrides_in(text: &str) -> Vec<(String, String)> {
    let lines = text.lines().filter_map(|line| line.strip_prefix("# --set "));
    lines
        .filter_map(|line| line.split_once('='))
        .map(|(path, value)| (path.to_owned(), value.to_owned()))
        .collect()
}

fn report(name: &str, text: &str) -> Report {
    scenario::parse(name, text, &KNOWN, &overrides_in(text)).expect_err(name)
}

fn plan(text: &str, overrides: &[(&str, &str)]) -> Plan {
    let overrides: Vec<_> =
        overrides.iter().map(|(path, value)| ((*path).to_owned(), (*value).to_owned())).collect();
    scenario::parse("test.yaml", text, &KNOWN, &overrides)
        .unwrap_or_else(|report| panic!("{report}"))
}

#[test]
fn each_broken_scenario_gives_its_message() {
    let files = yaml_files(&folder());
    assert!(40 <= files.len(), "only {} broken scenarios are left", files.len());
    let update = std::env::var_os("UPDATE").is_some();
    let mut differing = String::new();
    for path in files {
        let text = String::from_utf8(std::fs::read(&path).unwrap()).unwrap();
        let name = path.file_name().unwrap().to_str().unwrap();
        let rendered = report(name, &text).render(false);
        let expected_path = path.with_extension("txt");
        if update {
            std::fs::write(&expected_path, &rendered).unwrap();
        }
        let expected = std::fs::read_to_string(&expected_path).unwrap_or_default();
        if rendered != expected {
            differing.extend(["=== ", name, "\n", &expected, "=== but got\n", &rendered]);
        }
    }
    assert!(differing.is_empty(), "{differing}");
}

#[test]
fn each_message_says_where_and_what_to_do() {
    for path in yaml_files(&folder()) {
        let text = std::fs::read_to_string(&path).unwrap();
        let name = path.file_name().unwrap().to_str().unwrap();
        let report = report(name, &text);
        assert!(!report.diagnostics().is_empty(), "{name}");
        let about_file = name.starts_with("file-");
        for one in report.diagnostics() {
            assert!(!one.help.is_empty(), "{name}: {}", one.message);
            assert_eq!(one.span.is_none(), about_file, "{name}: {}", one.message);
        }
        assert_eq!(report.lines().count(), report.diagnostics().len());
    }
}

#[test]
fn every_scenario_of_ours_is_good_and_names_its_schema() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scenarios");
    let files = yaml_files(&folder);
    assert!(10 <= files.len(), "only {} scenarios are left", files.len());
    for path in files {
        let text = std::fs::read_to_string(&path).unwrap();
        let first = text.lines().next();
        assert_eq!(first, Some("# yaml-language-server: $schema=./schema.json"), "{path:?}");
        let plan = scenario::load(&path, &NO_BUGS, &[]).unwrap_or_else(|report| panic!("{report}"));
        assert_eq!(Some(plan.name.as_str()), path.file_stem().unwrap().to_str());
        assert!(!plan.about.is_empty(), "{path:?} does not say what it is about");
    }
}

#[test]
fn every_prefix_and_every_lost_byte_is_survived() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scenarios/smoke.yaml");
    let text = std::fs::read_to_string(path).unwrap();
    for (at, letter) in text.char_indices() {
        for broken in
            [text[..at].to_owned(), text[..at].to_owned() + &text[at + letter.len_utf8()..]]
        {
            if let Err(report) = scenario::parse("broken.yaml", &broken, &NO_BUGS, &[]) {
                assert!(report.render(false).contains("broken.yaml"));
                assert!(!report.render(true).is_empty());
            }
        }
    }
}

#[test]
fn overrides_change_values_as_if_they_stood_in_the_file() {
    let text = "actors: [{name: w, ops: {write: 1}}, {name: r, ops: {read: 1}}]\n\
                faults: [{evict: {chance: 1%}}]\n";
    let plan = plan(
        text,
        &[
            ("actors[0].size.max", "4KiB"),
            ("actors[1].ops.mmap_load", "7"),
            ("filesystem.block_size", "1KiB"),
            ("faults[0].evict.chance", "9%"),
            ("files", "[{name: x, size: 70000}]"),
            ("world", "threads"),
            ("time", "5s"),
        ],
    );
    assert_eq!(plan.actors[0].size.max, 4096);
    assert_eq!(plan.actors[1].ops.len(), 2);
    assert_eq!(plan.filesystem.block_size, 1024);
    assert_eq!(plan.files[0].size, 70_000);
    assert_eq!(plan.ops, None);
    assert!(format!("{:?}", plan.faults).contains("90000"));
}

#[test]
fn decisions_written_beside_a_preset_override_it() {
    let actors = "actors: [{name: w, ops: {write: 1}}]\n";
    let preset = Choices::preset("v5.19").unwrap();
    let alone = plan(&format!("filesystem: {{preset: v5.19}}\n{actors}"), &[]);
    assert_eq!((alone.filesystem.choices, alone.filesystem.preset), (preset, Some("v5.19")));
    let text = format!("filesystem: {{preset: v5.19, mapping_check: each_folio}}\n{actors}");
    let mut expected = preset;
    assert!(expected.set("mapping_check", "each_folio"));
    assert_eq!(plan(&text, &[]).filesystem.choices, expected);
    let set = [("filesystem.preset", "ideal"), ("filesystem.short_copy", "always")];
    let departures = plan(&text, &set).filesystem.choices.departures();
    assert_eq!(departures, [("short_copy", "always")]);
}

#[test]
fn each_seed_draws_a_combination_and_the_command_line_holds_values_still() {
    let text = "vary: {filesystem.block_size: [512, 4KiB, 64KiB], filesystem.max_folio: [4KiB, 64KiB], \
                ops: [10, 20, 30], \
                skip: {filesystem.block_size: 64KiB, filesystem.max_folio: 4KiB}}\n\
                swarm: false\nstrategy: random\n\
                actors: [{name: w, ops: {write: 1}}]\n";
    let seeds: Vec<_> = (0..400).map(|n| Seed(1).nth(n)).collect();
    let draw = |plan: &Plan, seed| {
        let drawn = plan.under(seed);
        (drawn.filesystem.block_size, drawn.filesystem.max_folio, drawn.ops.unwrap())
    };
    let whole = plan(text, &[]);
    let drawn: Vec<_> = seeds.iter().map(|seed| draw(&whole, *seed)).collect();
    let different: BTreeSet<_> = drawn.iter().copied().collect();
    assert_eq!((different.len(), whole.variations.as_ref().unwrap().count()), (15, 15));
    assert_eq!(draw(&whole, seeds[3]), draw(&plan(text, &[]), seeds[3]));
    let first = whole.under(seeds[0]);
    assert_eq!(first.drawn.len(), 3);
    assert_eq!(first.drawn[2], ("ops".to_owned(), drawn[0].2.to_string()));

    let held = plan(text, &[("ops", "20")]);
    for (seed, (block_size, max_folio, _)) in seeds.iter().zip(drawn) {
        assert_eq!(draw(&held, *seed), (block_size, max_folio, 20));
        assert!(held.under(*seed).drawn.iter().all(|(path, _)| path != "ops"));
    }
}

#[test]
fn defaults_are_those_of_the_reference() {
    let plan = plan("actors: [{name: w, ops: {write: 1}}]\n", &[]);
    assert_eq!((plan.name.as_str(), plan.seed, plan.seeds, plan.ops), ("test", 1, 100, Some(2000)));
    assert_eq!((plan.device.size, plan.filesystem.block_size), (64 << 20, 4096));
    assert_eq!((plan.filesystem.max_folio, plan.files.len()), (64 << 10, 1));
    assert_eq!((plan.files[0].name.as_str(), plan.files[0].size), ("a", 256 << 10));
    let actor = &plan.actors[0];
    assert_eq!((actor.count, actor.align, actor.within, actor.iovecs), (1, 1, None, 1));
    assert_eq!((actor.size.min, actor.size.max), (1, 64 << 10));
}

#[test]
fn files_that_are_no_scenario_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    std::fs::write(at("empty.yaml"), "").unwrap();
    std::fs::write(at("binary.yaml"), [0x7f, b'E', b'L', b'F', 0xff, 0xfe]).unwrap();
    std::fs::write(at("nul.yaml"), "name: a\0b\n").unwrap();
    std::fs::write(at("large.yaml"), "#".repeat(MAX_BYTES + 1)).unwrap();
    for (name, message) in [
        ("empty.yaml", "the scenario is empty"),
        ("binary.yaml", "byte 4 is not UTF-8"),
        ("nul.yaml", "U+0000"),
        ("large.yaml", "larger than"),
        ("large.yml", "there is no such file"),
        ("large.yml", "large.yaml`?"),
        ("nowhere/a.yaml", "no directory"),
        ("", "this is a directory"),
    ] {
        let report = scenario::load(&at(name), &KNOWN, &[]).expect_err(name).render(false);
        assert!(report.contains(message), "{name}: {report}");
    }
}

#[test]
fn hostile_texts_are_refused_quickly() {
    let bomb = (1..30).fold("a0: &a0 x\n".to_owned(), |text, n| {
        let before = n - 1;
        text + &format!("a{n}: &a{n} [*a{before}, *a{before}, *a{before}]\n")
    });
    let many_keys: String =
        (0..20_000).fold(String::new(), |text, n| text + &format!("key{n}: {n}\n"));
    let many_actors = format!("actors: [{}]\n", "{}, ".repeat(100_000));
    for (name, text, message) in [
        ("aliases", bomb, "anchors are not allowed"),
        ("brackets", "[".repeat(MAX_BYTES), "nested too deeply"),
        ("braces", "{a: ".repeat(MAX_BYTES / 4), "nested too deeply"),
        ("dashes", "- ".repeat(MAX_BYTES / 2), "nested too deeply"),
        ("questions", "? ".repeat(MAX_BYTES / 2), "nested too deeply"),
        ("keys", many_keys, "mistakes in"),
        ("actors", many_actors, "has 100000 items"),
        ("colours", "name: \"\\e[31mred\"\n".to_owned(), "cannot contain `\\u{1b}`"),
    ] {
        let report = scenario::parse(name, &text, &KNOWN, &[]).expect_err(name);
        let rendered = report.render(false);
        assert!(rendered.contains(message), "{name}: {rendered}");
        assert!(!rendered.contains('\u{1b}'), "{name}");
    }
}

#[test]
fn styled_messages_say_the_same_in_colours() {
    let report = report("styled", "actors: 5\n");
    assert!(report.render(true).contains("\u{1b}["));
    assert!(!report.render(false).contains('\u{1b}'));
    assert_eq!(report.to_string(), report.render(false));
}
