//! A failure as a trace in the Trace Event Format, which Perfetto and `chrome://tracing` draw: a track
//! for each task, with its calls, the locks it holds and the waits as slices, and points, faults and
//! the failure as instants.
//!
//! Time is the step of the run: one point passed is one microsecond.

use crate::case;
use crate::chronicle::{Chronicle, Event, Moment};
use crate::explain::cast::Cast;
use crate::explain::lanes::strike;
use crate::explain::story::name_of;
use crate::scenario::plan::Plan;
use oracle::Violation;
use serde::Serialize;
use serde_json::{Value, json};
use sim::Passage;
use sim::world::Hold;
use std::collections::BTreeMap;
use stormfs::points::Point;

/// The trace of a case that failed, as JSON: one event a line.
pub fn trace(plan: &Plan, chronicle: &Chronicle, violation: &Violation) -> String {
    let cast = Cast::of(plan);
    let mut drawing = Drawing { plan, cast: &cast, tracks: BTreeMap::new() };
    for moment in &chronicle.moments {
        drawing.moment(moment);
    }
    let end = chronicle.end();
    let last = chronicle.moments.last().map_or(0, |moment| moment.task);
    for (task, track) in &mut drawing.tracks {
        track.finish(end, (*task == last).then(|| fails(&cast, violation)));
    }
    let mut events: Vec<Line> = Vec::new();
    events.push(Line::metadata(0, "process_name", json!({"name": plan.name})));
    for task in drawing.tracks.keys() {
        let number = tid(*task);
        events.push(Line::metadata(number, "thread_name", json!({"name": cast.task(*task)})));
        events.push(Line::metadata(number, "thread_sort_index", json!({"sort_index": number})));
    }
    let mut rest: Vec<Line> = drawing.tracks.into_values().flat_map(|track| track.lines).collect();
    // Within a track the order stays: that is what nests.
    rest.sort_by_key(|line| line.ts);
    events.extend(rest);
    let faults: Vec<String> = plan.strikes.iter().map(|it| strike(it, &cast)).collect();
    document(
        &json!({"case": plan.name, "time": "1 us is one step of the run", "faults": faults}),
        &events,
    )
}

fn document(about: &Value, events: &[Line]) -> String {
    let lines: Vec<String> = events
        .iter()
        .map(|line| serde_json::to_string(line).expect("an event is plain data"))
        .collect();
    format!(
        "{{\"displayTimeUnit\":\"ms\",\"otherData\":{about},\"traceEvents\":[\n{}\n]}}\n",
        lines.join(",\n")
    )
}

/// One event, in the words of the format.
#[derive(Debug, Clone, PartialEq, Serialize)]
struct Line {
    name: String,
    #[serde(skip_serializing_if = "str::is_empty")]
    cat: &'static str,
    ph: &'static str,
    ts: u64,
    pid: u32,
    tid: u64,
    /// Of an instant, how far it reaches.
    #[serde(skip_serializing_if = "str::is_empty")]
    s: &'static str,
    #[serde(skip_serializing_if = "Value::is_null")]
    args: Value,
}

impl Line {
    fn metadata(tid: u64, name: &str, args: Value) -> Line {
        Line { name: name.to_owned(), cat: "", ph: "M", ts: 0, pid: 1, tid, s: "", args }
    }
}

/// Viewers take thread 0 for an idle processor.
fn tid(task: usize) -> u64 {
    u64::try_from(task).unwrap_or(u64::MAX).saturating_add(1)
}

fn fails(cast: &Cast, violation: &Violation) -> (String, Value) {
    let (expected, found) = (cast.named(&violation.expected), cast.named(&violation.found));
    let file = violation.file.map(|file| cast.file(file));
    let range = violation.range.map(|range| range.to_string());
    let args = json!({"expected": expected, "found": found, "file": file, "bytes": range});
    (format!("{} fails", violation.invariant), args)
}

struct Drawing<'a> {
    plan: &'a Plan,
    cast: &'a Cast,
    tracks: BTreeMap<usize, Track>,
}

