//! What is made of a night: its page, its tests, what GitHub is told, its latencies, and its cases.

#[path = "../samples/markdown.rs"]
mod markdown;
#[path = "../samples/mod.rs"]
mod samples;
mod sample;
mod hostile;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hdrhistogram::Histogram;
use hdrhistogram::serialization::Deserializer;
use hdrhistogram::serialization::interval_log::{IntervalLogIterator, LogEntry};
use report::github::{OWN, night_annotations, night_summary};
use report::record::{Measure, Night, World};
use report::writing::write_night;
use report::{hlog, junit, page};
use roxmltree::{Document, Node};
use sample::night;

#[test]
fn the_page_tells_the_story_of_each_signature_as_that_of_a_run_does() {
    let (night, run) = (night(), samples::record(report::record::VerdictKind::Violated));
    let (page, of_run) = (page::night(&night), page::render(&run));
    let looks = Path::new(env!("CARGO_TARGET_TMPDIR")).join("pages");
    fs::create_dir_all(&looks).unwrap();
    fs::write(looks.join("night.html"), &page).unwrap();
    assert!(page.len() <= 300_000, "{} bytes", page.len());
    let story = |page: &str| {
        let start = page.find("<div class=\"why\">").expect("it has a story");
        let end = page[start..].find("<details class=\"found-first\"").unwrap_or(usize::MAX);
        let end = end.min(page[start..].find("<dl class=\"facts\">").unwrap());
        page[start..start + end].to_owned()
    };
    assert_eq!(story(&page), story(&of_run));
    assert_eq!(page.matches("<script>").count(), 1);
    assert!(page.contains("Nobody has looked into it"), "why the other has none");
    for seen in
        ["file log, bytes 4,096..5,000", "zeroes", "bytes of writer-1", "reader-0, operation 12"]
    {
        assert!(page.contains(&format!("<dd>{seen}</dd>")), "{seen}");
    }
    let mut tried = night.clone();
    tried.parts[1].failures[0].rate.runs = 3;
    let page = page::night(&tried);
    assert!(page.contains("makes its calls again there"), "it is of a real filesystem");
    assert!(!page.contains("looks for what they did"), "and replay makes no simulation of it");
    let policy = |page: &str| {
        let (_, rest) = page.split_once("Content-Security-Policy").unwrap();
        rest.split_once('>').unwrap().0.to_owned()
    };
    assert_eq!(policy(&page), policy(&of_run));
    let mut untold = night;
    untold.parts.iter_mut().flat_map(|part| &mut part.failures).for_each(|one| one.story = None);
    assert!(!page::night(&untold).contains("<script"), "nothing to step through, no script");
}

#[test]
fn the_command_that_soaks_again_names_what_was_soaked() {
    let mut night = night();
    let again = |night: &Night| report::reproduce::soak(night, &night.campaigns[0]);
    let all = again(&night);
    for total in &night.scenarios {
        assert!(all.contains(&format!(" {} ", total.file)), "{all}");
    }
    assert!(!all.contains("--world"), "{all}");
    let simulated = |total: &report::record::ScenarioTotal| total.world == World::Simulated;
    night.scenarios.retain(simulated);
    night.shards[0].time_ms = Some(90_000);
    assert!(again(&night).contains(" --world simulated"), "{}", again(&night));
    assert!(again(&night).ends_with(" --time 90s"), "{}", again(&night));
    // More than anybody would type, and all of them from where a soak looks by itself.
    let total = night.scenarios[0].clone();
    let numbered =
        |n| report::record::ScenarioTotal { file: format!("scenarios/{n}.yaml"), ..total.clone() };
    night.scenarios = (0..9).map(numbered).collect();
    assert!(again(&night).starts_with("pagestorm soak --seed "), "{}", again(&night));
    for total in &mut night.scenarios {
        total.file = total.file.replace("scenarios/", "scenarios/bugs/");
    }
    assert!(again(&night).contains(" scenarios/bugs/8.yaml "), "{}", again(&night));
}

#[test]
fn latencies_of_threads_are_histograms_added() {
    let night = night();
    let log = hlog::night(&night).unwrap();
    let mut tags = BTreeMap::new();
    for entry in IntervalLogIterator::new(log.as_bytes()) {
        let LogEntry::Interval(interval) = entry.unwrap() else { continue };
        let bytes = STANDARD.decode(interval.encoded_histogram()).unwrap();
        let histogram: Histogram<u64> =
            Deserializer::new().deserialize(&mut bytes.as_slice()).unwrap();
        tags.insert(interval.tag().unwrap().as_str().to_owned(), histogram.len());
    }
    let of = |record: report::record::Record, operation: &str| {
        let rows = record.latency.kinds.into_iter();
        let mut rows = rows.filter(|row| row.operation == operation && !row.faulted);
        rows.find(|row| row.measure == Measure::Service).unwrap().n
    };
    assert_eq!(tags["smoke.fsync.service.ok"], 2 * of(samples::threads(), "fsync"));
    assert_eq!(tags["latency.write.service.ok"], 2 * of(samples::rated(), "write"));
    assert!(tags.keys().all(|tag| !tag.starts_with("short-copies")), "steps are no time");
    let page = page::night(&night);
    let start = page.find("<section id=\"latency\"").unwrap();
    let section = &page[start..start + page[start..].find("</section>").unwrap()];
    for text in ["Histograms were added", "smoke: ", "latency: ", "<svg", "response"] {
        assert!(section.contains(text), "{text}");
    }
    let mut none = night;
    // Scenarios whose turn has not come yet have parts in which nothing is done, and no latencies.
    let threads = none.parts.iter_mut().filter(|part| part.world == World::Threads);
    threads.for_each(|part| (part.latency.kinds, part.latency.lag) = (Vec::new(), None));
    assert_eq!(hlog::night(&none), None);
    let page = page::night(&none);
    assert!(!page.contains("id=\"latency\"") && !page.contains("href=\"#latency\""));
}

