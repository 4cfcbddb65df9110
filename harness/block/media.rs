//! Where a device keeps its bytes, and what is there before anybody has written.

use crate::bio::IoError;

/// Fills blocks that were never written: little-endian words at multiples of 8 on the device.
pub const POISON: u64 = 0xd15c_dead_d15c_dead;

/// Where a device keeps its bytes.
///
/// Calls may overlap in time. None of them passes a scheduling point; those that make system
/// calls stop the thread, in either world. Ranges lie within the device.
pub trait Media: Send + Sync {
    /// Fills `into` from `offset`; both are multiples of the sector, and `into` is aligned memory.
    fn read(&self, offset: u64, into: &mut [u8]) -> Result<(), IoError>;

    /// Puts `bytes` at `offset`; both are multiples of the sector, and `bytes` is aligned memory.
    fn write(&self, offset: u64, bytes: &[u8]) -> Result<(), IoError>;

    /// Makes completed writes durable.
    fn flush(&self) -> Result<(), IoError>;

    /// Like [`Media::read`], of any range and into any memory.
    fn peek(&self, offset: u64, into: &mut [u8]) -> Result<(), IoError>;
}

/// Fills `bytes`, which lie at `offset` on the device, with [`POISON`].
pub fn poison(offset: u64, bytes: &mut [u8]) {
    let mut word = POISON.to_le_bytes();
    word.rotate_left(usize::try_from(offset % 8).expect("below 8"));
    for piece in bytes.chunks_mut(8) {
        piece.copy_from_slice(&word[..piece.len()]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn poison_depends_on_the_place_and_not_on_the_cut() {
        let mut whole = [0; 64];
        poison(0, &mut whole);
        for word in whole.chunks(8) {
            assert_eq!(word, POISON.to_le_bytes());
        }
        for from in 0..40 {
            for len in 0..20 {
                let mut part = vec![0; len];
                poison(u64::try_from(from).unwrap(), &mut part);
                assert_eq!(part, whole[from..from + len], "{len} bytes at {from}");
            }
        }
    }
}