impl Drawing<'_> {
    fn moment(&mut self, moment: &Moment) {
        let (plan, cast) = (self.plan, self.cast);
        let new = || Track { tid: tid(moment.task), open: Vec::new(), lines: Vec::new() };
        let track = self.tracks.entry(moment.task).or_insert_with(new);
        let step = moment.step;
        // It acts, so it waits no longer.
        track.close(step, |slice| slice.what == What::Wait);
        track.release(step, &moment.holds);
        match &moment.event {
            Event::Begins(call) => {
                let args = json!({"operation": call.number, "file": cast.file(call.file)});
                track.begin(step, Slice { what: What::Call, name: cast.described(call), args });
            }
            Event::Returns(outcome) => {
                let result = match outcome {
                    Ok(bytes) => format!("returns {bytes}"),
                    Err(error) => format!("fails: {error}"),
                };
                track.instant(step, "call", result, json!({"operation": moment.operation}));
                track.close(step, |slice| slice.what == What::Call);
            }
            Event::Passes(passage) => {
                track.take(step, &moment.holds);
                track.passes(passage);
                for struck in struck(plan, cast, passage) {
                    track.instant(passage.step, "fault", struck, Value::Null);
                }
            }
            Event::WritebackFails(file, range) => {
                let name = format!("writeback of {range} fails");
                track.instant(step, "fault", name, json!({"file": cast.file(*file)}));
            }
        }
        track.take(step, &moment.holds);
    }
}

/// The faults that strike a task at a place.
fn struck(plan: &Plan, cast: &Cast, passage: &Passage) -> Vec<String> {
    let here = (passage.task, passage.operation, passage.point);
    let strikes = plan.strikes.iter().filter(|strike| {
        strike.moment().is_some_and(|moment| {
            (case::task(moment.who, cast.actors()), moment.operation, moment.point) == here
        })
    });
    strikes.map(|it| strike(it, cast)).collect()
}

/// What one task did.
struct Track {
    tid: u64,
    open: Vec<Slice>,
    lines: Vec<Line>,
}

/// A slice that has begun.
#[derive(Debug, Clone, PartialEq)]
struct Slice {
    what: What,
    name: String,
    args: Value,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum What {
    Call,
    Lock(Hold),
    Wait,
}

impl What {
    fn category(self) -> &'static str {
        match self {
            What::Call => "call",
            What::Lock(_) => "lock",
            What::Wait => "wait",
        }
    }
}

impl Track {
    /// Of the locks that it held, those that it holds no more end.
    fn release(&mut self, step: u64, holds: &[Hold]) {
        let is_gone =
            |slice: &Slice| matches!(slice.what, What::Lock(hold) if !holds.contains(&hold));
        while self.open.iter().any(is_gone) {
            self.close(step, is_gone);
        }
    }

    /// Those that it did not hold begin.
    fn take(&mut self, step: u64, holds: &[Hold]) {
        for hold in holds {
            let what = What::Lock(*hold);
            if self.open.iter().all(|slice| slice.what != what) {
                let args = hold.object.map_or(Value::Null, |object| json!({"object": object}));
                self.begin(step, Slice { what, name: hold.name.to_owned(), args });
            }
        }
    }

    fn passes(&mut self, passage: &Passage) {
        let name = passage.site.name;
        if name == "start" || name == "end" {
            return;
        }
        let category = if Point::named(name).is_some() { "point" } else { "place" };
        let args = json!({"operation": passage.operation, "point": passage.point});
        self.instant(passage.step, category, name.to_owned(), args);
        if passage.to != passage.task {
            let name = if passage.waits {
                format!("waits for {}", name_of(name))
            } else {
                format!("stands at {name}")
            };
            self.begin(passage.step, Slice { what: What::Wait, name, args: Value::Null });
        }
    }

    fn begin(&mut self, step: u64, slice: Slice) {
        self.line(step, "B", slice.what.category(), slice.name.clone(), slice.args.clone());
        self.open.push(slice);
    }

    /// Ends the innermost slice of that kind, if there is one. What was begun inside of it goes on:
    /// locks need not be given back in the order in which they were taken.
    fn close(&mut self, step: u64, is_it: impl Fn(&Slice) -> bool) {
        let Some(at) = self.open.iter().rposition(is_it) else { return };
        let inside = self.open.split_off(at + 1);
        for slice in inside.iter().rev().chain(self.open.pop().iter()) {
            let (category, name) = (slice.what.category(), slice.name.clone());
            self.lines.push(self.new_line(step, "E", category, name, Value::Null));
        }
        for slice in inside {
            self.begin(step, slice);
        }
    }

    fn instant(&mut self, step: u64, category: &'static str, name: String, args: Value) {
        self.line(step, "i", category, name, args);
        self.lines.last_mut().expect("it was added").s = "t";
    }

    fn finish(&mut self, end: u64, fails: Option<(String, Value)>) {
        if let Some((name, args)) = fails {
            self.instant(end, "failure", name, args);
            self.lines.last_mut().expect("it was added").s = "g";
        }
        while !self.open.is_empty() {
            self.close(end, |_| true);
        }
    }

