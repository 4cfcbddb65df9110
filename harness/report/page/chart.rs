//! Latency by percentile, as one line per kind of operation.
//!
//! The x axis counts nines: every decade of rarer operations gets as much room as the one before,
//! so a tail is as wide as the body. A line is drawn as far as ten operations lie beyond it; from
//! there a dotted stretch leads to the slowest operation.

use super::html::Html;
use crate::latency::decode;
use crate::number;
use crate::record::{Clock, LatencyRecord, LatencyRow, Measure, Outcome};

/// More lines than these cannot be told apart; the table below the chart has all of them.
const LINES: usize = 6;
/// The fewest operations of which a line is drawn: below, not even the median is known.
const LEAST: u64 = 20;
const WIDTH: f64 = 860.0;
const HEIGHT: f64 = 400.0;
const LEFT: f64 = 66.0;
const RIGHT: f64 = 150.0;
const TOP: f64 = 30.0;
const BOTTOM: f64 = 48.0;
/// The least distance between the base lines of two labels.
const LABEL: f64 = 19.0;

/// Which operations a chart is about.
pub(super) struct Group {
    /// What they are called, at the beginning of a sentence.
    pub(super) about: &'static str,
    /// Whether a fault struck them.
    pub(super) faulted: bool,
}

/// Adds the chart of the operations of a group that succeeded, unless there are none.
pub(super) fn chart(html: &mut Html, latency: &LatencyRecord, group: &Group) {
    let of = |row: &&LatencyRow| {
        row.outcome == Outcome::Ok && row.n >= LEAST && row.faulted == group.faulted
    };
    let rows: Vec<_> = latency.kinds.iter().filter(of).collect();
    let (lines, all) = lines(&rows);
    let Some(axes) = Axes::around(latency.clock, &lines) else { return };
    let two = lines.iter().any(|line| line.thin.is_some());
    let name = format!("{} by percentile; the table below has the numbers", group.about);
    html.element("figure", &[("class", "chart")], |html| {
        let frame = [("class", "scroll"), ("role", "region"), ("tabindex", "0")];
        let frame = [&frame[..], &[("aria-label", group.about)]].concat();
        html.element("div", &frame, |html| {
            let view = format!("0 0 {WIDTH} {HEIGHT}");
            let names = ("aria-label", name.as_str());
            html.element("svg", &[("viewBox", &view), ("role", "img"), names], |html| {
                axes.grid(html, two);
                for (line, style) in lines.iter().zip(STYLES) {
                    if let Some(thin) = &line.thin {
                        axes.curve(html, &format!("line thin {style}"), thin);
                    }
                    axes.line(html, style, line);
                }
                axes.labels(html, &lines);
            });
        });
        html.element("figcaption", &[], |html| caption(html, group, all, two));
    });
    html.markup("\n");
}

fn caption(html: &mut Html, group: &Group, all: usize, two: bool) {
    html.line("strong", "", group.about);
    html.text(". ");
    if all > LINES {
        html.text(&format!("The {LINES} most frequent of {all} kinds, without failures. "));
    } else {
        html.text(&format!("Kinds of which at least {LEAST} succeeded. "));
    }
    if two {
        html.markup(concat!(
            "Thick: response time, from the intended start. Thin, below it: service time, from ",
            "the actual start. ",
        ));
    }
    html.markup(concat!(
        "As far as the line is drawn, at least ten operations lie beyond; dotted, it leads on to ",
        "the slowest one, marked by a ring.",
    ));
}

/// The most frequent kinds, and how many kinds there are.
fn lines<'a>(rows: &[&'a LatencyRow]) -> (Vec<Line<'a>>, usize) {
    let of = |measure| rows.iter().copied().filter(move |row| row.measure == measure);
    let mut services: Vec<_> = of(Measure::Service).collect();
    services.sort_by_key(|row| std::cmp::Reverse(row.n));
    let all = services.len();
    let line = |service: &'a LatencyRow| {
        let response = of(Measure::Response).find(|row| row.operation == service.operation);
        match response {
            None => Line::of(service),
            Some(response) => Line { thin: Some(Line::of(service).points), ..Line::of(response) },
        }
    };
    (services.into_iter().take(LINES).map(line).collect(), all)
}

