//! Page faults of memory that somebody else supplies: `userfaultfd(2)`.

use crate::memory::{PAGE, Pages};
use crate::refusal::Refusal;
use nix::errno::Errno;
use nix::fcntl::{OFlag, open};
use nix::libc;
use nix::sys::mman::MmapAdvise;
use nix::sys::stat::Mode;
use nix::unistd::read;
use std::ops::Range;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};

/// Told of every fault on a missing page of what is registered with it, and lets nobody go on who has
/// met one until that is answered.
#[derive(Debug)]
pub(crate) struct Faults {
    fd: OwnedFd,
}

const CLOEXEC: libc::c_int = OFlag::O_CLOEXEC.bits();
const NONBLOCK: libc::c_int = OFlag::O_NONBLOCK.bits();

/// What to do where it may not be had.
pub(crate) const ADVICE: &str = "run as root or with CAP_SYS_PTRACE; or have root do `sysctl \
                      vm.unprivileged_userfaultfd=1`, or give you read and write access to \
                      /dev/userfaultfd: faults that the kernel takes while it copies are only told to \
                      those who are allowed to";

impl Faults {
    /// One that is told of faults of the kernel, too.
    pub(crate) fn open() -> Result<Faults, Refusal> {
        let fd = asked().or_else(|error| from_device().map_err(|_| error));
        let fd = fd.map_err(|error| Refusal::errno("userfaultfd", error, ADVICE))?;
        let faults = Faults { fd };
        let mut api = kernel::Api { version: kernel::VERSION, features: 0, ioctls: 0 };
        // SAFETY: the kernel reads and writes one `Api`, which is exclusively ours.
        #[expect(unsafe_code, reason = "an ioctl")]
        let agreed = unsafe { kernel::raw::api(faults.number(), &raw mut api) };
        agreed.map_err(|error| {
            Refusal::errno("the interface of userfaultfd", error, "use a kernel of 4.11 or later")
        })?;
        Ok(faults)
    }

    /// From now on missing pages of that range of `pages` are asked for.
    pub(crate) fn register(&self, pages: &Pages, at: Range<usize>) -> Result<(), Errno> {
        let range = range(pages, at.start, at.len());
        let mut register = kernel::Register { range, mode: kernel::MISSING, ioctls: 0 };
        // SAFETY: the kernel reads and writes one `Register`. The pages keep what they hold, and only the
        // kernel comes to them.
        #[expect(unsafe_code, reason = "an ioctl")]
        unsafe { kernel::raw::register(self.number(), &raw mut register) }.map(drop)
    }

    /// The address of the page that somebody has met and does not have, if anybody has.
    pub(crate) fn next(&self) -> Result<Option<u64>, Errno> {
        let mut message = [0_u8; kernel::MESSAGE];
        loop {
            match read(&self.fd, &mut message) {
                Ok(kernel::MESSAGE) if message[0] == kernel::PAGEFAULT => {
                    let address = message[16..24].try_into().expect("eight bytes");
                    return Ok(Some(u64::from_ne_bytes(address)));
                }
                Ok(_) => {}
                Err(Errno::EAGAIN) => return Ok(None),
                Err(error) => return Err(error),
            }
        }
    }

    /// Puts the page at `from` where a page is missing, and lets go on who waits for it. One that is
    /// there already stays as it is.
    pub(crate) fn supply(
        &self,
        (to, at): (&Pages, usize),
        (from, page): (&Pages, usize),
    ) -> Result<(), Errno> {
        let kernel::Range { start: source, len } = range(from, page, PAGE);
        let target = range(to, at, PAGE).start;
        let mut copy = kernel::Copy { to: target, from: source, len, mode: 0, copied: 0 };
        // SAFETY: both are pages that only the kernel comes to, and it writes one `Copy`.
        #[expect(unsafe_code, reason = "an ioctl")]
        match unsafe { kernel::raw::copy(self.number(), &raw mut copy) } {
            Err(Errno::EEXIST) => self.wake(to, at..at + PAGE),
            done => done.map(drop),
        }
    }

