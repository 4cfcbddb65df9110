//! The oracle: told of every commit point of a filesystem, it asks the invariants that hold there.
//!
//! Content is judged while its lock is held from the look at the page cache to the verdict, so that
//! an operation whose bytes are visible has always begun, and one that has ended has always been
//! taken into account.

use crate::content::{Applied, Content, Effect as May, Fill, Initial, Ticket};
use crate::docket::Docket;
use crate::invariant::{Checks, Verdict};
use crate::violation::Violation;
use crate::{data, extents, folios, progress, size, space};
use sim::{Mutex, Rank};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};
use stormfs::folio::Folio;
use stormfs::iomap::Iomap;
use stormfs::op::OpId;
use stormfs::quantity::{ByteRange, FileBlock, narrow, wide};
use stormfs::view::View;
use stormfs::witness::{Completion, Effect, Intent, Submission, Used, Witness};

/// How closely the oracle may look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sight {
    /// Nothing moves while it looks: cache and disk.
    Frozen,
    /// Other threads go on: what is cached only.
    Live,
    /// Not at all: it is told of nothing, and has no opinion. For measuring what it costs.
    Closed,
}

/// See the module.
pub struct Oracle {
    sight: Sight,
    /// Outside the lock order of the filesystem's own locks but for its leaves.
    files: Vec<Mutex<Shadow>>,
    docket: Docket,
    verified: AtomicU64,
    /// The last operation of each actor that was counted.
    last_verified: [AtomicU64; 64],
    /// Writeback failures seen, by file.
    pub(crate) failures: Vec<AtomicU64>,
}

/// One file's expectations.
pub(crate) struct Shadow {
    pub(crate) content: Content,
    flights: Vec<Flight>,
    /// Blocks whose writeback has ever failed.
    pub(crate) failed: BTreeSet<FileBlock>,
    /// Reused for looking at the file.
    seen: Vec<u8>,
}

/// An operation between its announcement and its end.
struct Flight {
    op: OpId,
    ticket: Ticket,
    /// What its bytes are.
    fill: Fill,
    intent: Intent,
    /// If it takes its bytes from a mapping: the look at the source.
    source: Option<Ticket>,
    /// Of a write: mappings in a row that went stale before a byte was accepted, while other writes
    /// could map, too.
    barren: u32,
    /// The size of the file when it was announced.
    size: u64,
}

impl Flight {
    /// Whether it holds off every other access by call or fault, and may move the end of the file.
    fn reshapes(&self) -> bool {
        matches!(self.intent, Intent::Zero { .. } | Intent::Grow(_) | Intent::Resize(_))
    }

    /// What it may reserve, if it is a write.
    fn writes(&self) -> Option<ByteRange> {
        match self.intent {
            Intent::Write(range) | Intent::Append(range) | Intent::WriteFrom { range, .. } => {
                Some(range)
            }
            Intent::Read(_)
            | Intent::Load(_)
            | Intent::Store(_)
            | Intent::Zero { .. }
            | Intent::Grow(_)
            | Intent::Resize(_) => None,
        }
    }
}

impl Shadow {
    /// Notes what became of a mapping of `op`; how many in a row were barren.
    fn note_mapping(&mut self, op: OpId, used: Used) -> u32 {
        let flight = self.flights.iter_mut().find(|flight| flight.op == op);
        let flight = flight.expect("an operation begins before it maps");
        let barren = used.stale && used.accepted == 0 && used.beside_others;
        flight.barren = if barren { flight.barren + 1 } else { 0 };
        flight.barren
    }

    /// What writes in flight but `op` may reserve.
    fn others_write(&self, op: OpId) -> Vec<ByteRange> {
        let others = self.flights.iter().filter(|flight| flight.op != op);
        others.filter_map(Flight::writes).collect()
    }
}

static SHADOW: Rank = Rank::leaf(7, "shadow lock");

impl Oracle {
    /// An oracle for `files` empty files.
    pub fn new(files: usize, sight: Sight) -> Oracle {
        let shadow = |file| {
            let content = Content::new(0, Initial::Zeroes);
            let shadow =
                Shadow { content, flights: Vec::new(), failed: BTreeSet::new(), seen: Vec::new() };
            sim::sync::mutex(&SHADOW, wide(file), shadow)
        };
        Oracle {
            sight,
            files: (0..files).map(shadow).collect(),
            docket: Docket::new(),
            verified: AtomicU64::new(0),
            last_verified: std::array::from_fn(|_| AtomicU64::new(0)),
            failures: (0..files).map(|_| AtomicU64::new(0)).collect(),
        }
    }

