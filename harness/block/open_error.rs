//! Why a device could not be opened, and what to do about it.

use crate::errno::name;
use nix::errno::Errno;
use std::fmt;
use std::path::PathBuf;

/// Why a device could not be opened. Error numbers are those of `errno(3)`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OpenError {
    /// No filesystem block: a power of two from 512 to 65536 is.
    BlockSize {
        /// Bytes, as asked for.
        block_size: u64,
    },
    /// No size for a device of this sector.
    Size {
        /// Bytes, as asked for.
        size: u64,
        /// Bytes that it must be a multiple of.
        sector: u64,
    },
    /// `/dev/loop-control` cannot be opened.
    LoopControl {
        /// What `open` says.
        errno: i32,
    },
    /// The kernel has no free loop device.
    LoopFree {
        /// What `LOOP_CTL_GET_FREE` says.
        errno: i32,
    },
    /// The free loop device cannot be opened.
    LoopNode {
        /// Its node.
        path: String,
        /// What `open` says.
        errno: i32,
    },
    /// The loop device does not take the backing file.
    LoopAttach {
        /// Its node.
        path: String,
        /// What `LOOP_CONFIGURE` says.
        errno: i32,
    },
    /// No directory takes the backing file.
    Backing {
        /// Bytes, as asked for.
        size: u64,
        /// Every directory that was tried, in order.
        tried: Vec<Attempt>,
    },
}

/// A directory that did not take the backing file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// The directory.
    pub dir: PathBuf,
    /// The system call that failed.
    pub step: &'static str,
    /// What it says.
    pub errno: i32,
}

impl OpenError {
    /// What happened.
    pub fn cause(&self) -> String {
        match self {
            OpenError::BlockSize { block_size } => {
                format!("a block of {block_size} bytes is no power of two from 512 to 65536")
            }
            OpenError::Size { size, sector } => {
                format!("a device of {size} bytes is not made of whole sectors of {sector} bytes")
            }
            OpenError::LoopControl { errno } => {
                let why = if is(*errno, Errno::EACCES) {
                    "loop devices need root"
                } else {
                    "this machine or container offers no loop devices"
                };
                format!("{why} (open /dev/loop-control: {})", name(*errno))
            }
            OpenError::LoopFree { errno } => {
                format!("no loop device is free (LOOP_CTL_GET_FREE: {})", name(*errno))
            }
            OpenError::LoopNode { path, errno } => {
                format!("the free loop device cannot be opened (open {path}: {})", name(*errno))
            }
            OpenError::LoopAttach { path, errno } => {
                format!("{path} does not take a backing file (LOOP_CONFIGURE: {})", name(*errno))
            }
            OpenError::Backing { size, tried } => {
                let tried: Vec<String> = tried.iter().map(ToString::to_string).collect();
                format!("no place for a backing file of {size} bytes ({})", tried.join("; "))
            }
        }
    }

    /// Whether the kernel has no such call, or the node is none of a loop device.
    pub fn is_without_configure(&self) -> bool {
        // Kernels without it say EINVAL of a loop device, and ENOTTY of anything else.
        matches!(self, OpenError::LoopAttach { errno, .. }
            if is(*errno, Errno::ENOTTY) || is(*errno, Errno::EINVAL))
    }

    /// What to do.
    pub fn advice(&self) -> &'static str {
        match self {
            OpenError::BlockSize { .. } => "use such a block size",
            OpenError::Size { .. } => {
                "use a size between one sector and 2^63 bytes that is a multiple of the sector"
            }
            OpenError::LoopControl { errno } | OpenError::LoopNode { errno, .. } => {
                if is(*errno, Errno::EACCES) {
                    "run as root, or use `--device image`"
                } else {
                    "load the kernel module loop, give the container /dev/loop-control and \
                     /dev/loop*, or use `--device image`"
                }
            }
            OpenError::LoopFree { .. } => "detach one that is not in use, or use `--device image`",
            OpenError::LoopAttach { .. } if self.is_without_configure() => {
                "LOOP_CONFIGURE is there since Linux 5.8: use such a kernel, give the container its \
                 loop devices, or use `--device image`"
            }
            OpenError::LoopAttach { .. } => {
                "try again if another program took it, else use `--device image`"
            }
            OpenError::Backing { tried, .. } => {
                if tried.iter().any(|attempt| is(attempt.errno, Errno::ENOSPC)) {
                    "free space there, set TMPDIR to where there is some, make the device \
                     smaller, or use `--device ram`"
                } else {
                    "set TMPDIR to a directory that can be written, or use `--device ram`"
                }
            }
        }
    }
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.cause(), self.advice())
    }
}

impl std::error::Error for OpenError {}

impl fmt::Display for Attempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}: {}", self.dir.display(), self.step, name(self.errno))
    }
}

fn is(errno: i32, expected: Errno) -> bool {
    Errno::from_raw(errno) == expected
}

#[cfg(test)]
mod tests {
    use super::*;
    use nix::libc;

    #[test]
    fn every_error_says_what_happened_and_what_to_do() {
        let (path, dir) = ("/dev/loop3".to_owned(), PathBuf::from("/dev/shm"));
        let full = Attempt { dir: dir.clone(), step: "fallocate", errno: libc::ENOSPC };
        let denied = Attempt { dir, step: "open", errno: libc::EACCES };
        let cases = [
            (OpenError::BlockSize { block_size: 100 }, "100 bytes is no power of two"),
            (OpenError::Size { size: 1000, sector: 4096 }, "1000 bytes is not made of whole"),
            (
                OpenError::LoopControl { errno: libc::EACCES },
                "loop devices need root (open /dev/loop-control: EACCES): run as root, or use \
                 `--device image`",
            ),
            (OpenError::LoopControl { errno: libc::ENOENT }, "ENOENT): load the kernel module"),
            (OpenError::LoopFree { errno: libc::ENODEV }, "(LOOP_CTL_GET_FREE: ENODEV): detach"),
            (
                OpenError::LoopNode { path: path.clone(), errno: libc::ENOENT },
                "(open /dev/loop3: ENOENT): load the kernel module loop, give the container /dev",
            ),
            (
                OpenError::LoopNode { path: path.clone(), errno: libc::EACCES },
                "(open /dev/loop3: EACCES): run as root",
            ),
            (
                OpenError::LoopAttach { path: path.clone(), errno: libc::EBUSY },
                "LOOP_CONFIGURE: EBUSY): try",
            ),
            (
                OpenError::LoopAttach { path, errno: libc::ENOTTY },
                "LOOP_CONFIGURE: ENOTTY): LOOP_CONFIGURE is there since Linux 5.8",
            ),
            (
                OpenError::Backing { size: 512, tried: vec![full] },
                "backing file of 512 bytes (/dev/shm: fallocate: ENOSPC): free space there",
            ),
            (
                OpenError::Backing { size: 512, tried: vec![denied] },
                "(/dev/shm: open: EACCES): set TMPDIR to a directory that can be written",
            ),
        ];
        for (error, expected) in cases {
            let text = error.to_string();
            assert!(text.contains(expected), "{text}");
        }
    }
}