fn suites(text: &str) -> BTreeMap<String, Vec<(String, String)>> {
    let document = Document::parse(text).expect("it is XML");
    let suites = document.root_element().children().filter(Node::is_element);
    let case = |case: Node<'_, '_>| {
        let inside = case.first_element_child().map_or("", |inside| inside.tag_name().name());
        (case.attribute("name").expect("it has a name").to_owned(), inside.to_owned())
    };
    let cases = |suite: Node<'_, '_>| {
        let cases = suite.children().filter(|node| node.has_tag_name("testcase"));
        (suite.attribute("name").expect("it has a name").to_owned(), cases.map(case).collect())
    };
    suites.map(cases).collect()
}

#[test]
fn a_night_is_tests_of_stable_names() {
    let night = night();
    let suites = suites(&junit::night(&night));
    let names: Vec<_> = suites.keys().map(String::as_str).collect();
    let simulated = "short-copies-under-mmap (simulated)";
    let expected =
        ["latency (threads)", "night", "regressions", simulated, "signatures", "smoke (threads)"];
    assert_eq!(names, expected);
    let inside = |suite: &str, name: &str| {
        let found = suites[suite].iter().find(|(known, _)| known == name);
        found.unwrap_or_else(|| panic!("{suite}: {name}")).1.clone()
    };
    assert_eq!(inside("night", "expectation"), "failure");
    assert_eq!(inside(simulated, "expectation"), "failure");
    assert_eq!(inside(simulated, "dirty_block_has_backing"), "failure");
    assert_eq!(inside(simulated, "synced_data_survives"), "skipped");
    assert_eq!(inside(simulated, "size_is_linear"), "");
    assert_eq!(inside("smoke (threads)", "content_matches"), "failure");
    for one in &night.signatures {
        assert_eq!(inside("signatures", &one.signature), "failure");
    }
    assert_eq!(inside("regressions", "scenarios/regressions/true.yaml"), "system-out");
    assert_eq!(inside("regressions", "scenarios/regressions/false.yaml"), "failure");
    // Without failures the scenarios have the same tests.
    let mut good = night;
    good.parts.iter_mut().for_each(|part| part.failures.clear());
    good.scenarios.iter_mut().for_each(|total| total.wrong.clear());
    let good = self::suites(&junit::night(&good));
    let names = |suite: &[(String, String)]| -> Vec<String> {
        suite.iter().map(|(name, _)| name.clone()).collect()
    };
    assert_eq!(names(&good[simulated]), names(&suites[simulated]));
    assert_eq!(good[simulated].iter().filter(|(_, inside)| inside == "failure").count(), 0);
}

#[test]
fn scenarios_of_one_name_in_different_folders_are_told_apart() {
    let mut night = night();
    let (mut part, mut total) = (night.parts[0].clone(), night.scenarios[0].clone());
    let name = total.name.clone();
    part.failures.clear();
    "00000000000000bb".clone_into(&mut part.text_hash);
    "elsewhere/a.yaml".clone_into(&mut part.file);
    (total.file, total.failed, total.wrong) = (part.file.clone(), 0, Vec::new());
    night.parts.insert(0, part);
    night.scenarios.insert(0, total);
    let text = junit::night(&night);
    let document = Document::parse(&text).unwrap();
    let suites = document.descendants().filter(|node| node.has_tag_name("testsuite"));
    let suites = suites.filter(|suite| suite.attribute("name").unwrap().starts_with(&name));
    let failures: Vec<_> = suites
        .map(|suite| (suite.attribute("file").unwrap(), suite.attribute("failures").unwrap()))
        .collect();
    let other = night.parts[1].file.as_str();
    assert_eq!(failures, [("elsewhere/a.yaml", "0"), (other, "2")]);
    let lines = night_annotations(&night, str::to_owned, |_| None, None);
    assert!(lines.starts_with(&format!("::error file={other},")), "{lines}");
}

#[test]
fn a_provisional_signature_is_told_as_such() {
    let night = night();
    let told: Vec<_> = night.signatures.iter().map(|one| one.provisional).collect();
    assert_eq!(told, [false, true]);
    for text in [
        page::night(&night),
        junit::night(&night),
        night_annotations(&night, str::to_owned, |_| None, None),
        night_summary(&night, OWN, None).unwrap(),
    ] {
        assert_eq!(text.matches("provisional").count(), 1, "{text}");
    }
}

