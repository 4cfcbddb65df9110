//! A source buffer at some of whose bytes a write stands still, until it is let go.
//!
//! A page that is missing stops whoever copies from it. Kernels ask for the pages of a source before they
//! lock the folio that they copy to, and copy with page faults disabled. So a write that meets a missing
//! page stands between the two, and what it has locked and reserved by then, it holds.
//!
//! To have it stand with some bytes copied where all of the source is asked for before anything is copied,
//! two pages are missing: while it stands at the second, the first is taken away again. The copy then ends
//! at the first, and the write asks for that again.
//!
//! ```text
//! source    | present ...... | first: 1 byte | second ....... |
//! asked for                  ^ supplied      ^ supplied, and the first taken away
//! copied    ---------------->^ stands here
//! ```

use crate::faults::{Faults, address};
use crate::habit::Habit;
use crate::memory::{Memory, Missing, PAGE, Pages};
use crate::refusal::Refusal;
use nix::errno::Errno;
use nix::sys::memfd::{MFdFlags, memfd_create};
use nix::sys::mman::MmapAdvise;
use std::collections::BTreeSet;
use std::ffi::c_void;
use std::sync::Arc;

/// How the byte is made to fail at which a write stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Failing {
    /// Its page may not be read.
    Protected,
    /// Nothing is mapped there any more.
    Unmapped,
    /// It is mapped from a file that ends before it.
    BeyondEof,
    /// Its page is like one that the hardware has lost. Kernels since 6.6 know this.
    Poisoned,
}

impl Failing {
    /// Every way.
    pub const ALL: [Failing; 4] =
        [Failing::Protected, Failing::Unmapped, Failing::BeyondEof, Failing::Poisoned];
}

/// What a write copies from. Whoever leads it has the [`Reins`].
#[derive(Debug)]
pub struct Stops {
    pages: Pages,
    /// The pieces of the buffer: where each begins, in bytes and in `pages`, and how long it is.
    pieces: Vec<Piece>,
}

#[derive(Debug, Clone, Copy)]
struct Piece {
    at: usize,
    place: usize,
    len: usize,
}

/// Says how far a write from its [`Stops`] goes. When it is dropped, the write goes on to its end.
///
/// If something fails here, the write finds nothing more in its source, and so ends with a short count or
/// `EFAULT`: it never copies bytes that were not meant. What came of it says nothing then.
#[derive(Debug)]
pub struct Reins {
    faults: Faults,
    stops: Arc<Stops>,
    /// The first page of each piece, as it is to be supplied.
    shelf: Pages,
    habit: Habit,
    /// The bytes before which the write is to stand, in order.
    at: Vec<usize>,
    /// Which of them is next, or where it stands.
    next: usize,
    stands: bool,
    /// Whether the first page was taken away while the write stood at the second.
    staged: bool,
    /// The byte that can never be read, if there is one, in which way, and whether its page is gone
    /// already.
    unreadable: Option<(usize, Failing)>,
    refused: bool,
    failed: Option<usize>,
}

/// What a window is made for.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// What is written.
    pub bytes: &'a [u8],
    /// Offsets at which its iovecs end, in order.
    pub cuts: &'a [usize],
    /// The bytes before which it is to stand still, in order: it has copied what lies before them.
    pub stops: &'a [usize],
    /// The byte that can never be read, and in which way.
    pub unreadable: Option<(usize, Failing)>,
}

impl Reins {
    /// A buffer for one write to a filesystem of that habit. Whatever it can stand or fail at begins an
    /// iovec of its own.
    pub fn new(wanted: Wanted<'_>, habit: Habit) -> Result<(Reins, Arc<Stops>), Refusal> {
        let faults = Faults::open()?;
        let failed = |errno| Refusal::errno("memory for a source buffer", errno, "free some");
        let stops = Arc::new(Stops::new(wanted, habit).map_err(failed)?);
        let mut shelf = Memory::anonymous(stops.pieces.len() * PAGE).map_err(failed)?;
        for (number, piece) in stops.pieces.iter().enumerate() {
            shelf.put(number * PAGE, &wanted.bytes[piece.at..piece.at + piece.len.min(PAGE)]);
        }
        faults.register(&stops.pages, 0..stops.pages.len()).map_err(|errno| {
            Refusal::errno("telling the page faults of a source buffer", errno, NO_REGISTER)
        })?;
        let mut window = Reins {
            faults,
            stops: Arc::clone(&stops),
            shelf: shelf.into_pages(),
            habit,
            at: wanted.stops.to_vec(),
            next: 0,
            stands: false,
            staged: false,
            unreadable: wanted.unreadable,
            refused: false,
            failed: None,
        };
        window.prepare().map_err(|errno| match wanted.unreadable {
            Some((_, Failing::Poisoned)) => {
                Refusal::errno("a page that is poisoned", errno, POISON)
            }
            _ => failed(errno),
        })?;
        Ok((window, stops))
    }

