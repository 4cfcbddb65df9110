//! A device: a queue of bios, the workers that carry them out, and the media below.
//!
//! ```text
//! submit -> waiting -> taken by a worker -> latency, or one point -> fault? -> media -> done
//!           |------------------ in flight: overlaps are noted ------------------|
//! ```

use crate::bio::{Bio, BioOp, IoError};
use crate::faults::{BioPlace, DeviceFaults, FaultCounts, Injector, Recurrences, Strike};
use crate::flight::{Flight, Overlap};
use crate::media::Media;
use crate::open::DeviceKind;
use sim::{Mutex, Rank, Site, WaitQueue, sync};
use std::collections::VecDeque;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// What a device is, apart from its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Description {
    /// Which kind it became: never [`DeviceKind::Auto`].
    pub kind: DeviceKind,
    /// Which, where, how and why, in one line for people.
    pub detail: String,
    /// Bytes.
    pub size: u64,
    /// Offsets and lengths of bios are multiples of this many bytes.
    pub sector: u64,
}

/// Keeps bytes, and takes its time about it.
pub struct Device {
    description: Description,
    media: Box<dyn Media>,
    injector: Injector,
    queue: Mutex<Queue>,
    aftermath: OnceLock<Arc<dyn Aftermath>>,
}

/// Is told of every bio that was made to fail or to take longer, once that is over and before
/// anybody sees that it is done.
pub trait Aftermath: Send + Sync {
    /// Such a bio is over.
    fn over(&self, ended: EndedBio);
}

/// A bio to which something was done on purpose.
#[derive(Debug, Clone, Copy)]
pub struct EndedBio {
    /// Which.
    pub place: BioPlace,
    /// How many bytes it moves.
    pub bytes: u64,
    /// Whether it failed.
    pub failed: bool,
    /// Whether it took longer than others.
    pub delayed: bool,
    /// When a worker took it, in the world's time.
    pub from: Duration,
}

impl Device {
    /// A device on `media`, whose size and sector must be what the description says.
    pub fn new(description: Description, media: Box<dyn Media>, faults: DeviceFaults) -> Device {
        let queue = sync::mutex(&QUEUE, 0, Queue::default());
        let (injector, aftermath) = (Injector::new(faults), OnceLock::new());
        Device { description, media, injector, queue, aftermath }
    }

    /// Who is told of what happens to bios on purpose; the first one stays.
    pub fn tell(&self, aftermath: Arc<dyn Aftermath>) {
        drop(self.aftermath.set(aftermath));
    }

    /// The actors begin now: faults that wait for that may strike.
    pub fn begin(&self) {
        self.injector.begin(sim::now());
    }

    /// Hands `bio` to the device and returns at once.
    ///
    /// `done` is called exactly once, in a worker's task that holds no lock, with the bio, its
    /// data, and how it ended; only if the run is abandoned is it dropped uncalled. Bios may
    /// complete in any order.
    ///
    /// A range that is not within the device or not made of whole sectors, a flush with data, and
    /// a bio after [`Device::shutdown`] are mistakes of the caller, and panic.
    pub fn submit(&self, bio: Bio, done: impl FnOnce(Bio, Result<(), IoError>) + Send + 'static) {
        self.check(&bio);
        let done = Box::new(done);
        let mut queue = self.queue.lock();
        assert!(!queue.closed, "{} submitted to a device that was shut down", bio.op);
        let ticket = queue.tickets;
        queue.tickets += 1;
        let armed = self.injector.is_armed();
        let nth = if armed { queue.recurrences.next(bio.op, bio.cause) } else { 0 };
        queue.flight.begin(&bio, ticket);
        queue.waiting.push_back(Request { bio, done, nth, ticket });
        let idle = queue.idle.pop();
        drop(queue);
        if let Some(worker) = idle {
            worker.wake();
        }
    }

    /// Submits `bio` and waits until it is done.
    pub fn submit_wait(&self, bio: Bio) -> (Bio, Result<(), IoError>) {
        let slot = Arc::new((sync::mutex(&ANSWER, 0, None), WaitQueue::new()));
        let theirs = Arc::clone(&slot);
        let site = Site::point("device.done", 0xf002, bio.offset);
        self.submit(bio, move |bio, result| {
            *theirs.0.lock() = Some((bio, result));
            theirs.1.wake_all();
        });
        let mut answer = None;
        slot.1.wait_until(site, || {
            answer = slot.0.lock().take();
            answer.is_some()
        });
        answer.expect("waited for just above")
    }

    /// The body of a worker: carries out bios until [`Device::shutdown`] and the queue is empty.
    ///
    /// One worker takes bios in the order of submission; with more, they complete out of order.
    /// Each look at the queue is an operation of the worker's task, counted from 1.
    pub fn serve(&self) {
        let me = Arc::new(Worker::default());
        for round in 1.. {
            sim::begin_operation(round);
            match self.next(&me) {
                Next::CarryOut(request) => self.carry_out(request),
                Next::Wait => me.wait(),
                Next::Leave => return,
            }
        }
    }

    /// Lets the workers go once they have carried out what was submitted.
    pub fn shutdown(&self) {
        let mut queue = self.queue.lock();
        queue.closed = true;
        let idle = std::mem::take(&mut queue.idle);
        drop(queue);
        for worker in idle {
            worker.wake();
        }
    }

