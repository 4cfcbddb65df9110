//! The program: what it needs of the parts, the calls in their order, and the checks at its end.

use super::Exported;
use super::call::{Cast, written as written_call};
use super::names::{Identifiers, comment, text};
use super::order::{self, Event, Order, Place};
use crate::call::{Call, WHOLE_FILE};
use crate::scenario::plan::{Action, Expectation, FilePlan, Layout, Plan, Step, Strike};
use oracle::Invariant;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use stormfs::op::{Op, OpKind};

/// What every program begins with, up to the files, and goes on with.
const BASE: &str = include_str!("c/base.c");

/// Where the names of the files go.
const FILES: &str = "//- files\n";

/// Parts that calls need, in an order in which each comes behind what it uses.
const PARTS: &[(&str, &str)] = &[
    ("must", include_str!("c/must.c")),
    ("effects", include_str!("c/effects.c")),
    ("write", include_str!("c/write.c")),
    ("append", include_str!("c/append.c")),
    ("bytes", include_str!("c/bytes.c")),
    ("hole", include_str!("c/hole.c")),
    ("read", include_str!("c/read.c")),
    ("map", include_str!("c/map.c")),
    ("store", include_str!("c/store.c")),
    ("load", include_str!("c/load.c")),
    ("window", include_str!("c/window.c")),
    ("delalloc", include_str!("c/delalloc.c")),
    ("thread", include_str!("c/thread.c")),
    ("leave", include_str!("c/leave.c")),
];

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

/// Widest comment line.
const WIDTH: usize = 100;

/// Runs of a program whose threads race, if nobody says how many.
const ROUNDS: u64 = 1000;

/// A program on its way.
struct Program<'a> {
    case: &'a Plan,
    /// By file.
    files: Vec<String>,
    parts: BTreeSet<&'static str>,
    /// What stands before the steps.
    functions: String,
    /// The steps.
    steps: String,
    left_out: Vec<String>,
    identifiers: Identifiers,
    /// Stops that are open, by the call that stands there.
    stops: BTreeMap<Place, String>,
    /// Threads that run, by their call.
    threads: BTreeMap<Place, String>,
    /// Threads that may wait for a call that stands still.
    late: Vec<String>,
    /// Whether threads race.
    races: bool,
    /// Calls that were written.
    calls: u64,
}

