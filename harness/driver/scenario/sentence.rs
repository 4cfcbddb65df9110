//! The sentences of a script, read word by word.

use super::plan::{Action, Step, Target};
use super::suggest::{did_you_mean, list, nearest};
use super::wording::{Flaw, Sentence, Word};
use std::ops::RangeInclusive;
use stormfs::points::Point;
use stormfs::quantity::{ByteRange, PAGE};

/// The sentences, each with what it means.
pub(super) static SENTENCES: &[(&str, &str)] = &[
    (
        "run ACTOR [until TARGET [or TARGET]...]",
        "The actor goes on, alone, until the first of the targets is reached. Without targets: until \
         it is `done`.",
    ),
    (
        "resume ACTOR [until TARGET [or TARGET]...]",
        "The same, for an actor that has been run before.",
    ),
    (
        "evict PAGE[..PAGE] [of FILE]",
        "Reclaim takes the folios that hold these pages, both ends included. One at least must go.",
    ),
    (
        "hold disk at POINT",
        "From now on every completion of I/O is held where it passes the point. Without it, I/O \
         completes by itself before a step ends.",
    ),
    ("resume disk", "Completions go on, and no more are held."),
];

/// The targets, each with what it means.
pub(super) static TARGETS: &[(&str, &str)] = &[
    (
        "[Nth] POINT",
        "It has passed the point so often since the step began, as in `3rd write.mapped`, and is held \
         there.",
    ),
    ("returned", "The operation that it is in, or else its next one, has returned."),
    ("done", "All its operations have returned."),
    ("blocked", "It waits for somebody who is held: for a lock, or for I/O."),
];

/// Completions pass these points, and nobody else does.
const OF_COMPLETIONS: &str = "ioend.";

/// How a sentence calls the device.
pub(super) const DISK: &str = "disk";

/// Who can be named in a script.
pub(super) struct Cast {
    /// The actors in the order in which they are numbered. Of several the name is `writer-0`.
    pub(super) actors: Vec<String>,
    /// The files by number.
    pub(super) files: Vec<String>,
}

/// Reads one sentence after the other, and remembers what came before.
pub(super) struct Reader<'a> {
    cast: &'a Cast,
    /// By actor: the step that ran it last, and whether it ended all of its operations.
    ran: Vec<Option<(usize, bool)>>,
    disk_held: bool,
}

impl<'a> Reader<'a> {
    /// A reader before the first step.
    pub(super) fn new(cast: &'a Cast) -> Reader<'a> {
        Reader { cast, ran: vec![None; cast.actors.len()], disk_held: false }
    }

    /// The meaning of a sentence, which is the step with this number, or what is wrong with it.
    pub(super) fn step(&mut self, number: usize, text: &str) -> Result<Step, Vec<Flaw>> {
        let mut sentence = Sentence::new("step", text);
        let action = self.action(&mut sentence);
        if sentence.flaws.is_empty() {
            sentence.end();
        }
        let Some(action) = action.filter(|_| sentence.flaws.is_empty()) else {
            return Err(sentence.flaws);
        };
        self.remember(number, &action);
        Ok(Step { text: text.to_owned(), action })
    }

    fn remember(&mut self, step: usize, action: &Action) {
        match action {
            Action::Run { actor, until } => {
                self.ran[*actor] = Some((step, *until == [Target::Done]));
            }
            Action::Evict { .. } => {}
            Action::HoldDisk(_) => self.disk_held = true,
            Action::ResumeDisk => self.disk_held = false,
        }
    }

    fn action(&self, sentence: &mut Sentence<'_>) -> Option<Action> {
        const VERBS: [&str; 4] = ["run", "resume", "evict", "hold"];
        let verb = sentence.next("a step begins with", &list(&VERBS))?;
        match verb.text {
            "run" => self.run(sentence, false),
            "resume" if sentence.peek() == Some(DISK) => self.resume_disk(sentence),
            "resume" => self.run(sentence, true),
            "evict" => self.evict(sentence),
            "hold" => hold(sentence),
            other => {
                let help = match nearest(other, VERBS) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("begin the step with {}", list(&VERBS)),
                };
                sentence.flaw(&verb, "no step begins with", help)
            }
        }
    }

