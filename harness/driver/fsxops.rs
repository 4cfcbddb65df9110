//! The operations of a failure in the format of `fsx --replay-ops`, as `ltp/fsx.c` of xfstests reads it:
//! a name, then offset, length and the size of the file in hexadecimal, then flags; `skip` before what is
//! not to be done; `#` before a comment.
//!
//! fsx performs them one after the other. It shows the operations, and not the race between them.

use crate::call::Call;
use crate::chronicle::{Chronicle, Event};
use crate::explain::cast::Cast;
use crate::scenario::plan::{Layout, Plan, Turn};
use oracle::Violation;
use report::visible;
use std::collections::BTreeSet;
use stormfs::op::{Op, Transfer};
use stormfs::quantity::ByteRange;

/// fsx reads lines of 255 bytes, and would take the rest of a longer comment for an operation.
const WIDEST: usize = 240;

/// fsx keeps positions and sizes in an `int`.
const FARTHEST: u64 = (1 << 31) - 1;

/// The list for a case that failed; none if it is about several files, or fsx cannot reach as far.
pub fn fsxops(plan: &Plan, chronicle: &Chronicle, violation: &Violation) -> Option<String> {
    let begun: Vec<(usize, &Call)> = chronicle
        .moments
        .iter()
        .filter_map(|moment| match &moment.event {
            Event::Begins(call) => Some((moment.task, call)),
            Event::Returns(_) | Event::Passes(_) | Event::WritebackFails(..) => None,
        })
        .collect();
    let file = only_file(plan)?;
    let layout = plan.files.get(file)?;
    let about = format!("the layout of file {}: {}", layout.name, layout.layout.name());
    let start = Start { about, layout: layout.layout, size: layout.size };
    written(plan, &begun, (file, violation), &start)
}

/// The same for what threads did last, in the order in which it began. It begins with a file of the
/// size that it had then: what was written before, nobody knows.
pub fn of_threads(plan: &Plan, violation: &Violation) -> Option<String> {
    let file = only_file(plan)?;
    let order = plan.recorded.as_ref().map_or(&[][..], |recorded| &recorded.order);
    let begins = |turn: &Turn| {
        let size = turn.begins_on?;
        let call = plan.actors.get(turn.actor)?.does.iter();
        let call = call.into_iter().find(|call| call.number == turn.operation)?;
        Some((size, (1 + turn.actor, call)))
    };
    let begun: Vec<_> = order.iter().filter_map(begins).collect();
    let its = |(_, (_, call)): &&(u64, (usize, &Call))| call.file == file;
    let (size, _) = *begun.iter().find(its)?;
    let about = format!(
        "threads left their last calls: file {} had {size} bytes when the first began, and of which \
         extents is not known",
        plan.files.get(file)?.name
    );
    let start = Start { about, layout: Layout::Any, size };
    let begun: Vec<_> = begun.into_iter().map(|(_, begun)| begun).collect();
    written(plan, &begun, (file, violation), &start)
}

/// The file that all calls are about.
fn only_file(plan: &Plan) -> Option<usize> {
    let calls = plan.actors.iter().flat_map(|actor| &actor.does);
    // That one of all files says nothing about one.
    let calls = calls.filter(|call| call.op != Op::Sync);
    let files = |call: &Call| {
        let from = call.op.clone().source_file().map_or(call.file, |from| *from);
        [call.file, from]
    };
    let files: BTreeSet<usize> = calls.flat_map(files).collect();
    let [file] = files.into_iter().collect::<Vec<_>>()[..] else { return None };
    Some(file)
}

/// The file before the first call.
struct Start {
    about: String,
    layout: Layout,
    size: u64,
}

fn written(
    plan: &Plan,
    begun: &[(usize, &Call)],
    (file, violation): (usize, &Violation),
    start: &Start,
) -> Option<String> {
    let cast = Cast::of(plan);
    let range = violation.range.filter(|_| violation.file == Some(file));
    let mut list = List { text: String::new(), size: 0, reach: 0, range };
    list.comment(&start.about);
    list.layout(start.layout, start.size);
    for (task, call) in begun {
        list.comment(&format!("{}: {}", cast.task(*task), cast.described(call)));
        list.operation(&call.op, "");
    }
    let never = |(task, call): &(usize, &Call)| {
        begun.iter().all(|(other, known)| (*other, known.number) != (*task, call.number))
    };
    let names = plan.actors.iter().flat_map(|actor| actor.names().map(move |_| actor));
    let all = names.enumerate();
    let all = all.flat_map(|(at, actor)| actor.does.iter().map(move |call| (1 + at, call)));
    for (task, call) in all.filter(never) {
        let who = cast.task(task);
        list.comment(&format!("{who}, not begun when it failed: {}", cast.described(call)));
        list.operation(&call.op, "skip ");
    }
    (list.reach <= FARTHEST).then(|| heading(&cast, violation, list.reach) + &list.text)
}

