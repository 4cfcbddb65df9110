//! Blocks, one column each: what is expected, what the cache, the folios, the extents and the disk hold.

use super::super::html::Html;
use super::prose::prose;
use crate::number;
use crate::record::{ByteRange, Lanes, Layer, Strip, Strips};

/// Blocks that are shown.
const BLOCKS: usize = 64;
/// Larger numbers of blocks stand upright.
const FLAT: u64 = 999;
/// Strips that are shown; the last ones.
const STRIPS: usize = 60;
/// Colours of those whose bytes are shown.
const AUTHORS: usize = 6;

const LAYERS: [(Layer, &str); 5] = [
    (Layer::Model, "model"),
    (Layer::Cache, "cache"),
    (Layer::Folios, "folios"),
    (Layer::Extents, "extents"),
    (Layer::Disk, "disk"),
];

/// Adds the strips: the first one, and one for each row that changed the blocks.
pub(super) fn strips(html: &mut Html, all: &Strips, lanes: &Lanes) {
    let hidden = all.strips.len().saturating_sub(STRIPS);
    if hidden > 0 {
        let text = format!("{} came before.", number::counted(number::wide(hidden), "state"));
        html.line("p", "note", &text);
    }
    html.element("div", &[("class", "strips")], |html| {
        for (at, strip) in all.strips.iter().enumerate().skip(hidden) {
            let before = at.checked_sub(1).and_then(|at| all.strips.get(at));
            one(html, all, (strip, before), lanes);
            html.markup("\n");
        }
    });
    legend(html, all);
}

fn one(html: &mut Html, all: &Strips, (strip, before): (&Strip, Option<&Strip>), lanes: &Lanes) {
    let row = strip.row.to_string();
    let width = strip.extents.chars().count().min(BLOCKS);
    let last = all.first_block.saturating_add(number::wide(width));
    let class = if last > FLAT { "strip tall" } else { "strip" };
    let style = format!("--b:{width}");
    let attributes = [("class", class), ("data-row", &row), ("style", &style)];
    html.element("table", &attributes, |html| {
        html.element("caption", &[], |html| {
            let at = usize::try_from(strip.row).ok().and_then(|row| row.checked_sub(1));
            match at.and_then(|at| lanes.rows.get(at)) {
                None => html.text("Before"),
                Some(row) => {
                    html.text(&format!("After step {}: ", number::count(row.step)));
                    prose(html, &row.text);
                }
            }
        });
        blocks(html, (all, width));
        html.element("tbody", &[], |html| {
            for (layer, name) in LAYERS {
                html.element("tr", &[], |html| {
                    html.element("th", &[("scope", "row")], |html| html.text(name));
                    cells(html, all, layer, (strip, before));
                });
            }
        });
    });
}

/// The numbers of the blocks; those that the failure is about are marked.
fn blocks(html: &mut Html, (all, width): (&Strips, usize)) {
    html.element("thead", &[], |html| {
        html.element("tr", &[], |html| {
            html.markup("<th scope=\"col\">block</th>");
            for at in 0..width {
                let name = all.first_block.saturating_add(number::wide(at)).to_string();
                let class = if is_marked(all.marked, at) { "about" } else { "" };
                let attributes = [("scope", "col"), ("class", class)];
                let kept = if class.is_empty() { &attributes[..1] } else { &attributes[..] };
                html.element("th", kept, |html| html.line("span", "", &name));
            }
        });
    });
}

fn is_marked(marked: ByteRange, at: usize) -> bool {
    let at = number::wide(at);
    marked.start <= at && at < marked.end
}

fn line(strip: &Strip, layer: Layer) -> &str {
    match layer {
        Layer::Model => &strip.model,
        Layer::Cache => &strip.cache,
        Layer::Folios => &strip.folios,
        Layer::Extents => &strip.extents,
        Layer::Disk => &strip.disk,
    }
}

fn cells(html: &mut Html, all: &Strips, layer: Layer, (strip, before): (&Strip, Option<&Strip>)) {
    let mut was = before.map(|before| line(before, layer).chars());
    for (at, letter) in line(strip, layer).chars().take(BLOCKS).enumerate() {
        let changed = was.as_mut().is_some_and(|was| was.next() != Some(letter));
        let block = number::wide(at);
        let wrong = strip.wrong.iter().any(|cell| cell.layer == layer && cell.block == block);
        let mut classes = colour(all, layer, letter);
        classes.push_str(if changed { " new" } else { "" });
        classes.push_str(if wrong { " wrong" } else { "" });
        let attributes = [("class", classes.trim_start())];
        let attributes: &[_] = if classes.is_empty() { &[] } else { &attributes };
        html.element("td", attributes, |html| {
            html.text(&letter.to_string());
            if wrong {
                html.markup("<span class=\"unseen\"> wrong</span>");
            }
        });
    }
}

/// The class that colours a letter; none for what is not there.
fn colour(all: &Strips, layer: Layer, letter: char) -> String {
    match (layer, letter) {
        (_, '-' | '.') => "none".to_owned(),
        (Layer::Folios, 'D') | (Layer::Extents, 'd') => "dirty".to_owned(),
        (Layer::Folios, 'W') | (Layer::Extents, 'u') => "moving".to_owned(),
        (Layer::Folios | Layer::Extents, _) => String::new(),
        (_, '0') => "zero".to_owned(),
        (_, '~') => "open".to_owned(),
        (_, '?') => "odd".to_owned(),
        _ => author(all, letter).map_or_else(String::new, |number| format!("a{number}")),
    }
}

/// Whose letter it is, large or small.
fn author(all: &Strips, letter: char) -> Option<usize> {
    let mut known: Vec<char> = Vec::new();
    for one in all.legend.iter().filter_map(|one| one.letter.chars().next()) {
        let one = one.to_ascii_lowercase();
        if one.is_ascii_alphabetic() && !known.contains(&one) {
            known.push(one);
        }
    }
    let number = known.iter().position(|one| *one == letter.to_ascii_lowercase())?;
    Some(number % AUTHORS)
}

fn legend(html: &mut Html, all: &Strips) {
    html.element("dl", &[("class", "letters")], |html| {
        for one in &all.legend {
            let letter = one.letter.chars().next().unwrap_or('?');
            let class = colour(all, Layer::Cache, letter);
            html.element("div", &[], |html| {
                html.element("dt", &[("class", &class)], |html| html.text(&one.letter));
                html.element("dd", &[], |html| prose(html, &one.about));
            });
        }
    });
    html.element("p", &[("class", "note")], |html| {
        let size = number::bytes(all.block_size);
        html.text(&format!("Blocks of {size} of file {}. ", all.file));
        html.markup(concat!(
            "A frame: changed. A cross: wrong. Folios: <code>c</code> clean, <code>D</code> dirty, ",
            "<code>W</code> in writeback, <code>.</code> not uptodate, <code>-</code> none. Extents: ",
            "<code>.</code> hole, <code>d</code> delalloc, <code>u</code> unwritten, ",
            "<code>M</code> mapped.",
        ));
    });
}