    fn run(&self, sentence: &mut Sentence<'_>, again: bool) -> Option<Action> {
        let word = sentence.next("there is no actor behind", "the name of an actor")?;
        let actor = self.actor(sentence, &word);
        if let Some(actor) = actor {
            self.may_go_on(sentence, &word, actor, again);
        }
        let mut until = Vec::new();
        while let Some(word) = sentence.take() {
            let link = if until.is_empty() { "until" } else { "or" };
            if word.text != link {
                let help = format!("write `{link}` and what it goes on to, or end the step here");
                return sentence.flaw(&word, "this cannot follow here:", help);
            }
            until.push(target(sentence)?);
        }
        if until.is_empty() {
            until.push(Target::Done);
        }
        Some(Action::Run { actor: actor?, until })
    }

    fn actor(&self, sentence: &mut Sentence<'_>, word: &Word<'_>) -> Option<usize> {
        let actors = &self.cast.actors;
        let found = actors.iter().position(|name| name == word.text);
        if found.is_some() {
            return found;
        }
        let first = format!("{}-0", word.text);
        let help = if actors.contains(&first) {
            format!("there are several: name one of them, as in `{first}`")
        } else if word.text == DISK {
            "the device is held and resumed: `hold disk at POINT`, `resume disk`".to_owned()
        } else {
            did_you_mean(word.text, &strs(actors))
        };
        sentence.flaw(word, "there is no actor", help)
    }

    /// Reports an actor that cannot be run or resumed now.
    fn may_go_on(&self, sentence: &mut Sentence<'_>, word: &Word<'_>, actor: usize, again: bool) {
        let (message, help) = match self.ran[actor] {
            None if again => ("nobody has run", format!("write `run {}`", word.text)),
            Some((step, true)) => {
                ("nothing is left to do for", format!("it was done after step {step}"))
            }
            _ => return,
        };
        sentence.flaw::<()>(word, message, help);
    }

    fn evict(&self, sentence: &mut Sentence<'_>) -> Option<Action> {
        let word = sentence.next("there is no page behind", "a page number, or `3..5`")?;
        let pages = match pages(word.text) {
            Ok(pages) => pages,
            Err((message, help)) => return sentence.flaw(&word, message, help),
        };
        let file = match sentence.take() {
            None => 0,
            Some(word) if word.text == "of" => self.file(sentence)?,
            Some(word) => {
                let help = "write `of` and a file, or end the step here".to_owned();
                return sentence.flaw(&word, "this cannot follow here:", help);
            }
        };
        let range = ByteRange::new(pages.start() * PAGE, (pages.end() + 1) * PAGE);
        Some(Action::Evict { file, range })
    }

    fn file(&self, sentence: &mut Sentence<'_>) -> Option<usize> {
        let word = sentence.next("there is no file behind", "the name of a file")?;
        let files = &self.cast.files;
        let found = files.iter().position(|name| name == word.text);
        found.or_else(|| {
            sentence.flaw(&word, "there is no file", did_you_mean(word.text, &strs(files)))
        })
    }

    fn resume_disk(&self, sentence: &mut Sentence<'_>) -> Option<Action> {
        let word = sentence.take()?;
        if !self.disk_held {
            let help = "hold it first: `hold disk at POINT`".to_owned();
            return sentence.flaw(&word, "nobody has held", help);
        }
        Some(Action::ResumeDisk)
    }
}

/// `hold` is behind us.
fn hold(sentence: &mut Sentence<'_>) -> Option<Action> {
    sentence.expect(DISK, "actors are held where a step leaves them: `run ACTOR until POINT`")?;
    sentence.expect("at", "say where: `hold disk at POINT`")?;
    let word = sentence.next("there is no point behind", "a point")?;
    let point = point(sentence, &word)?;
    if !is_of_completions(point) {
        let points = Point::ALL.iter().filter(|point| is_of_completions(**point));
        let points: Vec<_> = points.map(|point| point.name()).collect();
        let help = format!("they pass {}", list(&points));
        return sentence.flaw(&word, "completions do not pass", help);
    }
    Some(Action::HoldDisk(point))
}

