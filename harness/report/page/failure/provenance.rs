//! What became of one byte, link by link.

use super::super::html::Html;
use super::prose::prose;
use crate::number;
use crate::record::{Link, Provenance, Story};

/// Links that are shown; the last ones.
const LINKS: usize = 60;

/// Adds the chain, if one was followed.
pub(super) fn provenance(html: &mut Html, story: &Story) {
    let Some(Provenance { pos, links, left_out }) = &story.provenance else { return };
    if links.is_empty() {
        return;
    }
    html.element("h4", &[], |html| {
        html.text(&format!("What became of byte {}", number::count(*pos)));
    });
    let hidden = links.len().saturating_sub(LINKS);
    let left_out = left_out.saturating_add(number::wide(hidden));
    if left_out > 0 {
        let text = format!("{} came before.", number::counted(left_out, "change"));
        html.line("p", "note", &text);
    }
    html.element("ol", &[("class", "chain")], |html| {
        for Link { step, text, .. } in &links[hidden..] {
            html.element("li", &[], |html| {
                html.line("span", "step", &format!("step {}", number::count(*step)));
                html.text(" ");
                html.element("span", &[], |html| prose(html, text));
            });
        }
    });
}