/// Writes the case.
pub(super) fn written(case: &Plan, from: &str, order: &Order) -> Exported {
    let mut identifiers = Identifiers::default();
    let files = case.files.iter().map(|file| identifiers.take("F_", &file.name)).collect();
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
        calls: 0,
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
        all.push(format!("whether {by}: the program does not look for it"));
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
        let (size, name, shown) = (file.size, &self.files[nth], &file.name);
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
        let keys = format!(".file = {name}, .size = {size}");
        self.calls += 1;
        let lines = if result.starts_with("pwrite") {
            self.parts.extend(["write", "bytes"]);
            vec![
                format!("\tunsigned char *source = bytes({size}, 1);"),
                format!(
                    "\tint call = begins((struct effect){{ {keys}, .end = {size}, .value = 1 }});"
                ),
                format!("\twrote(call, {what}, {result}, {size}, {size});"),
                "\tfree(source);".to_owned(),
            ]
        } else {
            self.parts.insert("effects");
            vec![
                format!("\tint call = begins((struct effect){{ {keys} }});"),
                format!("\tdid(call, {what}, {result});"),
            ]
        };
        let _ = write!(self.steps, "{{\n{}\n}}\n", lines.join("\n"));
        if file.layout == Layout::Written {
            self.parts.insert("must");
            let what = text(&format!("lay out: fsync({shown})"));
            let _ = writeln!(self.steps, "must({what}, fsync(fd[{name}]));");
        }
    }

    fn name(&self, (actor, _): Place) -> &str {
        &self.case.actors[actor].name
    }

    /// The lines of a call.
    fn body(&mut self, place: Place) -> Vec<String> {
        let call = order::call(self.case, place);
        self.calls += 1;
        // One is what files hold from the beginning, and zero is what nobody has written.
        let value = 2 + self.calls % 254;
        let file = (self.case.files[call.file].name.as_str(), self.files[call.file].as_str());
        let stop = self.stops.get(&place).map(String::as_str);
        let cast = Cast { who: self.name(place), file, value, stop };
        let Some(written) = written_call(call, &cast) else {
            let what =
                format!("{} {}: {}", self.name(place), call.number, OpKind::name(call.op.kind()));
            let line =
                format!("/* {} is not here: the checks cannot follow it. */", comment(&what));
            self.left_out.push(what);
            return vec![line];
        };
        self.parts.extend(written.parts);
        written.lines
    }

    fn block(&mut self, place: Place) -> String {
        let lines = self.body(place);
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
            let body: String = (0..actor.does.len()).map(|at| self.block((nth, at))).collect();
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
    fn alone(&mut self, place: Place) {
        let number = order::call(self.case, place).number;
        let who = format!("{} {number}", self.name(place));
        let block = self.block(place);
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
    fn begins(&mut self, place: Place, stands: Option<&order::Stands>) {
        let call = order::call(self.case, place).clone();
        let who = format!("{}_{}", self.name(place), call.number);
        let is_write = matches!(call.op, Op::Write(_) | Op::Append(_)) && call.pieces.is_empty();
        let stop = stands.filter(|stands| is_write && order::is_before_copy(stands));
        if let Some(stands) = stop {
            let stop = self.identifiers.take("stop_", &who);
            let (len, readable) = source(&call);
            let value = 2 + (self.calls + 1) % 254;
            let _ = write!(
                self.steps,
                "/* It stands still before it copies, as it did at `{}` of the model. */\nprepare(&{stop}, {len}, {value}, {readable});\n",
                stands.at
            );
            let _ = write!(self.functions, "static struct stop {stop};\n\n");
            self.parts.insert("window");
            self.stops.insert(place, stop);
        } else if let Some(stands) = stands {
            let why = if order::is_before_copy(stands) && !call.pieces.is_empty() {
                "and a source in pieces cannot be stopped here"
            } else {
                "where nobody can stop it from outside"
            };
            let what = format!("{who} stood at `{}` while others ran, {why}", stands.at);
            let _ = writeln!(self.steps, "/* {} */", comment(&what));
            self.left_out.push(what);
            self.races = true;
        } else {
            self.races = true;
        }
        let block = self.block(place);
        let thread = self.thread(&who, &block);
        let _ = writeln!(self.steps, "begin(&{thread}_thread, {thread});");
        if let Some(stop) = self.stops.get(&place) {
            let _ = writeln!(self.steps, "stands(&{stop});");
        }
        self.threads.insert(place, thread);
    }

    fn ends(&mut self, place: Place) {
        if let Some(stop) = self.stops.remove(&place) {
            let _ = writeln!(self.steps, "resume(&{stop});");
        }
        if let Some(thread) = self.threads.remove(&place) {
            let _ = writeln!(self.steps, "finish(&{thread}_thread);");
        }
        if self.stops.is_empty() {
            for thread in std::mem::take(&mut self.late) {
                let _ = writeln!(self.steps, "finish(&{thread}_thread);");
            }
        }
    }

    /// All of it, in one text.
    fn whole(mut self, from: &str) -> Exported {
        if matches!(&self.case.expect, Expectation::Caught { by, .. } if by == PROMISES) {
            self.parts.insert("delalloc");
        }
        let mut text = heading(self.case, from, &self.left_out);
        text += &BASE.replace(FILES, &self.named());
        let parts = PARTS.iter().filter(|(name, _)| self.parts.contains(name));
        text.extend(parts.map(|(_, part)| *part));
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
        let names: Vec<_> = self.case.files.iter().map(|file| text(&file.name)).collect();
        let (files, names) = (self.files.join(", "), names.join(", "));
        let mut head = format!(
            "\nenum {{ {files}, FILES }};\nstatic const char *const names[FILES] = {{ {names} }};\n\
             enum {{ EFFECTS = {} }};\n",
            self.calls + 1
        );
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
        text += "drop_caches();\ncheck_bytes(\"read again\");\nclose_files();\n";
        text
    }
}

/// Lines one step further to the right.
fn indented<'a>(lines: impl Iterator<Item = &'a str>) -> String {
    lines.fold(String::new(), |text, line| text + "\t" + line + "\n")
}

/// How long the source of a write is, and how much of it can be read.
fn source(call: &Call) -> (u64, u64) {
    let len = if let Op::Write(range) = call.op {
        range.len()
    } else if let Op::Append(len) = call.op {
        len
    } else {
        0
    };
    (len, call.gap.filter(|gap| gap.persistent).map_or(len, |gap| gap.at))
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

/// What the file says of itself.
fn heading(case: &Plan, from: &str, left_out: &[String]) -> String {
    let mut words = vec![format!("Made by `pagestorm export` of {from}.")];
    if let Expectation::Caught { by, .. } = &case.expect {
        let sentence = Invariant::named(by).map_or("", |invariant| invariant.about);
        let sentence = sentence.split_whitespace().collect::<Vec<_>>().join(" ");
        words.push(format!("What it is about, {by}: {sentence}"));
    }
    if !case.about.is_empty() {
        words.push(case.about.clone());
    }
    words.push(
        "Usage: cc -pthread THIS.c && ./a.out DIRECTORY [ROUNDS]. It makes its files in the directory, \
         and takes them away. It ends with 1 if a filesystem shows something that no order of the calls \
         explains, with 0 if not, and with 2 if it cannot run."
            .to_owned(),
    );
    words.extend(left_out.iter().map(|what| format!("Left out: {what}.")));
    let mut text = "/*\n".to_owned();
    for paragraph in words {
        let mut line = " *".to_owned();
        for word in comment(&paragraph).split_whitespace() {
            if WIDTH < line.len() + word.len() {
                let _ = writeln!(text, "{line}");
                " *".clone_into(&mut line);
            }
            let _ = write!(line, " {word}");
        }
        let _ = writeln!(text, "{line}");
    }
    text + " */\n"
}
