//! The world: who runs, when, in what order.
//!
//! A *task* is one flow of control: an actor, a device worker. In the *threads* world a task is an
//! OS thread; in the *simulated* world it is a coroutine, and one *strategy* decides at every
//! *point* which task goes on. The code that runs in a world never learns which one it is in: it
//! locks, waits, sleeps and passes points, and all of these stop in [`WaitQueue`] or in the few
//! functions beside it.
//!
//! A *schedule* is the list of a run's deviations from the default rule (stay with the current
//! task, else the lowest one that can run). It names places by task, operation and n-th point
//! within that operation, so that removing one operation leaves the rest of a schedule valid.
//!
//! What this does not explore: reorderings by weak memory. Between two points a simulation is
//! sequentially consistent.

pub mod rank;
pub mod site;
pub mod wait;
pub mod sync;
pub mod profile;
pub mod world;
pub mod chance;
pub mod schedule;
pub mod strategy;
mod simulated;
mod threads;

pub use rank::Rank;
pub use site::Site;
pub use sync::{Lock, Mutex, MutexGuard, Ranked, RwLock, RwLockReadGuard, RwLockWriteGuard};
pub use wait::{
    WaitQueue, begin_operation, choice, current_operation, current_task, explore, now, pause,
    point, points_passed, sleep, stop, stopping, tasks,
};
pub use world::{
    End, Failure, Hold, Onlooker, Outcome, Passage, Record, Settings, Stand, State, World,
};
