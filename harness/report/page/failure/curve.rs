//! From which step on it could not be avoided: the share of failures among runs that follow the case up
//! to a step and are left to chance from there.

use super::super::html::Html;
use super::super::table::{Cell, numbers, table};
use crate::number;
use crate::record::{Inevitability, Jump, Share, Story};

const WIDTH: f64 = 620.0;
const HEIGHT: f64 = 224.0;
const LEFT: f64 = 52.0;
const RIGHT: f64 = 20.0;
const TOP: f64 = 34.0;
const BOTTOM: f64 = 44.0;
/// Steps that are shown.
const STEPS: usize = 400;

/// Adds the curve, if it was measured.
pub(super) fn curve(html: &mut Html, story: &Story) {
    let Some(measured) = &story.inevitability else { return };
    let steps = &measured.steps[..measured.steps.len().min(STEPS)];
    let (Some(first), Some(last)) = (steps.first(), steps.last()) else { return };
    html.line("h4", "", "When it was decided");
    html.element("p", &[("class", "lead")], |html| html.text(&sentence(measured)));
    let axes = Axes {
        first: first.step,
        last: last.step.max(first.step.saturating_add(1)),
        runs: measured.runs,
    };
    html.element("figure", &[("class", "chart curve")], |html| {
        let frame = [("class", "scroll"), ("role", "region"), ("tabindex", "0")];
        let frame = [&frame[..], &[("aria-label", "Chart of the share that fails")]].concat();
        html.element("div", &frame, |html| {
            let view = format!("0 0 {WIDTH} {HEIGHT}");
            let label = "Share of runs that fail, by the step up to which the case is followed";
            let attributes = [("viewBox", &*view), ("role", "img"), ("aria-label", label)];
            html.element("svg", &attributes, |html| {
                html.line("title", "", label);
                axes.grid(html);
                if let Some(jump) = &measured.jump {
                    axes.jump(html, jump);
                }
                axes.line(html, steps);
            });
        });
    });
    let row = |share: &Share| {
        vec![Cell::Text(number::count(share.step)), Cell::Text(number::count(share.failing))]
    };
    html.element("details", &[("class", "quiet")], |html| {
        html.line("summary", "", "The same as a table");
        let caption =
            format!("Failures among {} from each step", number::counted(axes.runs, "run"));
        let rows: Vec<_> = steps.iter().map(row).collect();
        table(html, &caption, &[numbers("Followed up to step"), numbers("Fail")], &rows);
    });
}

fn sentence(measured: &Inevitability) -> String {
    let runs = number::count(measured.runs);
    match measured.jump {
        Some(Jump { from, to }) => format!(
            "Followed up to step {} and left to chance from there, {} of {runs} runs fail the same \
             way; followed up to step {}, {} do.",
            number::count(from.step),
            number::count(from.failing),
            number::count(to.step),
            number::count(to.failing),
        ),
        None => format!(
            "No step decides alone: the share of {runs} runs that fail the same way grows by half \
             nowhere."
        ),
    }
}

struct Axes {
    first: u64,
    last: u64,
    runs: u64,
}

impl Axes {
    fn x(&self, step: u64) -> f64 {
        let share = number::float(step.saturating_sub(self.first))
            / number::float(self.last.saturating_sub(self.first).max(1));
        LEFT + share.min(1.0) * (WIDTH - LEFT - RIGHT)
    }

    fn y(&self, failing: u64) -> f64 {
        let share = number::float(failing) / number::float(self.runs.max(1));
        HEIGHT - BOTTOM - share.min(1.0) * (HEIGHT - TOP - BOTTOM)
    }

    fn grid(&self, html: &mut Html) {
        let right = WIDTH - RIGHT;
        for (quarter, name) in [(0, "0 %"), (1, ""), (2, "50 %"), (3, ""), (4, "100 %")] {
            let y = HEIGHT - BOTTOM - f64::from(quarter) / 4.0 * (HEIGHT - TOP - BOTTOM);
            let class = if name.is_empty() { "grid minor" } else { "grid" };
            path(html, class, &format!("M{LEFT} {y:.1}H{right}"));
            text(html, "end", (LEFT - 10.0, y + 4.0), name);
        }
        let middle = self.first + (self.last - self.first) / 2;
        for (step, class) in [(self.first, ""), (middle, "middle"), (self.last, "end")] {
            text(html, class, (self.x(step), HEIGHT - 22.0), &number::count(step));
        }
        text(html, "middle", (LEFT + (right - LEFT) / 2.0, HEIGHT - 5.0), "step");
    }

    fn jump(&self, html: &mut Html, jump: &Jump) {
        let (from, to) = (self.x(jump.from.step), self.x(jump.to.step));
        let (x, width) = (format!("{:.1}", from - 2.0), format!("{:.1}", to - from + 4.0));
        let (y, height) =
            (format!("{:.1}", TOP - 12.0), format!("{:.1}", HEIGHT - TOP - BOTTOM + 12.0));
        let place =
            [("class", "jump"), ("x", &*x), ("y", &*y), ("width", &*width), ("height", &*height)];
        html.element("rect", &place, |_| ());
        let half = f64::midpoint(LEFT, WIDTH);
        let (class, at) = if to < half { ("name", to + 8.0) } else { ("name end", from - 8.0) };
        text(html, class, (at, TOP - 16.0), "decided here");
    }

    /// A step lasts until the next one.
    fn line(&self, html: &mut Html, steps: &[Share]) {
        let mut d = String::new();
        for share in steps {
            let (x, y) = (self.x(share.step), self.y(share.failing));
            let place =
                if d.is_empty() { format!("M{x:.1} {y:.1}") } else { format!("H{x:.1}V{y:.1}") };
            d.push_str(&place);
        }
        path(html, "line", &d);
    }
}

fn path(html: &mut Html, class: &str, d: &str) {
    html.element("path", &[("class", class), ("d", d)], |_| ());
}

fn text(html: &mut Html, class: &str, (x, y): (f64, f64), text: &str) {
    if text.is_empty() {
        return;
    }
    let (x, y) = (format!("{x:.1}"), format!("{y:.1}"));
    html.element("text", &[("class", class), ("x", &x), ("y", &y)], |html| html.text(text));
}
