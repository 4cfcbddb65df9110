//! The program: what it needs of the parts, the calls in their order, and the checks at its end.

use super::call::{Cast, Written, effect, written as written_call};
use super::names::{Identifiers, comment, text};
use super::order::{self, CallAt, Event, Order};
use super::stop::Stop;
use super::write::POISONED;
use super::{Exported, heading, parts};
use crate::call::{Call, WHOLE_FILE};
use crate::scenario::plan::{Action, Expectation, FilePlan, Layout, Plan, Step, Strike};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use stormfs::op::Op;

/// The invariant whose check is a part of its own.
const PROMISES: &str = "extents_below_eof_are_allocated_after_sync";

/// Invariants whose breach a program notices: by bytes, sizes, and what calls return.
const SEEN: &[&str] = &[
    PROMISES,
    "data_matches_model",
    "data_is_never_poison",
    "data_exposed_by_growth_is_zero",
    "data_survives_eviction",
    "size_matches_model",
    "results_are_justified",
    "results_count_every_readable_byte",
    "results_are_good_when_quiet",
];

/// Runs of a program whose threads race, if nobody says how many.
const ROUNDS: u64 = 1000;

/// A program on its way.
struct Program<'a> {
    case: &'a Plan,
    /// What each file is called in the case, and in C.
    files: Vec<(String, String)>,
    parts: BTreeSet<&'static str>,
    /// What stands before the steps.
    functions: String,
    /// The steps.
    steps: String,
    left_out: Vec<String>,
    identifiers: Identifiers,
    /// Stops that are open, by the call that stands there.
    stops: BTreeMap<CallAt, (String, Stop)>,
    /// Threads that run, by their call.
    threads: BTreeMap<CallAt, String>,
    /// Threads that may wait for a call that stands still.
    late: Vec<String>,
    /// Whether threads race.
    races: bool,
    /// Whether files are mapped.
    mapped: bool,
    /// Calls that were written.
    calls: u64,
    /// The most pieces of a source at which a write stands.
    pieces: usize,
}

/// Writes the case.
pub(super) fn written(case: &Plan, from: &str, order: &Order) -> Exported {
    let mut identifiers = Identifiers::default();
    let named = |file: &FilePlan| (file.name.clone(), identifiers.take("F_", &file.name));
    let files = case.files.iter().map(named).collect();
    let mut program = Program {
        case,
        files,
        parts: BTreeSet::new(),
        functions: String::new(),
        steps: String::new(),
        left_out: left_out(case),
        identifiers,
        stops: BTreeMap::new(),
        threads: BTreeMap::new(),
        late: Vec::new(),
        races: false,
        mapped: case.actors.iter().flat_map(|actor| &actor.does).any(maps),
        calls: 0,
        pieces: 2,
    };
    for (nth, file) in case.files.iter().enumerate() {
        program.lay_out(nth, file);
    }
    if order.is_free {
        program.every_actor();
    } else {
        program.events(&order.events);
    }
    program.whole(from)
}

/// What of a case no program can do.
fn left_out(case: &Plan) -> Vec<String> {
    let mut all = Vec::new();
    if !case.bugs.is_empty() {
        let bugs = case.bugs.join(", ");
        all.push(format!("the model had {bugs}; a filesystem that does not shows nothing"));
    }
    if let Expectation::Caught { by, .. } = &case.expect
        && !SEEN.contains(&by.as_str())
    {
        all.push(format!("whether {by}: the program sees only what comes of it"));
    }
    for strike in &case.strikes {
        let what = match strike {
            Strike::IoError(_) => "an I/O error",
            Strike::Latency(..) => "a slow request",
            Strike::Evict { .. } => "reclaim of a folio at one place",
            Strike::Delay(..) => "a delay at one place",
        };
        all.push(format!("{what}, which struck the model"));
    }
    if !case.faults.is_empty() {
        all.push("faults that strike by chance".to_owned());
    }
    let by_actors = |step: &Step| matches!(step.action, Action::Run { .. });
    if !case.script.iter().all(by_actors) {
        all.push("what the script does itself, beside the calls of actors".to_owned());
    }
    all
}