    /// Looks how far the write has come: how many bytes it has copied where it stands still, which it does
    /// until it is told something else. `None`: it is on its way, or has returned.
    pub fn look(&mut self) -> Result<Option<usize>, Errno> {
        while !self.stands {
            let met = match self.faults.next() {
                Ok(Some(met)) => self.meets(met),
                Ok(None) => return Ok(None),
                Err(error) => Err(error),
            };
            self.or_nothing(met)?;
        }
        Ok(self.at.get(self.next).copied())
    }

    /// Lets the write, which stands, go on to the next of its stops.
    pub fn resume(&mut self) -> Result<(), Errno> {
        let from = self.leave();
        let resumed = self.prepare().and_then(|()| match self.unreadable {
            Some((byte, how)) if byte == from => self.refuse(from, how),
            _ => self.supply(self.stops.piece(from)),
        });
        self.or_nothing(resumed)
    }

    /// The byte before which the write stands can no longer be read, and the write goes on.
    pub fn fail(&mut self, how: Failing) -> Result<(), Errno> {
        let from = self.leave();
        self.next = self.at.len();
        self.unreadable = Some((from, how));
        let failed = self.refuse(from, how);
        self.or_nothing(failed)?;
        self.failed = Some(from);
        Ok(())
    }

    /// Whether its source has a byte that can never be read.
    pub fn is_short(&self) -> bool {
        self.unreadable.is_some()
    }

    /// The byte before which it was told to fail.
    pub fn failed(&self) -> Option<usize> {
        self.failed
    }

    /// Lets the write go on to its end, wherever it is.
    pub fn let_go(&mut self) -> Result<(), Errno> {
        self.next = self.at.len();
        self.stands = false;
        let unreadable = self.unreadable.map(|(byte, _)| byte);
        let let_go = self.prepare().and_then(|()| {
            (0..self.stops.pieces.len())
                .filter(|piece| Some(self.stops.pieces[*piece].at) != unreadable)
                .try_for_each(|piece| self.supply(piece))
        });
        self.or_nothing(let_go)
    }

    /// Where something has failed, the source is taken away, and the write ends there. Once nobody tells of
    /// faults any more, it would find zeros in the pages that are missing.
    fn or_nothing(&self, done: Result<(), Errno>) -> Result<(), Errno> {
        done.inspect_err(|_| {
            let whole = 0..self.stops.pages.len();
            let gone = self.stops.pages.lose(whole.clone(), Missing::Unmapped);
            gone.expect("whole mappings can be unmapped");
            // Where nobody can be woken, nobody is told of faults, either, and so nobody waits.
            let _ = self.faults.wake(&self.stops.pages, whole);
        })
    }

    /// Somebody has met a missing page.
    fn meets(&mut self, met: u64) -> Result<(), Errno> {
        let page = u64::try_from(PAGE).expect("a page is small");
        let is_met = |piece: &Piece| address(&self.stops.pages, piece.place) == met - met % page;
        let Some(piece) = self.stops.pieces.iter().position(is_met) else { return Ok(()) };
        let found = self.stops.pieces[piece].at;
        match self.at.get(self.next) {
            Some(at) if found == *at && (self.staged || !self.is_staged(*at)) => self.stands = true,
            Some(at) if found == at + 1 && !self.staged && self.is_staged(*at) => {
                self.staged = true;
                self.take_away(*at)?;
                self.supply(piece)?;
            }
            _ => self.supply(piece)?,
        }
        Ok(())
    }

    /// Takes away what is to be missing until the next stop, and what can never be read if it lies before
    /// that.
    fn prepare(&mut self) -> Result<(), Errno> {
        self.staged = false;
        let next = self.at.get(self.next).copied();
        if let Some(at) = next {
            self.take_away(at)?;
            if self.is_staged(at) {
                self.take_away(at + 1)?;
            }
        }
        match self.unreadable {
            Some((byte, how)) if !self.refused && next.is_none_or(|next| byte < next) => {
                self.refuse(byte, how)
            }
            _ => Ok(()),
        }
    }

