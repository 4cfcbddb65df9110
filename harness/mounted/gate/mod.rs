//! A gate before the disk: a loop device over a file whose reads and writes go through a process of ours,
//! which holds them, fails them or lets them wait as it is told.
//!
//! That process never touches the filesystem that stands on the device, so whatever is held up there can
//! always be let go from here. It is a fork: it needs no program of its own, and keeps no descriptor
//! but those that it serves. It lets everything go when its parent dies, even while a thread of the parent
//! still waits in the kernel for what is held; the kernel fails all that is held when it dies itself.
//! It ends once nothing is mounted on the device any more, which the kernel sees to when the parent is
//! gone, and some seconds after the parent at the latest.

mod wire;
mod rules;
mod data;
mod failed;
mod link;
mod parent;
mod server;

pub use failed::Failed;
pub use link::Counted;
pub use rules::{Access, Chances, Rule, What};

use crate::detached;
use crate::forked::forked;
use crate::refusal::Refusal;
use block::LoopDevice;
use link::{Asked, Link};
use nix::errno::Errno;
use nix::fcntl::{OFlag, open};
use nix::sys::socket::{AddressFamily, SockFlag, SockType, socketpair};
use nix::sys::stat::{Mode, fstat};
use nix::sys::wait::waitpid;
use nix::unistd::{Pid, getegid, geteuid};
use server::Server;
use std::fs::File;
use std::ops::Range;
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// See the module. Whatever stands on its device must be gone before it is.
pub struct Gate {
    /// `None` once it has been dropped, before the process that serves it.
    device: Option<LoopDevice>,
    link: Option<Link>,
    server: Pid,
    failed: Failed,
    /// Where the file behind it takes its space from.
    pub dir: PathBuf,
}

/// Something that was asked of a gate, in force until it is lifted or dropped.
pub struct InForce<'a> {
    gate: &'a Gate,
    number: u64,
}

impl Gate {
    /// One before a device of `size` bytes, whose bytes lie in a sparse file without a name: in `dir` if one
    /// is named, else where devices go by default.
    pub fn open(size: u64, dir: Option<&Path>) -> Result<Gate, Refusal> {
        let (data, dir) = block::sparse(size, dir)
            .map_err(|error| Refusal::of_device("the file behind a gate", &error))?;
        let fuse = open("/dev/fuse", OFlag::O_RDWR | OFlag::O_CLOEXEC, Mode::empty())
            .map_err(Refusal::of_fuse)?;
        // The root of this mount is the file itself.
        let options = format!(
            "fd={},rootmode=100600,user_id={},group_id={}",
            fuse.as_raw_fd(),
            geteuid(),
            getegid()
        );
        let mount = detached::mount("fuse", "pagestorm", &options)?;
        let (ours, theirs) =
            socketpair(AddressFamily::Unix, SockType::SeqPacket, None, SockFlag::SOCK_CLOEXEC)
                .map_err(|error| Refusal::errno("a pair of sockets", error, ADVICE))?;
        let failed = Failed::none()
            .map_err(|error| Refusal::errno("memory that a gate shares", error, ADVICE))?;
        let work = Server::new(fuse, (data, size), theirs, failed.clone());
        let server = forked(|| work.run())
            .map_err(|error| Refusal::errno("a process behind the gate", error, ADVICE))?;
        let mut gate = Gate { device: None, link: Some(Link::new(ours)), server, failed, dir };
        match attach(&mount, &gate.dir) {
            Ok(device) => gate.device = Some(device),
            Err(refusal) => {
                // The server ends when nothing is mounted any more, and the gate waits for it.
                drop(mount);
                return Err(refusal);
            }
        }
        Ok(gate)
    }

    /// The node of its device.
    pub fn path(&self) -> &str {
        self.device.as_ref().expect("it is there until the gate is dropped").path()
    }

    /// The process that serves it.
    pub fn server(&self) -> i32 {
        self.server.as_raw()
    }

    /// From now on this happens to what matches `rule`.
    pub fn ask(&self, rule: Rule) -> Result<InForce<'_>, Errno> {
        let told = self.call(&Asked::Rule(rule))?;
        Ok(InForce { gate: self, number: told.number })
    }

    /// Holds what accesses these bytes of the device that way.
    pub fn hold(&self, access: Access, range: Range<u64>) -> Result<InForce<'_>, Errno> {
        self.ask(Rule { access, range, what: What::Hold })
    }

    /// From now on some reads and writes take longer or fail: which, `seed` decides as it decides for the
    /// bios of a device. The actors begin now.
    pub fn chances(&self, seed: u64, chances: Chances) -> Result<(), Errno> {
        self.call(&Asked::Chances(seed, chances)).map(drop)
    }

    /// Nothing strikes by chance, until it is told otherwise.
    pub fn pause(&self, pause: bool) -> Result<(), Errno> {
        self.call(&Asked::Pause(pause)).map(drop)
    }

    /// How many requests have failed by chance.
    pub fn failed(&self) -> &Failed {
        &self.failed
    }

    /// From now on nothing strikes by chance.
    pub fn heal(&self) -> Result<(), Errno> {
        self.call(&Asked::Heal).map(drop)
    }

    /// Requests since it was opened: reads, writes and flushes.
    pub fn told(&self) -> Result<Counted, Errno> {
        self.call(&Asked::Count)
    }

    fn call(&self, asked: &Asked) -> Result<Counted, Errno> {
        self.link.as_ref().ok_or(Errno::EPIPE)?.call(asked)
    }
}

impl InForce<'_> {
    /// How many requests it has met, once they are `least` or this time is over.
    pub fn met(&self, least: u64, patience: Duration) -> Result<u64, Errno> {
        let asked = Asked::Met { rule: self.number, least, patience };
        self.gate.call(&asked).map(|told| told.number)
    }

    /// It holds no longer for what comes, and what is held goes on.
    pub fn lift(self) {}
}

impl Drop for InForce<'_> {
    fn drop(&mut self) {
        // If nobody answers, the process is gone, and so is all that it held.
        let _ = self.gate.call(&Asked::Lift(self.number));
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        drop(self.device.take());
        drop(self.link.take());
        // It ends by itself when nobody has its file any more, or after a time of grace.
        let _ = waitpid(self.server, None);
    }
}

const ADVICE: &str = "see whether the limits of this user are reached (ulimit -a)";

/// The loop device over the file that is mounted there.
fn attach(mount: &OwnedFd, dir: &Path) -> Result<LoopDevice, Refusal> {
    let tried = "the file behind a gate";
    let path = format!("/proc/self/fd/{}", mount.as_raw_fd());
    let flags = OFlag::O_RDWR | OFlag::O_CLOEXEC | OFlag::O_DIRECT;
    let file = open(path.as_str(), flags, Mode::empty())
        .map_err(|error| Refusal::errno(tried, error, "a kernel since 6.1 can do this"))?;
    // The kernel asks for its size now, and keeps it.
    fstat(&file).map_err(|error| Refusal::errno(tried, error, "see dmesg"))?;
    let device = LoopDevice::over(&File::from(file), 512, dir.to_owned())
        .map_err(|error| Refusal::of_device("a loop device over FUSE", &error))?;
    if device.is_direct() {
        return Ok(device);
    }
    let came = "the kernel would put a page cache before the gate";
    let advice = "leave out `latency`, `io_error` and `hold disk`";
    Err(Refusal::told("a loop device over FUSE", came, advice))
}
