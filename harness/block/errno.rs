//! Error numbers of the system as plain integers, and their names.

use nix::errno::Errno;
use std::io;

/// The error number of `error`; `EIO` if the system gave none, as for a file that is too short.
pub(crate) fn of(error: &io::Error) -> i32 {
    error.raw_os_error().unwrap_or(nix::libc::EIO)
}

/// The number of `errno`.
pub(crate) fn raw(errno: Errno) -> i32 {
    of(&io::Error::from(errno))
}

/// The symbol of an error number.
pub(crate) fn name(errno: i32) -> String {
    format!("{:?}", Errno::from_raw(errno))
}
