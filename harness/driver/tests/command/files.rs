//! The files of a run: made again of its record, read by others, and harmless whatever names they hold.

use crate::results::LATE;
use crate::soak::FAILING;
use crate::stand::{CLEAN, Ran, Stand, project};
use report::record::{Record, VerdictKind};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;

/// A run that fails, and its directory.
fn failing(options: &str) -> (Stand, String, Record) {
    let mixed = project("scenarios/mixed.yaml").display().to_string();
    let stand = Stand::new();
    let record = stand.run(&format!("run {mixed} {LATE} --json - {options}")).record();
    let dir = format!("reports/{}-{}", record.scenario.name, record.seed.first);
    (stand, dir, record)
}

fn contents(stand: &Stand, dir: &str) -> BTreeMap<String, Vec<u8>> {
    let files = stand.names(dir).into_iter().filter(|name| stand.path(dir).join(name).is_file());
    files.map(|name| (name.clone(), fs::read(stand.path(dir).join(name)).unwrap())).collect()
}

#[test]
fn every_file_is_made_again_of_the_record() {
    let (stand, dir, _) = failing("");
    let made = contents(&stand, &dir);
    assert!(
        made.contains_key("report.html") && made.contains_key("junit.xml"),
        "{:?}",
        made.keys()
    );
    let again = stand.run(&format!("report {dir}/result.json -o elsewhere"));
    assert_eq!(again.code, Some(0), "{again:?}");
    assert_eq!(again.err, "report: elsewhere/report.html\n");
    assert_eq!(contents(&stand, "elsewhere"), made);
    for name in made.keys().filter(|name| *name != "result.json") {
        fs::write(stand.path(&dir).join(name), "old").unwrap();
    }
    assert_eq!(stand.run(&format!("report {dir}")).code, Some(0));
    assert_eq!(contents(&stand, &dir), made);
}

#[test]
fn what_is_no_record_is_told() {
    let stand = Stand::with(CLEAN);
    for (path, says) in [
        ("nowhere", "nowhere: No such file or directory (os error 2); give the directory of a run"),
        (".", "./result.json: No such file"),
        ("a.yaml", "a.yaml: not JSON"),
        ("/dev/zero", "/dev/zero: "),
    ] {
        for command in [format!("report {path}"), format!("compare {path} {path}")] {
            let ran = stand.run(&command);
            assert_eq!(ran.code, Some(2), "{command}: {ran:?}");
            assert!(ran.err.starts_with(says), "{command}: {ran:?}");
        }
    }
}

#[test]
fn a_failure_is_a_trace_that_nests() {
    let (stand, dir, record) = failing("");
    let name = format!("{dir}/failures/{}.trace.json", record.violations[0].signature);
    let text = fs::read_to_string(stand.path(&name)).unwrap();
    let trace: Value = serde_json::from_str(&text).unwrap();
    let events = trace["traceEvents"].as_array().unwrap();
    let named = |event: &&Value| event["name"] == "thread_name";
    let tracks: Vec<_> = events.iter().filter(named).map(|event| event["tid"].clone()).collect();
    let mut open: BTreeMap<u64, Vec<&Value>> = BTreeMap::new();
    let mut last = 0;
    for event in events.iter().filter(|event| event["ph"] != "M") {
        let (ts, tid) = (event["ts"].as_u64().unwrap(), event["tid"].as_u64().unwrap());
        assert!(last <= ts, "{event}");
        last = ts;
        assert!(tracks.contains(&event["tid"]) && event["pid"] == 1, "{event}");
        let stack = open.entry(tid).or_default();
        match event["ph"].as_str().unwrap() {
            "B" => stack.push(event),
            "E" => assert_eq!(stack.pop().expect("a slice has begun")["name"], event["name"]),
            "i" => assert!(event["s"] == "t" || event["s"] == "g", "{event}"),
            other => panic!("{other}"),
        }
    }
    assert!(open.values().all(Vec::is_empty), "{open:?}");
    let of = |category: &str| events.iter().filter(|event| event["cat"] == category).count();
    for category in ["call", "lock", "wait", "point"] {
        assert!(0 < of(category), "{category}: {text}");
    }
    assert_eq!(of("failure"), 1);
    let again =
        stand.run(&format!("run {} --json -", record.violations[0].replay.as_ref().unwrap()));
    assert_eq!(last, again.record().counts.scheduling_points, "time is the steps of the run");
}

#[test]
fn a_failure_is_a_list_for_fsx() {
    let (stand, dir, record) = failing("");
    let name = format!("{dir}/failures/{}.fsxops", record.violations[0].signature);
    let text = fs::read_to_string(stand.path(&name)).unwrap();
    let operations: Vec<_> = text.lines().filter(|line| !line.starts_with('#')).collect();
    assert!(operations.iter().any(|line| line.ends_with(" *")), "{text}");
    for line in &operations {
        assert!(is_for_fsx(line), "{line}");
    }
    assert!(text.lines().all(|line| line.len() < 255), "{text}");
    assert!(text.contains("it shows the operations and not the race"), "{text}");
    assert!(record.violations[0].signature.contains("mmap") || !text.contains("\nmap"), "{text}");
}