    /// Ends all faults: from now on no bio fails on purpose, and none takes its time.
    pub fn heal(&self) {
        self.injector.heal();
    }

    /// What the media holds now at `offset`: any range within the device, no faults, no latency,
    /// no scheduling point. Fails only if the machine does.
    pub fn peek(&self, offset: u64, into: &mut [u8]) -> Result<(), IoError> {
        let len = u64::try_from(into.len()).expect("lengths fit 64 bits");
        self.check_range(offset, len);
        self.media.peek(offset, into)
    }

    /// Bytes.
    pub fn size(&self) -> u64 {
        self.description.size
    }

    /// Offsets and lengths of bios are multiples of this many bytes.
    pub fn sector(&self) -> u64 {
        self.description.sector
    }

    /// Which kind it became: never [`DeviceKind::Auto`].
    pub fn kind(&self) -> DeviceKind {
        self.description.kind
    }

    /// Which, where, how and why, in one line for people.
    pub fn detail(&self) -> &str {
        &self.description.detail
    }

    /// How often faults could have struck so far, and how often they did.
    pub fn faults(&self) -> FaultCounts {
        self.injector.counts()
    }

    /// What happened to bios so far, in that order, if [`DeviceFaults::record`] asks for it; leaves
    /// nothing.
    pub fn take_strikes(&self) -> Vec<Strike> {
        self.injector.take_strikes()
    }

    /// How many writes so far shared bytes with another bio in flight.
    pub fn overlaps(&self) -> u64 {
        self.queue.lock().flight.total()
    }

    /// The overlaps since the last call; of many only the first 64.
    pub fn take_overlaps(&self) -> Vec<Overlap> {
        self.queue.lock().flight.take_overlaps()
    }

    fn next(&self, me: &Arc<Worker>) -> Next {
        let mut queue = self.queue.lock();
        if let Some(request) = queue.waiting.pop_front() {
            return Next::CarryOut(request);
        }
        if queue.closed {
            return Next::Leave;
        }
        queue.idle.push(Arc::clone(me));
        Next::Wait
    }

    fn carry_out(&self, request: Request) {
        let Request { mut bio, done, nth, ticket } = request;
        let place = BioPlace { op: bio.op, cause: bio.cause, nth };
        let from = sim::now();
        let delay = self.injector.delay(place, from);
        if delay.time.is_zero() {
            sim::point(Site::point("device.io", 0xf000, bio.offset));
        } else {
            sim::sleep(delay.time);
        }
        let result = if self.injector.fails(place) {
            Err(IoError::Injected)
        } else {
            self.perform(&mut bio)
        };
        let (failed, delayed) = (result == Err(IoError::Injected), delay.struck);
        if let Some(aftermath) = self.aftermath.get().filter(|_| failed || delayed) {
            aftermath.over(EndedBio { place, bytes: bio.len(), failed, delayed, from });
        }
        self.queue.lock().flight.end(bio.offset, ticket);
        done(bio, result);
    }

    fn perform(&self, bio: &mut Bio) -> Result<(), IoError> {
        match bio.op {
            BioOp::Read => self.media.read(bio.offset, &mut bio.data),
            BioOp::Write => self.media.write(bio.offset, &bio.data),
            BioOp::Flush => self.media.flush(),
        }
    }

    fn check(&self, bio: &Bio) {
        let sector = self.description.sector;
        assert_eq!(bio.is_empty(), bio.op == BioOp::Flush, "a flush moves nothing, others do");
        let whole = bio.offset.is_multiple_of(sector) && bio.len().is_multiple_of(sector);
        assert!(whole, "{} of {} bytes at {}: not whole sectors", bio.op, bio.len(), bio.offset);
        self.check_range(bio.offset, bio.len());
    }

    fn check_range(&self, offset: u64, len: u64) {
        let within = offset.checked_add(len).is_some_and(|end| end <= self.description.size);
        assert!(within, "{len} bytes at {offset}: beyond the end of the device");
    }
}

impl fmt::Debug for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Device").field("description", &self.description).finish_non_exhaustive()
    }
}

static QUEUE: Rank = Rank::leaf(13, "device queue");
static ANSWER: Rank = Rank::leaf(14, "device answer");

/// What submitters and workers share.
#[derive(Default)]
struct Queue {
    waiting: VecDeque<Request>,
    flight: Flight,
    recurrences: Recurrences,
    /// Workers that wait. Only one is woken for a bio: waking all would cost a switch each.
    idle: Vec<Arc<Worker>>,
    tickets: u64,
    closed: bool,
}

struct Request {
    bio: Bio,
    done: Box<dyn FnOnce(Bio, Result<(), IoError>) + Send>,
    /// How many bios alike its cause had before.
    nth: u64,
    ticket: u64,
}

enum Next {
    CarryOut(Request),
    Wait,
    Leave,
}

/// A worker, as those who wake it see it.
#[derive(Default)]
struct Worker {
    woken: AtomicBool,
    bell: WaitQueue,
}

impl Worker {
    fn wait(&self) {
        let site = Site::point("device.queue", 0xf001, 0);
        self.bell.wait_until(site, || self.woken.swap(false, Ordering::SeqCst));
    }

    fn wake(&self) {
        self.woken.store(true, Ordering::SeqCst);
        self.bell.wake_all();
    }
}
