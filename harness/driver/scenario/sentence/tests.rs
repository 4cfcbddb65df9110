//! What sentences of a script mean, and what is wrong with them.

use super::*;

fn cast() -> Cast {
    let own = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    let lists = [
        Some(vec![OpKind::Write, OpKind::Fsync, OpKind::Evict]),
        Some(vec![OpKind::Write]),
        Some(vec![OpKind::MmapStore]),
        None,
    ];
    let actors = own(&["P", "W", "many-0", "many-1"]);
    Cast { actors, lists: lists.into(), files: own(&["a", "log"]), is_real: true }
}

const SCAN: Target = Target::Point { nth: 1, point: Point::WriteEndScan };

#[test]
fn sentences_mean_this() {
    let cast = cast();
    let mut reader = Reader::new(&cast);
    let mapped = |nth| Target::Point { nth, point: Point::WriteMapped };
    let run = |actor, until| Action::Run { actor, until };
    let fail = |actor, until| Action::Fail { actor, until };
    let range = |start, end| ByteRange::new(start * PAGE, end * PAGE);
    for (text, action) in [
        ("run P", run(0, vec![Target::Done])),
        ("run W until write.mapped", run(1, vec![mapped(1)])),
        ("resume W until 22nd write.mapped or done", run(1, vec![mapped(22), Target::Done])),
        ("  resume   W until\treturned", run(1, vec![Target::Returned])),
        ("run many-1 until blocked", run(3, vec![Target::Blocked])),
        ("store many-0", run(2, vec![Target::Returned])),
        ("fail W", fail(1, vec![Target::Returned])),
        ("fail W until write_end.scan or done", fail(1, vec![SCAN, Target::Done])),
        ("evict 12", Action::Evict { file: 0, range: range(12, 13) }),
        ("evict 3..5 of log", Action::Evict { file: 1, range: range(3, 6) }),
        ("hold reads", Action::HoldReads),
        ("hold disk at ioend.before_convert", Action::HoldDisk(Point::IoendBeforeConvert)),
        ("resume disk", Action::ResumeDisk),
    ] {
        assert_eq!(reader.step(1, text), Ok(Step { text: text.to_owned(), action }), "{text}");
    }
}

#[test]
fn flaws_are_marked_where_they_stand() {
    let cast = cast();
    for (text, marked, message) in [
        ("", "", "this step is empty"),
        ("go W", "go", "no step begins with `go`"),
        ("run", "run", "there is no actor behind `run`"),
        ("run X", "X", "there is no actor `X`"),
        ("run many", "many", "there is no actor `many`"),
        ("resume W", "W", "nobody has run `W`"),
        ("resume disk", "disk", "nobody has held `disk`"),
        ("run W till done", "till", "this cannot follow here: `till`"),
        ("run W until", "until", "there is no target behind `until`"),
        ("run W until done or", "or", "there is no target behind `or`"),
        ("run W until done and done", "and", "this cannot follow here: `and`"),
        ("run W until 2th write.mapped", "2th", "this is no ordinal number: `2th`"),
        ("run W until 0th write.mapped", "0th", "this is no ordinal number: `0th`"),
        ("run W until 3rd", "3rd", "there is no point behind `3rd`"),
        ("run W until write.maped", "write.maped", "there is no point `write.maped`"),
        ("run W until ioend.converted", "ioend.converted", "actors do not pass `ioend.converted`"),
        ("evict", "evict", "there is no page behind `evict`"),
        ("evict 5..3", "5..3", "this range ends before it begins: `5..3`"),
        ("evict 5-7", "5-7", "these are no pages: `5-7`"),
        ("evict 5..", "5..", "these are no pages: `5..`"),
        (
            "evict 1..1099511627777",
            "1..1099511627777",
            "no file has so many pages: `1..1099511627777`",
        ),
        ("evict 1 from a", "from", "this cannot follow here: `from`"),
        ("evict 1 of b", "b", "there is no file `b`"),
        ("evict 1 of a now", "now", "this cannot follow here: `now`"),
        ("hold W at write.mapped", "W", "here stands `disk`, and not `W`"),
        ("hold disk at write.mapped", "write.mapped", "completions do not pass `write.mapped`"),
        ("hold reads of a", "of", "this cannot follow here: `of`"),
    ] {
        let flaws = Reader::new(&cast).step(1, text).unwrap_err();
        let [flaw] = &flaws[..] else { panic!("{text}: {flaws:?}") };
        assert_eq!((&text[flaw.bytes.clone()], flaw.message.as_str()), (marked, message));
    }
}

/// What is wrong with the last of these sentences, and with nothing before it: what is marked, and how.
fn last(sentences: &[&str]) -> Option<(String, String)> {
    let cast = cast();
    let mut reader = Reader::new(&cast);
    let (last, before) = sentences.split_last().unwrap();
    for (number, text) in (1..).zip(before) {
        reader.step(number, text).unwrap();
    }
    let flaws = reader.step(sentences.len(), last).err()?;
    let [flaw] = &flaws[..] else { panic!("{flaws:?}") };
    Some((last[flaw.bytes.clone()].to_owned(), flaw.message.clone()))
}

