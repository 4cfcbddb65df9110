//! `result.json`: it reads back, it is described, and it is written whole or not at all.

mod samples;

use std::collections::BTreeSet;
use std::fs;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hdrhistogram::Histogram;
use hdrhistogram::serialization::Deserializer;
use hdrhistogram::serialization::interval_log::{IntervalLogIterator, LogEntry};
use report::record::{Record, RecordError, VerdictKind};
use report::writing::write_run;
use serde_json::Value;

#[test]
fn records_read_back_as_written() {
    let records = VerdictKind::ALL.iter().map(|kind| samples::record(*kind));
    for record in records.chain([
        samples::threads(),
        samples::rated(),
        samples::hostile("<\u{2028}\"\\\u{0}>"),
    ]) {
        let text = record.to_json();
        assert!(text.ends_with("}\n"));
        let back = Record::from_json(&text).unwrap();
        assert_eq!(back, record);
        assert_eq!(back.to_json(), text);
    }
}

#[test]
fn damage_is_explained() {
    let text = samples::record(VerdictKind::Clean).to_json();
    let row = text.find("\"histogram\": \"").unwrap() + 14;
    let table = [
        (String::new(), "not JSON"),
        (text[..text.len() / 2].to_owned(), "cut short"),
        ("[]".to_owned(), "not the record of a run"),
        ("{\"schema\": \"1\"}".to_owned(), "not the record of a run"),
        (text.replace("\"schema\": 2", "\"schema\": 1"), "this program reads schema 2"),
        (text.replace("\"world\": \"simulated\"", "\"world\": \"real\""), "unknown variant `real`"),
        (text.replace("\"0x9e3779b9\"", "\"twelve\""), "is no seed"),
        (text.replace("\"seeds_done\"", "\"done\""), "missing field `seeds_done`"),
        (
            format!("{}AAAA{}", &text[..row], &text[row + 4..]),
            "damaged latencies: row `append service ok`",
        ),
    ];
    for (damaged, reason) in table {
        let error = Record::from_json(&damaged).expect_err(reason).to_string();
        assert!(error.contains(reason), "{error}");
        assert!(error.contains("run the scenario again"), "{error} says nothing to do");
    }
}

#[test]
fn a_timeline_that_cannot_be_is_damage() {
    let text = samples::threads().to_json();
    for (good, bad) in
        [("\"slice_ms\": 64", "\"slice_ms\": 0"), ("\"slice_ms\": 64", "\"slice_ms\": 65")]
    {
        let error = Record::from_json(&text.replace(good, bad)).expect_err(bad);
        assert_eq!(error, RecordError::Timeline);
        assert!(error.to_string().contains("run the scenario again"));
    }
}

#[test]
fn a_run_of_threads_leaves_a_log_that_readers_of_such_logs_take() {
    let dir = tempfile::tempdir().unwrap();
    let record = samples::rated();
    let written = write_run(dir.path(), &record).unwrap();
    let log = fs::read(written.log.unwrap()).unwrap();
    let mut tags = Vec::new();
    for entry in IntervalLogIterator::new(&log) {
        let LogEntry::Interval(interval) = entry.unwrap() else { continue };
        let bytes = STANDARD.decode(interval.encoded_histogram()).unwrap();
        let histogram: Histogram<u64> =
            Deserializer::new().deserialize(&mut bytes.as_slice()).unwrap();
        tags.push((interval.tag().unwrap().as_str().to_owned(), histogram.len()));
    }
    let n = |tag: &str| tags.iter().find(|(name, _)| name == tag).map(|(_, n)| *n);
    let rows = &record.latency.kinds;
    assert_eq!(tags.len(), rows.len() + 1);
    assert_eq!(n("all.lag.ok"), Some(16_000));
    assert_eq!(n("write.response.ok.faulted").or(n("fsync.response.ok.faulted")), Some(1));
    let written = write_run(dir.path(), &samples::record(VerdictKind::Clean)).unwrap();
    assert_eq!(written.log, None);
    assert!(!dir.path().join("latency.hlog").exists(), "a log of an earlier run stays");
}

#[test]
fn fields_of_a_later_version_are_skipped() {
    let record = samples::record(VerdictKind::Clean);
    let text = record.to_json().replacen('{', "{\"later\": {\"a\": [1]},", 1);
    assert_eq!(Record::from_json(&text), Ok(record));
    let other = Record::from_json("{\"schema\": 7}");
    assert_eq!(other, Err(RecordError::UnknownSchema { found: 7 }));
}

