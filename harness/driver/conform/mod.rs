//! The model measured against the original: which calls run and which block inside each window, in the
//! filesystem model and in a real filesystem.
//!
//! A call *runs* if it returns while the window is open. It *blocks* if it sleeps in the kernel, is not woken
//! for a while, and returns once the window is closed.

pub mod calls;
pub mod windows;
pub mod known;
mod simulated;
mod watched;
mod lever;
mod original;

use calls::{CALLS, Tried};
use mounted::{Kind, Refusal};
use original::Original;
use windows::Window;

/// What came of a call inside a window.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// It returned while the window was open.
    Runs,
    /// It waited until the window was closed: for this lock, or in this function of the kernel.
    Blocks(String),
    /// It could not be tried, and why.
    Failed(String),
}

/// One call inside one window.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cell {
    /// Where.
    pub window: Window,
    /// The call.
    pub call: &'static str,
    /// In the model; or why it has no such call.
    pub model: Result<Answer, &'static str>,
    /// In the real filesystem.
    pub kernel: Answer,
}

/// How a cell is to be judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Both do the same.
    Alike,
    /// The model has no such call, for this reason.
    NotModelled(&'static str),
    /// They differ, for this reason.
    Explained(&'static str),
    /// They differ, and nobody knows why.
    Differs,
    /// They do not differ, though there is a reason why they should.
    Outdated(&'static str),
    /// One of them could not be tried.
    Untried,
}

/// Every cell of a table.
pub struct Table {
    /// The real filesystem.
    pub kind: Kind,
    /// What that stood on, for people.
    pub detail: String,
    /// By window, then by call.
    pub cells: Vec<Cell>,
}

/// Tries every call in every window, on a filesystem that is made for it. `told` is told of each window
/// before it is opened, and ends it all by answering no.
pub fn table(kind: Kind, mut told: impl FnMut(Window) -> bool) -> Result<Table, Refusal> {
    let original = Original::open(kind)?;
    let mut cells = Vec::new();
    for window in Window::ALL {
        if !told(window) {
            break;
        }
        cells.extend(CALLS.iter().map(|tried| cell(&original, window, tried)));
    }
    Ok(Table { kind, detail: original.detail().to_owned(), cells })
}

fn cell(original: &Original, window: Window, tried: &'static Tried) -> Cell {
    let model = tried.model.map(|operation| simulated::came(window, operation));
    Cell { window, call: tried.name, model, kernel: original.came(window, tried) }
}

impl Cell {
    /// See [`Verdict`].
    pub fn verdict(&self) -> Verdict {
        self.judged(known::reason(self.window, self.call))
    }

    /// The same, if `reason` is why it should differ.
    fn judged(&self, reason: Option<&'static str>) -> Verdict {
        let alike = match (&self.model, &self.kernel) {
            (_, Answer::Failed(_)) | (Ok(Answer::Failed(_)), _) => return Verdict::Untried,
            (Err(why), _) => return Verdict::NotModelled(why),
            (Ok(Answer::Runs), Answer::Runs) | (Ok(Answer::Blocks(_)), Answer::Blocks(_)) => true,
            (Ok(Answer::Runs), Answer::Blocks(_)) | (Ok(Answer::Blocks(_)), Answer::Runs) => false,
        };
        match (alike, reason) {
            (true, None) => Verdict::Alike,
            (true, Some(reason)) => Verdict::Outdated(reason),
            (false, Some(reason)) => Verdict::Explained(reason),
            (false, None) => Verdict::Differs,
        }
    }
}

impl Verdict {
    /// Whether somebody has to do something about it.
    pub fn is_failure(self) -> bool {
        match self {
            Verdict::Alike | Verdict::NotModelled(_) | Verdict::Explained(_) => false,
            Verdict::Differs | Verdict::Outdated(_) | Verdict::Untried => true,
        }
    }

    /// In a word.
    pub fn word(self) -> &'static str {
        match self {
            Verdict::Alike => "alike",
            Verdict::NotModelled(_) => "not_modelled",
            Verdict::Explained(_) => "explained",
            Verdict::Differs => "differs",
            Verdict::Outdated(_) => "outdated",
            Verdict::Untried => "untried",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_without_a_reason_is_a_failure_and_so_is_a_reason_for_nothing() {
        let blocks = || Answer::Blocks("a lock".to_owned());
        let cell = |model, kernel| Cell { window: Window::WriteMapped, call: "a", model, kernel };
        let cases = [
            (cell(Ok(Answer::Runs), Answer::Runs), None, Verdict::Alike),
            (cell(Ok(blocks()), Answer::Blocks("another".to_owned())), None, Verdict::Alike),
            (cell(Ok(blocks()), Answer::Runs), None, Verdict::Differs),
            (cell(Ok(Answer::Runs), blocks()), None, Verdict::Differs),
            (cell(Ok(Answer::Runs), blocks()), Some("why"), Verdict::Explained("why")),
            (cell(Ok(Answer::Runs), Answer::Runs), Some("why"), Verdict::Outdated("why")),
            (cell(Err("none"), blocks()), None, Verdict::NotModelled("none")),
            (cell(Err("none"), Answer::Failed(String::new())), None, Verdict::Untried),
            (cell(Ok(Answer::Failed(String::new())), Answer::Runs), None, Verdict::Untried),
        ];
        for (cell, reason, expected) in cases {
            assert_eq!(cell.judged(reason), expected, "{cell:?}");
        }
        let fails = [Verdict::Differs, Verdict::Outdated("why"), Verdict::Untried];
        assert!(fails.into_iter().all(Verdict::is_failure));
    }
}
