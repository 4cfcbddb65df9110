//! The process behind a gate: it serves one file to the kernel, and does to requests what it is told.

use super::data;
use super::failed::Failed;
use super::link::{self, Asked, Counted};
use super::parent::is_dying;
use super::rules::{Access, Chances, Rule, What};
use super::wire::{self, Asks, Request};
use block::{BioOp, BioPlace, DeviceFaults, Injector};
use nix::errno::Errno;
use nix::fcntl::{FallocateFlags, fallocate};
use nix::libc;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{SigSet, SigmaskHow, sigprocmask};
use nix::sys::uio::{pread, pwrite};
use nix::time::{ClockId, clock_gettime};
use nix::unistd::{Pid, getpid, setsid};
use sim::chance::Seed;
use std::collections::BTreeMap;
use std::fs::File;
use std::ops::Range;
use std::os::fd::{AsFd, AsRawFd, OwnedFd, RawFd};
use std::time::Duration;

/// See the module.
pub(super) struct Server {
    fuse: OwnedFd,
    data: File,
    size: u64,
    link: OwnedFd,
    parent: Pid,
    rules: BTreeMap<u64, InForce>,
    /// The number of the last rule.
    next: u64,
    chance: Option<Chance>,
    /// Requests that wait for their time, by that and by their own number.
    slow: BTreeMap<(Duration, u64), Request>,
    counts: Counted,
    failed: Failed,
    /// When the parent was looked at last.
    looked: Duration,
    /// What the parent waits for: a rule's number, how many requests it has to meet, and until when.
    awaited: Option<(u64, u64, Duration)>,
    /// When nobody was there any more who could ask for anything.
    left: Option<Duration>,
}

/// What strikes by chance, and how many requests of a kind there were before: all, and those that are
/// about bytes of files, where these may fail.
struct Chance {
    chances: Chances,
    injector: Injector,
    before: [u64; 2],
    of_files: [u64; 2],
    paused: bool,
}

/// A rule, how many requests it has met, and those that it holds.
struct InForce {
    rule: Rule,
    met: u64,
    held: Vec<Request>,
}

/// Whether the parent still lives is looked at this often.
const LOOK: Duration = Duration::from_millis(100);

/// How long the file is served once nobody is there who could ask for anything: a filesystem is unmounted
/// meanwhile.
const GRACE: Duration = Duration::from_secs(10);

impl Server {
    pub(super) fn new(
        fuse: OwnedFd,
        (data, size): (File, u64),
        link: OwnedFd,
        failed: Failed,
    ) -> Server {
        Server {
            fuse,
            data,
            size,
            link,
            parent: getpid(),
            rules: BTreeMap::new(),
            chance: None,
            next: 1,
            slow: BTreeMap::new(),
            counts: Counted::default(),
            failed,
            looked: Duration::ZERO,
            awaited: None,
            left: None,
        }
    }

    /// Serves to the end, in a process of its own. The status that this ends with.
    pub(super) fn run(mut self) -> i32 {
        self.settle();
        i32::from(self.serve() != Err(Errno::ENODEV))
    }

    /// A process of its own keeps nothing of its parent's, gets no signals of its parent's terminal, and
    /// never waits for its own device when it needs memory.
    fn settle(&self) {
        let _ = sigprocmask(SigmaskHow::SIG_BLOCK, Some(&SigSet::all()), None);
        let _ = setsid();
        let kept = [self.fuse.as_raw_fd(), self.data.as_raw_fd(), self.link.as_raw_fd()];
        close_all_but(kept);
        never_write_out_for_memory();
    }

    /// Returns why it is over: `ENODEV` once the file is mounted nowhere any more.
    fn serve(&mut self) -> Result<(), Errno> {
        let mut request = vec![0; wire::REQUEST];
        loop {
            let (asked, told) = self.wait()?;
            if asked {
                self.take(&mut request)?;
            }
            if told {
                match link::question(&self.link) {
                    Ok(question) => self.told(question)?,
                    Err(_) => self.leave(),
                }
            }
            self.perform_what_is_due()?;
            self.answer_if_due();
            self.look_at_parent();
            if self.left.is_some_and(|left| left + GRACE < now()) {
                return Err(Errno::ETIME);
            }
        }
    }