#[test]
fn the_schema_describes_every_field_and_nothing_else() {
    let schema: Value = serde_json::from_str(Record::JSON_SCHEMA).unwrap();
    let mut described = BTreeSet::new();
    let mut seen = BTreeSet::new();
    let records = VerdictKind::ALL.iter().map(|kind| samples::record(*kind));
    for record in records.chain([samples::threads(), samples::rated()]) {
        let value: Value = serde_json::from_str(&record.to_json()).unwrap();
        check(&schema, &value, "result", &mut described, &mut seen);
    }
    assert_eq!(described, seen);
    let kinds = schema["properties"]["verdict"]["properties"]["kind"]["enum"].as_array().unwrap();
    let names: Vec<_> = VerdictKind::ALL.iter().map(|kind| kind.name()).collect();
    assert_eq!(kinds, &names);
}

/// Holds `value` against the part of JSON Schema that `result.schema.json` uses, and collects the
/// fields on both sides.
fn check(
    schema: &Value,
    value: &Value,
    path: &str,
    described: &mut BTreeSet<String>,
    seen: &mut BTreeSet<String>,
) {
    assert!(schema["description"].is_string(), "{path} has no description");
    let types = schema["type"].as_array().cloned().unwrap_or_else(|| vec![schema["type"].clone()]);
    let own = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_u64() => "integer",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    let fits = |known: &Value| known == own || own == "integer" && known == "number";
    assert!(types.iter().any(fits), "{path} is {own}, not {types:?}");
    if let Some(names) = schema["enum"].as_array() {
        assert!(names.contains(value), "{path}: {value} is not listed");
    }
    match value {
        Value::Array(items) => {
            for item in items {
                check(&schema["items"], item, &format!("{path}[]"), described, seen);
            }
        }
        Value::Object(fields) if schema["properties"].is_object() => {
            let properties = schema["properties"].as_object().expect("it is one");
            let required = schema["required"].as_array().expect("objects say what is required");
            assert_eq!(required.len(), properties.len(), "{path}: every field is always there");
            described.extend(properties.keys().map(|name| format!("{path}.{name}")));
            seen.extend(fields.keys().map(|name| format!("{path}.{name}")));
            for (name, field) in fields {
                check(&properties[name], field, &format!("{path}.{name}"), described, seen);
            }
        }
        Value::Object(fields) => {
            for field in fields.values() {
                let each = &schema["additionalProperties"];
                check(each, field, &format!("{path}.*"), described, seen);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[test]
fn a_run_is_written_and_written_over() {
    let dir = tempfile::tempdir().unwrap();
    let run = dir.path().join("reports/run");
    for kind in [VerdictKind::Clean, VerdictKind::Violated] {
        let record = samples::record(kind);
        // What a killed run may have left.
        fs::create_dir_all(&run).unwrap();
        fs::write(run.join("result.json.tmp"), "half").unwrap();
        let written = write_run(&run, &record).unwrap();
        assert_eq!(Record::from_json(&fs::read_to_string(&written.json).unwrap()), Ok(record));
        assert!(fs::read_to_string(&written.html).unwrap().starts_with("<!doctype html>"));
        assert_eq!(fs::read_dir(&run).unwrap().count(), 3);
    }
}

#[test]
fn what_cannot_be_written_leaves_nothing_behind() {
    let record = samples::record(VerdictKind::Clean);
    let names = ["report.html", "junit.xml", "result.json"];
    let temporary = names.map(|name| format!("{name}.tmp"));
    for blocked in names.iter().copied().chain(temporary.iter().map(String::as_str)) {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir_all(dir.path().join(blocked).join("occupied")).unwrap();
        let error = write_run(dir.path(), &record).expect_err(blocked);
        assert!(error.to_string().contains(blocked.trim_end_matches(".tmp")), "{error}");
        assert!(!dir.path().join("result.json").is_file(), "{blocked}");
        let left = fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().file_name());
        let left: Vec<_> = left.filter(|name| name.to_string_lossy().ends_with(".tmp")).collect();
        assert!(left.iter().all(|name| name == blocked), "{blocked}: {left:?}");
    }
    let file = tempfile::NamedTempFile::new().unwrap();
    let error = write_run(file.path(), &record).expect_err("a file is no directory");
    assert!(error.to_string().contains(&file.path().display().to_string()), "{error}");
}
