//! What the two processes say to each other: a question and its answer, of some numbers each.

use super::rules::{Access, Chances, Rule, What};
use block::{FaultCount, FaultCounts, Limit, Spike};
use nix::errno::Errno;
use nix::sys::socket::{MsgFlags, recv, send};
use sim::{Mutex, Rank, sync};
use std::os::fd::{AsRawFd, OwnedFd};
use std::time::Duration;

/// What the parent asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Asked {
    /// This rule is in force from now on. The answer is its number.
    Rule(Rule),
    /// The rule of that number is no longer.
    Lift(u64),
    /// How many requests a rule has met, once they are so many or the time is over.
    Met {
        /// Its number.
        rule: u64,
        /// So many.
        least: u64,
        /// So long.
        patience: Duration,
    },
    /// From now on some reads and writes take longer or fail, drawn from this seed. The actors begin now.
    Chances(u64, Chances),
    /// Not as long as this is true.
    Pause(bool),
    /// No longer.
    Heal,
    /// How many requests there were.
    Count,
}

/// What it is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counted {
    /// The answer, where it is one number.
    pub number: u64,
    /// Reads that came so far.
    pub reads: u64,
    /// Writes that came so far.
    pub writes: u64,
    /// Flushes that came so far.
    pub flushes: u64,
    /// Reads and writes that are performed later, once their time has come.
    pub waiting: u64,
    /// What struck reads and writes by chance.
    pub struck: FaultCounts,
}

/// The parent's end.
pub(super) struct Link(Mutex<OwnedFd>);

static LINK: Rank = Rank::leaf(14, "link to the process behind a gate");

impl Link {
    pub(super) fn new(socket: OwnedFd) -> Link {
        Link(sync::mutex(&LINK, 0, socket))
    }

    /// Asks, and waits for the answer.
    pub(super) fn call(&self, asked: &Asked) -> Result<Counted, Errno> {
        let socket = self.0.lock();
        let fd = socket.as_raw_fd();
        send(fd, &bytes(asked.numbers()), MsgFlags::MSG_NOSIGNAL)?;
        let [number, reads, writes, flushes, waiting, counts @ ..] = numbers(fd)?;
        let [spike, read_error, write_error] = [0, 2, 4].map(|at: usize| {
            let (armed, fired) = (counts[at], counts[at + 1]);
            FaultCount { armed, fired }
        });
        let struck = FaultCounts { spike, read_error, write_error, ..FaultCounts::default() };
        Ok(Counted { number, reads, writes, flushes, waiting, struck })
    }
}

/// Takes the next question from `socket`. `EPIPE`: nobody is there any more.
pub(super) fn question(socket: &OwnedFd) -> Result<Asked, Errno> {
    Asked::of(numbers(socket.as_raw_fd())?).ok_or(Errno::EBADMSG)
}

/// Answers it.
pub(super) fn answer(socket: &OwnedFd, told: Counted) -> Result<(), Errno> {
    let Counted { number, reads, writes, flushes, waiting, struck } = told;
    let FaultCounts { spike, read_error, write_error, .. } = struck;
    let counts = [spike, read_error, write_error].map(|count| [count.armed, count.fired]);
    let first = [number, reads, writes, flushes, waiting];
    let numbers = padded(&[&first, counts.as_flattened()].concat());
    send(socket.as_raw_fd(), &bytes(numbers), MsgFlags::MSG_NOSIGNAL).map(drop)
}

/// Numbers in a message.
const NUMBERS: usize = 11;

/// So many numbers, the last of them zero.
fn padded(some: &[u64]) -> [u64; NUMBERS] {
    let mut numbers = [0; NUMBERS];
    numbers[..some.len()].copy_from_slice(some);
    numbers
}

fn bytes(numbers: [u64; NUMBERS]) -> Vec<u8> {
    numbers.iter().flat_map(|number| number.to_ne_bytes()).collect()
}

fn numbers(fd: i32) -> Result<[u64; NUMBERS], Errno> {
    let mut bytes = [0; 8 * NUMBERS];
    loop {
        match recv(fd, &mut bytes, MsgFlags::empty()) {
            Err(Errno::EINTR) => {}
            Err(error) => return Err(error),
            Ok(len) if len < bytes.len() => return Err(Errno::EPIPE),
            Ok(_) => break,
        }
    }
    let mut numbers = [0; NUMBERS];
    let (words, _) = bytes.as_chunks::<8>();
    for (number, word) in numbers.iter_mut().zip(words) {
        *number = u64::from_ne_bytes(*word);
    }
    Ok(numbers)
}

