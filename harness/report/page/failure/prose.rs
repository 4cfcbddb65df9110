//! Sentences of a story: what stands between backticks is code.

use super::super::html::Html;
use crate::visible;

/// Characters of one text that are shown.
const TEXT: usize = 4_000;

/// Adds a sentence.
pub(in crate::page) fn prose(html: &mut Html, text: &str) {
    let (text, whole) = visible::clipped(text, TEXT);
    for (number, part) in text.split('`').enumerate() {
        if number % 2 == 0 {
            html.text(part);
        } else {
            html.line("code", "", part);
        }
    }
    if !whole {
        html.markup("<span class=\"note\"> \u{2026} the rest is in the record</span>");
    }
}

/// Adds text that keeps its lines.
pub(super) fn clipped(html: &mut Html, text: &str) {
    let (text, whole) = visible::clipped(text, 2 * TEXT);
    html.block(text);
    if !whole {
        html.markup("<span class=\"note\"> \u{2026} the rest is in the record</span>");
    }
}
