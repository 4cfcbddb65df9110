//! A process that makes system calls for us, in an address space of its own.
//!
//! It is a fork that shares our descriptors, sleeps until there is a call to make, makes it, and says what it
//! returned. It is killed when it is dropped, and when the thread that made it ends, however that ends; one
//! that waits in the kernel then, for a disk that is held, dies when that lets go of it.

use crate::forked::forked_sharing_descriptors;
use crate::memory::Numbers;
use nix::errno::Errno;
use nix::libc;
use nix::sys::prctl::{set_name, set_pdeathsig};
use nix::sys::signal::{SigSet, SigmaskHow, Signal, kill};
use nix::sys::uio::{RemoteIoVec, process_vm_readv};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::{Pid, getpid, getppid};
use rustix::thread::futex;
use sim::{Mutex, Rank, sync};
use std::io::IoSliceMut;
use std::sync::atomic::{AtomicBool, Ordering};

/// See the module.
#[derive(Debug)]
pub(crate) struct Companion {
    child: Pid,
    shared: Numbers,
    /// How many calls it was asked for. Who holds this is the only one that asks.
    calls: Mutex<u32>,
    lost: AtomicBool,
}

/// A system call by its number, and what it is given.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Call {
    /// `SYS_...`.
    pub(crate) number: libc::c_long,
    /// As registers hold them.
    pub(crate) arguments: [u64; 6],
}

static CALLS: Rank = Rank::new(13, "calls of a companion");

impl Companion {
    /// Forks it. What is mapped in this process meanwhile may be mapped there, too, and keep a filesystem
    /// mounted: runs on real filesystems follow one another, and map nothing before they have these.
    pub(crate) fn new() -> Result<Companion, Errno> {
        let (shared, parent) = (Numbers::zero()?, getpid());
        // What is sent to all processes of a terminal is for us to hear, and a handler of ours would run there
        // with descriptors that are ours.
        let before = SigSet::all().thread_swap_mask(SigmaskHow::SIG_SETMASK)?;
        let forked = forked_sharing_descriptors(|| serve(&shared, parent));
        before.thread_set_mask()?;
        let (calls, lost) = (sync::mutex(&CALLS, 0, READY), AtomicBool::new(false));
        let companion = Companion { child: forked?, shared, calls, lost };
        // Were this thread to end before that, nobody would tell the companion.
        let is_ready = heard(&companion.shared, ANSWERED, READY, Some(&|| companion.is_there()));
        companion.lost.store(!is_ready, Ordering::Relaxed);
        if is_ready { Ok(companion) } else { Err(Errno::ESRCH) }
    }

    /// Has it make `call`, and waits: what it returned. `ESRCH`: somebody has killed it.
    ///
    /// # Safety
    ///
    /// That of the call, in a copy of our memory as it was when the companion was forked.
    #[expect(unsafe_code, reason = "any system call")]
    pub(crate) unsafe fn call(&self, call: Call) -> Result<usize, Errno> {
        let mut calls = self.calls.lock();
        if self.is_lost() {
            return Err(Errno::ESRCH);
        }
        *calls = calls.wrapping_add(1);
        call.put(&self.shared);
        say(&self.shared, ASKED, *calls);
        if !heard(&self.shared, ANSWERED, *calls, Some(&|| self.is_there())) {
            self.lost.store(true, Ordering::Relaxed);
            return Err(Errno::ESRCH);
        }
        decoded(self.shared.number(RETURNED).load(Ordering::Relaxed).cast_signed())
    }

    /// Copies what lies at `at` in its memory, without a word to it: how many bytes came before there was
    /// none. Pages that are not there are faulted in.
    pub(crate) fn peek(&self, at: usize, bytes: &mut [u8]) -> Result<usize, Errno> {
        if self.is_lost() {
            return Err(Errno::ESRCH);
        }
        let there = RemoteIoVec { base: at, len: bytes.len() };
        process_vm_readv(self.child, &mut [IoSliceMut::new(bytes)], &[there])
    }