    /// Lets go on who waits for one of these pages: it is looked for again.
    pub(crate) fn wake(&self, pages: &Pages, at: Range<usize>) -> Result<(), Errno> {
        let mut range = range(pages, at.start, at.len());
        // SAFETY: the kernel reads one `Range`.
        #[expect(unsafe_code, reason = "an ioctl")]
        unsafe { kernel::raw::wake(self.number(), &raw mut range) }.map(drop)
    }

    /// Makes a page one that nobody can read, whatever it held, and lets go on who waits for it.
    pub(crate) fn poison(&self, pages: &Pages, at: usize) -> Result<(), Errno> {
        pages.advise(at..at + PAGE, MmapAdvise::MADV_DONTNEED)?;
        let mut poison = kernel::Poison { range: range(pages, at, PAGE), mode: 0, updated: 0 };
        // SAFETY: only the kernel comes to the page, and it writes one `Poison`.
        #[expect(unsafe_code, reason = "an ioctl")]
        unsafe { kernel::raw::poison(self.number(), &raw mut poison) }.map(drop)
    }

    /// Makes a page one that nobody can read, of pages that nobody watches.
    pub(crate) fn lose(&self, pages: &Pages, at: usize) -> Result<(), Errno> {
        self.register(pages, at..at + PAGE)?;
        self.poison(pages, at)
    }

    fn number(&self) -> RawFd {
        self.fd.as_raw_fd()
    }
}

/// Whether the system call gives one.
pub(crate) fn by_call() -> Result<(), Errno> {
    asked().map(drop)
}

/// Whether the device gives one.
pub(crate) fn by_device() -> Result<(), Errno> {
    from_device().map(drop)
}

/// By the system call.
fn asked() -> Result<OwnedFd, Errno> {
    // SAFETY: it takes flags and returns a descriptor that nobody else has.
    #[expect(unsafe_code, reason = "a system call that has no wrapper")]
    unsafe {
        let fd = libc::syscall(libc::SYS_userfaultfd, CLOEXEC | NONBLOCK);
        let fd = RawFd::try_from(fd).expect("descriptors are small");
        if fd < 0 { Err(Errno::last()) } else { Ok(OwnedFd::from_raw_fd(fd)) }
    }
}

/// By the device, whose permissions say who may.
fn from_device() -> Result<OwnedFd, Errno> {
    let device = open("/dev/userfaultfd", OFlag::O_RDWR | OFlag::O_CLOEXEC, Mode::empty())?;
    // SAFETY: it takes flags and returns a descriptor that nobody else has.
    #[expect(unsafe_code, reason = "an ioctl")]
    unsafe {
        let fd = libc::ioctl(device.as_raw_fd(), kernel::NEW, CLOEXEC | NONBLOCK);
        if fd < 0 { Err(Errno::last()) } else { Ok(OwnedFd::from_raw_fd(fd)) }
    }
}

fn range(pages: &Pages, at: usize, len: usize) -> kernel::Range {
    assert!(at + len <= pages.len(), "the range is of these pages");
    kernel::Range { start: address(pages, at), len: u64::try_from(len).expect("it fits") }
}

/// An address as the kernel tells it.
pub(crate) fn address(pages: &Pages, at: usize) -> u64 {
    u64::try_from(pages.address(at).addr()).expect("it fits")
}

/// The kernel's interface, as in `linux/userfaultfd.h`.
mod kernel {
    use nix::libc;

    pub(super) const VERSION: u64 = 0xaa;
    pub(super) const MISSING: u64 = 1;
    pub(super) const PAGEFAULT: u8 = 0x12;

    /// Bytes of `struct uffd_msg`.
    pub(super) const MESSAGE: usize = 32;

    /// `USERFAULTFD_IOC_NEW`.
    pub(super) const NEW: libc::Ioctl = nix::request_code_none!(0xaa, 0);