    /// Whether two pages are needed to have the write stand there.
    fn is_staged(&self, at: usize) -> bool {
        self.habit == Habit::Ahead
            && at != 0
            && self.stops.pieces.iter().any(|piece| piece.at == at + 1)
    }

    /// Leaves the stop where the write stands, and says which it is.
    fn leave(&mut self) -> usize {
        assert!(self.stands, "the write stands");
        self.stands = false;
        self.next += 1;
        self.at[self.next - 1]
    }

    fn take_away(&self, at: usize) -> Result<(), Errno> {
        let place = self.stops.pieces[self.stops.piece(at)].place;
        self.stops.pages.advise(place..place + PAGE, MmapAdvise::MADV_DONTNEED)
    }

    fn supply(&self, piece: usize) -> Result<(), Errno> {
        let place = self.stops.pieces[piece].place;
        self.faults.supply((&self.stops.pages, place), (&self.shelf, piece * PAGE))
    }

    /// Makes the byte one that nobody can read, and lets go on who waits for it.
    fn refuse(&mut self, at: usize, how: Failing) -> Result<(), Errno> {
        self.refused = true;
        let pages = &self.stops.pages;
        let place = self.stops.pieces[self.stops.piece(at)].place;
        let page = place..place + PAGE;
        match how {
            Failing::Protected => pages.lose(page.clone(), Missing::Protected)?,
            Failing::Unmapped => pages.lose(page.clone(), Missing::Unmapped)?,
            Failing::BeyondEof => {
                let empty = memfd_create(c"pagestorm", MFdFlags::MFD_CLOEXEC)?;
                pages.lose(page.clone(), Missing::Of(&empty))?;
            }
            Failing::Poisoned => return self.faults.poison(pages, place),
        }
        self.faults.wake(pages, page)
    }
}

impl Drop for Reins {
    fn drop(&mut self) {
        // What fails here fails a write that has not returned yet, and whoever lets go of its window then
        // does not look at what came of it.
        let _ = self.let_go();
    }
}

/// What to do where a page cannot be poisoned.
pub(crate) const POISON: &str = "use a kernel of 6.6 or later";

/// What to do where a kernel has userfaultfd and will not tell of these faults.
const NO_REGISTER: &str = "see whether the kernel was built with CONFIG_USERFAULTFD, and whether a \
                           limit of this user is reached (ulimit -a)";

impl Stops {
    fn new(wanted: Wanted<'_>, habit: Habit) -> Result<Stops, Errno> {
        let Wanted { bytes, cuts, stops, unreadable } = wanted;
        let second = |at: &usize| (habit == Habit::Ahead && *at != 0).then_some(at + 1);
        let starts: BTreeSet<usize> = [0]
            .into_iter()
            .chain(cuts.iter().copied())
            .chain(stops.iter().copied())
            .chain(stops.iter().filter_map(second))
            .chain(unreadable.map(|(byte, _)| byte))
            .filter(|at| *at < bytes.len())
            .collect();
        let mut place = 0;
        let mut pieces = Vec::new();
        for at in &starts {
            let end = starts.range(at + 1..).next().copied().unwrap_or(bytes.len());
            pieces.push(Piece { at: *at, place, len: end - at });
            place += (end - at).next_multiple_of(PAGE);
        }
        let mut memory = Memory::apart(place)?;
        for piece in &pieces {
            memory.put(piece.place, &bytes[piece.at..piece.at + piece.len]);
        }
        Ok(Stops { pages: memory.into_pages(), pieces })
    }

    /// The piece that begins at that byte.
    fn piece(&self, at: usize) -> usize {
        let found = self.pieces.iter().position(|piece| piece.at == at);
        found.expect("whatever a write can stand or fail at begins a piece")
    }

    /// Its pieces: addresses and lengths.
    pub(crate) fn pieces(&self) -> Vec<(*const c_void, usize)> {
        let address = |piece: &Piece| self.pages.address(piece.place).cast_const();
        self.pieces.iter().map(|piece| (address(piece), piece.len)).collect()
    }
}

#[cfg(test)]
mod tests;
