//! How many files this process may have open.

use crate::refusal::Refusal;
use nix::errno::Errno;
use nix::libc;
use std::fs;

/// What is opened beside files of a run: reports, devices, and what libraries open.
const SPARE: u64 = 64;

/// Makes room for so many descriptors more, as far as this user may have them.
pub fn make_room(more: u64) -> Result<(), Refusal> {
    let open = fs::read_dir("/proc/self/fd").map_or(0, |open| open.fold(0, |count, _| count + 1));
    let wanted = more.saturating_add(open).saturating_add(SPARE);
    let limit = limit().map_err(|errno| refused(more, wanted, errno))?;
    let Some(raised) = raised(limit, wanted) else { return Ok(()) };
    set(raised).map_err(|errno| refused(more, wanted, errno))
}

/// What to ask for; none if there is room.
fn raised(limit: libc::rlimit, wanted: u64) -> Option<libc::rlimit> {
    let rlim_max = limit.rlim_max.max(wanted);
    (limit.rlim_cur < wanted).then_some(libc::rlimit { rlim_cur: wanted, rlim_max })
}

fn refused(more: u64, wanted: u64, errno: Errno) -> Refusal {
    let tried = format!("{more} descriptors, three for each file, task and `descriptors`");
    let advice = format!(
        "raise the limit with `ulimit -n {wanted}` (its hard limit is root's to raise, and sysctl \
         fs.nr_open is above that), or ask for fewer actors, files or `descriptors`"
    );
    Refusal::errno(tried, errno, advice)
}

fn limit() -> Result<libc::rlimit, Errno> {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: the kernel writes one `rlimit`, which is exclusively ours.
    #[expect(unsafe_code, reason = "a system call that has no wrapper here")]
    let done = unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit) };
    Errno::result(done).map(|_| limit)
}

fn set(limit: libc::rlimit) -> Result<(), Errno> {
    // SAFETY: the kernel reads one `rlimit`.
    #[expect(unsafe_code, reason = "a system call that has no wrapper here")]
    let done = unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &raw const limit) };
    Errno::result(done).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_raised_only_if_it_has_to_be() {
        let limit = |rlim_cur, rlim_max| libc::rlimit { rlim_cur, rlim_max };
        let asked = |limit, wanted| raised(limit, wanted).map(|it| (it.rlim_cur, it.rlim_max));
        assert_eq!(asked(limit(1024, 4096), 1024), None);
        assert_eq!(asked(limit(1024, 4096), 1025), Some((1025, 4096)));
        assert_eq!(asked(limit(1024, 4096), 5000), Some((5000, 5000)));
    }

    #[test]
    fn there_is_room_afterwards_or_it_is_told_what_to_raise() {
        let before = limit().unwrap();
        match make_room(before.rlim_cur) {
            Ok(()) => assert!(before.rlim_cur + SPARE < limit().unwrap().rlim_cur),
            Err(refusal) => assert!(refusal.advice.contains("ulimit -n"), "{refusal}"),
        }
        let raised = limit().unwrap().rlim_cur;
        // No kernel gives so many.
        let refusal = make_room(1 << 40).unwrap_err();
        assert!(refusal.to_string().contains("ulimit -n"), "{refusal}");
        assert_eq!(limit().unwrap().rlim_cur, raised, "who is refused changes nothing");
    }
}
