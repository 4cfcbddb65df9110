//! Attaching a file to a loop device that lets go by itself.
//!
//! The kernel detaches the device when its last descriptor is closed, so it does not outlive the
//! process, however that dies.

use crate::errno;
use crate::open_error::OpenError;
use nix::errno::Errno;
use std::fs::File;
use std::os::fd::AsRawFd;

/// A loop device that is attached for as long as `file` is open.
pub(crate) struct Attached {
    pub(crate) file: File,
    pub(crate) path: String,
    /// Whether the kernel goes around the page cache of the backing file.
    pub(crate) direct: bool,
}

/// The right to ask for loop devices.
pub(crate) struct Control(File);

impl Control {
    /// Opens `/dev/loop-control`: this is what fails if the user may not have loop devices.
    pub(crate) fn open() -> Result<Control, OpenError> {
        let file = File::options().read(true).write(true).open("/dev/loop-control");
        let failed = |error| OpenError::LoopControl { errno: errno::of(&error) };
        file.map(Control).map_err(failed)
    }

    /// Attaches `backing`, whose size is a multiple of `sector`, to a free loop device.
    pub(crate) fn attach(&self, backing: &File, sector: u32) -> Result<Attached, OpenError> {
        for attempt in 1.. {
            let path = self.free()?;
            let file = File::options().read(true).write(true).open(&path).map_err(|error| {
                OpenError::LoopNode { path: path.clone(), errno: errno::of(&error) }
            })?;
            match configure(&file, backing, sector) {
                Ok(direct) => return Ok(Attached { file, path, direct }),
                // Somebody else was faster; the next free one is another.
                Err(Errno::EBUSY) if attempt < ATTEMPTS => {}
                Err(error) => return Err(OpenError::LoopAttach { path, errno: errno::raw(error) }),
            }
        }
        unreachable!("the last attempt returns")
    }

    fn free(&self) -> Result<String, OpenError> {
        match ioctl::get_free(&self.0) {
            Ok(number) => Ok(format!("/dev/loop{number}")),
            Err(error) => Err(OpenError::LoopFree { errno: errno::raw(error) }),
        }
    }
}

/// A free device can be lost to another process this often before that counts as an error.
const ATTEMPTS: u32 = 64;

/// Whether the kernel goes around the page cache of `backing`, which `device` now stands for.
fn configure(device: &File, backing: &File, sector: u32) -> Result<bool, Errno> {
    let fd = u32::try_from(backing.as_raw_fd()).expect("an open descriptor is not negative");
    let flags = ioctl::AUTOCLEAR | ioctl::DIRECT_IO;
    ioctl::configure(device, &ioctl::LoopConfig::new(fd, sector, flags))?;
    Ok(ioctl::status(device)?.flags & ioctl::DIRECT_IO != 0)
}

/// The kernel's interface, as in `linux/loop.h`.
mod ioctl {
    use super::{AsRawFd, Errno, File};

    pub(super) const AUTOCLEAR: u32 = 4;
    pub(super) const DIRECT_IO: u32 = 16;

    /// `struct loop_info64`.
    #[repr(C)]
    #[derive(Clone)]
    pub(super) struct LoopInfo {
        device: u64,
        inode: u64,
        rdevice: u64,
        offset: u64,
        size_limit: u64,
        number: u32,
        encrypt_type: u32,
        encrypt_key_size: u32,
        pub(super) flags: u32,
        file_name: [u8; 64],
        crypt_name: [u8; 64],
        encrypt_key: [u8; 32],
        init: [u64; 2],
    }

    impl Default for LoopInfo {
        fn default() -> LoopInfo {
            LoopInfo {
                device: 0,
                inode: 0,
                rdevice: 0,
                offset: 0,
                size_limit: 0,
                number: 0,
                encrypt_type: 0,
                encrypt_key_size: 0,
                flags: 0,
                file_name: [0; 64],
                crypt_name: [0; 64],
                encrypt_key: [0; 32],
                init: [0; 2],
            }
        }
    }

    /// `struct loop_config`.
    #[repr(C)]
    pub(super) struct LoopConfig {
        fd: u32,
        block_size: u32,
        info: LoopInfo,
        reserved: [u64; 8],
    }

    impl LoopConfig {
        /// The whole of the file at `fd`, in sectors of `block_size` bytes.
        pub(super) fn new(fd: u32, block_size: u32, flags: u32) -> LoopConfig {
            let info = LoopInfo { flags, ..LoopInfo::default() };
            LoopConfig { fd, block_size, info, reserved: [0; 8] }
        }
    }

    // The kernel reads and writes this many bytes.
    const _: () = assert!(size_of::<LoopInfo>() == 232 && size_of::<LoopConfig>() == 304);

    mod raw {
        use super::{LoopConfig, LoopInfo};

        nix::ioctl_none_bad!(get_free, 0x4c82);
        nix::ioctl_write_ptr_bad!(configure, 0x4c0a, LoopConfig);
        nix::ioctl_read_bad!(status, 0x4c05, LoopInfo);
    }

    /// The number of a free device, made if there is none.
    #[expect(unsafe_code, reason = "an ioctl")]
    pub(super) fn get_free(control: &File) -> Result<i32, Errno> {
        // SAFETY: the descriptor is open for the length of the call, which touches no memory.
        unsafe { raw::get_free(control.as_raw_fd()) }
    }

    /// Makes `device` stand for the file in `config`.
    #[expect(unsafe_code, reason = "an ioctl")]
    pub(super) fn configure(device: &File, config: &LoopConfig) -> Result<(), Errno> {
        // SAFETY: the descriptor is open, and the kernel only reads the size of `LoopConfig` from
        // the reference; both outlive the call.
        unsafe { raw::configure(device.as_raw_fd(), config) }.map(drop)
    }

    /// How `device` is set up.
    #[expect(unsafe_code, reason = "an ioctl")]
    pub(super) fn status(device: &File) -> Result<LoopInfo, Errno> {
        let mut info = LoopInfo::default();
        // SAFETY: the descriptor is open, and the kernel writes at most the size of `LoopInfo`,
        // of which every bit pattern is valid, to memory that is exclusively ours.
        unsafe { raw::status(device.as_raw_fd(), &raw mut info) }.map(|_| info)
    }
}