    /// Now and then: requests come faster than anybody dies.
    fn look_at_parent(&mut self) {
        let now = now();
        if self.left.is_some() || now < self.looked + LOOK {
            return;
        }
        self.looked = now;
        if is_dying(self.parent) {
            self.leave();
        }
    }

    /// Until there is a request, or a question, or something is due: whether there is one of either.
    fn wait(&self) -> Result<(bool, bool), Errno> {
        let due = self.slow.first_key_value().map(|((due, _), _)| *due);
        let awaited = self.awaited.map(|(_, _, until)| until);
        let next = due.into_iter().chain(awaited).min();
        let time = next.map_or(LOOK, |next| next.saturating_sub(now()).min(LOOK));
        // Rounded up, so that it is due when we are back.
        let time =
            PollTimeout::try_from(time.as_micros().div_ceil(1000)).unwrap_or(PollTimeout::ZERO);
        let asked = PollFd::new(self.fuse.as_fd(), PollFlags::POLLIN);
        let told = PollFd::new(self.link.as_fd(), PollFlags::POLLIN);
        let mut both = [asked, told];
        let both = if self.left.is_some() { &mut both[..1] } else { &mut both[..] };
        match poll(both, time) {
            Ok(_) | Err(Errno::EINTR) => {}
            Err(error) => return Err(error),
        }
        let ready = |fd: Option<&PollFd<'_>>| fd.is_some_and(|fd| fd.any() != Some(false));
        Ok((ready(both.first()), ready(both.get(1))))
    }

    /// Nobody can ask for anything any more: nothing is held up, and what comes is performed.
    fn leave(&mut self) {
        self.left = Some(now());
        self.heal();
        self.awaited = None;
        for (_, InForce { held, .. }) in std::mem::take(&mut self.rules) {
            for request in held {
                self.delay(request, Duration::ZERO);
            }
        }
        for ((_, _), request) in std::mem::take(&mut self.slow) {
            self.delay(request, Duration::ZERO);
        }
    }

    /// Takes the next request.
    fn take(&mut self, bytes: &mut [u8]) -> Result<(), Errno> {
        let len = match nix::unistd::read(&self.fuse, bytes) {
            Ok(len) => len,
            // It was taken back before we came.
            Err(Errno::ENOENT | Errno::EINTR | Errno::EAGAIN) => return Ok(()),
            Err(error) => return Err(error),
        };
        let Some(request) = Request::of(&bytes[..len]) else { return Err(Errno::EPROTO) };
        let (access, range) = if let Asks::Read(range) = &request.asks {
            self.counts.reads += 1;
            (Access::Read, range.clone())
        } else if let Asks::Write(range, _) = &request.asks {
            self.counts.writes += 1;
            (Access::Write, range.clone())
        } else {
            self.counts.flushes += u64::from(request.asks == Asks::Flush);
            return self.perform(&request);
        };
        let mut about = self.rules.values_mut().filter(|force| force.rule.is_about(access, &range));
        let Some(force) = about.next() else { return self.by_chance(request, access) };
        force.met += 1;
        match force.rule.what {
            What::Hold => force.held.push(request),
            What::Fail => return self.answer(&request, Err(Errno::EIO)),
            What::Slow(time) => self.delay(request, time),
        }
        Ok(())
    }

    /// Performs it, at once or later, or fails it.
    fn by_chance(&mut self, request: Request, access: Access) -> Result<(), Errno> {
        if self.fails(&request) {
            // Whoever meets the error finds it counted.
            self.failed.add(access);
            return self.answer(&request, Err(Errno::EIO));
        }
        let time = self.chance.as_mut().map_or(Duration::ZERO, |chance| chance.delay(access));
        if time.is_zero() {
            return self.perform(&request);
        }
        self.delay(request, time);
        Ok(())
    }