impl Program<'_> {
    /// Gives a file its first size and blocks.
    fn lay_out(&mut self, nth: usize, file: &FilePlan) {
        let (size, name, shown) = (file.size, &self.files[nth].1, &file.name);
        if size == 0 {
            return;
        }
        let (what, result) = match file.layout {
            Layout::Hole | Layout::Any => {
                (format!("ftruncate({shown}, {size})"), format!("ftruncate(fd[{name}], {size})"))
            }
            Layout::Unwritten => (
                format!("fallocate({shown}, {size} at 0)"),
                format!("fallocate(fd[{name}], 0, 0, {size})"),
            ),
            Layout::Delalloc | Layout::Written => (
                format!("pwrite({shown}, {size} at 0)"),
                format!("pwrite(fd[{name}], source, {size}, 0)"),
            ),
        };
        let what = text(&format!("lay out: {what}"));
        self.calls += 1;
        let lines = if result.starts_with("pwrite") {
            self.parts.extend(["write", "bytes"]);
            let keys = format!(".end = {size}, .value = 1, .size = {size}");
            vec![
                format!("unsigned char *source = bytes({size}, 1);"),
                format!("int call = {};", effect(name, &keys)),
                format!("wrote(call, {what},\n\t{result}, {size}, {size});"),
                "free(source);".to_owned(),
            ]
        } else {
            self.parts.insert("effects");
            vec![
                format!("int call = {};", effect(name, &format!(".size = {size}"))),
                format!("did(call, {what}, {result});"),
            ]
        };
        let lines = lines.iter().flat_map(|line| line.split('\n'));
        let _ = write!(self.steps, "{{\n{}}}\n", indented(lines));
        if file.layout == Layout::Written {
            self.parts.insert("must");
            let what = text(&format!("lay out: fsync({shown})"));
            let _ = writeln!(self.steps, "must({what}, fsync(fd[{name}]));");
        }
    }

    fn name(&self, (actor, _): CallAt) -> &str {
        &self.case.actors[actor].name
    }

    /// The lines of a call, and whether others act `beside` it.
    fn body(&mut self, place: CallAt, beside: bool) -> Vec<String> {
        let call = order::call(self.case, place);
        self.calls += 1;
        let cast = Cast {
            who: self.name(place),
            file: call.file,
            files: &self.files,
            value: value(self.calls),
            stop: self.stops.get(&place).map(|(name, _)| name.as_str()),
            beside,
            mapped: self.mapped,
            by: self.case.unreadable(),
        };
        let Written { lines, parts } = written_call(call, &cast);
        self.parts.extend(parts);
        lines.iter().flat_map(|line| line.split('\n')).map(str::to_owned).collect()
    }

    fn block(&mut self, place: CallAt, beside: bool) -> String {
        let lines = self.body(place, beside);
        if let [only] = lines.as_slice() {
            return format!("{only}\n");
        }
        format!("{{\n{}}}\n", indented(lines.iter().map(String::as_str)))
    }

    /// Every actor is a thread, and nothing is known of their order.
    fn every_actor(&mut self) {
        self.races = true;
        let mut threads = Vec::new();
        for (nth, actor) in self.case.actors.iter().enumerate() {
            let before = self.calls;
            let body: String =
                (0..actor.does.len()).map(|at| self.block((nth, at), true)).collect();
            // Each of one name makes the calls of the one body.
            self.calls = before + (self.calls - before) * u64::from(actor.count);
            for _ in 0..actor.count {
                threads.push(self.thread(&actor.name, &body));
            }
        }
        for thread in &threads {
            let _ = writeln!(self.steps, "begin(&{thread}_thread, {thread});");
        }
        for thread in &threads {
            let _ = writeln!(self.steps, "finish(&{thread}_thread);");
        }
    }

    /// A function that a thread runs.
    fn thread(&mut self, name: &str, body: &str) -> String {
        let function = self.identifiers.take("run_", name);
        let body = indented(body.lines());
        let _ = write!(
            self.functions,
            "static struct thread {function}_thread;\n\nstatic void *{function}(void *unused)\n{{\n{body}\treturn unused;\n}}\n\n"
        );
        self.parts.insert("thread");
        function
    }

    fn events(&mut self, events: &[Event]) {
        for (nth, event) in events.iter().enumerate() {
            match event {
                Event::Begins(place, _) if events.get(nth + 1) == Some(&Event::Ends(*place)) => {
                    self.alone(*place);
                }
                Event::Begins(place, stands) => self.begins(*place, stands.as_ref()),
                Event::Ends(place) => self.ends(*place),
            }
        }
    }

    /// A call of which no other begins or ends while it is under way.
    fn alone(&mut self, place: CallAt) {
        let number = order::call(self.case, place).number;
        let who = format!("{} {number}", self.name(place));
        let block = self.block(place, !self.threads.is_empty());
        if self.threads.is_empty() {
            let when = text(&format!("after {who}"));
            // Who looks at the size changes nothing; who looks at bytes brings them into the cache.
            let _ = writeln!(self.steps, "{block}check_sizes({when});");
        } else if self.stops.is_empty() {
            self.steps += &block;
        } else {
            let thread = self.thread(&who, &block);
            let _ = writeln!(self.steps, "begin(&{thread}_thread, {thread});");
            let _ = writeln!(self.steps, "finish_or_leave(&{thread}_thread, {});", text(&who));
            self.parts.insert("leave");
            self.late.push(thread);
        }
    }

    /// A call that others run beside.
    fn begins(&mut self, place: CallAt, stands: Option<&order::Stands>) {
        let call = order::call(self.case, place).clone();
        let who = format!("{} {}", self.name(place), call.number);
        match stands.map(|stands| (stands.at, Stop::of(&call, stands))) {
            Some((at, Ok(stop))) => self.stop(place, &who, at, stop),
            Some((at, Err(why))) => {
                let what = format!("{who} stood at `{at}` while others ran, {why}");
                let _ = writeln!(self.steps, "/* {} */", comment(&what));
                self.left_out.push(what);
                self.races = true;
            }
            None => self.races = true,
        }
        let block = self.block(place, true);
        let thread = self.thread(&who, &block);
        let _ = writeln!(self.steps, "begin(&{thread}_thread, {thread});");
        if let Some((name, stop)) = self.stops.get(&place) {
            self.steps += &stop.awaited(name);
        }
        self.threads.insert(place, thread);
    }

    /// The call that comes next stands still there.
    fn stop(&mut self, place: CallAt, who: &str, at: &str, stop: Stop) {
        let name = self.identifiers.take("stop_", who);
        let how = match stop.nearby {
            None => format!("It stands still where it did on the model, at `{at}`."),
            Some(differs) => format!("It stood at `{at}` of the model. Nearby: {differs}."),
        };
        let _ = writeln!(self.steps, "/* {} */", comment(&how));
        let how = self.case.unreadable();
        self.parts.extend(stop.how(how).filter(|how| *how == POISONED).map(|_| "poison"));
        self.steps += &stop.prepared(&name);
        self.functions += &stop.defined(&name, value(self.calls + 1), how);
        self.parts.insert(if stop.is_behind() { "ahead" } else { "stands" });
        self.pieces = self.pieces.max(stop.lengths.len());
        self.stops.insert(place, (name, stop));
    }

    fn ends(&mut self, place: CallAt) {
        let stop = self.stops.remove(&place);
        if let Some((name, _)) = &stop {
            let _ = writeln!(self.steps, "resume(&{name});");
        }
        if let Some(thread) = self.threads.remove(&place) {
            let _ = writeln!(self.steps, "finish(&{thread}_thread);");
        }
        if let Some((name, _)) = stop {
            let _ = writeln!(self.steps, "forget(&{name});");
        }
        if self.stops.is_empty() {
            for thread in std::mem::take(&mut self.late) {
                let _ = writeln!(self.steps, "finish(&{thread}_thread);");
            }
        }
    }

    /// All of it, in one text.
    fn whole(mut self, from: &str) -> Exported {
        if let Expectation::Caught { by, .. } = &self.case.expect {
            let is_promise = by == PROMISES || by.starts_with("extents_delalloc_");
            self.parts.extend(is_promise.then_some("delalloc"));
            let is_behind = by.contains("beyond_eof") && by.starts_with("data_");
            self.parts.extend(is_behind.then_some("growth"));
        }
        self.parts = parts::needed(&self.parts);
        let mut text = heading::of(self.case, from, &self.left_out);
        text += &parts::together(&self.parts, &self.named());
        text += &self.functions;
        text += "static void once(const char *directory)\n{\n";
        text += &indented(self.once().lines());
        text += "}\n\n";
        let rounds = if self.races { ROUNDS } else { 1 };
        text += &include_str!("c/main.c").replace(": ROUNDS,", &format!(": {rounds},"));
        Exported { text, left_out: self.left_out }
    }

    /// The numbers and names of the files, and how much there is of everything.
    fn named(&self) -> String {
        let names: Vec<_> = self.files.iter().map(|(name, _)| text(name)).collect();
        let files: Vec<_> = self.files.iter().map(|(_, c)| c.as_str()).collect();
        let (files, names) = (files.join(", "), names.join(", "));
        let mut head = format!(
            "\nenum {{ {files}, FILES }};\nstatic const char *const names[FILES] = {{ {names} }};\n\
             enum {{ EFFECTS = {} }};\n",
            self.calls + 1
        );
        if self.parts.contains("window") {
            let _ = writeln!(head, "enum {{ PIECES = {} }};", self.pieces);
        }
        if self.parts.contains("map") {
            let _ = writeln!(head, "enum {{ MAPPED = {} }};", mapping(self.case));
        }
        head
    }

    /// What is done once, or once in each round.
    fn once(&self) -> String {
        let with = |part: &str, lines: &'static str| {
            if self.parts.contains(part) { lines } else { "" }
        };
        let mut text = "open_files(directory);\n".to_owned();
        text += with("map", "map_files();\n");
        text += &self.steps;
        text += "check_sizes(\"at the end\");\ncheck_bytes(\"as it stands\");\n";
        text += "sync_files();\n";
        text += with("delalloc", "check_promises();\n");
        text += with("map", "unmap_files();\n");
        text += "drop_caches();\ncheck_bytes(\"read again\");\n";
        text += with("growth", "grow_files();\ncheck_bytes(\"after growth\");\n");
        text += "close_files();\n";
        text
    }
}