    /// `struct uffdio_api`.
    #[repr(C)]
    pub(super) struct Api {
        pub(super) version: u64,
        pub(super) features: u64,
        pub(super) ioctls: u64,
    }

    /// `struct uffdio_range`.
    #[repr(C)]
    pub(super) struct Range {
        pub(super) start: u64,
        pub(super) len: u64,
    }

    /// `struct uffdio_register`.
    #[repr(C)]
    pub(super) struct Register {
        pub(super) range: Range,
        pub(super) mode: u64,
        pub(super) ioctls: u64,
    }

    /// `struct uffdio_copy`.
    #[repr(C)]
    pub(super) struct Copy {
        pub(super) to: u64,
        pub(super) from: u64,
        pub(super) len: u64,
        pub(super) mode: u64,
        pub(super) copied: i64,
    }

    /// `struct uffdio_poison`.
    #[repr(C)]
    pub(super) struct Poison {
        pub(super) range: Range,
        pub(super) mode: u64,
        pub(super) updated: i64,
    }

    pub(super) mod raw {
        nix::ioctl_readwrite!(api, 0xaa, 0x3f, super::Api);
        nix::ioctl_readwrite!(register, 0xaa, 0, super::Register);
        nix::ioctl_read!(wake, 0xaa, 2, super::Range);
        nix::ioctl_readwrite!(copy, 0xaa, 3, super::Copy);
        nix::ioctl_readwrite!(poison, 0xaa, 8, super::Poison);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::allowed::is_allowed;
    use crate::memory::{Memory, Missing, write_from};

    /// What somebody is told who meets a missing page.
    #[derive(Debug, Clone, Copy)]
    enum Answer {
        Supply,
        Poison,
        Lose(Missing<'static>),
    }

    #[test]
    fn who_meets_a_missing_page_gets_what_is_supplied_or_an_error() {
        if !is_allowed("page faults", &["/proc/sys/vm/unprivileged_userfaultfd"]) {
            return;
        }
        for (answer, expected) in [
            (Answer::Supply, Ok(8192)),
            (Answer::Poison, Ok(4096)),
            (Answer::Lose(Missing::Protected), Ok(4096)),
            (Answer::Lose(Missing::Unmapped), Ok(4096)),
        ] {
            let (faults, file) = (Faults::open().unwrap(), tempfile::tempfile().unwrap());
            let mut there = Memory::apart(2 * PAGE).unwrap();
            there.put(0, &[5; PAGE]);
            let mut shelf = Memory::anonymous(PAGE).unwrap();
            shelf.put(0, &[7; PAGE]);
            let (pages, shelf) = (there.into_pages(), shelf.into_pages());
            faults.register(&pages, 0..pages.len()).unwrap();
            assert_eq!(faults.next(), Ok(None), "nobody came yet");
            let write = || {
                let piece = [(pages.address(0).cast_const(), 2 * PAGE)];
                write_from(&file, &piece, Some(0))
            };
            let written = std::thread::scope(|scope| {
                let writer = scope.spawn(write);
                let met = loop {
                    if let Some(met) = faults.next().unwrap() {
                        break met;
                    }
                };
                assert_eq!(met, address(&pages, PAGE), "{answer:?}");
                match answer {
                    Answer::Supply => faults.supply((&pages, PAGE), (&shelf, 0)),
                    Answer::Poison => faults.poison(&pages, PAGE),
                    Answer::Lose(how) => pages
                        .lose(PAGE..2 * PAGE, how)
                        .and_then(|()| faults.wake(&pages, PAGE..2 * PAGE)),
                }
                .unwrap();
                writer.join().unwrap()
            });
            assert_eq!(written, expected, "{answer:?}");
            let bytes = std::fs::read(format!("/proc/self/fd/{}", file.as_raw_fd())).unwrap();
            let whole = [[5; PAGE], [7; PAGE]].concat();
            assert!(bytes == whole[..bytes.len()], "{answer:?}");
        }
    }
}