    /// Whether it is one about bytes of files that fails.
    fn fails(&mut self, request: &Request) -> bool {
        let Some(chance) = self.chance.as_mut().filter(|chance| !chance.paused) else {
            return false;
        };
        let Chances { read_error_ppm, write_error_ppm, stride, .. } = chance.chances;
        match &request.asks {
            Asks::Read(range) if read_error_ppm != 0 => {
                // Whatever fails below fails for the kernel, too, once it is performed.
                let bytes = read(&self.data, range).unwrap_or_default();
                data::is_of_files(&bytes, stride) && chance.fails(Access::Read)
            }
            Asks::Write(_, bytes) if write_error_ppm != 0 => {
                data::is_of_files(bytes, stride) && chance.fails(Access::Write)
            }
            Asks::Init(_)
            | Asks::Attributes
            | Asks::Open
            | Asks::Read(_)
            | Asks::Write(..)
            | Asks::Flush
            | Asks::Allocate(..)
            | Asks::Agree
            | Asks::Silence
            | Asks::Other => false,
        }
    }

    fn delay(&mut self, request: Request, time: Duration) {
        self.slow.insert((now() + time, request.unique), request);
    }

    fn perform_what_is_due(&mut self) -> Result<(), Errno> {
        while let Some(entry) = self.slow.first_entry() {
            if now() < entry.key().0 {
                break;
            }
            let request = entry.remove();
            self.perform(&request)?;
        }
        Ok(())
    }

    fn perform(&self, request: &Request) -> Result<(), Errno> {
        let came = match &request.asks {
            Asks::Init(minor) => Ok(wire::init(*minor)),
            Asks::Attributes => Ok(wire::attributes(self.size)),
            Asks::Open => Ok(wire::opened()),
            Asks::Read(range) => read(&self.data, range),
            Asks::Write(range, bytes) => self.write(range, bytes),
            Asks::Allocate(range, mode) => self.allocate(range, *mode),
            Asks::Flush | Asks::Agree => Ok(Vec::new()),
            Asks::Silence => return Ok(()),
            Asks::Other => Err(Errno::ENOSYS),
        };
        self.answer(request, came.as_deref().map_err(|error| *error))
    }

    fn write(&self, range: &Range<u64>, bytes: &[u8]) -> Result<Vec<u8>, Errno> {
        pwrite(&self.data, bytes, position(range.start)?).map(wire::written)
    }

    fn allocate(&self, range: &Range<u64>, mode: i32) -> Result<Vec<u8>, Errno> {
        let mode = FallocateFlags::from_bits(mode).ok_or(Errno::EOPNOTSUPP)?;
        let (pos, len) = (position(range.start)?, position(range.end - range.start)?);
        fallocate(&self.data, mode, pos, len).map(|()| Vec::new())
    }

