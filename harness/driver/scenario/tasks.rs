//! The tasks of a simulation and the places where they stand, in the sentences of a scenario: read
//! and written.

use super::format::LARGEST_FILE;
use super::plan::{ActorPlan, FilePlan, Moment, Plan, Who};
use super::quantity;
use super::suggest::did_you_mean;
use super::wording::{Sentence, Word};
use crate::case;
use std::collections::BTreeMap;
use std::fmt::Display;
use std::time::Duration;

/// Stands between a place and what happens there.
pub(super) const ARROW: &str = "->";

/// Who and what can be named.
pub(super) struct Tasks {
    names: BTreeMap<String, Who>,
    /// By actor: its name, and the numbers of its calls, which rise.
    calls: Vec<(String, Vec<u64>)>,
    files: BTreeMap<String, usize>,
}

impl Tasks {
    /// Those of a scenario with these actors and files. Of two of the same name the first counts.
    pub(super) fn new(actors: &[ActorPlan], files: &[FilePlan], workers: usize) -> Tasks {
        let numbers = |actor: &ActorPlan| actor.does.iter().map(|call| call.number).collect();
        let each = |actor| ActorPlan::names(actor).map(move |name| (name, numbers(actor)));
        let calls: Vec<(String, Vec<u64>)> = actors.iter().flat_map(each).collect();
        let mut names = BTreeMap::new();
        let acting = calls.iter().zip(0..).map(|((name, _), nth)| (name.clone(), Who::Actor(nth)));
        let disks = (0..workers).map(Who::Disk);
        let others = std::iter::once(Who::Conductor).chain(disks);
        let others = others.map(|who| (reserved(who), who));
        for (name, who) in acting.chain(others) {
            names.entry(name).or_insert(who);
        }
        let files = files.iter().zip(0..).map(|(file, number)| (file.name.clone(), number));
        Tasks { names, calls, files: files.collect() }
    }

    /// The task that the next word names.
    pub(super) fn who(&self, sentence: &mut Sentence<'_>) -> Option<Who> {
        let word = sentence.next("there is no task behind", "the name of a task")?;
        let found = self.names.get(word.text).copied();
        found.or_else(|| {
            let first = format!("{}-0", word.text);
            let names: Vec<&str> = self.names.keys().map(String::as_str).collect();
            let help = if self.has(&first) {
                format!("there are several: name one of them, as in `{first}`")
            } else {
                did_you_mean(word.text, &names)
            };
            sentence.flaw(&word, "there is no task", help)
        })
    }

    /// The place that the next words name, up to the arrow and with it.
    pub(super) fn moment(&self, sentence: &mut Sentence<'_>) -> Option<Moment> {
        let who = self.who(sentence);
        if who.is_none() {
            sentence.peek()?;
        }
        let wanted = "an operation and a point within it, as in `3.12`";
        let word = sentence.next("there is no place behind", wanted)?;
        let place = place(sentence, &word);
        let mut site = String::new();
        loop {
            let wanted = format!("`{ARROW}` and what happens");
            let word = sentence.next("there is no arrow behind", &wanted)?;
            if word.text == ARROW && site.is_empty() {
                let help = "write what the place is called before it, as in `write.mapped`";
                return sentence.flaw(&word, "there is no name of a place before", help.to_owned());
            }
            if word.text == ARROW {
                break;
            }
            site += if site.is_empty() { "" } else { " " };
            site += word.text;
        }
        let (operation, point) = place?;
        let who = who?;
        if let Who::Actor(actor) = who {
            self.reached(sentence, &word, actor, operation)?;
        }
        Some(Moment { who, operation, point, site })
    }

    /// The call that the next words name, by its actor and its number.
    pub(super) fn call(&self, sentence: &mut Sentence<'_>) -> Option<(usize, u64)> {
        let who = self.who(sentence)?;
        let word = sentence.next("there is no number of a call behind", "the number of a call")?;
        let listed = |actor: usize, number| self.calls[actor].1.binary_search(&number).is_ok();
        match (who, word.text.parse()) {
            (Who::Actor(actor), Ok(number)) if listed(actor, number) => Some((actor, number)),
            _ => {
                let help = "write the `number` of a call of an actor's list".to_owned();
                sentence.flaw(&word, "there is no such call:", help)
            }
        }
    }

    /// Whether a task has that name.
    pub(super) fn has(&self, name: &str) -> bool {
        self.names.contains_key(name)
    }

    /// The file that the next word names.
    pub(super) fn file(&self, sentence: &mut Sentence<'_>) -> Option<usize> {
        let word = sentence.next("there is no file behind", "the name of a file")?;
        let found = self.files.get(word.text).copied();
        let names: Vec<&str> = self.files.keys().map(String::as_str).collect();
        found.or_else(|| sentence.flaw(&word, "there is no file", did_you_mean(word.text, &names)))
    }

    /// Whether an actor has that operation: that of a call, or what it does before the first or
    /// behind the last.
    fn reached(
        &self,
        sentence: &mut Sentence<'_>,
        word: &Word<'_>,
        actor: usize,
        operation: u64,
    ) -> Option<()> {
        const FEW: usize = 12;
        let (name, numbers) = &self.calls[actor];
        let last = numbers.last().copied().unwrap_or(0);
        if operation == 0 || operation == last + 1 || numbers.binary_search(&operation).is_ok() {
            return Some(());
        }
        let calls = match numbers.as_slice() {
            [] => "it has no calls".to_owned(),
            [only] => format!("its only call has the number {only}"),
            few if few.len() <= FEW => {
                let few: Vec<_> = few.iter().map(u64::to_string).collect();
                format!("its calls have the numbers {}", few.join(", "))
            }
            [first, ..] => format!("its calls have numbers from {first} to {last}"),
        };
        let help = format!("{calls}; {} is what comes behind them", last + 1);
        sentence.flaw(word, &format!("`{name}` has no such operation:"), help)
    }
}