impl Asked {
    fn numbers(&self) -> [u64; NUMBERS] {
        match self {
            Asked::Rule(Rule { access, range, what }) => {
                let access = u64::from(*access == Access::Write);
                let (what, time) = match what {
                    What::Hold => (0, 0),
                    What::Fail => (1, 0),
                    What::Slow(time) => (2, nanoseconds(*time)),
                };
                padded(&[0, access, range.start, range.end, what, time])
            }
            Asked::Lift(rule) => padded(&[1, *rule]),
            Asked::Met { rule, least, patience } => {
                padded(&[2, *rule, *least, nanoseconds(*patience)])
            }
            Asked::Count => padded(&[3]),
            Asked::Chances(seed, Chances { spike, read_error_ppm, write_error_ppm, stride }) => {
                let Spike { ppm, time, limit: Limit { after, times } } = spike;
                // Without a bound is another thing than with one of zero.
                let bound = |bound: Option<u64>| bound.map_or(0, |bound| bound.saturating_add(1));
                let [ppm, reads, writes] =
                    [ppm, read_error_ppm, write_error_ppm].map(|ppm| (*ppm).into());
                let (time, after) = (nanoseconds(*time), after.map(nanoseconds));
                padded(&[4, *seed, ppm, time, bound(after), bound(*times), reads, writes, *stride])
            }
            Asked::Heal => padded(&[5]),
            Asked::Pause(pause) => padded(&[6, (*pause).into()]),
        }
    }

    fn of(numbers: [u64; NUMBERS]) -> Option<Asked> {
        Some(match numbers {
            [0, access, start, end, what, time, ..] => {
                let what = match what {
                    0 => What::Hold,
                    1 => What::Fail,
                    _ => What::Slow(Duration::from_nanos(time)),
                };
                let access = if access == 1 { Access::Write } else { Access::Read };
                Asked::Rule(Rule { access, range: start..end, what })
            }
            [1, rule, ..] => Asked::Lift(rule),
            [2, rule, least, patience, ..] => {
                Asked::Met { rule, least, patience: Duration::from_nanos(patience) }
            }
            [3, ..] => Asked::Count,
            [4, seed, ppm, time, after, times, reads, writes, stride, ..] => {
                let bound = |bound: u64| bound.checked_sub(1);
                let after = bound(after).map(Duration::from_nanos);
                let limit = Limit { after, times: bound(times) };
                let ppm = u32::try_from(ppm).ok()?;
                let spike = Spike { ppm, time: Duration::from_nanos(time), limit };
                let read_error_ppm = u32::try_from(reads).ok()?;
                let write_error_ppm = u32::try_from(writes).ok()?;
                Asked::Chances(seed, Chances { spike, read_error_ppm, write_error_ppm, stride })
            }
            [5, ..] => Asked::Heal,
            [6, pause, ..] => Asked::Pause(pause != 0),
            _ => return None,
        })
    }
}

fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_arrives() {
        let patience = Duration::from_millis(7);
        let spikes = |limit| {
            let spike = Spike { ppm: 7, time: patience, limit };
            Asked::Chances(9, Chances { spike, read_error_ppm: 1, write_error_ppm: 2, stride: 3 })
        };
        let rule = |access, what| Asked::Rule(Rule { access, range: 4096..8192, what });
        for asked in [
            rule(Access::Read, What::Hold),
            rule(Access::Write, What::Fail),
            rule(Access::Write, What::Slow(patience)),
            Asked::Lift(3),
            Asked::Met { rule: 1, least: 2, patience },
            Asked::Count,
            Asked::Heal,
            Asked::Pause(true),
            Asked::Pause(false),
            spikes(Limit { after: Some(Duration::ZERO), times: Some(0) }),
            spikes(Limit { after: Some(patience), times: None }),
            spikes(Limit::default()),
        ] {
            assert_eq!(Asked::of(asked.numbers()), Some(asked));
        }
    }
}