#[test]
fn github_is_told_of_each_signature_and_each_other_reason() {
    let night = night();
    let lines = night_annotations(
        &night,
        |file| format!("top/{file}"),
        |_| Some(7),
        Some(Path::new("reports/my night")),
    );
    let lines: Vec<_> = lines.lines().collect();
    assert_eq!(lines.len(), 3, "{lines:?}");
    let first = "::error file=top/scenarios/short-copies-under-mmap.yaml,line=7,title=dirty_block_has_backing-";
    assert!(lines[0].starts_with(first), "{}", lines[0]);
    assert!(
        lines[0].contains("%0Areproduce with: pagestorm replay 'reports/my night/failures/dirty"),
        "{}",
        lines[0]
    );
    assert!(
        lines[2].starts_with("::error title=soak::scenarios/smoke.yaml (threads)"),
        "{lines:?}"
    );
    let page = night_summary(&night, OWN, None).unwrap();
    assert!(page.starts_with("## Pagestorm soak: 2 signatures failed\n"), "{page}");
    for text in
        ["### `content_matches-mmap", "### Not good", "### Worth knowing", "| `smoke` | threads |"]
    {
        assert!(page.contains(text), "{text}: {page}");
    }
    for room in [page.len(), 700] {
        let page = night_summary(&night, room, None).unwrap();
        assert!(page.len() <= room && page.contains("do not fit"), "{room}: {page}");
    }
    assert_eq!(night_summary(&night, 210, None), None);
}

#[test]
fn a_huge_night_folds() {
    let mut night = night();
    let (part, signature) = (night.parts[0].clone(), night.signatures[0].clone());
    let long = "x".repeat(100_000);
    night.signatures = (0..300_u64)
        .map(|number| {
            let mut one = signature.clone();
            one.signature = format!("F-{number}-{long}");
            one.first.seed.0 = number;
            one.scenarios = vec![long.clone(); 30];
            one
        })
        .collect();
    let mut failures = Vec::new();
    for one in night.signatures.iter().take(40) {
        let mut failure = part.failures[0].clone();
        failure.signature.clone_from(&one.signature);
        failure.seed = one.first.seed;
        let story = failure.story.as_mut().unwrap();
        let rows = story.lanes.rows.clone();
        story.lanes.rows = rows.iter().cycle().take(3_000).cloned().collect();
        failures.push(failure);
    }
    night.parts[0].failures = failures;
    let threads: Vec<_> =
        night.parts.iter().filter(|part| part.world == World::Threads).cloned().collect();
    for number in 0..100 {
        let mut part = threads[number % 2].clone();
        part.name = format!("{number}-{long}");
        night.parts.push(part);
    }
    night.verdict.reasons = vec![long.clone(); 500];
    night.left_out = vec![night.left_out[0].clone(); 2_000];
    let page = page::night(&night);
    assert!(page.len() <= 2_000_000, "{} bytes", page.len());
    assert!(page.contains("the story is in night.json"), "it says so");
}

#[test]
fn files_are_a_function_of_the_record_and_cases_stay_in_their_folder() {
    let dir = tempfile::tempdir().unwrap();
    let mut night = night();
    for (number, one) in night.signatures.iter_mut().enumerate() {
        one.signature = ["../../etc/x", "../..\u{202e}etc/x"][number].to_owned();
        one.file = Some("/etc/passwd".to_owned());
    }
    for (number, part) in night.parts.iter_mut().take(2).enumerate() {
        part.failures[0].signature.clone_from(&night.signatures[number].signature);
    }
    write_night(dir.path(), &night).unwrap();
    let read = || -> BTreeMap<String, Vec<u8>> {
        let below = |dir: &Path| -> Vec<_> {
            fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect()
        };
        let files = below(dir.path()).into_iter().chain(below(&dir.path().join("failures")));
        files
            .filter(|path| path.is_file())
            .map(|path| {
                (path.file_name().unwrap().to_string_lossy().into_owned(), fs::read(&path).unwrap())
            })
            .collect()
    };
    let files = read();
    let names: Vec<_> = files.keys().map(String::as_str).collect();
    let cases = ["etc-x-2.yaml", "etc-x.yaml"];
    let rest = ["junit.xml", "latency.hlog", "night.json", "report.html"];
    assert_eq!(names, [&cases[..], &rest[..]].concat());
    let back = Night::from_json(&String::from_utf8(files["night.json"].clone()).unwrap()).unwrap();
    assert_eq!(back, night);
    write_night(dir.path(), &back).unwrap();
    assert_eq!(read(), files);
}

#[test]
fn the_place_of_a_case_is_a_matter_of_its_signature_alone() {
    let long = ["a", "b"].map(|end| format!("{}{end}", "x".repeat(200)));
    let both = Night::places(long.iter().map(String::as_str));
    let alone = Night::places(long[1..].iter().map(String::as_str));
    assert_eq!(both[1], alone[0]);
    assert!(both.iter().all(|place| place.len() < 255), "{both:?}");
}
