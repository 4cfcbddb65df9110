//! The kernel's interface to whoever serves a FUSE mount, as in `linux/fuse.h`: as much of it as one file
//! needs.

use nix::errno::Errno;
use std::ops::Range;

/// Bytes of data in one request, at most.
pub(super) const MOST: usize = 1 << 20;

/// Bytes of a request, at most: data, and what stands before it.
pub(super) const REQUEST: usize = MOST + 4096;

/// Something that the kernel asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Request {
    /// The number that its answer must carry.
    pub(super) unique: u64,
    pub(super) asks: Asks,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Asks {
    /// How to talk to each other; the minor version that the kernel speaks.
    Init(u32),
    /// The attributes of the file.
    Attributes,
    /// A descriptor.
    Open,
    /// These bytes.
    Read(Range<u64>),
    /// To put these bytes there.
    Write(Range<u64>, Vec<u8>),
    /// That what was written stays.
    Flush,
    /// `fallocate(2)` with that mode.
    Allocate(Range<u64>, i32),
    /// Something that needs no more than a yes.
    Agree,
    /// Something that wants no answer.
    Silence,
    /// Something that one file does not need.
    Other,
}

/// What stands before every request, in bytes.
const HEADER: usize = 40;

impl Request {
    /// What these bytes say.
    pub(super) fn of(bytes: &[u8]) -> Option<Request> {
        let body = bytes.get(HEADER..)?;
        let range = |pos: usize, len: u64| {
            let start = word(body, pos)?;
            Some(start..start.checked_add(len)?)
        };
        let asks = match half(bytes, 4)? {
            26 => Asks::Init(half(body, 4)?),
            3 => Asks::Attributes,
            14 => Asks::Open,
            15 => Asks::Read(range(8, u64::from(half(body, 16)?))?),
            16 => {
                let len = usize::try_from(half(body, 16)?).ok()?;
                let data = body.get(40..40 + len)?.to_vec();
                Asks::Write(range(8, u64::try_from(len).ok()?)?, data)
            }
            20 => Asks::Flush,
            43 => {
                let mode = i32::try_from(half(body, 24)?).ok()?;
                Asks::Allocate(range(8, word(body, 16)?)?, mode)
            }
            // RELEASE, FLUSH, ACCESS, DESTROY.
            18 | 25 | 34 | 38 => Asks::Agree,
            // FORGET, INTERRUPT, BATCH_FORGET.
            2 | 36 | 42 => Asks::Silence,
            _ => Asks::Other,
        };
        Some(Request { unique: word(bytes, 8)?, asks })
    }

    /// The answer to it, with what follows the head of every answer.
    pub(super) fn answer(&self, came: Result<&[u8], Errno>) -> Vec<u8> {
        let (error, body) = match came {
            Ok(body) => (0_i32, body),
            Err(errno) => (-raw(errno), &[][..]),
        };
        let len = u32::try_from(16 + body.len()).expect("a request is small");
        let head = [&len.to_ne_bytes()[..], &error.to_ne_bytes(), &self.unique.to_ne_bytes()];
        [&head.concat(), body].concat()
    }
}

/// How we talk: `FUSE_ASYNC_READ`, `FUSE_BIG_WRITES`, `FUSE_ASYNC_DIO` (so that one request does not
/// wait for another), `FUSE_MAX_PAGES`.
const FLAGS: u32 = 1 | 1 << 5 | 1 << 15 | 1 << 22;

/// Requests that may be on their way at the same time, so that those that are held keep no others from
/// coming.
const AT_ONCE: u16 = 4096;

/// `struct fuse_init_out`.
pub(super) fn init(minor: u32) -> Vec<u8> {
    let most = u32::try_from(MOST).expect("a mebibyte");
    let pages = u16::try_from(MOST / 4096).expect("a few");
    let mut bytes = Vec::new();
    for half in [7, minor.min(SPOKEN), 0, FLAGS] {
        bytes.extend(half.to_ne_bytes());
    }
    for quarter in [AT_ONCE, AT_ONCE] {
        bytes.extend(quarter.to_ne_bytes());
    }
    bytes.extend(most.to_ne_bytes());
    // The granularity of times.
    bytes.extend(1_u32.to_ne_bytes());
    bytes.extend(pages.to_ne_bytes());
    bytes.resize(64, 0);
    bytes
}

/// The minor version whose structures these are.
const SPOKEN: u32 = 36;

/// `struct fuse_attr_out`: a file of `size` bytes, valid for ever.
pub(super) fn attributes(size: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    for word in [u64::from(u32::MAX), 0, 1, size, size / 512, 0, 0, 0] {
        bytes.extend(word.to_ne_bytes());
    }
    // Nanoseconds of three times, mode, links, user, group, device, block size, flags.
    for half in [0, 0, 0, 0o100_600, 1, 0, 0, 0, 4096, 0_u32] {
        bytes.extend(half.to_ne_bytes());
    }
    bytes
}

/// `struct fuse_open_out`: no page cache, and writes at the same time.
pub(super) fn opened() -> Vec<u8> {
    let (direct, parallel) = (1_u32, 1_u32 << 6);
    [&0_u64.to_ne_bytes()[..], &(direct | parallel).to_ne_bytes(), &[0; 4]].concat()
}

/// `struct fuse_write_out`.
pub(super) fn written(len: usize) -> Vec<u8> {
    let len = u32::try_from(len).expect("at most a mebibyte");
    [len.to_ne_bytes(), [0; 4]].concat()
}

fn raw(errno: Errno) -> i32 {
    std::io::Error::from(errno).raw_os_error().expect("it comes from the system")
}

fn half(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_ne_bytes(*bytes.get(at..)?.first_chunk()?))
}

fn word(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_ne_bytes(*bytes.get(at..)?.first_chunk()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_understood_and_broken_ones_are_none() {
        let request = |opcode: u32, body: &[u8]| {
            let head = [&0_u32.to_ne_bytes()[..], &opcode.to_ne_bytes(), &7_u64.to_ne_bytes()];
            [&head.concat(), &[0; 24][..], body].concat()
        };
        let body =
            |words: &[u64]| words.iter().flat_map(|word| word.to_ne_bytes()).collect::<Vec<_>>();
        let asks = |bytes: &[u8]| Request::of(bytes).map(|request| request.asks);
        assert_eq!(asks(&request(15, &body(&[0, 4096, 512]))), Some(Asks::Read(4096..4608)));
        let write = request(16, &[body(&[0, 512, 2, 0, 0]), b"ab".to_vec()].concat());
        assert_eq!(asks(&write), Some(Asks::Write(512..514, b"ab".to_vec())));
        assert_eq!(asks(&write[..write.len() - 1]), None);
        assert_eq!(asks(&request(43, &body(&[0, 1, 2, 3]))), Some(Asks::Allocate(1..3, 3)));
        assert_eq!(asks(&request(15, &body(&[0, u64::MAX, 512]))), None);
        assert_eq!(asks(&[0; 39]), None);
        let answer = Request::of(&request(3, &[])).unwrap().answer(Err(Errno::EIO));
        assert_eq!(
            answer,
            [&16_u32.to_ne_bytes()[..], &(-5_i32).to_ne_bytes(), &7_u64.to_ne_bytes()].concat()
        );
        assert_eq!((init(40).len(), attributes(1).len(), opened().len()), (64, 104, 16));
    }
}