    /// The oracle, which goes on after breaches that no user can notice, and only counts them.
    #[must_use]
    pub fn for_users(self) -> Oracle {
        Oracle { docket: self.docket.for_users(), ..self }
    }

    /// The first violation.
    pub fn violation(&self) -> Option<Violation> {
        self.docket.violation()
    }

    /// The breaches that did not end the run, by invariant.
    pub fn passed_over(&self) -> BTreeMap<&'static str, u64> {
        self.docket.passed_over()
    }

    /// How often each invariant was checked.
    pub fn checks(&self) -> &Checks {
        &self.docket.checks
    }

    /// Operations whose effect was compared with the model, byte by byte.
    pub fn verified(&self) -> u64 {
        self.verified.load(Ordering::Relaxed)
    }

    /// Looks at what a file may hold.
    pub fn model<R>(&self, file: View<'_>, look: impl FnOnce(&Content) -> R) -> R {
        look(&self.shadow(file).lock().content)
    }

    /// Takes a verdict about a file; a breach ends the run.
    pub fn judge(&self, file: View<'_>, op: Option<OpId>, verdict: Verdict) {
        if self.sight != Sight::Closed {
            self.docket.take(verdict, |breach| Violation::in_file(file, op, breach));
        }
    }

    /// Takes a verdict about no file in particular; a breach ends the run.
    pub fn judge_overall(&self, verdict: Verdict) {
        if self.sight != Sight::Closed {
            self.docket.take(verdict, Violation::overall);
        }
    }

    pub(crate) fn shadow(&self, file: View<'_>) -> &Mutex<Shadow> {
        &self.files[file.file()]
    }

    /// What an operation has grown the file over can be written back, or needs not be: it was dirtied
    /// or made unwritten before the size covered it.
    fn judge_growth(&self, file: View<'_>, op: OpId, grown_over: ByteRange) -> Verdict {
        if grown_over.is_empty() {
            return Ok(());
        }
        let others = self.shadow(file).lock().others_write(op);
        extents::extents_delalloc_is_flushable(self.checks(), file, grown_over, &others)
    }

    /// What a write left dirty has backing, also where it has grown the file: at its folios' unlocks
    /// that was its own affair. Nobody else writes there, or cuts the file, at this moment.
    fn judge_backing(&self, file: View<'_>, range: ByteRange) -> Verdict {
        let mut rest = range;
        while let Some(folio) = file.first_folio(rest) {
            rest.start = folio.range().end;
            folios::folio_dirty_block_has_backing(self.checks(), file, &folio, range.end)?;
        }
        Ok(())
    }

    /// What lies beyond the end of a file that nobody else can reach at this moment.
    fn judge_tail(&self, file: View<'_>, intent: &Intent) -> Verdict {
        let failed = self.shadow(file).lock().failed.clone();
        if let Intent::Zero { range, .. } = intent
            && range.start < file.size()
            && file.size() <= range.end
        {
            data::data_beyond_eof_is_zero_after_zeroing(self.checks(), file, &failed)?;
        }
        if self.sight != Sight::Frozen {
            return Ok(());
        }
        data::data_beyond_eof_on_disk_is_zero(self.checks(), file, &failed)
    }

    /// Counts an operation whose bytes were compared with the model, once however many parts it has.
    fn count_verified(&self, op: OpId) {
        let last = &self.last_verified[usize::from(op.actor) % self.last_verified.len()];
        if last.swap(op.number, Ordering::Relaxed) != op.number {
            self.verified.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// What the operation left in its own range, and the size, against the model.
    fn judge_outcome(
        &self,
        shadow: &mut Shadow,
        file: View<'_>,
        op: OpId,
        range: ByteRange,
    ) -> Verdict {
        let Shadow { content, seen, .. } = shadow;
        let mut everything = !range.is_empty();
        let wrong_size = content.quiet_settle_size(file.size());
        size::size_matches_model(self.checks(), wrong_size.as_ref().copied())?;
        let mut rest = range.intersection(ByteRange::new(0, file.size()));
        while !rest.is_empty() {
            let part = ByteRange::new(rest.start, rest.end.min(rest.start + (64 << 10)));
            rest.start = part.end;
            seen.resize(narrow(part.len()), 0);
            let looked = match self.sight {
                Sight::Frozen => file.peek(part, seen),
                Sight::Live => file.peek_cached(part, seen),
                Sight::Closed => false,
            };
            everything &= looked;
            if looked {
                data::judge(self.checks(), &content.quiet_settle(part.start, seen))?;
            }
        }
        if everything {
            self.count_verified(op);
        }
        Ok(())
    }
}

fn range_of(range: ByteRange) -> std::ops::Range<u64> {
    range.start..range.end
}

/// What the model calls an intent.
fn may(op: OpId, intent: &Intent) -> (May, Fill) {
    let write =
        |range, fill: Fill| (May::Write { range: range_of(range), fill: fill.clone() }, fill);
    let tag = |shift| Fill::Tag { op, shift };
    match *intent {
        Intent::Read(range) => (May::Read { range: range_of(range) }, Fill::Zero),
        Intent::Load(range) => (May::Load { range: range_of(range) }, Fill::Zero),
        Intent::Write(range) => write(range, tag(0)),
        Intent::Append(range) => write(range, tag(range.start)),
        Intent::WriteFrom { range, .. } => write(range, Fill::Anything),
        Intent::Store(range) => (May::Store { range: range_of(range), fill: tag(0) }, tag(0)),
        Intent::Zero { range, grows_to } => {
            (May::Zero { range: range_of(range), grows_to }, Fill::Zero)
        }
        Intent::Grow(to) => (May::Grow { to }, Fill::Zero),
        Intent::Resize(to) => (May::Resize { to }, Fill::Zero),
    }
}

/// What the model calls an effect, and the range to look at afterwards.
fn applied<'a>(flight: &Flight, effect: Effect<'a>) -> (Applied<'a>, ByteRange) {
    let nothing = ByteRange::new(0, 0);
    let wrote = |range: ByteRange, fill| {
        let applied = Applied::Wrote { range: range_of(range), fill };
        if range.is_empty() { (Applied::Nothing, nothing) } else { (applied, range) }
    };
    match effect {
        Effect::Saw { pos, bytes } => (Applied::Read { pos, bytes }, nothing),
        Effect::Wrote(range) => wrote(range, flight.fill.clone()),
        Effect::WroteFrom { pos, bytes, .. } => {
            wrote(ByteRange::at(pos, wide(bytes.len())), Fill::bytes(pos, bytes))
        }
        Effect::Perhaps => (Applied::Perhaps, nothing),
        Effect::Nothing => (Applied::Nothing, nothing),
        Effect::AsIntended => match flight.intent {
            Intent::Store(range) => wrote(range, flight.fill.clone()),
            Intent::Zero { range, grows_to } => {
                (Applied::Zeroed { range: range_of(range), grew_to: grows_to }, range)
            }
            Intent::Grow(to) => (Applied::Grew { to }, nothing),
            Intent::Resize(to) => {
                // Some whole words: one byte could not tell who wrote it.
                (Applied::Resized { to }, ByteRange::new(to.saturating_sub(64), to))
            }
            Intent::Read(_)
            | Intent::Load(_)
            | Intent::Write(_)
            | Intent::Append(_)
            | Intent::WriteFrom { .. } => (Applied::Nothing, nothing),
        },
    }
}

