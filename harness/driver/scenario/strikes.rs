//! Strikes: sentences that say which fault strikes where; how they are read and written.

use super::fields::Read;
use super::plan::{IoKind, Moment, Request, Strike};
use super::problem::{Problem, Problems};
use super::quantity::{show_duration, show_size};
use super::schedule::twice;
use super::suggest::{list, nearest};
use super::tasks::{ARROW, Names, Tasks, bytes, time};
use super::wording::{Flaw, Sentence, ordinal, report};
use super::words::Word;
use std::collections::BTreeMap;
use std::time::Duration;

/// The most strikes of a scenario.
pub(super) const MOST_STRIKES: usize = 1_000_000;

/// The sentences, each with what it means.
pub(super) static STRIKES: &[(&str, &str)] = &[
    (
        "[Nth] read of FILE at BYTE fails",
        "The device answers the N-th read that begins with that byte of the file with EIO.",
    ),
    ("[Nth] write of FILE at BYTE fails", "The same, for a write."),
    (
        "[Nth] flush of FILE fails",
        "The same, for a flush of the device's cache; `sync` asks for one of \
     the first file.",
    ),
    (
        "[Nth] read of FILE at BYTE takes TIME",
        "The device takes that time about it, in place of its \
     `latency`; also for writes and flushes.",
    ),
    (
        "TASK OPERATION.POINT SITE -> evict FILE at BYTE",
        "When the task stands there, reclaim takes the folio of that byte, if it is clean and not locked. \
         Places are those of `schedule`, at named points only.",
    ),
    ("TASK OPERATION.POINT SITE -> stand still for TIME", "The task stands still there."),
];

/// The strikes that the sentences mean. `None`: some are wrong.
pub(super) fn plan(
    sentences: &[Read<String>],
    tasks: &Tasks,
    problems: &Problems,
) -> Option<Vec<Strike>> {
    let mut strikes = Vec::new();
    let (mut places, mut times) = (BTreeMap::new(), BTreeMap::new());
    let mut good = true;
    let mut refuse = |problem: Problem| {
        problems.add(problem);
        good = false;
    };
    for given in sentences.iter().flatten() {
        let strike = match strike(&given.value, tasks) {
            Ok(strike) => strike,
            Err(flaws) => {
                report(problems, given.place, &given.value, flaws);
                continue;
            }
        };
        if let Some(Moment { who, operation, point, .. }) = strike.moment()
            && let Some(first) = places.insert((*who, *operation, *point), given.place)
        {
            refuse(twice(given.place, first));
        }
        if let Strike::Latency(request, time) = strike
            && let Some((first, other)) = times.insert(request, (given.place, time))
            && other != time
        {
            let problem = Problem::at(given.place, "one request cannot take two times");
            refuse(problem.help("remove one of the two").second(first, "the first"));
        }
        strikes.push(strike);
    }
    (good && strikes.len() == sentences.len()).then_some(strikes)
}

/// A strike as a sentence.
pub(super) fn sentence(names: &Names<'_>, strike: &Strike) -> String {
    match strike {
        Strike::IoError(request) => format!("{} fails", self::request(names, request)),
        Strike::Latency(request, time) => {
            format!("{} takes {}", self::request(names, request), show_duration(*time))
        }
        Strike::Evict { at, file, pos } => {
            names.at(at, format!("evict {} at {}", names.file(*file), show_size(*pos)))
        }
        Strike::Delay(at, time) => {
            names.at(at, format!("stand still for {}", show_duration(*time)))
        }
    }
}

fn request(names: &Names<'_>, request: &Request) -> String {
    let Request { on, file, pos, nth } = *request;
    let count = if nth == 1 { String::new() } else { ordinal(nth) + " " };
    let at = match (on, pos) {
        (IoKind::Flush, 0) => String::new(),
        _ => format!(" at {}", show_size(pos)),
    };
    format!("{count}{} of {}{at}", on.name(), names.file(file))
}

fn strike(text: &str, tasks: &Tasks) -> Result<Strike, Vec<Flaw>> {
    let mut sentence = Sentence::new("strike", text);
    let placed = text.split_whitespace().any(|word| word == ARROW);
    let strike =
        if placed { at_moment(&mut sentence, tasks) } else { at_request(&mut sentence, tasks) };
    if sentence.flaws.is_empty() {
        sentence.end();
    }
    strike.filter(|_| sentence.flaws.is_empty()).ok_or(sentence.flaws)
}