#[test]
fn a_failure_that_was_not_made_smaller_has_both_too() {
    let stand = Stand::with(FAILING);
    let record = stand.run("run a.yaml --seeds 400 --shrink 0s --json -").record();
    let (dir, seed) = ("reports/failing-0x1", record.violations[0].seed);
    let names = stand.names(&format!("{dir}/failures"));
    for end in [".yaml", ".trace.json", ".fsxops"] {
        assert!(names.contains(&format!("seed-{seed}{end}")), "{end}: {names:?}");
    }
    let text =
        fs::read_to_string(stand.path(&format!("{dir}/failures/seed-{seed}.fsxops"))).unwrap();
    assert!(text.lines().all(|line| line.starts_with('#') || is_for_fsx(line)), "{text}");
}

/// Whether fsx takes a line, by the rules of its parser.
pub(crate) fn is_for_fsx(line: &str) -> bool {
    const NAMES: &[&str] = &[
        "read",
        "write",
        "mapread",
        "mapwrite",
        "truncate",
        "fallocate",
        "punch_hole",
        "zero_range",
        "fsync",
    ];
    let line = line.strip_prefix("skip ").unwrap_or(line);
    let words: Vec<_> = line.split(' ').collect();
    let [name, offset, length, size, flags @ ..] = &words[..] else { return false };
    let number = |word: &&str| {
        let digits = word.strip_prefix("0x").unwrap_or_default();
        u64::from_str_radix(digits, 16).is_ok_and(|number| number < 1 << 31)
    };
    NAMES.contains(name)
        && [offset, length, size].into_iter().all(number)
        && flags.iter().all(|flag| ["keep_size", "*"].contains(flag))
}

#[test]
fn several_scenarios_are_one_file_of_tests() {
    let stand = Stand::with(CLEAN);
    stand.write("b.yaml", CLEAN.replace("name: clean", "name: other"));
    let ran = stand.run("run a.yaml b.yaml --junit all.xml");
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let all = fs::read_to_string(stand.path("all.xml")).unwrap();
    assert_eq!(all.matches("<testsuite name=").count(), 2);
    assert!(all.contains("<testcase name=\"expectation\" classname=\"other\""), "{all}");
    let own = fs::read_to_string(stand.path("reports/other-0x1/junit.xml")).unwrap();
    assert_eq!(own.matches("<testsuite name=").count(), 1);
    let refused = stand.run("run a.yaml --junit nowhere/all.xml");
    assert_eq!(refused.code, Some(5), "{refused:?}");
}

/// What a runner of GitHub Actions would act on.
fn commands(ran: &Ran) -> Vec<&str> {
    let lines = ran.out.lines().chain(ran.err.lines());
    lines.filter(|line| line.trim().starts_with("::") || line.contains("##[")).collect()
}

#[test]
fn github_is_told_of_failures_and_of_nothing_else() {
    let stand = Stand::new();
    fs::create_dir(stand.path("below")).unwrap();
    fs::copy(project("scenarios/mixed.yaml"), stand.path("below/mixed.yaml")).unwrap();
    stand.write("below/bad.yaml", "actors: 7 ##[add-mask]x\n");
    stand.write("summary.md", "before\n");
    let run = |words: &str| {
        let mut command = stand.command(words);
        command.env("GITHUB_ACTIONS", "true").env("GITHUB_WORKSPACE", stand.path("."));
        Ran::of(command.env("GITHUB_STEP_SUMMARY", stand.path("summary.md")).output().unwrap())
    };
    let ran = run(&format!("run ./below/../below/mixed.yaml {LATE}"));
    let [told] = commands(&ran)[..] else { panic!("{ran:?}") };
    assert!(told.starts_with("::error file=below/mixed.yaml,line="), "{told}");
    assert!(told.contains("%0Areproduce with: pagestorm replay "), "{told}");
    let page = fs::read_to_string(stand.path("summary.md")).unwrap();
    assert!(page.starts_with("before\n## Pagestorm: 1 of 1 scenario not as expected\n"), "{page}");
    assert!(commands(&run("run below/mixed.yaml --seeds 1 --ops 1")).is_empty());
    assert!(commands(&run(&format!("run below/mixed.yaml {LATE} --format plain"))).is_empty());
    assert_eq!(
        fs::read_to_string(stand.path("summary.md")).unwrap().matches("\n## Pagestorm: ").count(),
        2
    );
    // A line of a scenario that is shown is no command.
    let bad = run("run below/bad.yaml");
    assert!(bad.err.contains("#\\u0023[add-mask]x") && commands(&bad).is_empty(), "{bad:?}");
    assert_eq!(commands(&stand.run("run below/bad.yaml")).len(), 1, "without a runner it is shown");
    // GitHub drops a summary that is too long as a whole.
    stand.write("summary.md", "x".repeat((1 << 20) - 10));
    let full = run("run below/mixed.yaml --seeds 1 --ops 1");
    assert!(full.err.contains("the job's summary is full"), "{full:?}");
    assert_eq!(fs::metadata(stand.path("summary.md")).unwrap().len(), (1 << 20) - 10);
}

