//! The sentences of a script, read word by word.

mod stood;

use super::plan::{Action, Step, Target};
use super::suggest::{did_you_mean, list, nearest};
use super::wording::{Flaw, Sentence, Word};
use std::ops::RangeInclusive;
use stood::Stood;
use stormfs::op::OpKind;
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
        "KIND ACTOR",
        "As `run ACTOR until returned`, where the next call of the actor is of that kind, and no step has \
         left it inside of one: `fsync W`, `truncate T`. `store` and `load` are `mmap_store` and \
         `mmap_load`.",
    ),
    (
        "fail ACTOR [until TARGET [or TARGET]...]",
        "The source of the write that the actor stands in ends there: of what the write has not asked for \
         yet, no byte can be read. The actor goes on, as after `resume`. Without targets: until it has \
         `returned`.",
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
    (
        "hold reads",
        "On a real filesystem: from now on every read of its disk is held. Who reads what is not cached \
         waits with the folio locked and not uptodate, and so does who writes a part of such a block.",
    ),
    ("resume disk", "Completions and reads go on, and no more are held."),
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

/// What else can be held of it, on a real filesystem.
const READS: &str = "reads";

/// Who can be named in a script.
pub(super) struct Cast {
    /// The actors in the order in which they are numbered. Of several the name is `writer-0`.
    pub(super) actors: Vec<String>,
    /// What each of them does, call by call; `None` where that is not known.
    pub(super) lists: Vec<Option<Vec<OpKind>>>,
    /// The files by number.
    pub(super) files: Vec<String>,
    /// Whether they act on a real filesystem.
    pub(super) is_real: bool,
}

/// Reads one sentence after the other, and remembers what came before.
pub(super) struct Reader<'a> {
    cast: &'a Cast,
    /// By actor: the step that ran it last, and whether it ended all of its operations.
    ran: Vec<Option<(usize, bool)>>,
    /// By actor: where it stands, if that can be told.
    stood: Vec<Option<Stood>>,
    disk_held: bool,
}

impl<'a> Reader<'a> {
    /// A reader before the first step.
    pub(super) fn new(cast: &'a Cast) -> Reader<'a> {
        let actors = cast.actors.len();
        let stood = vec![Some(Stood::Between(0)); actors];
        Reader { cast, ran: vec![None; actors], stood, disk_held: false }
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
            Action::Run { actor, until } | Action::Fail { actor, until } => {
                self.ran[*actor] = Some((step, *until == [Target::Done]));
                let fails = matches!(action, Action::Fail { .. });
                let calls = self.cast.lists[*actor].as_deref().unwrap_or_default();
                let before = self.stood[*actor];
                self.stood[*actor] = before.and_then(|before| before.led(calls, until, fails));
            }
            Action::Evict { .. } => {}
            Action::HoldDisk(_) | Action::HoldReads => self.disk_held = true,
            Action::ResumeDisk => self.disk_held = false,
        }
    }

    fn action(&self, sentence: &mut Sentence<'_>) -> Option<Action> {
        const VERBS: [&str; 5] = ["run", "resume", "fail", "evict", "hold"];
        let verb = sentence.next("a step begins with", &list(&VERBS))?;
        match verb.text {
            "run" => self.run(sentence, false),
            "resume" if sentence.peek() == Some(DISK) => self.resume_disk(sentence),
            "resume" => self.run(sentence, true),
            "fail" => self.fail(sentence),
            "evict" if !sentence.peek().is_some_and(|word| self.is_actor(word)) => {
                self.evict(sentence)
            }
            "hold" if sentence.peek() == Some(READS) => self.hold_reads(sentence),
            "hold" => hold(sentence),
            other => {
                if let Some(kind) = kind(other) {
                    return self.call(sentence, &verb, kind);
                }
                let kinds = OpKind::ALL.iter().map(|kind| kind.name());
                let help = match nearest(other, VERBS.into_iter().chain(kinds)) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("begin the step with {}", list(&VERBS)),
                };
                sentence.flaw(&verb, "no step begins with", help)
            }
        }
    }

    fn run(&self, sentence: &mut Sentence<'_>, again: bool) -> Option<Action> {
        let actor = self.whoever(sentence, again).map(|(actor, _)| actor);
        let until = targets(sentence, Target::Done)?;
        Some(Action::Run { actor: actor?, until })
    }

    /// The actor that is named next, if it is one, with the word that names it.
    fn whoever<'b>(&self, sentence: &mut Sentence<'b>, again: bool) -> Option<(usize, Word<'b>)> {
        let word = sentence.next("there is no actor behind", "the name of an actor")?;
        let actor = self.actor(sentence, &word)?;
        self.may_go_on(sentence, &word, actor, again);
        Some((actor, word))
    }

    /// `fail` is behind us.
    fn fail(&self, sentence: &mut Sentence<'_>) -> Option<Action> {
        let (actor, word) = self.whoever(sentence, true)?;
        let writes = |kind: &OpKind| matches!(kind, OpKind::Write | OpKind::Append);
        if self.cast.lists[actor].as_ref().is_some_and(|calls| !calls.iter().any(writes)) {
            let help = "only `write` and `append` have one, of the calls of actors".to_owned();
            return sentence.flaw(&word, "there is no source that could end in the calls of", help);
        }
        let until = targets(sentence, Target::Returned)?;
        Some(Action::Fail { actor, until })
    }

    /// The kind of a call is behind us, in `verb`.
    fn call(&self, sentence: &mut Sentence<'_>, verb: &Word<'_>, kind: OpKind) -> Option<Action> {
        let (actor, word) = self.whoever(sentence, false)?;
        let calls = self.cast.lists[actor].as_ref().filter(|_| sentence.flaws.is_empty())?;
        let Some(returned) = self.stood[actor].and_then(Stood::returned) else {
            let help = format!(
                "where the steps before have left it cannot be told: write `run {} until returned`",
                word.text
            );
            return sentence.flaw(
                verb,
                "it is not known which call comes next: it need not be",
                help,
            );
        };
        match calls.get(returned) {
            Some(next) if *next == kind => {
                Some(Action::Run { actor, until: vec![Target::Returned] })
            }
            Some(next) => {
                let next = next.name();
                let help = format!("that is `{next}`: write `{next} {}`", word.text);
                sentence.flaw(verb, "the next call of this actor is no", help)
            }
            None => {
                let help = format!("all of its calls have returned by then: {}", calls.len());
                sentence.flaw(&word, "nothing is left to do for", help)
            }
        }
    }

    fn is_actor(&self, word: &str) -> bool {
        self.cast.actors.iter().any(|name| name == word)
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

    fn hold_reads(&self, sentence: &mut Sentence<'_>) -> Option<Action> {
        let word = sentence.take()?;
        if !self.cast.is_real {
            let help = "name a filesystem with a disk, as `target: {kernel: xfs}`: on stormfs reads pass no \
                        point that completions could be held at"
                .to_owned();
            return sentence.flaw(&word, "the device of stormfs does not hold", help);
        }
        Some(Action::HoldReads)
    }
}

/// What follows an actor: how far it goes on; if nothing does, until `otherwise`.
fn targets(sentence: &mut Sentence<'_>, otherwise: Target) -> Option<Vec<Target>> {
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
        until.push(otherwise);
    }
    Some(until)
}

/// The kind of call that a sentence begins with.
fn kind(word: &str) -> Option<OpKind> {
    match word {
        "store" => Some(OpKind::MmapStore),
        "load" => Some(OpKind::MmapLoad),
        name => OpKind::named(name),
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
mod tests;