fn at_moment(sentence: &mut Sentence<'_>, tasks: &Tasks) -> Option<Strike> {
    const FORMS: &str = "`evict FILE at BYTE`, or `stand still for TIME`";
    let at = tasks.moment(sentence)?;
    let word = sentence.next("nothing happens behind", FORMS)?;
    match word.text {
        "evict" => {
            let file = tasks.file(sentence);
            sentence.expect("at", "say which byte: `evict a at 4KiB`")?;
            let pos = bytes(sentence)?;
            Some(Strike::Evict { at, file: file?, pos })
        }
        "stand" => {
            sentence.expect("still", "write `stand still for TIME`")?;
            sentence.expect("for", "write `stand still for TIME`")?;
            Some(Strike::Delay(at, time(sentence)?))
        }
        _ => sentence.flaw(&word, "nothing of that kind can happen:", format!("write {FORMS}")),
    }
}

fn at_request(sentence: &mut Sentence<'_>, tasks: &Tasks) -> Option<Strike> {
    let first = sentence.next("", "a request, as in `2nd write of a at 4KiB fails`")?;
    let (nth, word) = sentence.counted(first, "a request")?;
    let Some(on) = IoKind::named(word.text) else {
        let kinds = IoKind::WORDS.iter().map(|(kind, _)| *kind);
        let help = match nearest(word.text, kinds.clone()) {
            _ if tasks.has(word.text) => {
                format!("write `{ARROW}` between the place and what happens there")
            }
            Some(near) => format!("did you mean `{near}`?"),
            None => {
                let kinds: Vec<_> = kinds.collect();
                format!("write {} for a request, or a place with `{ARROW}` behind it", list(&kinds))
            }
        };
        return sentence.flaw(&word, "no strike begins with", help);
    };
    sentence.expect("of", "say of which file: `write of a at 4KiB fails`")?;
    let file = tasks.file(sentence);
    let pos = if on == IoKind::Flush && sentence.peek() != Some("at") {
        0
    } else {
        sentence.expect("at", "say where it begins: `write of a at 4KiB fails`")?;
        bytes(sentence)?
    };
    let word = sentence.next("something is missing behind", "`fails`, or `takes TIME`")?;
    let request = |file| Request { on, file, pos, nth };
    match word.text {
        "fails" => Some(Strike::IoError(request(file?))),
        "takes" => {
            let time: Duration = time(sentence)?;
            Some(Strike::Latency(request(file?), time))
        }
        _ => {
            sentence.flaw(&word, "no request does that:", "it `fails`, or `takes TIME`".to_owned())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::plan::Who;
    use super::super::tasks::tests::tasks;
    use super::*;

    #[test]
    fn sentences_mean_this() {
        let at = |site: &str| Moment {
            who: Who::Actor(0),
            operation: 3,
            point: 11,
            site: site.to_owned(),
        };
        let request = |on, pos, nth| Request { on, file: 1, pos, nth };
        let micros = Duration::from_micros;
        for (text, strike) in [
            ("write of log at 4KiB fails", Strike::IoError(request(IoKind::Write, 4096, 1))),
            ("2nd flush of log fails", Strike::IoError(request(IoKind::Flush, 0, 2))),
            (
                "3rd read of log at 0 takes 80us",
                Strike::Latency(request(IoKind::Read, 0, 3), micros(80)),
            ),
            (
                "W 3.11 write.mapped -> evict a at 8KiB",
                Strike::Evict { at: at("write.mapped"), file: 0, pos: 8192 },
            ),
            (
                "W 3.11  folio  lock -> stand still for 1ms",
                Strike::Delay(at("folio lock"), micros(1000)),
            ),
        ] {
            assert_eq!(super::strike(text, &tasks()), Ok(strike), "{text}");
        }
    }

    #[test]
    fn flaws_are_marked_where_they_stand() {
        for (text, marked, message) in [
            ("", "", "this strike is empty"),
            ("wirte of a at 0 fails", "wirte", "no strike begins with `wirte`"),
            ("2th write of a at 0 fails", "2th", "this is no ordinal number: `2th`"),
            ("2nd", "2nd", "there is no request behind `2nd`"),
            ("write a at 0 fails", "a", "here stands `of`, and not `a`"),
            ("write of b at 0 fails", "b", "there is no file `b`"),
            ("write of a fails", "fails", "here stands `at`, and not `fails`"),
            ("write of a at 4kb fails", "4kb", "`kb` is no unit of size: `4kb`"),
            ("write of a at 0 failed", "failed", "no request does that: `failed`"),
            ("write of a at 0 takes 5", "5", "a time needs a unit: `5`"),
            ("write of a at 0 fails now", "now", "this cannot follow here: `now`"),
            ("W 3.1 x -> explode", "explode", "nothing of that kind can happen: `explode`"),
            ("W 3.1 x -> evict a", "a", "something is missing behind `a`"),
            ("W 3.1 x -> stand for 5us", "for", "here stands `still`, and not `for`"),
        ] {
            let flaws = strike(text, &tasks()).unwrap_err();
            let [flaw] = &flaws[..] else { panic!("{text}: {flaws:?}") };
            assert_eq!((&text[flaw.bytes.clone()], flaw.message.as_str()), (marked, message));
        }
    }
}