/// Lines one step further to the right.
fn indented<'a>(lines: impl Iterator<Item = &'a str>) -> String {
    lines.fold(String::new(), |text, line| text + "\t" + line + "\n")
}

/// What the call of this number writes: one is what files hold from the beginning, and zero is what nobody
/// has written.
fn value(call: u64) -> u64 {
    2 + call % 254
}

/// Whether a call goes through a mapping.
fn maps(call: &Call) -> bool {
    matches!(
        call.op,
        Op::MmapLoad(_)
            | Op::MmapStore(_)
            | Op::Msync(_)
            | Op::PageOut(_)
            | Op::WriteFromMmap { .. }
    )
}

/// Bytes of the mappings: all that calls touch through them.
fn mapping(case: &Plan) -> u64 {
    const MIB: u64 = 1 << 20;
    let calls = case.actors.iter().flat_map(|actor| &actor.does);
    let end = |call: &Call| {
        let (Op::MmapLoad(range)
        | Op::MmapStore(range)
        | Op::Msync(range)
        | Op::PageOut(range)
        | Op::WriteFromMmap { source: range, .. }) = call.op
        else {
            return None;
        };
        (range != WHOLE_FILE).then_some(range.end)
    };
    let ends = calls.filter_map(end);
    ends.max().unwrap_or(0).div_ceil(MIB).max(1) * MIB
}
