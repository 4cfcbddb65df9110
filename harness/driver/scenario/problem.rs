//! What is wrong with a scenario, before it is known where that stands in the text.

use super::node::Place;
use std::cell::{Cell, RefCell};
use std::ops::Range;

/// One mistake.
#[derive(Debug, Clone)]
pub(super) struct Problem {
    /// Where.
    pub(super) place: Place,
    /// What is wrong.
    pub(super) message: String,
    /// If only a part of the text there is meant: the text, and which bytes of it.
    pub(super) part: Option<(String, Range<usize>)>,
    /// More that is known; one line each.
    pub(super) notes: Vec<String>,
    /// What to do about it; one line each.
    pub(super) help: Vec<String>,
    /// Another place that has to do with it, and what it is.
    pub(super) second: Option<(Place, String)>,
}

impl Problem {
    /// A mistake at `place`.
    pub(super) fn at(place: Place, message: impl Into<String>) -> Problem {
        Problem {
            place,
            message: message.into(),
            part: None,
            notes: Vec::new(),
            help: Vec::new(),
            second: None,
        }
    }

    /// Says that only some bytes of the text there are meant.
    pub(super) fn part(mut self, text: &str, bytes: Range<usize>) -> Problem {
        self.part = Some((text.to_owned(), bytes));
        self
    }

    /// Adds what to do about it.
    pub(super) fn help(mut self, help: impl Into<String>) -> Problem {
        self.help.push(help.into());
        self
    }

    /// Adds another place that has to do with it.
    pub(super) fn second(mut self, place: Place, label: impl Into<String>) -> Problem {
        self.second = Some((place, label.into()));
        self
    }
}

/// Collects mistakes, so that all are reported at once.
#[derive(Debug, Default)]
pub(super) struct Problems {
    list: RefCell<Vec<Problem>>,
    left_out: Cell<usize>,
}

impl Problems {
    /// A text of one megabyte can hold this many mistakes thousands of times.
    const MOST: usize = 1000;

    /// Remembers one.
    pub(super) fn add(&self, problem: Problem) {
        let mut list = self.list.borrow_mut();
        if list.len() < Problems::MOST {
            list.push(problem);
        } else {
            self.left_out.set(self.left_out.get() + 1);
        }
    }

    /// True if there is none.
    pub(super) fn is_empty(&self) -> bool {
        self.list.borrow().is_empty()
    }

    /// All, in the order of the text, and how many more there were.
    pub(super) fn into_sorted(self) -> (Vec<Problem>, usize) {
        let mut list = self.list.into_inner();
        list.sort_by_key(|problem| problem.place);
        (list, self.left_out.get())
    }
}