const STYLES: [&str; LINES] = ["s0", "s1", "s2", "s3", "s4", "s5"];

/// One kind of operation: points as (nines, value), and the slowest operation.
struct Line<'a> {
    name: &'a str,
    points: Vec<(f64, u64)>,
    /// The service time, where the line is the response time.
    thin: Option<Vec<(f64, u64)>>,
    slowest: (f64, u64),
}

impl<'a> Line<'a> {
    fn of(row: &'a LatencyRow) -> Line<'a> {
        let n = number::float(row.n);
        let points = from_histogram(row, n).unwrap_or_else(|| from_percentiles(row));
        Line { name: &row.operation, points, thin: None, slowest: (n.log10(), row.max) }
    }
}

/// Four points for each halving of what lies beyond. The fractions are exact in binary, so every
/// machine picks the same values.
fn from_histogram(row: &LatencyRow, n: f64) -> Option<Vec<(f64, u64)>> {
    let histogram = decode(row).ok()??;
    let mut points = vec![(0.0, row.min)];
    let mut beyond = 1.0_f64;
    while beyond * n >= 10.0 {
        for quarter in [0.875, 0.75, 0.625, 0.5] {
            let tail = beyond * quarter;
            if tail * n >= 10.0 {
                let value = histogram.value_at_quantile(1.0 - tail).clamp(row.min, row.max);
                push(&mut points, (-tail.log10(), value));
            }
        }
        beyond *= 0.5;
    }
    Some(points)
}

fn from_percentiles(row: &LatencyRow) -> Vec<(f64, u64)> {
    let nines = [2.0_f64.log10(), 1.0, 2.0, 3.0, 4.0];
    let values = [row.p50, row.p90, row.p99, row.p999, row.p9999];
    let known = nines.into_iter().zip(values).filter_map(|(x, value)| Some((x, value?)));
    std::iter::once((0.0, row.min)).chain(known).collect()
}

/// Adds a point; on a level stretch it replaces the one before.
fn push(points: &mut Vec<(f64, u64)>, point: (f64, u64)) {
    let level = |points: &[(f64, u64)]| points.iter().rev().take(2).all(|(_, y)| *y == point.1);
    if points.len() >= 2 && level(points) {
        points.pop();
    }
    points.push(point);
}

/// Where a value stands in the picture.
struct Axes {
    clock: Clock,
    nines: f64,
    lowest: u32,
    highest: u32,
}

impl Axes {
    fn around(clock: Clock, lines: &[Line<'_>]) -> Option<Axes> {
        let values = || {
            let thin = lines.iter().flat_map(|line| line.thin.iter().flatten());
            thin.chain(lines.iter().flat_map(|line| line.points.iter().chain([&line.slowest])))
        };
        let lowest = values().map(|(_, value)| *value).min()?.max(1).ilog10();
        let highest = values().map(|(_, value)| *value).max()?.max(1);
        let highest = if highest == 10_u64.pow(highest.ilog10()) {
            highest.ilog10().max(lowest + 1)
        } else {
            highest.ilog10() + 1
        };
        let nines = values().map(|(nines, _)| *nines).fold(1.0, f64::max);
        Some(Axes { clock, nines, lowest, highest })
    }

    fn x(&self, nines: f64) -> f64 {
        LEFT + nines / self.nines * (WIDTH - LEFT - RIGHT)
    }

    fn y(&self, value: u64) -> f64 {
        let decades = number::float(value.max(1)).log10() - f64::from(self.lowest);
        let share = decades / f64::from(self.highest - self.lowest);
        HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM)
    }

