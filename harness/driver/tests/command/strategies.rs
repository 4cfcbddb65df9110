//! `bugs --strategies`: how many schedules each strategy needs.

use crate::stand::Stand;
use serde_json::Value;

#[test]
fn schedules_are_counted_for_each_strategy() {
    let words = "bugs --strategies stale-iomap-write --masters 3 --padding 2";
    let ran = Stand::new().run(words);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let heading = "bug                depth  cases  random  pct  at depth  pos  surw  mix";
    let words_of = |line: &str| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    let headings = ran.out.lines().filter(|line| words_of(line) == words_of(heading));
    assert_eq!(headings.count(), 2, "{ran:?}");
    assert!(ran.out.contains("with 2 calls before each actor's own"), "{ran:?}");
    assert!(ran.err.contains("1 of 1: stale-iomap-write 3 failures, 3 of depth 2"), "{ran:?}");
    let json = Stand::new().run(&format!("{words} --jobs 1 --json -")).out;
    let json: Value = serde_json::from_str(&json).unwrap();
    let bug = &json[0];
    assert_eq!((&bug["id"], &bug["depth"]), (&"stale-iomap-write".into(), &2.into()));
    for figures in [&bug["median"], &bug["median_padded"], &bug["cases"][2]["schedules"]] {
        for strategy in ["random", "pct", "at_depth", "pos", "surw", "mix"] {
            assert!(figures[strategy].as_u64().is_some_and(|n| 1 <= n), "{json:#}");
        }
    }
    let median = bug["median"]["at_depth"].as_u64().unwrap().to_string();
    let row = ran.out.lines().find(|line| line.starts_with("stale-iomap-write ")).unwrap();
    assert_eq!(words_of(row)[5], median, "the same however many threads share the work: {row}");
}

#[test]
fn padding_is_for_strategies() {
    for words in ["bugs --padding 3", "bugs --run --padding 3", "bugs --strategies --shrink"] {
        assert_eq!(Stand::new().run(words).code, Some(2), "{words}");
    }
}