impl Witness for Oracle {
    fn begins(&self, file: View<'_>, op: OpId, intent: Intent) {
        let mut shadow = self.shadow(file).lock();
        let source = match intent {
            Intent::WriteFrom { source, .. } => {
                Some(shadow.content.begin(op, May::Load { range: range_of(source) }))
            }
            Intent::Read(_)
            | Intent::Load(_)
            | Intent::Write(_)
            | Intent::Append(_)
            | Intent::Store(_)
            | Intent::Zero { .. }
            | Intent::Grow(_)
            | Intent::Resize(_) => None,
        };
        let mut verdict = Ok(());
        if let Intent::Append(range) = intent {
            let misplaced = shadow.content.check_size(range.start);
            verdict = size::size_matches_model(self.checks(), misplaced.as_ref().copied());
        }
        let (effect, bytes) = may(op, &intent);
        let ticket = shadow.content.begin(op, effect);
        let size = file.size();
        let flight = Flight { op, ticket, fill: bytes, intent, source, barren: 0, size };
        shadow.flights.push(flight);
        drop(shadow);
        self.judge(file, Some(op), verdict);
    }

    fn ends(&self, file: View<'_>, op: OpId, effect: Effect<'_>) {
        let mut shadow = self.shadow(file).lock();
        let place = shadow.flights.iter().position(|flight| flight.op == op);
        let flight = shadow.flights.swap_remove(place.expect("an operation begins before it ends"));
        let (applied, look) = applied(&flight, effect);
        let reshaped = flight.reshapes() && matches!(effect, Effect::AsIntended);
        let size = flight.size;
        if matches!(effect, Effect::Saw { bytes, .. } if !bytes.is_empty()) {
            self.count_verified(op);
        }
        let mut verdict = Ok(());
        if let (Some(ticket), Effect::WroteFrom { source, bytes, .. }) = (flight.source, effect) {
            let seen = shadow.content.end(ticket, Applied::Read { pos: source, bytes });
            verdict = data::judge(self.checks(), &seen);
        }
        let seen = shadow.content.end(flight.ticket, applied);
        let verdict = verdict
            .and_then(|()| data::judge(self.checks(), &seen))
            .and_then(|()| self.judge_outcome(&mut shadow, file, op, look))
            .and_then(|()| space::space_promised_is_there(self.checks(), file));
        drop(shadow);
        let written = matches!(effect, Effect::Wrote(_) | Effect::WroteFrom { .. });
        let verdict = match verdict {
            Ok(()) if written => self.judge_backing(file, look),
            Ok(()) if reshaped => self.judge_tail(file, &flight.intent),
            verdict => verdict,
        };
        let verdict = match verdict {
            // Beyond its own last byte another write may be growing the file further.
            Ok(()) if written => self.judge_growth(file, op, ByteRange::new(size, look.end)),
            Ok(()) if reshaped => self.judge_growth(file, op, ByteRange::new(size, file.size())),
            verdict => verdict,
        };
        self.judge(file, Some(op), verdict);
    }

