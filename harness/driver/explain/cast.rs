//! The names of a case: its tasks, their operations and its files, as people call them.

use crate::call::{Call, WHOLE_FILE};
use crate::case;
use crate::scenario::plan::Plan;
use crate::user_buffer::Gap;
use oracle::Violation;
use std::fmt::Write;
use stormfs::op::{Op, OpId};

/// See the module.
#[derive(Debug, Clone)]
pub struct Cast {
    actors: Vec<(String, Vec<Call>)>,
    files: Vec<String>,
}

impl Cast {
    /// Who acts in `plan`, and on what.
    pub fn of(plan: &Plan) -> Cast {
        let actors = plan.actors.iter();
        let actors = actors.flat_map(|actor| actor.names().map(|name| (name, actor.does.clone())));
        let files = plan.files.iter().map(|file| file.name.clone());
        Cast { actors: actors.collect(), files: files.collect() }
    }

    /// How many actors there are.
    pub fn actors(&self) -> usize {
        self.actors.len()
    }

    /// The name of a task.
    pub fn task(&self, task: usize) -> String {
        match case::who(task, self.actors.len()) {
            crate::scenario::plan::Who::Conductor => "conductor".to_owned(),
            crate::scenario::plan::Who::Disk(disk) => format!("disk-{disk}"),
            crate::scenario::plan::Who::Actor(actor) => self.actors[actor].0.clone(),
        }
    }

    /// Whether a task is an actor.
    pub fn is_actor(&self, task: usize) -> bool {
        0 < task && task <= self.actors.len()
    }

    /// The name of a file.
    pub fn file(&self, file: usize) -> &str {
        self.files.get(file).map_or("?", String::as_str)
    }

    /// How many files there are.
    pub fn files(&self) -> usize {
        self.files.len()
    }

    /// The call that is a task's operation of that number.
    pub fn call(&self, task: usize, number: u64) -> Option<&Call> {
        let (_, does) = self.actors.get(task.checked_sub(1)?)?;
        does.iter().find(|call| call.number == number)
    }

    /// How many calls a task makes.
    pub fn calls(&self, task: usize) -> usize {
        task.checked_sub(1).and_then(|actor| self.actors.get(actor)).map_or(0, |it| it.1.len())
    }

    /// A call in words, with what is peculiar about it.
    pub fn described(&self, call: &Call) -> String {
        let mut text = spelled(&call.op);
        if 1 < self.files.len() {
            let _ = write!(text, " of {}", self.file(call.file));
        }
        match call.gap {
            Some(Gap { at, persistent: true }) => {
                let _ = write!(text, ", unreadable from byte {at} of its source on");
            }
            Some(Gap { at, persistent: false }) => {
                let _ = write!(text, ", byte {at} of its source paged out once");
            }
            None => {}
        }
        if call.abandoned {
            text.push_str(", abandoned at its first write fault");
        }
        text
    }

    /// A call of a task, by the name of the task and with what is peculiar about it.
    pub fn call_of(&self, task: usize, call: &Call) -> String {
        let (name, call_text) = (self.task(task), self.described(call));
        match self.calls(task) {
            1 => format!("{name}'s {call_text}"),
            _ => format!("{name}'s operation {}, {call_text}", call.number),
        }
    }

    /// An operation, by its actor's name and its call.
    pub fn operation(&self, op: OpId) -> String {
        let task = usize::from(op.actor);
        if task == 0 {
            return "the layout of the file".to_owned();
        }
        if self.actors.len() < task {
            return format!("operation {} of nobody in this case", op.number);
        }
        let name = self.task(task);
        match self.call(task, op.number) {
            Some(call) if self.calls(task) == 1 => format!("{name}'s {}", spelled(&call.op)),
            Some(call) => format!("{name}'s operation {}, {}", op.number, spelled(&call.op)),
            None => format!("{name}'s operation {}", op.number),
        }
    }

    /// The bytes of an operation, by the name of its actor.
    pub fn bytes_of(&self, op: OpId) -> String {
        let task = usize::from(op.actor);
        match op.actor {
            0 => "the bytes of the layout".to_owned(),
            _ if self.actors.len() < task => "bytes of nobody in this case".to_owned(),
            _ if self.calls(task) == 1 => format!("{}'s bytes", self.task(task)),
            _ => format!("the bytes of {}'s operation {}", self.task(task), op.number),
        }
    }