    fn line(&mut self, ts: u64, ph: &'static str, cat: &'static str, name: String, args: Value) {
        let line = self.new_line(ts, ph, cat, name, args);
        self.lines.push(line);
    }

    fn new_line(
        &self,
        ts: u64,
        ph: &'static str,
        cat: &'static str,
        name: String,
        args: Value,
    ) -> Line {
        Line { name, cat, ph, ts, pid: 1, tid: self.tid, s: "", args }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::{Known, parse};
    use stormfs::op::Op;

    const LOCKS: [Hold; 3] = [
        Hold { name: "i_rwsem", object: Some(0) },
        Hold { name: "invalidate_lock", object: Some(0) },
        Hold { name: "folio lock", object: None },
    ];

    fn moment(step: u64, holds: &[Hold], event: Event) -> Moment {
        Moment { task: 1, operation: 1, step, holds: holds.to_vec(), event }
    }

    fn begins() -> Event {
        Event::Begins(crate::call::Call::plain(1, 0, Op::Fsync))
    }

    /// What is begun and ended, in one word each, of a chronicle.
    fn told(moments: Vec<Moment>) -> Vec<String> {
        let text = "actors: [{name: w, does: [fsync]}]\n";
        let case = parse("a.yaml", text, &Known::default(), &[]).unwrap();
        let violation = Violation {
            invariant: "progress_is_made",
            file: None,
            range: None,
            expected: "\"},\n{</script>\u{2028}\u{0}".to_owned(),
            found: String::new(),
            operation: None,
            strip: String::new(),
        };
        let text = trace(&case, &Chronicle { moments, violation: None }, &violation);
        let value: Value = serde_json::from_str(&text).unwrap();
        let events = value["traceEvents"].as_array().unwrap().iter();
        assert_eq!(text.lines().count(), 2 + events.len(), "one event a line");
        let slices = events.filter(|event| event["ph"] == "B" || event["ph"] == "E");
        slices
            .map(|event| {
                let [ph, name] = ["ph", "name"].map(|key| event[key].as_str().unwrap());
                format!("{ph} {name} {}", event["ts"])
            })
            .collect()
    }

    #[test]
    fn a_lock_that_is_given_back_before_one_inside_of_it_nests_all_the_same() {
        let [outer, inner, _] = LOCKS;
        let fails = || Event::WritebackFails(0, stormfs::quantity::ByteRange::new(0, 1));
        let events = told(vec![
            moment(1, &[], begins()),
            moment(2, &[outer, inner], fails()),
            moment(3, &[inner], fails()),
            moment(4, &[], Event::Returns(Ok(0))),
        ]);
        assert_eq!(
            events,
            [
                "B fsync 1",
                "B i_rwsem 2",
                "B invalidate_lock 2",
                "E invalidate_lock 3",
                "E i_rwsem 3",
                "B invalidate_lock 3",
                "E invalidate_lock 4",
                "E fsync 4",
            ]
        );
    }

    #[test]
    fn a_call_outlives_a_lock_that_it_began_under() {
        let outer = LOCKS[0];
        let events = told(vec![
            moment(1, &[outer], Event::Returns(Ok(0))),
            moment(2, &[outer], begins()),
            moment(3, &[], Event::Returns(Ok(0))),
        ]);
        let expected =
            ["B i_rwsem 1", "B fsync 2", "E fsync 3", "E i_rwsem 3", "B fsync 3", "E fsync 3"];
        assert_eq!(events, expected);
    }

    #[test]
    fn whatever_happens_every_slice_ends() {
        let mut chance = 1_u64;
        for _ in 0..200 {
            let mut moments = Vec::new();
            for step in 0..40 {
                chance = chance.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                let bits = chance >> 40;
                let held = LOCKS.iter().enumerate().filter(|(at, _)| bits >> at & 1 == 1);
                let holds: Vec<Hold> = held.map(|(_, hold)| *hold).collect();
                let event = match bits >> 8 & 1 {
                    0 => begins(),
                    _ => Event::Returns(Ok(1)),
                };
                moments.push(moment(step / 3, &holds, event));
            }
            let mut open: Vec<String> = Vec::new();
            for line in told(moments) {
                let (name, _) = line[2..].rsplit_once(' ').unwrap();
                if line.starts_with('B') {
                    open.push(name.to_owned());
                } else {
                    assert_eq!(open.pop().as_deref(), Some(name));
                }
            }
            assert!(open.is_empty(), "{open:?}");
        }
    }
}
