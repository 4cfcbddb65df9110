//! The bytes of a write: a pattern that names the operation in every aligned word.
//!
//! The word at the 8-byte aligned position `p` is a scrambled operation id combined with the
//! word's number in the file, little endian. Scrambling is invertible, so any whole word found
//! anywhere names its writer, and it only decodes at the position it was written for.

use std::fmt;
use stormfs::op::OpId;

/// What fresh folios are filled with: a word that no operation writes.
pub const FOLIO_POISON: u64 = 0xf01a_dead_f01a_dead;

/// What fresh device blocks are filled with: a word that no operation writes.
pub const DEVICE_POISON: u64 = 0xd15c_dead_d15c_dead;

/// The word that `op` writes at the aligned word which holds position `pos`.
pub fn word(op: OpId, pos: u64) -> u64 {
    scramble(op.packed()) ^ (pos / WORD).wrapping_mul(STRIDE)
}

/// The byte that `op` writes at `pos`.
pub fn byte(op: OpId, pos: u64) -> u8 {
    word(op, pos).to_le_bytes()[offset_in_word(pos)]
}

/// Writes into `buffer` what `op` writes at `pos` and behind it. Any alignment.
pub fn fill(op: OpId, pos: u64, buffer: &mut [u8]) {
    let (head, rest) = buffer.split_at_mut(head_len(pos, buffer.len()));
    let offset = offset_in_word(pos);
    head.copy_from_slice(&word(op, pos).to_le_bytes()[offset..offset + head.len()]);
    let id = scramble(op.packed());
    let mut place = first_place(pos, head.len());
    let (words, tail) = rest.as_chunks_mut::<8>();
    for bytes in words {
        *bytes = (id ^ place).to_le_bytes();
        place = place.wrapping_add(STRIDE);
    }
    tail.copy_from_slice(&(id ^ place).to_le_bytes()[..tail.len()]);
}

/// True if `found` is what `op` writes at `pos` and behind it. Any alignment.
pub fn matches(op: OpId, pos: u64, found: &[u8]) -> bool {
    let (head, rest) = found.split_at(head_len(pos, found.len()));
    let offset = offset_in_word(pos);
    if head != &word(op, pos).to_le_bytes()[offset..offset + head.len()] {
        return false;
    }
    let id = scramble(op.packed());
    let mut place = first_place(pos, head.len());
    let (words, tail) = rest.as_chunks::<8>();
    for block in words.chunks(BLOCK_WORDS) {
        // No branch inside a block, so that it becomes vector code.
        let mut differences = 0;
        for bytes in block {
            differences |= u64::from_le_bytes(*bytes) ^ id ^ place;
            place = place.wrapping_add(STRIDE);
        }
        if differences != 0 {
            return false;
        }
    }
    tail == &(id ^ place).to_le_bytes()[..tail.len()]
}

/// Which operation ids a decoded word may name before it counts as noise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plausible {
    /// Actors lie below this.
    pub actors: u16,
    /// Numbers lie in `1..=number`.
    pub number: u64,
}

impl Default for Plausible {
    /// Wide enough for every run; a random word passes with a chance of 2^-16.
    fn default() -> Self {
        Plausible { actors: OpId::ACTORS, number: 1 << 32 }
    }
}

/// The operation that wrote the first whole aligned word of `found`, which was seen at `pos`;
/// none if there is no such word or if it names nothing plausible.
pub fn decode(pos: u64, found: &[u8], plausible: Plausible) -> Option<OpId> {
    let skipped = (8 - offset_in_word(pos)) % 8;
    let bytes: &[u8; 8] = found.get(skipped..)?.first_chunk()?;
    let op = OpId::unpacked(unscramble(u64::from_le_bytes(*bytes) ^ first_place(pos, skipped)));
    let known = op.actor < plausible.actors && (1..=plausible.number).contains(&op.number);
    known.then_some(op)
}