/// The operation and the point of `3.12`.
fn place(sentence: &mut Sentence<'_>, word: &Word<'_>) -> Option<(u64, u32)> {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let pair = word.text.split_once('.').filter(|(left, right)| digits(left) && digits(right));
    let read = pair.and_then(|(left, right)| Some((left.parse().ok()?, right.parse().ok()?)));
    read.or_else(|| {
        let help = "write the number of an operation, `.`, and that of a point within it: `3.12`";
        sentence.flaw(word, "this is no place:", help.to_owned())
    })
}

/// The bytes that the next word says: a position in a file, or its size.
pub(super) fn bytes(sentence: &mut Sentence<'_>) -> Option<u64> {
    let word = sentence.next("there is no position behind", "bytes, as in `4KiB`")?;
    let read = quantity::size(word.text).map_err(|misread| refuse(sentence, &word, misread));
    let bytes = read.ok()?;
    if LARGEST_FILE < bytes {
        let help = format!("write {} or less", quantity::show_size(LARGEST_FILE));
        return sentence.flaw(&word, "no file is so large:", help);
    }
    Some(bytes)
}

/// The time that the next word says.
pub(super) fn time(sentence: &mut Sentence<'_>) -> Option<Duration> {
    let word = sentence.next("there is no time behind", "a time, as in `80us`")?;
    quantity::duration(word.text).map_err(|misread| refuse(sentence, &word, misread)).ok()
}

fn refuse(sentence: &mut Sentence<'_>, word: &Word<'_>, misread: quantity::Misread) {
    let help = match misread.instead {
        Some(instead) => format!("did you mean `{instead}`?"),
        None => "write a number with its unit, as in `4KiB` or `80us`".to_owned(),
    };
    sentence.flaw::<()>(word, &format!("{}:", misread.why), help);
}

/// The name of a task that is no actor, and which therefore no actor may have.
fn reserved(who: Who) -> String {
    match who {
        Who::Disk(disk) => format!("disk-{disk}"),
        Who::Conductor | Who::Actor(_) => "conductor".to_owned(),
    }
}

/// Whether a task that is no actor has that name, however many workers the device has.
pub fn is_reserved(name: &str) -> bool {
    let number = name.strip_prefix("disk-");
    let is_disk = number.is_some_and(|number| {
        !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
    });
    name == "conductor" || is_disk
}

/// The names of the tasks and files of a plan, to be written.
pub(super) struct Names<'a> {
    plan: &'a Plan,
    actors: Vec<String>,
}

impl<'a> Names<'a> {
    /// Those of `plan`.
    pub(super) fn of(plan: &'a Plan) -> Names<'a> {
        Names { plan, actors: plan.actors.iter().flat_map(ActorPlan::names).collect() }
    }

    /// The name of a task.
    pub(super) fn who(&self, who: Who) -> String {
        match who {
            Who::Actor(actor) => self.actors.get(actor).cloned(),
            Who::Conductor | Who::Disk(_) => None,
        }
        .unwrap_or_else(|| case::name(self.plan, who))
    }

    /// A place with what happens there.
    pub(super) fn at(&self, at: &Moment, what: impl Display) -> String {
        let Moment { who, operation, point, site } = at;
        format!("{} {operation}.{point} {site} {ARROW} {what}", self.who(*who))
    }

    /// The name of a file.
    pub(super) fn file(&self, file: usize) -> &str {
        self.plan.files.get(file).map_or("?", |file| &file.name)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::plan::Layout;
    use super::*;
    use crate::call::Call;
    use stormfs::op::Op;

    /// `W` with the calls 3 and 5, two that are called `many`, two files, two disks.
    pub(in super::super) fn tasks() -> Tasks {
        let actor = |name: &str, count, numbers: &[u64]| {
            let calls = numbers.iter().map(|number| Call::plain(*number, 0, Op::Fsync));
            let actor = ActorPlan::listed(name.to_owned(), calls.collect(), Duration::ZERO);
            ActorPlan { count, ..actor }
        };
        let file = |name: &str| FilePlan { name: name.to_owned(), size: 0, layout: Layout::Hole };
        let actors = [actor("W", 1, &[3, 5]), actor("many", 2, &[1]), actor("M", 1, &[1])];
        Tasks::new(&actors, &[file("a"), file("log")], 2)
    }

    #[test]
    fn places_are_those_of_listed_calls_and_before_and_behind_them() {
        let tasks = tasks();
        for (text, who, operation) in [
            ("W 0.1 x ->", Who::Actor(0), Some(0)),
            ("W 3.1 x ->", Who::Actor(0), Some(3)),
            ("W 4.1 x ->", Who::Actor(0), None),
            ("W 6.1 x ->", Who::Actor(0), Some(6)),
            ("W 7.1 x ->", Who::Actor(0), None),
            ("many-1 2.1 x ->", Who::Actor(2), Some(2)),
            ("disk-1 70.1 x ->", Who::Disk(1), Some(70)),
            ("conductor 70.0 start ->", Who::Conductor, Some(70)),
        ] {
            let moment = tasks.moment(&mut Sentence::new("switch", text));
            assert_eq!(moment.as_ref().map(|at| at.operation), operation, "{text}");
            assert!(moment.is_none_or(|at| at.who == who), "{text}");
        }
    }

    #[test]
    fn names_of_other_tasks_are_reserved() {
        for (name, reserved) in [
            ("conductor", true),
            ("disk-0", true),
            ("disk-17", true),
            ("disk", false),
            ("disk-x", false),
            ("conductors", false),
        ] {
            assert_eq!(is_reserved(name), reserved, "{name}");
        }
    }
}
