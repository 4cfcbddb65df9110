//! The threads world: tasks are OS threads, waiting is a condition variable, time is the clock's.

#![expect(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "this file is what the bans point to: the only user of the operating system's own"
)]

use crate::site::Site;
use crate::world::{Abandoned, Blocked, End, Failure, Outcome, Task};
use std::cell::RefCell;
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How often a lock is tried before its task sleeps: waking a thread costs far more than this.
const SPINS: u32 = 60;

/// Sleepers look up this often, so that a stopped run lets go of them.
const LOOK_UP: Duration = Duration::from_millis(100);

/// A wait whose condition holds and that nobody has woken for this long was forgotten.
const FORGOTTEN: Duration = Duration::from_secs(2);

/// Where threads sleep.
#[derive(Debug, Default)]
pub(crate) struct Parking {
    /// Counts wake-ups.
    gate: Mutex<u32>,
    bell: Condvar,
}

impl Parking {
    pub(crate) const fn new() -> Parking {
        Parking { gate: Mutex::new(0), bell: Condvar::new() }
    }

    /// See [`crate::WaitQueue::wait_until`].
    pub(crate) fn wait(&self, waiters: &AtomicU64, site: Site, mut ready: impl FnMut() -> bool) {
        for _ in 0..SPINS {
            std::hint::spin_loop();
            if ready() {
                return;
            }
        }
        note_wait(Some(site));
        waiters.fetch_add(1, Ordering::SeqCst);
        let lost = self.sleep_until(&mut ready);
        waiters.fetch_sub(1, Ordering::SeqCst);
        note_wait(None);
        if lost {
            let at = Some(site);
            with_task(|task| {
                let wait = Blocked { task: task.name.clone(), operation: task.operation(), at };
                task.run.fail(Failure::LostWakeUp(wait));
            });
        }
    }

    /// Sleeps until `ready`; true if that came about although nobody rang.
    ///
    /// The condition is tried after each ring only, so that a lost wake-up is not papered over by
    /// polling; after a long silence it is tried once more, and if it holds the bell gets a last
    /// chance to ring.
    fn sleep_until(&self, ready: &mut impl FnMut() -> bool) -> bool {
        let mut gate = lock(&self.gate);
        if ready() {
            return false;
        }
        let mut rung = *gate;
        let mut quiet_since = Instant::now();
        loop {
            let result = self.bell.wait_timeout(gate, LOOK_UP);
            gate = result.unwrap_or_else(PoisonError::into_inner).0;
            if stopping() {
                drop(gate);
                abandon();
            }
            let forgotten = *gate == rung && quiet_since.elapsed() > FORGOTTEN;
            if *gate == rung && !forgotten {
                continue;
            }
            if ready() {
                if forgotten {
                    let result = self.bell.wait_timeout(gate, FORGOTTEN);
                    gate = result.unwrap_or_else(PoisonError::into_inner).0;
                }
                return forgotten && *gate == rung;
            }
            rung = *gate;
            quiet_since = Instant::now();
        }
    }

    pub(crate) fn wake_all(&self) {
        let mut gate = lock(&self.gate);
        *gate = gate.wrapping_add(1);
        self.bell.notify_all();
    }
}

/// What all tasks of a run share.
struct Run {
    started: Instant,
    stopped: AtomicBool,
    failure: Mutex<Option<Failure>>,
}

impl Run {
    fn fail(&self, failure: Failure) {
        lock(&self.failure).get_or_insert(failure);
        self.stopped.store(true, Ordering::SeqCst);
    }
}

/// One task, as it and its watchdog see it.
struct TaskState {
    name: String,
    run: Arc<Run>,
    number: usize,
    operation: AtomicU64,
    /// Grows with every operation and every wait that ends.
    progress: AtomicU64,
    done: AtomicBool,
    waiting: Mutex<Option<Site>>,
}

impl TaskState {
    fn operation(&self) -> u64 {
        self.operation.load(Ordering::Relaxed)
    }

    fn blocked(&self) -> Blocked {
        let at = *lock(&self.waiting);
        Blocked { task: self.name.clone(), operation: self.operation(), at }
    }
}

thread_local! {
    static TASK: RefCell<Option<Arc<TaskState>>> = const { RefCell::new(None) };
}

