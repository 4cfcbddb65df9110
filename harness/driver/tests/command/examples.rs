//! The examples below `reports/`: what is kept is what comes of it today.

use crate::stand::{Stand, project};
use report::record::Record;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// The run that fails; `ci/examples` has the same words.
const FAILURE: &str = "run scenarios/short-copies-under-mmap.yaml --reports reports/examples --shrink 10m \
                       --set filesystem.write_cleanup=whole_range_locked";

/// Every file below a directory, by its path from there.
fn files(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut all = BTreeMap::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            let below = files(&path).into_iter();
            all.extend(below.map(|(file, bytes)| (format!("{name}/{file}"), bytes)));
        } else {
            all.insert(name, fs::read(&path).unwrap());
        }
    }
    all
}

/// Fails with the first line that differs.
fn assert_same(name: &str, kept: &[u8], made: &[u8], remedy: &str) {
    if kept == made {
        return;
    }
    let (kept, made) = (String::from_utf8_lossy(kept), String::from_utf8_lossy(made));
    let other = (1..).zip(kept.lines().zip(made.lines())).find(|(_, (kept, made))| kept != made);
    panic!(
        "{name} is not what it was; {remedy} makes it again. The first line that differs: {other:#?}"
    );
}

#[test]
fn every_page_and_side_file_is_what_its_record_makes() {
    let stand = Stand::new();
    let mut examples = 0;
    for entry in fs::read_dir(project("reports/examples")).unwrap() {
        let dir = entry.unwrap().path();
        if !dir.is_dir() {
            continue;
        }
        examples += 1;
        let name = dir.file_name().unwrap().to_str().unwrap();
        let again = stand.run(&format!("report {} -o {name}", dir.display()));
        assert_eq!(again.code, Some(0), "{again:?}");
        let (mut kept, made) = (files(&dir), files(&stand.path(name)));
        for (file, made) in &made {
            let kept = kept.remove(file);
            let kept =
                kept.unwrap_or_else(|| panic!("{name}/{file} is not kept: ci/examples --pages"));
            assert_same(&format!("{name}/{file}"), &kept, made, "ci/examples --pages");
        }
        // A reproducer has the whole case, of which the record tells only the story.
        let others = kept.keys().filter(|file| !file.starts_with("failures/"));
        assert_eq!(others.collect::<Vec<_>>(), [""; 0], "{name}: nobody makes these");
    }
    assert_eq!(examples, 2);
}

#[test]
fn the_run_that_fails_fails_as_it_did() {
    let stand = Stand::new();
    fs::create_dir(stand.path("scenarios")).unwrap();
    let scenario = "scenarios/short-copies-under-mmap.yaml";
    fs::copy(project(scenario), stand.path(scenario)).unwrap();
    let ran = stand.run(FAILURE);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    let name = "reports/examples/short-copies-under-mmap-0x1";
    let (kept, made) = (files(&project(name)), files(&stand.path(name)));
    assert_eq!(kept.keys().collect::<Vec<_>>(), made.keys().collect::<Vec<_>>(), "ci/examples");
    for (file, kept) in kept.iter().filter(|(file, _)| file.starts_with("failures/")) {
        assert_same(&format!("{name}/{file}"), kept, &made[file], "ci/examples");
    }
    let record = |files: &BTreeMap<String, Vec<u8>>| {
        Record::from_json(std::str::from_utf8(&files["result.json"]).unwrap()).unwrap()
    };
    let (kept, mut made) = (record(&kept), record(&made));
    // Where and how fast it ran is all that may differ.
    (made.environment, made.timing) = (kept.environment.clone(), kept.timing.clone());
    let (kept, made) = (kept.to_json(), made.to_json());
    assert_same(&format!("{name}/result.json"), kept.as_bytes(), made.as_bytes(), "ci/examples");
}

#[test]
fn the_pictures_of_the_readme_are_kept() {
    let readme = fs::read_to_string(project("README.md")).unwrap();
    let pictures = readme
        .split('"')
        .filter(|part| Path::new(part).extension().is_some_and(|end| end == "png"));
    let pictures: Vec<_> = pictures.collect();
    assert!(pictures.len() >= 2, "{pictures:?}");
    for picture in pictures {
        let bytes = fs::read(project("README.md").with_file_name("").join(picture));
        let bytes =
            bytes.unwrap_or_else(|error| panic!("{picture}: {error}; ci/examples makes it"));
        assert!(bytes.starts_with(b"\x89PNG\r\n\x1a\n"), "{picture}");
    }
}
