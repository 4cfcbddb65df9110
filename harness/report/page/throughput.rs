//! Throughput over time: operations and bytes per second, slice by slice.

use super::chart::{label, path};
use super::html::Html;
use super::time::{LEFT, RIGHT, TimeAxis, WIDTH};
use crate::number;
use crate::record::{Slice, Timeline};

const TITLE: f64 = 26.0;
const HEIGHT: f64 = 90.0;
const BETWEEN: f64 = 34.0;
const BOTTOM: f64 = 48.0;

/// Adds the pictures.
pub(super) fn throughput(html: &mut Html, timeline: &Timeline) {
    if timeline.slices.len() < 2 {
        html.line("p", "note", "The run was over before there was a rate to draw.");
        return;
    }
    let Some(axis) = TimeAxis::of(timeline) else { return };
    let first = TITLE + axis.strips() + HEIGHT;
    let second = first + BETWEEN + HEIGHT;
    let about = "Throughput over time";
    html.element("figure", &[("class", "chart")], |html| {
        let frame = [("class", "scroll"), ("role", "region"), ("tabindex", "0")];
        let frame = [&frame[..], &[("aria-label", about)]].concat();
        html.element("div", &frame, |html| {
            let view = format!("0 0 {WIDTH} {}", second + BOTTOM);
            let name =
                "Operations and bytes per second over time; the section on counts has totals";
            let names = ("aria-label", name);
            html.element("svg", &[("viewBox", &view), ("role", "img"), names], |html| {
                label(html, "axis", LEFT, TITLE - 12.0, "operations per second");
                axis.faults(html, first - HEIGHT, second);
                let operations = rates(timeline, |slice| slice.operations);
                steps(html, &axis, first, (&operations, number::count));
                label(html, "axis", LEFT, first + BETWEEN - 10.0, "bytes per second");
                let bytes = rates(timeline, |slice| slice.bytes);
                steps(html, &axis, second, (&bytes, number::bytes));
                axis.ticks(html, second);
            });
        });
        html.element("figcaption", &[], |html| {
            html.line("strong", "", about);
            html.text(&format!(
                ". Each step is {} wide. The last one is not drawn: the run ended somewhere in it. Bars on \
                 top, bands below them: when faults struck, and when the harness halted everybody; nothing \
                 ends meanwhile, so halts are dips.",
                axis.slice()
            ));
        });
    });
    html.markup("\n");
}

/// What happened per second in each slice but the last, of which nobody knows how much there was.
fn rates(timeline: &Timeline, of: impl Fn(&Slice) -> u64) -> Vec<u64> {
    let width = u128::from(timeline.slice_ms.max(1));
    let rate = |slice| u64::try_from(u128::from(of(slice)) * 1_000 / width).unwrap_or(u64::MAX);
    let whole = timeline.slices.split_last().map_or(&[][..], |(_, whole)| whole);
    whole.iter().map(rate).collect()
}

/// A line of steps above `floor`, with its largest value at the top.
fn steps(
    html: &mut Html,
    axis: &TimeAxis<'_>,
    floor: f64,
    (rates, told): (&[u64], fn(u64) -> String),
) {
    let most = rates.iter().copied().max().unwrap_or(0).max(1);
    let right = WIDTH - RIGHT;
    for (value, y) in [(0, floor), (most, floor - HEIGHT)] {
        path(html, "grid", &format!("M{LEFT} {y:.1}H{right}"));
        label(html, "tick end", LEFT - 10.0, y + 4.0, &told(value));
    }
    let step = |(slice, rate): (usize, &u64)| {
        let y = floor - number::float(*rate) / number::float(most) * HEIGHT;
        format!("V{y:.1}H{:.1}", axis.x(slice + 1))
    };
    let line: String = rates.iter().enumerate().map(step).collect();
    path(html, "area", &format!("M{LEFT} {floor:.1}{line}V{floor:.1}z"));
    path(html, "step", &format!("M{LEFT} {floor:.1}{line}"));
}

#[cfg(test)]
mod tests {
    use super::rates;
    use crate::record::{Slice, Timeline};

    #[test]
    fn a_run_that_ended_in_its_last_slice_is_not_slow_there() {
        let slice = |operations| Slice { operations, ..Slice::default() };
        let slices = [100, 120, 3].map(slice).to_vec();
        let (faults, halts) = (Vec::new(), Vec::new());
        let [actors, workers, halted_ms, overdue] = [0; 4];
        let slice_ms = 64;
        let timeline =
            Timeline { slice_ms, slices, faults, halts, actors, workers, halted_ms, overdue };
        assert_eq!(rates(&timeline, |slice| slice.operations), [1_562, 1_875]);
    }
}