    /// Whether it was found to be gone.
    pub(crate) fn is_lost(&self) -> bool {
        self.lost.load(Ordering::Relaxed)
    }

    fn is_there(&self) -> bool {
        self.wait(WaitPidFlag::WNOHANG) == Ok(WaitStatus::StillAlive)
    }

    /// Nobody but us is told of its end, so that its number stays its own until this was answered.
    fn wait(&self, how: WaitPidFlag) -> Result<WaitStatus, Errno> {
        loop {
            match waitpid(self.child, Some(how | WaitPidFlag::__WALL)) {
                Err(Errno::EINTR) => {}
                told => return told,
            }
        }
    }

    /// Kills it.
    pub(crate) fn kill(&self) {
        // Its number may be that of another process once it was waited for.
        if !self.is_lost() {
            let _ = kill(self.child, Signal::SIGKILL);
        }
    }
}

impl Drop for Companion {
    fn drop(&mut self) {
        self.kill();
        if !self.is_lost() {
            let _ = self.wait(WaitPidFlag::empty());
        }
    }
}

// Where everything lies in the page that both have. The words are numbers, of which one half is used.
const ASKED: usize = 0;
const ANSWERED: usize = 1;
const RETURNED: usize = 2;
const NUMBER: usize = 3;
const ARGUMENTS: usize = 4;

/// What is answered to no call: that there is somebody.
const READY: u32 = 1;

/// Makes every call that is asked for, until it is killed.
fn serve(shared: &Numbers, parent: Pid) -> i32 {
    let _ = set_name(c"pagestorm-mm");
    // The parent may have died before its death could be asked for.
    if set_pdeathsig(Signal::SIGKILL).is_err() || getppid() != parent {
        return 1;
    }
    let mut calls = READY;
    say(shared, ANSWERED, calls);
    loop {
        calls = calls.wrapping_add(1);
        answer(shared, calls);
    }
}

/// Waits for the call of that number, makes it, and says what it returned.
fn answer(shared: &Numbers, count: u32) {
    heard(shared, ASKED, count, None);
    // SAFETY: whoever asked for the call vouches for it.
    #[expect(unsafe_code, reason = "any system call")]
    let returned = unsafe { Call::taken(shared).returned() };
    shared.number(RETURNED).store(returned.cast_unsigned(), Ordering::Relaxed);
    say(shared, ANSWERED, count);
}

/// Tells whoever waits for `count` at `word`.
fn say(shared: &Numbers, word: usize, count: u32) {
    let word = shared.word(word);
    word.store(count, Ordering::Release);
    // Nobody may be waiting yet.
    let _ = futex::wake(word, futex::Flags::empty(), 1);
}

/// Waits until `count` is said at `word`. Whether it was: `goes_on`, if there is one, is asked each second.
fn heard(shared: &Numbers, word: usize, count: u32, goes_on: Option<&dyn Fn() -> bool>) -> bool {
    let word = shared.word(word);
    let second = goes_on.map(|_| futex::Timespec { tv_sec: 1, tv_nsec: 0 });
    loop {
        let said = word.load(Ordering::Acquire);
        if said == count {
            return true;
        }
        let waited = futex::wait(word, futex::Flags::empty(), said, second.as_ref());
        let is_late = waited == Err(rustix::io::Errno::TIMEDOUT);
        if is_late && goes_on.is_some_and(|goes_on| !goes_on()) {
            return false;
        }
    }
}

impl Call {
    /// Puts it where the other process takes it.
    fn put(self, shared: &Numbers) {
        shared.number(NUMBER).store(self.number.cast_unsigned(), Ordering::Relaxed);
        for (nth, argument) in self.arguments.into_iter().enumerate() {
            shared.number(ARGUMENTS + nth).store(argument, Ordering::Relaxed);
        }
    }