    /// An operation of a task, if it is an actor.
    pub fn op(&self, task: usize, number: u64) -> Option<OpId> {
        let actor = u16::try_from(task).ok()?;
        self.is_actor(task).then_some(OpId { actor, number })
    }

    /// A violation in one line.
    pub fn violation(&self, violation: &Violation) -> String {
        let mut text = violation.invariant.to_owned();
        if let Some(file) = violation.file {
            let _ = write!(text, " in file {}", self.file(file));
        }
        if let Some(range) = violation.range {
            let _ = write!(text, " at {range}");
        }
        let (expected, found) = (self.named(&violation.expected), self.named(&violation.found));
        let _ = write!(text, ": expected {expected}; found {found}");
        text
    }

    /// `text` with the names of operations where it has their numbers, as in `5.62`.
    pub fn named(&self, text: &str) -> String {
        let mut out = String::new();
        let mut rest = text;
        if let Some(said) = text.strip_prefix("task ") {
            let end = said.find(|c: char| !c.is_ascii_digit()).unwrap_or(said.len());
            if let Ok(task) = said[..end].parse() {
                out.push_str(&self.task(task));
                rest = &said[end..];
            }
        }
        while let Some(at) = rest.find(|c: char| c.is_ascii_digit()) {
            let (before, number) = rest.split_at(at);
            out.push_str(before);
            let ends = |text: &str| text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
            let (whole, after) = number.split_at(ends(number));
            let fraction = after.strip_prefix('.').map_or("", |after| &after[..ends(after)]);
            let stands_alone = !out.ends_with(|c: char| c.is_alphanumeric() || c == '.');
            let goes_on = after.get(1 + fraction.len()..).is_some_and(|rest| rest.starts_with('.'));
            let is_op = stands_alone && !goes_on;
            let op = is_op.then(|| self.parsed(whole, fraction)).flatten();
            let (said, taken) = match op {
                Some(op) => (self.operation(op), whole.len() + 1 + fraction.len()),
                None => (whole.to_owned(), whole.len()),
            };
            out.push_str(&said);
            rest = &number[taken..];
        }
        out.push_str(rest);
        out
    }

    fn parsed(&self, actor: &str, number: &str) -> Option<OpId> {
        let op = OpId { actor: actor.parse().ok()?, number: number.parse().ok()? };
        (usize::from(op.actor) <= self.actors.len() && op.number != 0).then_some(op)
    }
}

/// An operation; that it is for the whole file goes without saying.
fn spelled(op: &Op) -> String {
    let whole = matches!(op, Op::Writeback(range)
        | Op::Evict(range)
        | Op::Msync(range)
        | Op::DontNeed(range)
        | Op::PageOut(range)
        | Op::SyncRange { range, wait: false } if *range == WHOLE_FILE);
    if whole { op.kind().name().to_owned() } else { op.to_string() }
}

/// `1st`, `2nd`, `3rd`, `4th` and so on.
pub fn ordinal(number: usize) -> String {
    let ending = match (number % 10, number % 100) {
        (_, 11..=13) => "th",
        (1, _) => "st",
        (2, _) => "nd",
        (3, _) => "rd",
        _ => "th",
    };
    format!("{number}{ending}")
}

/// Things in a row: `a`, `a and b`, `a, b and c`.
pub fn listed(things: &[String]) -> String {
    match things {
        [] => String::new(),
        [one] => one.clone(),
        [most @ .., last] => format!("{} and {last}", most.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_operations_become_names() {
        let actors = vec![
            ("w".to_owned(), vec![Call::plain(3, 0, Op::Fsync)]),
            ("two".to_owned(), vec![Call::plain(1, 0, Op::Sync), Call::plain(2, 0, Op::Fsync)]),
        ];
        let cast = Cast { actors, files: vec!["a".to_owned()] };
        for (text, expected) in [
            ("written by 1.3 (lost)", "written by w's fsync (lost)"),
            ("2.1 or 2.2", "two's operation 1, sync or two's operation 2, fsync"),
            ("2.9", "two's operation 9"),
            ("the bytes of 0.1", "the bytes of the layout of the file"),
            ("3.1 and 1.0 and 4096", "3.1 and 1.0 and 4096"),
            ("x1.3, 0.1.0 and rank.rs:88:5", "x1.3, 0.1.0 and rank.rs:88:5"),
            ("task 1 exceeded 2", "w exceeded 2"),
            ("disk-3 at 99999999999999999999.1", "disk-3 at 99999999999999999999.1"),
        ] {
            assert_eq!(cast.named(text), expected);
        }
    }
}
