//! Latency over time: one column for each slice, one row for each range of latencies, and the more
//! operations the stronger the colour.

use super::chart::{label, path};
use super::html::Html;
use super::time::{LEFT, RIGHT, TimeAxis, WIDTH, count};
use crate::number;
use crate::record::{Buckets, Clock, Measure, Slice, Spread, Timeline};

/// Shades of cells with operations.
const SHADES: u32 = 7;
/// The height of the cells together.
const CELLS: f64 = 260.0;
const TITLE: f64 = 26.0;
const BOTTOM: f64 = 48.0;
/// The fewest rows that are shown.
const ROWS: usize = 12;
/// The latency at which row 0 begins, in nanoseconds.
const LOWEST: f64 = 256.0;

/// Adds the map of one measure, unless there is nothing of it.
pub(super) fn heat(html: &mut Html, timeline: &Timeline, measure: Measure) {
    let spread = |slice: &Slice| match measure {
        Measure::Response | Measure::Lag => slice.response.clone(),
        Measure::Service => slice.service.clone(),
    };
    let columns: Vec<Spread> = timeline.slices.iter().map(spread).collect();
    let (Some(axis), Some(map)) = (TimeAxis::of(timeline), Map::of(&columns)) else { return };
    let about = match measure {
        Measure::Response | Measure::Lag => "Response time over time",
        Measure::Service => "Service time over time",
    };
    let top = TITLE + axis.strips();
    let floor = top + CELLS;
    html.element("figure", &[("class", "chart")], |html| {
        let frame = [("class", "scroll"), ("role", "region"), ("tabindex", "0")];
        let frame = [&frame[..], &[("aria-label", about)]].concat();
        html.element("div", &frame, |html| {
            let view = format!("0 0 {WIDTH} {}", floor + BOTTOM);
            let name = format!("{about}, as a heat map; the table below has the percentiles");
            let names = ("aria-label", name.as_str());
            html.element("svg", &[("viewBox", &view), ("role", "img"), names], |html| {
                label(html, "axis", LEFT, TITLE - 12.0, &about.to_lowercase());
                axis.faults(html, top, floor);
                map.scale(html, floor);
                map.cells(html, &axis, floor);
                map.slowest(html, &axis, floor);
                axis.ticks(html, floor);
            });
        });
        html.element("figcaption", &[], |html| {
            html.line("strong", "", about);
            html.text(&format!(
                ". Each column is {} wide. The stronger the colour of a cell, the more operations \
                 ended there, on a logarithmic scale up to {}. Dash: the slowest operation of a \
                 column. Bars on top, bands below them: when faults struck, and when the harness \
                 halted everybody.",
                axis.slice(),
                number::count(map.most)
            ));
        });
    });
    html.markup("\n");
}

/// The rows that are shown, and what stands in them.
struct Map<'a> {
    columns: &'a [Spread],
    lowest: usize,
    rows: usize,
    most: u64,
}

impl<'a> Map<'a> {
    fn of(columns: &'a [Spread]) -> Option<Map<'a>> {
        let used = |bucket: &usize| columns.iter().any(|one| one.counts.counts()[*bucket] != 0);
        let lowest = (0..Buckets::COUNT).find(used)?;
        let highest = (0..Buckets::COUNT).rfind(used)?;
        let rows = (highest + 1 - lowest).max(ROWS);
        let lowest = lowest.min(Buckets::COUNT - rows);
        let counts = columns.iter().flat_map(|one| one.counts.counts());
        Some(Map { columns, lowest, rows, most: counts.copied().max()? })
    }

    fn height(&self) -> f64 {
        CELLS / count(self.rows)
    }

    /// The shade of a count: none for none, the darkest for the largest.
    fn shade(&self, count: u64) -> u32 {
        match count.checked_ilog2() {
            None => 0,
            Some(log) => (log + 1).saturating_mul(SHADES).div_ceil(self.most.max(1).ilog2() + 1),
        }
    }

    /// One path a shade, in which each stretch of a column is one rectangle.
    fn cells(&self, html: &mut Html, axis: &TimeAxis<'_>, floor: f64) {
        let mut paths = vec![String::new(); usize::try_from(SHADES).expect("a few") + 1];
        for (slice, column) in self.columns.iter().enumerate() {
            let counts = &column.counts.counts()[self.lowest..self.lowest + self.rows];
            let mut row = 0;
            for stretch in counts.chunk_by(|one, other| self.shade(*one) == self.shade(*other)) {
                let shade = usize::try_from(self.shade(stretch[0])).expect("a few");
                let (x, width) = (axis.x(slice), axis.x(slice + 1) - axis.x(slice));
                let (y, height) = (floor - count(row) * self.height(), stretch.len());
                let height = count(height) * self.height();
                row += stretch.len();
                if shade != 0 {
                    let rect = format!("M{x:.1} {y:.1}h{width:.1}v-{height:.1}h-{width:.1}z");
                    paths[shade].push_str(&rect);
                }
            }
        }
        for (shade, d) in paths.iter().enumerate().filter(|(_, d)| !d.is_empty()) {
            path(html, &format!("heat h{shade}"), d);
        }
    }

    /// The y of a latency, within the picture.
    fn y(&self, nanoseconds: u64, floor: f64) -> f64 {
        let row = 2.0 * (number::float(nanoseconds.max(1)) / LOWEST).log2() - count(self.lowest);
        floor - row.clamp(0.0, count(self.rows)) * self.height()
    }

    fn slowest(&self, html: &mut Html, axis: &TimeAxis<'_>, floor: f64) {
        let dash = |(slice, column): (usize, &Spread)| {
            let (x, width) = (axis.x(slice), axis.x(slice + 1) - axis.x(slice));
            format!("M{x:.1} {:.1}h{width:.1}", self.y(column.max, floor))
        };
        let some = self.columns.iter().enumerate().filter(|(_, column)| column.max != 0);
        path(html, "slowest", &some.map(dash).collect::<String>());
    }

    fn scale(&self, html: &mut Html, floor: f64) {
        let right = WIDTH - RIGHT;
        for decade in 0..=10 {
            let value = 10_u64.pow(decade);
            let row = 2.0 * (number::float(value) / LOWEST).log2() - count(self.lowest);
            if (0.0..=count(self.rows)).contains(&row) {
                let y = self.y(value, floor);
                path(html, "grid", &format!("M{LEFT} {y:.1}H{right}"));
                let name = number::latency(Clock::Wall, value);
                label(html, "tick end", LEFT - 10.0, y + 4.0, &name);
            }
        }
    }
}