fn heading(cast: &Cast, violation: &Violation, reach: u64) -> String {
    let mut list = List { text: String::new(), size: 0, reach: 0, range: None };
    list.comment(&cast.violation(violation));
    list.comment(
        "fsx runs these operations one after the other, in the order in which they began:",
    );
    list.comment("it shows the operations and not the race. What it has no word for is a comment.");
    let longest = reach.max(1).next_multiple_of(4096);
    list.comment(&format!("fsx -l {longest} --replay-ops THIS_FILE TEST_FILE"));
    list.text
}

/// Lines, and the file as it is if the operations run one after the other.
struct List {
    text: String,
    size: u64,
    reach: u64,
    range: Option<ByteRange>,
}

impl List {
    fn comment(&mut self, text: &str) {
        let text = visible::line(text);
        let text = &text[..text.floor_char_boundary(WIDEST)];
        self.text.extend(["# ", text.trim_end(), "\n"]);
    }

    fn layout(&mut self, layout: Layout, size: u64) {
        let whole = ByteRange::new(0, size);
        match layout {
            _ if size == 0 => {}
            Layout::Hole => self.truncate(size, ""),
            Layout::Unwritten => self.ranged("fallocate", whole, "", ""),
            Layout::Written => {
                self.ranged("write", whole, "", "");
                self.line("fsync", (0, 0), ("", ""), false);
            }
            Layout::Delalloc | Layout::Any => self.ranged("write", whole, "", ""),
        }
    }

    /// One operation, or why there is none. `before` stands before its name.
    fn operation(&mut self, op: &Op, before: &'static str) {
        let keep = |keep_size: bool| if keep_size { " keep_size" } else { "" };
        match *op {
            Op::Read(range) | Op::DirectRead(range) => self.inside("read", range, before, ""),
            Op::MmapLoad(range) => self.inside("mapread", range, before, ""),
            Op::Punch(range) => self.inside("punch_hole", range, before, ""),
            Op::ZeroRange { range, keep_size } => {
                self.inside("zero_range", range, before, keep(keep_size));
            }
            Op::Write(range) | Op::DirectWrite(range) => self.ranged("write", range, before, ""),
            Op::Append(len) => {
                let range = ByteRange::new(self.size, self.size.saturating_add(len));
                self.comment("at the end of the file, as it is here");
                self.ranged("write", range, before, "");
            }
            Op::WriteFromMmap { pos, source } => {
                self.comment("from memory of its own: fsx does not write from a mapping");
                let range = ByteRange::new(pos, pos.saturating_add(source.len()));
                self.ranged("write", range, before, "");
            }
            Op::MmapStore(range) => self.store(range, before),
            Op::Truncate(size) => self.truncate(size, before),
            Op::Fallocate { range, keep_size } => {
                self.ranged("fallocate", range, before, keep(keep_size));
            }
            Op::CopyRange(transfer) => self.transfer("copy_range", transfer, before),
            Op::Reflink(transfer) => self.transfer("clone_range", transfer, before),
            Op::Collapse(range) => self.shift("collapse_range", range, before),
            Op::Insert(range) => self.shift("insert_range", range, before),
            Op::Fsync | Op::Fdatasync => self.line("fsync", (0, 0), (before, ""), false),
            Op::Sync
            | Op::Writeback(_)
            | Op::Evict(_)
            | Op::Release
            | Op::SyncRange { .. }
            | Op::Msync(_)
            | Op::DontNeed(_)
            | Op::PageOut(_) => {}
        }
    }

    /// fsx takes such positions modulo the size of the file, and cuts what reaches beyond it.
    fn inside(&mut self, name: &str, range: ByteRange, before: &'static str, flags: &'static str) {
        let before = if self.size <= range.start { "skip " } else { before };
        let range = ByteRange::new(range.start, range.end.min(self.size).max(range.start));
        let overlaps = self.overlaps(range);
        self.line(name, (range.start, range.len()), (before, flags), overlaps);
    }

    /// fsx grows a file for a store, which no filesystem does.
    fn store(&mut self, range: ByteRange, before: &'static str) {
        if self.size < range.end {
            self.comment("without what lies beyond the end of the file: fsx would grow it");
        }
        self.inside("mapwrite", range, before, "");
    }

    /// What may grow the file.
    fn ranged(&mut self, name: &str, range: ByteRange, before: &'static str, flags: &'static str) {
        let overlaps = self.overlaps(range);
        self.reach = self.reach.max(range.end);
        self.line(name, (range.start, range.len()), (before, flags), overlaps);
        if before.is_empty() && flags.is_empty() && range.start < range.end {
            self.size = self.size.max(range.end);
        }
    }

    /// From one place of the file to another, which fsx writes down with four numbers.
    fn transfer(&mut self, name: &str, transfer: Transfer, before: &'static str) {
        let (source, target) = (transfer.source, transfer.target());
        let before = if self.size < source.end { "skip " } else { before };
        self.reach = self.reach.max(target.end);
        let numbers = [source.start, source.len(), target.start, self.size];
        let numbers = numbers.map(|number| format!("{number:#x}")).join(" ");
        let star = if self.overlaps(target) { " *" } else { "" };
        let line = format!("{before}{name} {numbers}{star}\n");
        self.text.push_str(&line);
        if before.is_empty() {
            self.size = self.size.max(target.end);
        }
    }