    fn folio_unlocks(&self, file: View<'_>, folio: &Folio) {
        if !folio.is_attached() || folio.modified() | folio.dirty_blocks() == 0 && !folio.is_dirty()
        {
            return;
        }
        let settled = self.shadow(file).lock().content.least_size();
        let end = file.geometry().up(file.size().min(settled));
        let verdict = folios::folio_bits_are_consistent(self.checks(), file, folio)
            .and_then(|()| folios::folio_modified_block_is_dirty(self.checks(), folio, end))
            .and_then(|()| folios::folio_dirty_block_has_backing(self.checks(), file, folio, end));
        self.judge(file, None, verdict);
    }

    fn mapping_validated(&self, file: View<'_>, map: &Iomap, range: ByteRange) {
        let blocks = file.geometry().blocks_touching(range);
        let extents = match self.sight {
            Sight::Frozen | Sight::Closed => file.extents(blocks),
            // Where another thread has changed some extent since the check, nobody can tell any
            // more whether that was before it.
            Sight::Live => match file.extents_at(map.sequence, blocks) {
                Some(extents) => extents,
                None => return,
            },
        };
        let checks = self.checks();
        let verdict = extents::extents_agree_with_validated_mapping(checks, file, map, &extents);
        self.judge(file, None, verdict);
    }

    fn mapping_done(&self, file: View<'_>, op: OpId, range: ByteRange, used: Used) {
        let (barren, settled) = {
            let mut shadow = self.shadow(file).lock();
            (shadow.note_mapping(op, used), shadow.content.least_size())
        };
        // What was given back was perhaps needed by somebody who has unlocked his folio already.
        let end = range.end.min(file.geometry().up(file.size().min(settled)));
        let unused = ByteRange::new(range.start + used.accepted, end);
        let verdict = progress::progress_despite_stale_mappings(self.checks(), range, barren)
            .and_then(|()| self.judge_backing(file, unused));
        self.judge(file, Some(op), verdict);
    }

    fn cleanup_done(&self, file: View<'_>, op: OpId, range: ByteRange) {
        let others = self.shadow(file).lock().others_write(op);
        let verdict = extents::extents_delalloc_is_flushable(self.checks(), file, range, &others);
        self.judge(file, Some(op), verdict);
    }

    fn folio_cleaned(&self, file: View<'_>, folio: &Folio) {
        let verdict = folios::folio_clean_means_write_protected(self.checks(), file, folio);
        self.judge(file, None, verdict);
    }

    fn submits(&self, file: View<'_>, submission: Submission) {
        let verdict = extents::extents_agree_with_submitted_io(self.checks(), file, submission);
        self.judge(file, None, verdict);
    }

    fn completed(&self, file: View<'_>, completion: Completion) {
        let verdict = size::size_on_disk_covers_only_completed_io(self.checks(), completion);
        self.judge(file, None, verdict);
    }

    fn writeback_failed(&self, file: View<'_>, range: ByteRange) {
        self.failures[file.file()].fetch_add(1, Ordering::Relaxed);
        // The folios are still in writeback, so nobody changes the blocks under them meanwhile.
        let mut disk = vec![0; narrow(range.len())];
        if file.on_disk(range, &mut disk) {
            self.shadow(file).lock().content.widen(range.start, &disk);
        }
        let blocks = file.geometry().blocks_touching(range);
        let failed = (blocks.start.0..blocks.end.0).map(FileBlock);
        self.shadow(file).lock().failed.extend(failed);
    }
}
