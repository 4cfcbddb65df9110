//! The x axis that pictures over time share: milliseconds since the actors began, with the windows
//! in which faults struck.

use std::collections::BTreeMap;

use super::chart::{label, path};
use super::html::Html;
use crate::number;
use crate::record::{Clock, FaultWindow, Timeline};
use crate::visible;

pub(super) const WIDTH: f64 = 860.0;
pub(super) const LEFT: f64 = 66.0;
pub(super) const RIGHT: f64 = 190.0;
/// Characters beside a strip: as many as fit there.
const NAMED: usize = 23;
/// The height of the strip of one kind of fault.
const STRIP: f64 = 15.0;
/// Kinds of fault with a strip of their own; the table of faults has all.
const KINDS: usize = 6;
/// Faults that struck during more of the time than this are not shaded: everything would be.
const MOST_SHADED: f64 = 0.5;

/// Where a time stands.
pub(super) struct TimeAxis<'a> {
    slice_ms: u64,
    slices: usize,
    faults: Vec<(&'a str, Vec<&'a FaultWindow>)>,
    halts: &'a [FaultWindow],
}

impl<'a> TimeAxis<'a> {
    /// The axis of a timeline in which something happened.
    pub(super) fn of(timeline: &'a Timeline) -> Option<TimeAxis<'a>> {
        let mut faults = BTreeMap::<&str, Vec<_>>::new();
        for window in &timeline.faults {
            faults.entry(&window.kind).or_default().push(window);
        }
        let faults = faults.into_iter().take(KINDS).collect();
        let (slice_ms, slices) = (timeline.slice_ms, timeline.slices.len());
        let halts = &timeline.halts;
        (slices != 0).then_some(TimeAxis { slice_ms, slices, faults, halts })
    }

    /// The left edge of a slice.
    pub(super) fn x(&self, slice: usize) -> f64 {
        LEFT + count(slice) / count(self.slices) * (WIDTH - LEFT - RIGHT)
    }

    fn x_of_ms(&self, ms: u64) -> f64 {
        let share = number::float(ms) / (number::float(self.slice_ms) * count(self.slices));
        LEFT + share.min(1.0) * (WIDTH - LEFT - RIGHT)
    }

    /// The height of the strips above a picture.
    pub(super) fn strips(&self) -> f64 {
        count(self.faults.len() + usize::from(!self.halts.is_empty())) * STRIP
    }

    /// Strips that show when each kind of fault struck and when all were halted, down to `top`, and
    /// below them the shades of faults as far down as `floor`.
    pub(super) fn faults(&self, html: &mut Html, top: f64, floor: f64) {
        let mut y = top - self.strips();
        for (kind, windows) in &self.faults {
            path(html, "strike", &self.rects(windows.iter().copied(), y + 3.0, STRIP - 6.0));
            let width =
                |window: &&FaultWindow| self.x_of_ms(window.to_ms) - self.x_of_ms(window.from_ms);
            let covered: f64 = windows.iter().map(width).sum();
            if covered <= MOST_SHADED * (WIDTH - LEFT - RIGHT) {
                path(html, "struck", &self.rects(windows.iter().copied(), top, floor - top));
            }
            name(html, kind, windows.iter().map(|window| window.count), y);
            y += STRIP;
        }
        if !self.halts.is_empty() {
            path(html, "halt", &self.rects(self.halts.iter(), y + 5.0, STRIP - 10.0));
            name(html, "halts", self.halts.iter().map(|window| window.count), y);
        }
    }

    fn rects<'w>(
        &self,
        windows: impl Iterator<Item = &'w FaultWindow>,
        y: f64,
        height: f64,
    ) -> String {
        let rect = |window: &FaultWindow| {
            let (from, to) = (self.x_of_ms(window.from_ms), self.x_of_ms(window.to_ms));
            let width = (to - from).max(1.5);
            format!("M{from:.1} {y:.1}h{width:.1}v{height:.1}h-{width:.1}z")
        };
        windows.map(rect).collect()
    }

    /// The ticks below a picture whose floor is there.
    pub(super) fn ticks(&self, html: &mut Html, floor: f64) {
        let end = number::float(self.slice_ms) * count(self.slices);
        let mut step = 1_u64;
        for factor in [2, 5, 10].into_iter().cycle().take(60) {
            if end <= 8.0 * number::float(step) {
                break;
            }
            step = if factor == 5 { step / 2 * 5 } else { step.saturating_mul(2) };
        }
        for tick in 0..=8 {
            let at = step.saturating_mul(tick);
            if number::float(at) > end {
                break;
            }
            let x = self.x_of_ms(at);
            path(html, "grid", &format!("M{x:.1} {floor:.1}v5"));
            let name = number::latency(Clock::Wall, at.saturating_mul(1_000_000));
            label(html, "tick middle", x, floor + 20.0, if at == 0 { "0" } else { &name });
        }
        label(html, "axis", LEFT, floor + 38.0, "time since the actors began");
    }

    /// How wide a slice is, in words.
    pub(super) fn slice(&self) -> String {
        number::latency(Clock::Wall, self.slice_ms.saturating_mul(1_000_000))
    }
}

/// The name of a strip, at its right, with how often it struck.
fn name(html: &mut Html, kind: &str, counts: impl Iterator<Item = u64>, y: f64) {
    let n = number::count(number::sum(counts));
    let (name, whole) = visible::clipped(kind, NAMED.saturating_sub(n.len()));
    let rest = if whole { "" } else { "\u{2026}" };
    let told = format!("{name}{rest} {n}\u{d7}");
    label(html, "tick", WIDTH - RIGHT + 8.0, y + STRIP - 3.5, &told);
}

/// A small number.
pub(super) fn count(n: usize) -> f64 {
    number::float(u64::try_from(n).unwrap_or(u64::MAX))
}