    fn taken(shared: &Numbers) -> Call {
        let taken = |nth| shared.number(nth).load(Ordering::Relaxed);
        let number = taken(NUMBER).cast_signed();
        Call { number, arguments: std::array::from_fn(|nth| taken(ARGUMENTS + nth)) }
    }

    /// Makes it in this process.
    ///
    /// # Safety
    ///
    /// That of the call.
    #[expect(unsafe_code, reason = "any system call")]
    pub(crate) unsafe fn make(self) -> Result<usize, Errno> {
        // SAFETY: the caller vouches for it.
        decoded(unsafe { self.returned() })
    }

    /// The same: what the kernel returns, which is a negative number of an error where it failed.
    #[expect(unsafe_code, reason = "any system call")]
    unsafe fn returned(self) -> i64 {
        let [first, second, third, fourth, fifth, sixth] = self.arguments;
        // SAFETY: the caller vouches for it.
        let returned =
            unsafe { libc::syscall(self.number, first, second, third, fourth, fifth, sixth) };
        if returned == -1 { -i64::from(Errno::last_raw()) } else { returned }
    }
}

fn decoded(returned: i64) -> Result<usize, Errno> {
    let error = || Errno::from_raw(i32::try_from(-returned).unwrap_or(libc::EINVAL));
    usize::try_from(returned).map_err(|_| error())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn pid(companion: &Companion) -> Result<usize, Errno> {
        // SAFETY: it only asks.
        #[expect(unsafe_code, reason = "a system call")]
        unsafe {
            companion.call(Call { number: libc::SYS_getpid, arguments: [0; 6] })
        }
    }

    #[test]
    fn calls_are_made_by_the_companion_and_errors_come_back() {
        let companion = Companion::new().unwrap();
        for _ in 0..100 {
            assert_eq!(
                pid(&companion),
                usize::try_from(companion.child.as_raw()).map_err(|_| Errno::EINVAL)
            );
        }
        let close = Call { number: libc::SYS_close, arguments: [u64::MAX, 0, 0, 0, 0, 0] };
        // SAFETY: nobody has such a descriptor.
        #[expect(unsafe_code, reason = "a system call")]
        let closed = unsafe { companion.call(close) };
        assert_eq!(closed, Err(Errno::EBADF));
    }

    #[test]
    fn it_hears_no_signals_and_is_gone_when_it_is_dropped() {
        let companion = Companion::new().unwrap();
        pid(&companion).unwrap();
        let status = format!("/proc/{}/status", companion.child);
        let blocked = |status: &str| {
            let text = fs::read_to_string(status).unwrap();
            let set = text
                .lines()
                .find_map(|line| line.strip_prefix("SigBlk:"))
                .unwrap()
                .trim()
                .to_owned();
            u64::from_str_radix(&set, 16).unwrap()
        };
        let interrupt = 1 << (libc::SIGINT - 1);
        assert_ne!(blocked(&status) & interrupt, 0);
        assert_eq!(blocked("/proc/thread-self/status") & interrupt, 0, "we still do");
        drop(companion);
        assert!(fs::metadata(&status).is_err());
    }

    #[test]
    fn one_that_was_killed_is_lost_and_nobody_waits_for_it() {
        let (killed, other) = (Companion::new().unwrap(), Companion::new().unwrap());
        killed.kill();
        assert_eq!((pid(&killed), pid(&killed)), (Err(Errno::ESRCH), Err(Errno::ESRCH)));
        assert_eq!(killed.peek(0, &mut [0]), Err(Errno::ESRCH));
        assert!(killed.is_lost() && !other.is_lost());
        pid(&other).unwrap();
    }

    #[test]
    fn it_ends_with_the_thread_that_made_it() {
        let made = std::thread::scope(|scope| scope.spawn(Companion::new).join().unwrap()).unwrap();
        for _ in 0..1000 {
            if !made.is_there() {
                return made.lost.store(true, Ordering::Relaxed);
            }
            sim::sleep(std::time::Duration::from_millis(10));
        }
        panic!("it is still there");
    }
}