    /// What moves all that lies behind it.
    fn shift(&mut self, name: &str, range: ByteRange, before: &'static str) {
        let collapses = name == "collapse_range";
        let needed = if collapses { range.end } else { range.start };
        let before = if self.size <= needed { "skip " } else { before };
        let overlaps = self.overlaps(ByteRange::new(range.start, u64::MAX));
        self.line(name, (range.start, range.len()), (before, ""), overlaps);
        if before.is_empty() {
            let grown = if collapses { self.size - range.len() } else { self.size + range.len() };
            self.size = grown;
            self.reach = self.reach.max(grown);
        }
    }

    fn truncate(&mut self, size: u64, before: &'static str) {
        let changed = ByteRange::new(self.size.min(size), self.size.max(size));
        let overlaps = self.overlaps(changed);
        self.reach = self.reach.max(size);
        self.line("truncate", (0, size), (before, ""), overlaps);
        if before.is_empty() {
            self.size = size;
        }
    }

    fn overlaps(&self, range: ByteRange) -> bool {
        self.range.is_some_and(|wrong| range.start < wrong.end && wrong.start < range.end)
    }

    fn line(
        &mut self,
        name: &str,
        (offset, length): (u64, u64),
        (before, flags): (&str, &str),
        overlaps: bool,
    ) {
        let star = if overlaps { " *" } else { "" };
        let size = self.size;
        let line = format!("{before}{name} {offset:#x} {length:#x} {size:#x}{flags}{star}\n");
        self.text.push_str(&line);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chronicle::Moment;
    use crate::scenario::{Known, parse};

    const TEXT: &str = "
files: [{name: a, size: 8KiB, layout: written}, {name: b}]
actors:
  - name: one
    does:
      - read: {at: 100, size: 16KiB}
      - mmap_store: {at: 4KiB, size: 8KiB}
      - mmap_load: {at: 12KiB, size: 1}
      - append: {size: 5}
      - punch: {at: 0, size: 4KiB}
      - truncate: {to: 1KiB}
      - sync
      - write: {at: 1MiB, size: 3, unreadable_at: 1}
  - {name: two, does: [fsync, zero_range: {at: 0, size: 512, keep_size: true}]}
";

    /// The list of the calls of `text`, in their order; all but the last have begun.
    fn list(text: &str, range: Option<ByteRange>) -> Option<String> {
        let case = parse("a.yaml", text, &Known::default(), &[]).unwrap();
        let calls = case.actors.iter().enumerate();
        let calls = calls.flat_map(|(at, actor)| actor.does.iter().map(move |call| (1 + at, call)));
        let moment = |(task, call): (usize, &Call)| Moment {
            task,
            operation: call.number,
            step: 0,
            holds: Vec::new(),
            event: Event::Begins(call.clone()),
        };
        let mut moments: Vec<Moment> = calls.map(moment).collect();
        moments.pop();
        let chronicle = Chronicle { moments, violation: None };
        let violation = Violation {
            invariant: "data_matches_model",
            file: Some(0),
            range,
            expected: "\u{1b}[2J\nwrite 0x0 0x0 0x0\r".repeat(50),
            found: "\u{2028}".to_owned(),
            operation: None,
            strip: String::new(),
        };
        fsxops(&case, &chronicle, &violation)
    }

    #[test]
    fn operations_are_as_fsx_writes_them() {
        let text = list(TEXT, Some(ByteRange::new(4096, 4100))).unwrap();
        let lines: Vec<_> = text.lines().filter(|line| !line.starts_with('#')).collect();
        assert_eq!(
            lines,
            [
                "write 0x0 0x2000 0x0 *",
                "fsync 0x0 0x0 0x2000",
                "read 0x64 0x1f9c 0x2000 *",
                "mapwrite 0x1000 0x1000 0x2000 *",
                "skip mapread 0x3000 0x0 0x2000",
                "write 0x2000 0x5 0x2000",
                "punch_hole 0x0 0x1000 0x2005",
                "truncate 0x0 0x400 0x2005 *",
                "write 0x100000 0x3 0x400",
                "fsync 0x0 0x0 0x100003",
                "skip zero_range 0x0 0x200 0x100003 keep_size",
            ]
        );
        for line in [
            "# fsx -l 1052672 --replay-ops THIS_FILE TEST_FILE\n",
            "# one: sync",
            "# two, not begun when it failed: zero_range [0, 512) keep_size",
        ] {
            assert!(text.contains(line), "{line}: {text}");
        }
        assert!(text.lines().all(|line| line.len() <= WIDEST + 2), "{text}");
        assert!(text.chars().all(|c| c == '\n' || c.is_ascii() && !c.is_control()), "{text}");
    }

    #[test]
    fn what_fsx_cannot_hold_is_no_list() {
        assert!(list(TEXT, None).is_some());
        let two = TEXT.replace("does: [fsync,", "does: [fsync: {file: b},");
        assert_eq!(list(&two, None), None);
        assert_eq!(list(&TEXT.replace("1MiB", "2GiB"), None), None);
    }
}
