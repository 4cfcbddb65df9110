//! Which requests are about bytes of files, and not about what a filesystem keeps about them: all files hold
//! a pattern, and nothing else does.
//!
//! Its words are `name ^ (place + k * stride)`, one behind the other for k = 0, 1, 2 and so on; name and
//! place are whatever they are, and the words may begin at any byte.

/// Whether these are bytes of files alone: every sector holds some words of the pattern in a row, or
/// zeroes, and not all hold zeroes.
pub(super) fn is_of_files(bytes: &[u8], stride: u64) -> bool {
    let mut written = false;
    bytes.chunks(SECTOR).all(|sector| {
        let is_zero = sector.iter().all(|byte| *byte == 0);
        let is_written = !is_zero && holds_pattern(sector, stride);
        written |= is_written;
        is_zero || is_written
    }) && written
}

/// No block of a filesystem is smaller.
const SECTOR: usize = 512;

/// Words in a row that tell the pattern from anything else.
const ROW: usize = 4;

/// Bits of a word that are looked at: a row of other words passes with a chance of less than one in
/// 10^12.
const BITS: u32 = 40;

fn holds_pattern(sector: &[u8], stride: u64) -> bool {
    sector.windows(8 * ROW).any(|row| {
        let (words, _) = row.as_chunks::<8>();
        let word = |at: usize| u64::from_le_bytes(words[at]);
        // Of places one stride apart, which is odd, one is odd: most rows end here.
        let alternate = (1..ROW).all(|at| (word(at - 1) ^ word(at)) & 1 == 1);
        alternate && has_place([1, 2, 3].map(|at| word(0) ^ word(at)), stride, (0, 0))
    })
}

/// Whether some place explains how the words behind the first differ from it. A bit of a sum depends on
/// lower bits alone, so the place is found bit by bit.
fn has_place(differences: [u64; ROW - 1], stride: u64, (place, bit): (u64, u32)) -> bool {
    if bit == BITS {
        return true;
    }
    let explains = (1..).zip(differences).all(|(k, difference)| {
        let sum = place.wrapping_add(stride.wrapping_mul(k));
        (sum ^ place ^ difference) >> bit & 1 == 0
    });
    explains
        && [place, place | 1 << bit]
            .into_iter()
            .any(|place| has_place(differences, stride, (place, bit + 1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const STRIDE: u64 = 0x9e37_79b9_7f4a_7c15;

    fn pattern(name: u64, first: u64, len: usize) -> Vec<u8> {
        let words = (first..).map(|n| (name ^ n.wrapping_mul(STRIDE)).to_le_bytes());
        words.take(len / 8 + 2).flatten().take(len).collect()
    }

    #[test]
    fn the_pattern_is_known_wherever_it_begins_and_nothing_else_is() {
        for (name, first) in [(0, 0), (7, 1 << 20), (0x1234_5678_9abc_def0, 99), (u64::MAX, 511)] {
            let bytes = pattern(name, first, 4096);
            assert!(is_of_files(&bytes, STRIDE), "{name:#x} at {first}");
            assert!(is_of_files(&[&[0; 512], &bytes[5..517]].concat(), STRIDE));
            let torn = [&[9; 300], &bytes[300..360], &[0; 152]].concat();
            assert!(is_of_files(&torn, STRIDE), "{name:#x} at {first}");
            // One sector of something else is enough.
            assert!(!is_of_files(&[&bytes[..], &[1; 512]].concat(), STRIDE));
            let mut wrong = bytes[..512].to_vec();
            wrong.chunks_mut(16).for_each(|chunk| chunk[3] ^= 1);
            assert!(!is_of_files(&wrong, STRIDE), "{name:#x} at {first}");
        }
        assert!(!is_of_files(&[0; 4096], STRIDE));
        let counted: Vec<u8> = (0..512_u64).flat_map(u64::to_le_bytes).collect();
        assert!(!is_of_files(&counted, STRIDE));
        let mut state = 1_u64;
        let noise: Vec<u8> = std::iter::repeat_with(|| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state.to_le_bytes()[3]
        })
        .take(1 << 16)
        .collect();
        assert!(noise.chunks(SECTOR).all(|sector| !holds_pattern(sector, STRIDE)));
    }
}
