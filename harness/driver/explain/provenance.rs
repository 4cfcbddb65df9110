//! What became of one byte: who wrote it, copied it, dirtied it, put it on disk, dropped it and read it
//! again, in the order of time.

use super::cast::Cast;
use super::state::{self, Change, What};
use super::turns::{Turn, opening, step};
use super::watcher::{Focus, Frame};
use super::words;
use serde::Serialize;
use std::fmt::Write;
use stormfs::points::Point;

/// At most so many links are told, the last ones.
const MOST: usize = 24;

/// See the module.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Provenance {
    /// Its position in the file.
    pub pos: u64,
    /// In the order of time.
    pub links: Vec<Link>,
    /// Earlier ones that are left out.
    pub left_out: usize,
}

/// Something that happened to the byte.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Link {
    /// Points passed so far, of the whole run.
    pub step: u64,
    /// The number of the turn, of all turns.
    #[serde(skip)]
    pub turn: usize,
    /// In a sentence.
    pub text: String,
}

/// Follows the byte in focus from the first call on until it `fails`, in words.
pub fn provenance(
    cast: &Cast,
    frames: &[Frame],
    turns: &[Turn],
    (focus, fails): (Focus, String),
) -> Provenance {
    let mut links = Vec::new();
    for at in opening(frames).max(1)..frames.len() {
        let changes = state::changes(&frames[at - 1].files, &frames[at].files);
        let own = changes.into_iter().filter(|change| concerns(change, focus));
        let own: Vec<Change> = own.collect();
        if own.is_empty() {
            continue;
        }
        let turn = turns.iter().position(|turn| turn.frames.contains(&at)).unwrap_or_default();
        links.push(Link { step: step(frames, at), turn, text: sentence(cast, &frames[at], &own) });
    }
    if let Some(last) = frames.len().checked_sub(1) {
        let turn = turns.len().saturating_sub(1);
        links.push(Link { step: step(frames, last), turn, text: fails });
    }
    let left_out = links.len().saturating_sub(MOST);
    Provenance { pos: focus.pos, links: links.split_off(left_out), left_out }
}

/// Whether a change says something of the byte.
fn concerns(change: &Change, focus: Focus) -> bool {
    let crosses = |from: u64, to: u64| from.min(to) <= focus.pos && focus.pos < from.max(to);
    let here = change.range.is_some_and(|it| it.start <= focus.pos && focus.pos < it.end);
    change.file == focus.file
        && match change.what {
            What::Size(from, to) | What::SizeDisk(from, to) => crosses(from, to),
            // A folio that is new says less than what is in it then.
            What::Cached | What::Filled | What::Sequence(..) => false,
            What::Extents(..)
            | What::Dropped(_)
            | What::Dirtied
            | What::Cleaned
            | What::Flag(_)
            | What::Writeback(_)
            | What::Writable(_)
            | What::InCache(..)
            | What::OnDisk(..) => here,
        }
}

fn sentence(cast: &Cast, frame: &Frame, changes: &[Change]) -> String {
    let acting = cast.op(frame.task, frame.operation);
    let who = acting.map_or_else(|| cast.task(frame.task), |op| cast.operation(op));
    let verbs: Vec<_> = changes.iter().map(|it| words::verb(it, cast, acting)).collect();
    let mut text = format!("{who} {}", super::cast::listed(&verbs));
    let place = frame.passage().and_then(|passage| Point::named(passage.site.name));
    if let Some(place) = place {
        let _ = write!(text, ", at {}", place.name());
    }
    text
}