    fn grid(&self, html: &mut Html, two: bool) {
        let (right, floor) = (WIDTH - RIGHT, HEIGHT - BOTTOM);
        for decade in self.lowest..=self.highest {
            let Some(value) = 10_u64.checked_pow(decade) else { continue };
            let y = self.y(value);
            path(html, "grid", &format!("M{LEFT} {y:.1}H{right}"));
            let name = number::latency(self.clock, value);
            label(html, "tick end", LEFT - 10.0, y + 4.0, &name);
            if decade < self.highest && self.highest - self.lowest <= 4 {
                let minor = [2, 5].map(|step| {
                    format!("M{LEFT} {:.1}H{right}", self.y(value.saturating_mul(step)))
                });
                path(html, "grid minor", &minor.concat());
            }
        }
        let mut names = vec![("p0", 0.0), ("p50", 2.0_f64.log10())];
        let nines = ["p90", "p99", "p99.9", "p99.99", "p99.999", "p99.9999", "p99.99999"];
        names.extend(nines.into_iter().zip((1_u32..).map(f64::from)));
        for (name, nines) in names.into_iter().filter(|(_, nines)| *nines <= self.nines) {
            let x = self.x(nines);
            path(html, "grid", &format!("M{x:.1} {TOP}V{floor}"));
            label(html, "tick middle", x, floor + 20.0, name);
        }
        let measure = match self.clock {
            Clock::Wall if two => "response time, service time",
            Clock::Wall => "service time",
            Clock::Steps => "scheduling steps",
        };
        label(html, "axis", LEFT, TOP - 14.0, measure);
        let rarity = "percentile: each decade to the right is ten times rarer";
        label(html, "axis", LEFT, HEIGHT - 6.0, rarity);
    }

    fn line(&self, html: &mut Html, style: &'static str, line: &Line<'_>) {
        let place =
            |&(nines, value): &(f64, u64)| format!("{:.1} {:.1}", self.x(nines), self.y(value));
        self.curve(html, &format!("line {style}"), &line.points);
        let last = line.points.last().map(place).unwrap_or_default();
        path(html, &format!("tail {style}"), &format!("M{last}L{}", place(&line.slowest)));
        let (x, y) = (self.x(line.slowest.0), self.y(line.slowest.1));
        let (x, y) = (format!("{x:.1}"), format!("{y:.1}"));
        let class = format!("ring {style}");
        html.element("circle", &[("class", &class), ("cx", &x), ("cy", &y), ("r", "4")], |_| ());
    }

    fn curve(&self, html: &mut Html, class: &str, points: &[(f64, u64)]) {
        let place =
            |&(nines, value): &(f64, u64)| format!("{:.1} {:.1}", self.x(nines), self.y(value));
        let points: Vec<_> = points.iter().map(place).collect();
        path(html, class, &format!("M{}", points.join("L")));
    }

    /// The names at the right, pushed apart where lines end close together.
    fn labels(&self, html: &mut Html, lines: &[Line<'_>]) {
        let mut ends: Vec<_> =
            lines.iter().enumerate().map(|(index, line)| (self.y(line.slowest.1), index)).collect();
        ends.sort_by(|one, other| one.0.total_cmp(&other.0));
        let mut places = Vec::new();
        let mut next = TOP;
        for (y, _) in &ends {
            next = y.max(next);
            places.push(next);
            next += LABEL;
        }
        let mut limit = HEIGHT - BOTTOM;
        for place in places.iter_mut().rev() {
            *place = place.min(limit);
            limit = *place - LABEL;
        }
        for ((y, index), place) in ends.into_iter().zip(places) {
            let (line, style) = (&lines[index], STYLES[index % LINES]);
            let start = self.x(line.slowest.0) + 6.0;
            let end = WIDTH - RIGHT + 22.0;
            let leader = format!("M{start:.1} {y:.1}L{:.1} {place:.1}H{end:.1}", end - 8.0);
            path(html, &format!("leader {style}"), &leader);
            let (name, whole) = crate::visible::clipped(line.name, 16);
            let name = if whole { name.to_owned() } else { format!("{name}\u{2026}") };
            label(html, &format!("name {style}"), end + 6.0, place + 4.5, &name);
        }
    }
}

/// Adds a path.
pub(super) fn path(html: &mut Html, class: &str, d: &str) {
    html.element("path", &[("class", class), ("d", d)], |_| ());
}

/// Adds a text of the picture.
pub(super) fn label(html: &mut Html, class: &str, x: f64, y: f64, text: &str) {
    let (x, y) = (format!("{x:.1}"), format!("{y:.1}"));
    html.element("text", &[("class", class), ("x", &x), ("y", &y)], |html| html.text(text));
}