fn is_of_completions(point: Point) -> bool {
    point.name().starts_with(OF_COMPLETIONS)
}

fn strs(names: &[String]) -> Vec<&str> {
    names.iter().map(String::as_str).collect()
}

/// `12`, or `3..5` with both ends; else what is wrong, and what to do.
fn pages(text: &str) -> Result<RangeInclusive<u64>, (&'static str, String)> {
    // Positions of a page lie far below the end of the type.
    const LAST: u64 = 1 << 40;
    let (first, last) = text.split_once("..").unwrap_or((text, text));
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if !is_number(first) || !is_number(last) {
        let help = "write a page number, or the first and the last: `3..5`".to_owned();
        return Err(("these are no pages:", help));
    }
    let number = |text: &str| text.parse().ok().filter(|page| *page <= LAST);
    let (Some(first), Some(last)) = (number(first), number(last)) else {
        return Err(("no file has so many pages:", format!("the largest page number is {LAST}")));
    };
    if last < first {
        let help = format!("write the first and then the last: `{last}..{first}`");
        return Err(("this range ends before it begins:", help));
    }
    Ok(first..=last)
}

/// How far an actor goes on.
fn target(sentence: &mut Sentence<'_>) -> Option<Target> {
    let word = sentence
        .next("there is no target behind", "a point, or `returned`, `done` or `blocked`")?;
    match word.text {
        "done" => return Some(Target::Done),
        "returned" => return Some(Target::Returned),
        "blocked" => return Some(Target::Blocked),
        _ => {}
    }
    let (nth, word) = sentence.counted(word, "a point")?;
    let point = point(sentence, &word)?;
    if is_of_completions(point) {
        let help = format!("completions do: `hold disk at {}`", point.name());
        return sentence.flaw(&word, "actors do not pass", help);
    }
    Some(Target::Point { nth, point })
}

fn point(sentence: &mut Sentence<'_>, word: &Word<'_>) -> Option<Point> {
    let point = Point::named(word.text);
    point.or_else(|| {
        let targets = ["done", "returned", "blocked"];
        let names = Point::ALL.iter().map(|point| point.name()).chain(targets);
        let help = match nearest(word.text, names) {
            Some(near) if near == word.text => {
                format!("only points are counted: write `{near}` without a number")
            }
            Some(near) => format!("did you mean `{near}`?"),
            None => "`pagestorm points` lists them".to_owned(),
        };
        sentence.flaw(word, "there is no point", help)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cast() -> Cast {
        let own = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        Cast { actors: own(&["P", "W", "many-0", "many-1"]), files: own(&["a", "log"]) }
    }

    #[test]
    fn sentences_mean_this() {
        let cast = cast();
        let mut reader = Reader::new(&cast);
        let mapped = |nth| Target::Point { nth, point: Point::WriteMapped };
        let run = |actor, until| Action::Run { actor, until };
        let range = |start, end| ByteRange::new(start * PAGE, end * PAGE);
        for (text, action) in [
            ("run P", run(0, vec![Target::Done])),
            ("run W until write.mapped", run(1, vec![mapped(1)])),
            ("resume W until 22nd write.mapped or done", run(1, vec![mapped(22), Target::Done])),
            ("  resume   W until\treturned", run(1, vec![Target::Returned])),
            ("run many-1 until blocked", run(3, vec![Target::Blocked])),
            ("evict 12", Action::Evict { file: 0, range: range(12, 13) }),
            ("evict 3..5 of log", Action::Evict { file: 1, range: range(3, 6) }),
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
            (
                "run W until ioend.converted",
                "ioend.converted",
                "actors do not pass `ioend.converted`",
            ),
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
        ] {
            let flaws = Reader::new(&cast).step(1, text).unwrap_err();
            let [flaw] = &flaws[..] else { panic!("{text}: {flaws:?}") };
            assert_eq!((&text[flaw.bytes.clone()], flaw.message.as_str()), (marked, message));
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
}