/// Runs `tasks`, each on its own thread, and watches that they make progress.
pub(crate) fn run(tasks: Vec<Task>, patience: Duration) -> End {
    let started = Instant::now();
    let (stopped, failure) = (AtomicBool::new(false), Mutex::new(None));
    let run = Arc::new(Run { started, stopped, failure });
    let mut states = Vec::new();
    let mut threads = Vec::new();
    for (number, task) in tasks.into_iter().enumerate() {
        let state = Arc::new(TaskState {
            name: task.name.clone(),
            run: Arc::clone(&run),
            number,
            operation: AtomicU64::new(0),
            progress: AtomicU64::new(0),
            done: AtomicBool::new(false),
            waiting: Mutex::new(None),
        });
        states.push(Arc::clone(&state));
        let builder = std::thread::Builder::new().name(task.name.clone());
        let thread = builder.spawn(move || body(task, &state));
        threads.push(thread.expect("the system has room for one more thread"));
    }
    let hung = watch(&run, &states, patience);
    if !hung {
        for thread in threads {
            thread.join().expect("a task's panics are caught in it");
        }
    }
    let failure = lock(&run.failure).take();
    End {
        outcome: failure.map_or(Outcome::Finished, Outcome::Failed),
        trace_hash: 0,
        points: 0,
        switches: 0,
        elapsed: started.elapsed(),
        schedule: crate::schedule::Schedule::default(),
        profile: crate::profile::Profile::default(),
        trace: Vec::new(),
        stands: Vec::new(),
    }
}

fn body(task: Task, state: &Arc<TaskState>) {
    TASK.set(Some(Arc::clone(state)));
    crate::world::running_tasks(true);
    if let Err(panic) = crate::world::guarded(task.body) {
        state.run.fail(Failure::Panicked { task: task.name, panic });
    }
    TASK.set(None);
    state.done.store(true, Ordering::SeqCst);
}

/// Waits for all tasks; true if some had to be left behind because they never came to an end.
fn watch(run: &Run, states: &[Arc<TaskState>], patience: Duration) -> bool {
    let mut last = (0, Instant::now());
    loop {
        std::thread::sleep(Duration::from_millis(2));
        if states.iter().all(|state| state.done.load(Ordering::SeqCst)) {
            return false;
        }
        let progress: u64 = states.iter().map(|s| s.progress.load(Ordering::Relaxed)).sum();
        if progress != last.0 {
            last = (progress, Instant::now());
        } else if patience < last.1.elapsed() {
            if run.stopped.load(Ordering::SeqCst) {
                return true;
            }
            let alive = states.iter().filter(|state| !state.done.load(Ordering::SeqCst));
            run.fail(Failure::Hung(alive.map(|state| state.blocked()).collect()));
            last.1 = Instant::now();
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn with_task<R>(f: impl FnOnce(&TaskState) -> R) -> Option<R> {
    TASK.with_borrow(|task| task.as_deref().map(f))
}

fn note_wait(site: Option<Site>) {
    with_task(|task| {
        *lock(&task.waiting) = site;
        if site.is_none() {
            task.progress.fetch_add(1, Ordering::Relaxed);
        }
    });
}

/// Leaves the task: its run is over.
fn abandon() -> ! {
    resume_unwind(Box::new(Abandoned))
}

/// See [`crate::pause`].
pub(crate) fn pause() {
    std::thread::yield_now();
    if stopping() {
        abandon();
    }
}

/// See [`crate::sleep`].
pub(crate) fn sleep(time: Duration) {
    let until = Instant::now() + time;
    loop {
        let left = until.saturating_duration_since(Instant::now());
        std::thread::sleep(left.min(LOOK_UP));
        if stopping() {
            abandon();
        }
        if left <= LOOK_UP {
            return;
        }
        // A task that was told to sleep for long does not hang. One that looks up often does not
        // thereby get on.
        with_task(|task| task.progress.fetch_add(1, Ordering::Relaxed));
    }
}

/// See [`crate::now`]. Outside a world this is zero.
pub(crate) fn now() -> Duration {
    with_task(|task| task.run.started.elapsed()).unwrap_or_default()
}

/// See [`crate::begin_operation`].
pub(crate) fn begin_operation(number: u64) {
    with_task(|task| {
        task.operation.store(number, Ordering::Relaxed);
        task.progress.fetch_add(1, Ordering::Relaxed);
    });
}

/// See [`crate::current_task`].
pub(crate) fn current_task() -> usize {
    with_task(|task| task.number).unwrap_or(0)
}

/// See [`crate::current_operation`].
pub(crate) fn current_operation() -> u64 {
    with_task(TaskState::operation).unwrap_or(0)
}

/// See [`crate::stop`].
pub(crate) fn stop(why: &str) {
    with_task(|task| task.run.fail(Failure::Stopped(why.to_owned())));
}

/// See [`crate::stopping`].
pub(crate) fn stopping() -> bool {
    with_task(|task| task.run.stopped.load(Ordering::Relaxed)).unwrap_or(false)
}
