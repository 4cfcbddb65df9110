//! A process that is forked: it does one thing, and then ends.
//!
//! It keeps what its parent has in memory, and nothing of what its parent wants done: it neither returns, nor
//! unwinds into its caller, nor tells of a panic, which might print, or write down results that are not its
//! own.

use nix::errno::Errno;
use nix::libc;
use nix::unistd::{ForkResult, Pid, fork, getpid};
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::sync::Once;

/// Has another process do `work`. What that answers is the status it ends with; 1 if it panics.
///
/// The child has only the thread that called. So `work` uses only what it is given, of which no other thread
/// holds a lock, and memory: the C library's own fork, which this is, leaves its allocator usable there. It
/// has no mapping of any file of a filesystem, which it would keep mounted: those are not for children.
#[expect(
    unsafe_code,
    reason = "a fork: another process must go on while all of this one stands still"
)]
pub(crate) fn forked(work: impl FnOnce() -> i32) -> Result<Pid, Errno> {
    keep_panics_here();
    // SAFETY: see above for what the child uses. It does not leave this function.
    match unsafe { fork() }? {
        ForkResult::Parent { child } => Ok(child),
        ForkResult::Child => end(catch_unwind(AssertUnwindSafe(work)).unwrap_or(1)),
    }
}

/// The same, but the child has the descriptors of its parent and no copies of them, and no signal tells of its
/// end. The allocator may be locked there: `work` makes system calls, and nothing else.
#[expect(unsafe_code, reason = "a fork: another process has an address space of its own")]
pub(crate) fn forked_sharing_descriptors(work: impl FnOnce() -> i32) -> Result<Pid, Errno> {
    keep_panics_here();
    let (flags, none) = (i64::from(libc::CLONE_FILES), 0_i64);
    // SAFETY: see above for what the child uses. It does not leave this function.
    let forked = unsafe { libc::syscall(libc::SYS_clone, flags, none, none, none, none) };
    match Errno::result(forked)? {
        0 => end(catch_unwind(AssertUnwindSafe(work)).unwrap_or(1)),
        child => Ok(Pid::from_raw(i32::try_from(child).expect("the number of a process"))),
    }
}

/// The parent sees to that, once, before it forks: a child that set a hook would wait for ever if another
/// thread of its parent was just telling of a panic. Whoever sets a hook later calls the one before, which is
/// this one.
fn keep_panics_here() {
    static ONCE: Once = Once::new();
    ONCE.call_once(tell_here_only);
}

/// From now on only this process tells of panics in the way that was set until now.
fn tell_here_only() {
    let (tell, here) = (take_hook(), getpid());
    set_hook(Box::new(move |info| {
        if getpid() == here {
            tell(info);
        }
    }));
}

/// Without anything that the parent would do at its end.
fn end(code: i32) -> ! {
    // SAFETY: it ends this process, and runs nothing of it before.
    #[expect(unsafe_code, reason = "what is to be done at the end of the parent is not ours to do")]
    unsafe {
        libc::_exit(code);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::Numbers;
    use nix::sys::wait::{WaitStatus, waitpid};
    use std::sync::Arc;
    use std::sync::atomic::Ordering;

    /// Of a panic that is told of.
    const WORDS: &str = "a panic in a test of forks";

    #[test]
    fn what_panics_in_a_child_is_not_told_by_its_parents_hook() {
        let told = Arc::new(Numbers::zero().unwrap());
        let (tell, count) = (take_hook(), Arc::clone(&told));
        set_hook(Box::new(move |info| match info.payload_as_str() {
            Some(WORDS) => drop(count.number(0).fetch_add(1, Ordering::SeqCst)),
            _ => tell(info),
        }));
        // Somebody else has forked before, perhaps.
        tell_here_only();
        for panics in [false, true] {
            let child = forked(|| {
                assert!(!panics, "{WORDS}");
                7
            });
            let child = child.unwrap();
            let code = if panics { 1 } else { 7 };
            assert_eq!(waitpid(child, None), Ok(WaitStatus::Exited(child, code)));
        }
        assert_eq!(told.number(0).load(Ordering::SeqCst), 0, "the child has told nobody");
        assert!(catch_unwind(|| panic!("{WORDS}")).is_err());
        assert_eq!(told.number(0).load(Ordering::SeqCst), 1, "and its parent still does");
    }
}
