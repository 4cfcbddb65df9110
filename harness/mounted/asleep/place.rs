//! Where a thread is, in words.

use super::Thread;
use nix::libc;

impl Thread {
    /// What it does in the kernel: `sleeps in ...`, as far as that may be known. None if it runs, or is gone.
    pub fn whereabouts(self) -> Option<String> {
        let asleep = self.asleep()?;
        let function = Some(asleep.function).filter(|function| !function.is_empty());
        let call = self.read("syscall").and_then(|line| call(&line));
        match (function, call) {
            (Some(function), Some(call)) => Some(format!("sleeps in `{function}`, in {call}")),
            (Some(function), None) => Some(format!("sleeps in `{function}`")),
            (None, Some(call)) => Some(format!("sleeps in {call}")),
            (None, None) => None,
        }
    }
}

/// The system call of such a line of proc(5).
fn call(line: &str) -> Option<String> {
    let number = line.split_whitespace().next()?.parse().ok()?;
    if number == -1 {
        return Some("no system call, as in a page fault".to_owned());
    }
    let known = CALLS.iter().find(|(known, _)| *known == number);
    Some(known.map_or_else(|| format!("system call {number}"), |(_, name)| format!("`{name}`")))
}

/// Those that threads of a run make and that may sleep.
const CALLS: &[(libc::c_long, &str)] = &[
    (libc::SYS_read, "read"),
    (libc::SYS_write, "write"),
    (libc::SYS_readv, "readv"),
    (libc::SYS_writev, "writev"),
    (libc::SYS_pread64, "pread"),
    (libc::SYS_pwrite64, "pwrite"),
    (libc::SYS_preadv, "preadv"),
    (libc::SYS_pwritev, "pwritev"),
    (libc::SYS_fallocate, "fallocate"),
    (libc::SYS_ftruncate, "ftruncate"),
    (libc::SYS_fsync, "fsync"),
    (libc::SYS_fdatasync, "fdatasync"),
    (libc::SYS_syncfs, "syncfs"),
    (libc::SYS_sync_file_range, "sync_file_range"),
    (libc::SYS_copy_file_range, "copy_file_range"),
    (libc::SYS_fadvise64, "posix_fadvise"),
    (libc::SYS_lseek, "lseek"),
    (libc::SYS_ioctl, "ioctl"),
    (libc::SYS_mmap, "mmap"),
    (libc::SYS_munmap, "munmap"),
    (libc::SYS_msync, "msync"),
    (libc::SYS_madvise, "madvise"),
    (libc::SYS_openat, "openat"),
    (libc::SYS_close, "close"),
    (libc::SYS_unlinkat, "unlinkat"),
    (libc::SYS_recvmsg, "recvmsg"),
    (libc::SYS_sendmsg, "sendmsg"),
    (libc::SYS_ppoll, "ppoll"),
    (libc::SYS_futex, "futex"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn system_calls_are_told_by_name() {
        let fsync = format!("{} 0x3 0x0", libc::SYS_fsync);
        for (line, told) in [
            (fsync.as_str(), Some("`fsync`")),
            ("-1 0x7f 0x55\n", Some("no system call, as in a page fault")),
            ("99999 0x0", Some("system call 99999")),
            ("running\n", None),
            ("", None),
        ] {
            assert_eq!(call(line).as_deref(), told, "{line}");
        }
    }
}
