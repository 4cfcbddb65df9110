//! Work on a pool of threads, while the command looks for signals and tells how far it is.

use rayon::ThreadPool;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// How often the command looks.
const LOOK_UP: Duration = Duration::from_millis(10);

/// Does `work` on the pool, and calls `look` now and then until it is done.
pub fn attended<R: Send + Sync>(
    pool: &ThreadPool,
    mut look: impl FnMut(),
    work: impl FnOnce() -> R + Send,
) -> R {
    let (result, over) = (OnceLock::new(), AtomicBool::new(false));
    pool.in_place_scope(|scope| {
        let (result, over) = (&result, &over);
        scope.spawn(move |_| {
            let _over = RaiseAtTheEnd(over);
            drop(result.set(work()));
        });
        while !over.load(Ordering::SeqCst) {
            sim::sleep(LOOK_UP);
            look();
        }
    });
    result.into_inner().expect("the scope ends after the work, which sets it or panics")
}

/// Raises its flag whether the work ends or panics.
struct RaiseAtTheEnd<'a>(&'a AtomicBool);

impl Drop for RaiseAtTheEnd<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}