    fn answer(&self, request: &Request, came: Result<&[u8], Errno>) -> Result<(), Errno> {
        match nix::unistd::write(&self.fuse, &request.answer(came)) {
            // The one who asked does not wait any more.
            Ok(_) | Err(Errno::ENOENT) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// What the parent asks. `Met` is answered when it is due.
    fn told(&mut self, asked: Asked) -> Result<(), Errno> {
        let number = match asked {
            Asked::Rule(rule) => {
                self.next += 1;
                self.rules.insert(self.next, InForce { rule, met: 0, held: Vec::new() });
                self.next
            }
            Asked::Lift(number) => {
                let held = self.rules.remove(&number).map(|force| force.held);
                for request in held.into_iter().flatten() {
                    self.perform(&request)?;
                }
                0
            }
            Asked::Met { rule, least, patience } => {
                self.awaited = Some((rule, least, now().saturating_add(patience)));
                return Ok(());
            }
            Asked::Chances(seed, chances) => {
                self.chance = Some(Chance::new(seed, chances));
                0
            }
            Asked::Pause(pause) => {
                if let Some(chance) = &mut self.chance {
                    chance.paused = pause;
                }
                0
            }
            Asked::Heal => {
                self.heal();
                0
            }
            Asked::Count => 0,
        };
        self.tell(number);
        Ok(())
    }

    /// Nothing strikes by chance any more.
    fn heal(&self) {
        if let Some(chance) = &self.chance {
            chance.injector.heal();
        }
    }

    fn answer_if_due(&mut self) {
        let Some((rule, least, until)) = self.awaited else { return };
        let met = self.rules.get(&rule).map_or(0, |force| force.met);
        if least <= met || until <= now() {
            self.awaited = None;
            self.tell(met);
        }
    }

    /// If nobody hears it, the next look says so.
    fn tell(&self, number: u64) {
        let struck = self.chance.as_ref().map(|chance| chance.injector.counts());
        let struck = struck.unwrap_or_default();
        let waiting = u64::try_from(self.slow.len()).expect("as many as there are requests");
        let _ = link::answer(&self.link, Counted { number, waiting, struck, ..self.counts });
    }
}

impl Chance {
    fn new(seed: u64, chances: Chances) -> Chance {
        let Chances { spike, read_error_ppm, write_error_ppm, .. } = chances;
        let none = DeviceFaults::none(Seed(seed).faults());
        let injector =
            Injector::new(DeviceFaults { spike, read_error_ppm, write_error_ppm, ..none });
        injector.begin(now());
        Chance { chances, injector, before: [0; 2], of_files: [0; 2], paused: false }
    }

    /// How much longer the next request of that kind takes.
    fn delay(&mut self, access: Access) -> Duration {
        let place = next(access, &mut self.before);
        if self.paused {
            return Duration::ZERO;
        }
        self.injector.delay(place, now()).time
    }

    /// Whether the next of that kind fails, of those about bytes of files.
    fn fails(&mut self, access: Access) -> bool {
        self.injector.fails(next(access, &mut self.of_files))
    }
}

/// The place of the next request of that kind. Nobody knows who caused it.
fn next(access: Access, before: &mut [u64; 2]) -> BioPlace {
    let (op, index) = match access {
        Access::Read => (BioOp::Read, 0),
        Access::Write => (BioOp::Write, 1),
    };
    before[index] += 1;
    BioPlace { op, cause: 0, nth: before[index] - 1 }
}

fn read(data: &File, range: &Range<u64>) -> Result<Vec<u8>, Errno> {
    let len = usize::try_from(range.end - range.start).map_err(|_| Errno::EINVAL)?;
    let mut bytes = vec![0; len.min(wire::MOST)];
    let read = pread(data, &mut bytes, position(range.start)?)?;
    bytes.truncate(read);
    Ok(bytes)
}

fn position(pos: u64) -> Result<i64, Errno> {
    i64::try_from(pos).map_err(|_| Errno::EINVAL)
}

/// The clock of the machine. It counts from when that was started, so nobody's patience overflows it.
fn now() -> Duration {
    clock_gettime(ClockId::CLOCK_MONOTONIC).expect("every kernel has this clock").into()
}

/// Closes every descriptor but these.
fn close_all_but(mut kept: [RawFd; 3]) {
    kept.sort_unstable();
    let [one, two, three] = kept.map(|fd| libc::c_uint::try_from(fd).expect("it is open"));
    for (first, end) in [(0, one), (one + 1, two), (two + 1, three), (three + 1, libc::c_uint::MAX)]
    {
        if first < end {
            let last = end - 1;
            // SAFETY: nothing of this process uses any of them.
            #[expect(unsafe_code, reason = "descriptors of the parent, which nothing here owns")]
            unsafe {
                libc::syscall(libc::SYS_close_range, first, last, 0);
            }
        }
    }
}

/// As in `linux/prctl.h`.
const PR_SET_IO_FLUSHER: libc::c_int = 57;

/// What this process allocates waits for no filesystem.
fn never_write_out_for_memory() {
    // SAFETY: it touches no memory of ours.
    #[expect(unsafe_code, reason = "a system call that has no wrapper")]
    unsafe {
        libc::prctl(PR_SET_IO_FLUSHER, 1, 0, 0, 0);
    }
}