#[test]
fn two_runs_are_compared() {
    let (stand, dir, record) = failing("--reports before");
    let before = dir.replace("reports/", "before/");
    let same = stand.run(&format!("compare {before} {before}/result.json"));
    let signature = &record.violations[0].signature;
    assert_eq!(same.code, Some(0), "{same:?}");
    assert!(same.out.starts_with("counts: no change\n"), "{same:?}");
    assert!(same.out.contains(&format!("ongoing failure: {signature}\n")), "{same:?}");
    // The same, from before it failed.
    let mut fixed = Record { violations: Vec::new(), ..record.clone() };
    (fixed.verdict.kind, fixed.verdict.as_expected) = (VerdictKind::Clean, true);
    stand.write("fixed.json", fixed.to_json());
    let new = stand.run(&format!("compare fixed.json {before} --json -"));
    assert_eq!(new.code, Some(1), "{new:?}");
    let json: Value = serde_json::from_str(&new.out).unwrap();
    assert_eq!(json["failures"]["new"][0], signature.as_str());
    let resolved = stand.run(&format!("compare {before} fixed.json"));
    assert_eq!(resolved.code, Some(0), "{resolved:?}");
    let mut elsewhere = fixed;
    elsewhere.environment.kernel = Some("Other".to_owned());
    stand.write("elsewhere.json", elsewhere.to_json());
    let refused = stand.run("compare fixed.json elsewhere.json");
    assert_eq!((refused.code, refused.out.as_str()), (Some(2), ""), "{refused:?}");
    assert!(refused.err.starts_with("not the same kernel: "), "{refused:?}");
    assert!(refused.err.ends_with("run both alike, or add --force\n"), "{refused:?}");
    let forced = stand.run("compare fixed.json elsewhere.json --force");
    assert_eq!(forced.code, Some(0), "{forced:?}");
    let gate = stand.run("compare fixed.json fixed.json --gate p99=+20%");
    assert_eq!(gate.code, Some(4), "a simulated run has no latency: {gate:?}");
    assert_eq!(stand.run("compare fixed.json fixed.json --gate p99=20").code, Some(2));
}

#[test]
fn a_gate_that_is_missed_has_an_exit_status() {
    let stand = Stand::with(&CLEAN.replace("seeds: 6\nops: 60\n", "world: threads\ntime: 200ms\n"));
    let ran = stand.run("run a.yaml --device ram --json -");
    assert_eq!(ran.code, Some(0), "{ran:?}");
    stand.write("a.json", &ran.out);
    let kept = stand.run("compare a.json a.json --gate p50=+20%");
    assert_eq!(kept.code, Some(0), "{kept:?}");
    let missed = stand.run("compare a.json a.json --gate p50=-50%");
    assert_eq!(missed.code, Some(0), "equal runs are no slower: {missed:?}");
    // Half of all operations take as long as one in a hundred did.
    let mut slower = ran.record();
    let slow = slower.latency.kinds.iter().max_by_key(|row| row.n).unwrap().clone();
    let of = slow.operation.clone();
    for row in &mut slower.latency.kinds {
        if row.title() == slow.title() {
            let mut latency = report::latency::Latency::new(report::record::Clock::Wall);
            let (measure, outcome, faulted) = (row.measure, row.outcome, row.faulted);
            let class = report::latency::Class { measure, outcome, faulted };
            (0..row.n).for_each(|n| latency.record(&of, class, 900_000_000 + n));
            *row = latency.to_record().kinds.remove(0);
        }
    }
    stand.write("b.json", slower.to_json());
    let missed = stand.run("compare a.json b.json --gate p50=+20%");
    assert_eq!(missed.code, Some(3), "{missed:?}");
    assert!(missed.out.contains(&format!("gate p50=+20%: MISSED by {of}\n")), "{missed:?}");
}

#[test]
fn throughput_is_judged_where_a_run_says_how_sure_it_is() {
    let stand = Stand::new();
    for (name, rate) in [("a", 400), ("b", 400), ("c", 200)] {
        let actor = format!("{{name: w, ops: {{write: 1}}, size: {{max: 512}}, rate: {rate}/s}}");
        let text = format!("world: threads\ntime: 1500ms\nactors: [{actor}]\n");
        stand.write(&format!("{name}.yaml"), text);
        let ran = stand.run(&format!("run {name}.yaml --device ram --json {name}.json"));
        assert_eq!(ran.code, Some(0), "{ran:?}");
    }
    let gated = |other: &str| {
        stand.run(&format!("compare a.json {other}.json --force --gate throughput=-20%"))
    };
    let (alike, slower) = (gated("b"), gated("c"));
    assert_eq!(alike.code, Some(0), "{alike:?}");
    assert!(alike.out.contains("gate throughput=-20%: kept by 1 figure\n"), "{alike:?}");
    assert_eq!(slower.code, Some(3), "{slower:?}");
    assert!(slower.out.contains("gate throughput=-20%: MISSED by all\n"), "{slower:?}");
}
