//! A page in Markdown that has only so much room.

use std::fmt::Write;

use crate::number;

/// Bytes that are kept back for the sentence about what was left out.
const KEPT_BACK: usize = 200;

/// What fits, whole lines and blocks only.
pub(super) struct Page {
    text: String,
    room: usize,
    left_out: usize,
}

impl Page {
    /// An empty one; none if there is no room at all.
    pub(super) fn with(room: usize) -> Option<Page> {
        Some(Page { text: String::new(), room: room.checked_sub(KEPT_BACK)?, left_out: 0 })
    }

    /// Adds a part, unless it or one before it does not fit.
    pub(super) fn add(&mut self, part: &str) {
        if self.left_out == 0 && self.text.len() + part.len() <= self.room {
            self.text.push_str(part);
        } else {
            self.left_out += 1;
        }
    }

    /// Whether something did not fit.
    pub(super) fn is_cut(&self) -> bool {
        self.left_out != 0
    }

    /// The page, which says how much is missing.
    pub(super) fn finished(mut self) -> String {
        if self.left_out != 0 {
            let left_out = number::count(number::wide(self.left_out));
            let rest = "more entries do not fit; see the reports.";
            let _ = writeln!(self.text, "\n{left_out} {rest}");
        }
        self.text.push('\n');
        self.text
    }
}