#[test]
fn a_call_is_named_where_it_is_the_next() {
    type Flawed = Option<(&'static str, &'static str)>;
    const UNKNOWN: &str = "it is not known which call comes next: it need not be `fsync`";
    let table: &[(&[&str], Flawed)] = &[
        (&["write P", "fsync P", "evict P"], None),
        (&["run P until returned", "fsync P", "evict 1", "resume P"], None),
        (&["fsync P"], Some(("fsync", "the next call of this actor is no `fsync`"))),
        (&["load many-0"], Some(("load", "the next call of this actor is no `load`"))),
        (&["write W", "write W"], Some(("W", "nothing is left to do for `W`"))),
        (&["run P until write.mapped", "fsync P"], Some(("fsync", UNKNOWN))),
        (&["run P until returned or blocked", "fsync P"], Some(("fsync", UNKNOWN))),
        (&["run P until write.mapped", "fail P", "fsync P", "evict P"], None),
        (&["run P until write.mapped", "fail P until returned", "fsync P"], None),
        (&["run P until write.mapped", "resume P until returned", "fsync P"], None),
        (&["run P until write.mapped", "resume P until returned or done", "fsync P"], None),
        (&["run P until write.mapped", "resume P until write.copied", "fail P", "fsync P"], None),
        (&["run P until 3rd write.unlocked", "resume P until returned", "fsync P"], None),
        (
            &["run P until write.mapped", "fail P until write_end.scan", "fsync P"],
            Some(("fsync", UNKNOWN)),
        ),
        (
            &["run P until fault.entered", "run P until returned", "fsync P"],
            Some(("fsync", UNKNOWN)),
        ),
        (&["run P until blocked", "run P until returned", "fsync P"], Some(("fsync", UNKNOWN))),
        (
            &["run P until write.mapped", "fail P", "evict P"],
            Some(("evict", "the next call of this actor is no `evict`")),
        ),
        (
            &["run W until write.mapped", "fail W", "write W"],
            Some(("W", "nothing is left to do for `W`")),
        ),
        (&["run P", "fsync P"], Some(("P", "nothing is left to do for `P`"))),
        (&["run W until write.mapped", "fail W"], None),
        (&["fail W"], Some(("W", "nobody has run `W`"))),
        (
            &["store many-0", "fail many-0"],
            Some(("many-0", "there is no source that could end in the calls of `many-0`")),
        ),
        (&["fsyncs P"], Some(("fsyncs", "no step begins with `fsyncs`"))),
        (&["fsync"], Some(("fsync", "there is no actor behind `fsync`"))),
    ];
    for (sentences, flawed) in table {
        let flawed = flawed.map(|(marked, told)| (marked.to_owned(), told.to_owned()));
        assert_eq!(last(sentences), flawed, "{sentences:?}");
    }
}

#[test]
fn of_several_writes_the_one_that_stands_is_known_or_not() {
    let calls = [OpKind::Write, OpKind::Write, OpKind::Truncate, OpKind::Append];
    let at = |nth, point| [Target::Point { nth, point }];
    let (mapped, copied) = (Point::WriteMapped, Point::WriteCopied);
    let within = |call, point| Some(Stood::Within(call, point));
    for (stood, nth, point, ends, led) in [
        (Stood::Between(0), 1, mapped, false, within(0, mapped)),
        (Stood::Between(0), 2, mapped, false, None),
        (Stood::Between(0), 1, Point::WriteSizePublished, false, None),
        (Stood::Between(0), 1, Point::TruncateLocked, false, within(2, Point::TruncateLocked)),
        (Stood::Between(2), 9, copied, false, within(3, copied)),
        (Stood::Between(4), 1, copied, false, None),
        (Stood::Within(0, mapped), 1, copied, false, within(0, copied)),
        (Stood::Within(0, mapped), 1, copied, true, None),
        (Stood::Within(0, copied), 1, copied, false, None),
        (Stood::Within(2, Point::TruncateLocked), 1, copied, false, within(3, copied)),
    ] {
        assert_eq!(stood.led(&calls, &at(nth, point), ends), led, "{stood:?}, {nth}, {point:?}");
    }
}

#[test]
fn every_flaw_of_a_sentence_is_found_and_nothing_panics() {
    let cast = cast();
    let flaws = Reader::new(&cast).step(1, "run X until write.maped").unwrap_err();
    assert_eq!(flaws.len(), 2);
    let text = "resume W until 22nd write.mapped or done of \u{e4}";
    for (at, letter) in text.char_indices() {
        for broken in
            [text[..at].to_owned(), text[..at].to_owned() + &text[at + letter.len_utf8()..]]
        {
            let _ = Reader::new(&cast).step(1, &broken);
        }
    }
}

#[test]
fn editors_know_how_steps_begin() {
    let begins = crate::scenario::format::STEP;
    let known = |verb: &str| {
        ["(", "|"].iter().any(|before| {
            let word = format!("{before}{verb}");
            [")", "|"].iter().any(|behind| begins.contains(&format!("{word}{behind}")))
        })
    };
    let verbs = ["run", "resume", "fail", "evict", "hold", "store", "load"];
    let kinds = OpKind::ALL.iter().map(|kind| kind.name());
    for verb in kinds.chain(verbs) {
        assert!(known(verb), "{verb}");
    }
}
