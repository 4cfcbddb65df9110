//! Page faults of memory that somebody else supplies: `userfaultfd(2)`.

use crate::memory::PAGE;
use crate::refusal::Refusal;
use nix::errno::Errno;
use nix::fcntl::{OFlag, open};
use nix::libc;
use nix::sys::stat::Mode;
use nix::unistd::read;
use std::ffi::c_void;
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

    /// From now on missing pages of `len` bytes at `start` are asked for.
    pub(crate) fn register(&self, start: *mut c_void, len: usize) -> Result<(), Errno> {
        let range = range(start, len);
        let mut register = kernel::Register { range, mode: kernel::MISSING, ioctls: 0 };
        // SAFETY: the kernel reads and writes one `Register`; the pages keep what they hold.
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
    pub(crate) fn supply(&self, to: *mut c_void, from: *mut c_void) -> Result<(), Errno> {
        let mut copy =
            kernel::Copy { to: address(to), from: address(from), len: page(), mode: 0, copied: 0 };
        // SAFETY: both are pages of ours, known by address only, and the kernel writes one `Copy`.
        #[expect(unsafe_code, reason = "an ioctl")]
        match unsafe { kernel::raw::copy(self.number(), &raw mut copy) } {
            Err(Errno::EEXIST) => self.wake(to),
            done => done.map(drop),
        }
    }

    /// Lets go on who waits for the page at `at`: it is looked for again.
    pub(crate) fn wake(&self, at: *mut c_void) -> Result<(), Errno> {
        let mut range = range(at, PAGE);
        // SAFETY: the kernel reads one `Range`.
        #[expect(unsafe_code, reason = "an ioctl")]
        unsafe { kernel::raw::wake(self.number(), &raw mut range) }.map(drop)
    }

    /// Makes a missing page one that nobody can read, and lets go on who waits for it.
    pub(crate) fn poison(&self, at: *mut c_void) -> Result<(), Errno> {
        let mut poison = kernel::Poison { range: range(at, PAGE), mode: 0, updated: 0 };
        // SAFETY: the page is ours, known by address only, and the kernel writes one `Poison`.
        #[expect(unsafe_code, reason = "an ioctl")]
        unsafe { kernel::raw::poison(self.number(), &raw mut poison) }.map(drop)
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

fn range(start: *mut c_void, len: usize) -> kernel::Range {
    kernel::Range { start: address(start), len: u64::try_from(len).expect("it fits") }
}

/// An address as the kernel tells it.
pub(crate) fn address(of: *mut c_void) -> u64 {
    u64::try_from(of.addr()).expect("it fits")
}

fn page() -> u64 {
    u64::try_from(PAGE).expect("it fits")
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