/// Where a byte came from, as far as its looks tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// Zero.
    Zero,
    /// Written by this operation, at this position.
    Op(OpId),
    /// Memory of a folio that nobody initialised.
    FolioPoison,
    /// A device block that nobody wrote.
    DevicePoison,
    /// None of these.
    Unknown,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Zero => write!(f, "zero"),
            Origin::Op(op) => write!(f, "written by {op}"),
            Origin::FolioPoison => write!(f, "uninitialised folio memory"),
            Origin::DevicePoison => write!(f, "a device block never written"),
            Origin::Unknown => write!(f, "written by nobody known"),
        }
    }
}

/// An operation whose bytes may be met `shift` bytes behind the place its pattern was made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Candidate {
    /// The operation.
    pub op: OpId,
    /// Subtracted from a position before the pattern is computed.
    pub shift: u64,
}

/// Where the byte at `pos` came from. `around` was seen at `start` and holds `pos`.
///
/// The aligned word around the byte decides where it is whole. What is left of the word from `pos`
/// on is compared with the poisons and the candidates otherwise, and needs two bytes to be
/// believed: where only one is left, the next word is asked too. A word may hold the bytes of two
/// writers, so four bytes are enough to believe a candidate.
pub fn classify(
    pos: u64,
    start: u64,
    around: &[u8],
    plausible: Plausible,
    candidates: impl IntoIterator<Item = Candidate>,
) -> Origin {
    let Some(at) = pos.checked_sub(start).and_then(|at| usize::try_from(at).ok()) else {
        return Origin::Unknown;
    };
    let Some(&found) = around.get(at) else { return Origin::Unknown };
    let offset = offset_in_word(pos);
    let whole = at.checked_sub(offset).and_then(|first| around[first..].first_chunk::<8>());
    if let Some(bytes) = whole {
        let aligned = pos / WORD * WORD;
        if let Some(origin) = origin_of_word(aligned, *bytes, plausible) {
            return origin;
        }
    }
    let len = if offset == 7 { 9 } else { 8 - offset };
    let rest = &around[at..around.len().min(at + len)];
    let poisons = [(FOLIO_POISON, Origin::FolioPoison), (DEVICE_POISON, Origin::DevicePoison)];
    for (poison, origin) in poisons {
        let from_here = poison.to_le_bytes().into_iter().cycle().skip(offset);
        if 2 <= rest.len() && rest.iter().zip(from_here).all(|(found, poison)| *found == poison) {
            return origin;
        }
    }
    if found == 0 {
        return Origin::Zero;
    }
    let rest = &rest[..rest.len().min(4)];
    let believed =
        |seen: &Candidate| 2 <= rest.len() && matches(seen.op, pos.wrapping_sub(seen.shift), rest);
    candidates.into_iter().find(believed).map_or(Origin::Unknown, |seen| Origin::Op(seen.op))
}

const WORD: u64 = 8;
const BLOCK_WORDS: usize = 32;

/// Odd, so that the numbers of different words never collide.
pub const STRIDE: u64 = 0x9e37_79b9_7f4a_7c15;

fn origin_of_word(aligned: u64, bytes: [u8; 8], plausible: Plausible) -> Option<Origin> {
    match u64::from_le_bytes(bytes) {
        0 => Some(Origin::Zero),
        FOLIO_POISON => Some(Origin::FolioPoison),
        DEVICE_POISON => Some(Origin::DevicePoison),
        _ => decode(aligned, &bytes, plausible).map(Origin::Op),
    }
}

/// The combined number of the first aligned word, `head` bytes behind `pos`.
fn first_place(pos: u64, head: usize) -> u64 {
    let behind = u64::from(0 < head);
    (pos / WORD).wrapping_add(behind).wrapping_mul(STRIDE)
}

/// How many bytes lie before the first word boundary, of `len`.
fn head_len(pos: u64, len: usize) -> usize {
    ((8 - offset_in_word(pos)) % 8).min(len)
}

fn offset_in_word(pos: u64) -> usize {
    usize::try_from(pos % WORD).expect("below 8")
}

