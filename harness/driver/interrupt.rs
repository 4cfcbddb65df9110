//! SIGINT and SIGTERM: the first asks the run to end, the second ends the process at once.
//!
//! The signals are blocked and read from a descriptor, so that no handler runs in the middle of
//! anything. A process that ends at once still leaves nothing behind: backing files have no name,
//! and the kernel detaches loop devices when their last user is gone.

use crate::exit::Exit;
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Catches the two signals.
pub struct Interrupts {
    signals: Option<SignalFd>,
    raised: Arc<AtomicBool>,
    first: Cell<Option<Exit>>,
}

impl Interrupts {
    /// From here on the signals are caught, and nothing happens before somebody looks.
    ///
    /// Must be called before other threads are started: they inherit what is blocked. Where the
    /// kernel refuses, the signals keep ending the process.
    pub fn catch() -> Interrupts {
        let mask = SigSet::from_iter([Signal::SIGINT, Signal::SIGTERM]);
        let flags = SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC;
        let signals = SignalFd::with_flags(&mask, flags).ok();
        let signals = signals.filter(|_| mask.thread_block().is_ok());
        Interrupts { signals, raised: Arc::new(AtomicBool::new(false)), first: Cell::new(None) }
    }

    /// The flag that asks a storm to end.
    pub fn flag(&self) -> &Arc<AtomicBool> {
        &self.raised
    }

    /// How the process has to end, if a signal came.
    pub fn caught(&self) -> Option<Exit> {
        self.first.get()
    }

    /// Looks for signals. True if the first one has just come; with the second, does not return.
    pub fn look(&self) -> bool {
        let Some(signals) = &self.signals else { return false };
        let mut news = false;
        while let Ok(Some(signal)) = signals.read_signal() {
            let terminated = i32::try_from(signal.ssi_signo) == Ok(nix::libc::SIGTERM);
            let exit = if terminated { Exit::Terminated } else { Exit::Interrupted };
            if self.first.get().is_some() {
                std::process::exit(exit.code().into());
            }
            self.first.set(Some(exit));
            self.raised.store(true, Ordering::SeqCst);
            news = true;
        }
        news
    }
}