/// The finalizer of splitmix64: every bit of the input reaches every bit of the output.
fn scramble(mut x: u64) -> u64 {
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

/// The inverse of [`scramble`]; the factors are the inverses modulo 2^64.
fn unscramble(mut x: u64) -> u64 {
    x = (x ^ (x >> 31) ^ (x >> 62)).wrapping_mul(0x3196_42b2_d24d_8ec3);
    x = (x ^ (x >> 27) ^ (x >> 54)).wrapping_mul(0x96de_1b17_3f11_9089);
    x ^ (x >> 30) ^ (x >> 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    const OP: OpId = OpId { actor: 3, number: 71 };

    #[test]
    fn scrambling_is_undone() {
        for x in [0, 1, 42, u64::MAX, 1 << 63, 0x0003_0000_0000_0047] {
            assert_eq!(unscramble(scramble(x)), x);
        }
    }

    #[test]
    fn every_alignment_agrees_with_the_bytes() {
        for pos in (0..20).chain([u64::MAX - 90]) {
            for len in [0, 1, 3, 7, 8, 9, 30, 90] {
                let mut bytes = vec![0; len];
                fill(OP, pos, &mut bytes);
                let one_by_one: Vec<u8> = (pos..).take(len).map(|p| byte(OP, p)).collect();
                assert_eq!(bytes, one_by_one, "{len} at {pos}");
                assert!(matches(OP, pos, &bytes));
                for wrong in 0..len {
                    bytes[wrong] ^= 0x10;
                    assert!(!matches(OP, pos, &bytes), "byte {wrong} of {len} at {pos}");
                    bytes[wrong] ^= 0x10;
                }
            }
        }
    }

    #[test]
    fn a_word_names_its_writer_at_its_place_only() {
        let plausible = Plausible { actors: 8, number: 1000 };
        let mut bytes = [0; 24];
        for pos in 4090..4100 {
            fill(OP, pos, &mut bytes);
            assert_eq!(decode(pos, &bytes, plausible), Some(OP));
            assert_eq!(decode(pos + 8, &bytes, plausible), None);
            assert_eq!(decode(pos, &bytes[..7], plausible), None);
        }
        assert_eq!(decode(4096, &[], plausible), None);
        let unheard_of = OpId { actor: 9, number: 1 };
        fill(unheard_of, 4096, &mut bytes);
        assert_eq!(decode(4096, &bytes, plausible), None);
    }

    #[test]
    fn wrong_bytes_are_named() {
        let pattern = |pos: u64, len: usize| {
            let mut bytes = vec![0; len];
            fill(OP, pos, &mut bytes);
            bytes
        };
        let folio = FOLIO_POISON.to_le_bytes();
        let device = DEVICE_POISON.to_le_bytes();
        let cases: &[(u64, u64, &[u8], Origin)] = &[
            (8, 8, &[0; 8], Origin::Zero),
            (13, 8, &folio, Origin::FolioPoison),
            (13, 8, &device, Origin::DevicePoison),
            (14, 14, &folio[6..], Origin::FolioPoison),
            (15, 15, &[&folio[7..], &folio].concat(), Origin::FolioPoison),
            (15, 15, &[&folio[7..], &[0; 8]].concat(), Origin::Unknown),
            (15, 15, &pattern(15, 9), Origin::Op(OP)),
            (17, 17, &[&pattern(17, 4)[..], &[0; 3]].concat(), Origin::Op(OP)),
            (19, 16, &pattern(16, 8), Origin::Op(OP)),
            (19, 19, &pattern(19, 3), Origin::Op(OP)),
            (19, 19, &pattern(19, 1), Origin::Unknown),
            (19, 19, &[0], Origin::Zero),
            (16, 16, b"plaintxt", Origin::Unknown),
            (7, 8, &[0], Origin::Unknown),
            (9, 8, &[0], Origin::Unknown),
        ];
        for (pos, start, around, expected) in cases {
            let candidates = [Candidate { op: OP, shift: 0 }];
            let origin = classify(*pos, *start, around, Plausible::default(), candidates);
            assert_eq!(origin, *expected, "{around:?} at {start}, asked at {pos}");
        }
    }

    #[test]
    fn a_shifted_pattern_is_found_among_the_candidates() {
        let mut bytes = [0; 5];
        fill(OP, 0, &mut bytes);
        let candidate = Candidate { op: OP, shift: 1003 };
        let origin = classify(1003, 1003, &bytes, Plausible::default(), [candidate]);
        assert_eq!(origin, Origin::Op(OP));
    }
}
