//! How much room a process has for what it maps.

use crate::memory::{PAGE, Pages};
use nix::errno::Errno;
use std::sync::OnceLock;

/// The most that are made use of: what most machines give a process.
const MOST: usize = 1 << 47;

/// The fewest that anybody looks for.
const FEWEST: usize = 1 << 31;

/// How many addresses a process has: 128 TiB on most machines, a power of two not above 512 GiB where page
/// tables have three levels or less.
pub fn addresses() -> usize {
    static FOUND: OnceLock<usize> = OnceLock::new();
    let is_one = |place| matches!(Pages::at(place, PAGE), Ok(_) | Err(Errno::EEXIST));
    *FOUND.get_or_init(|| found(is_one))
}

/// The same, if `is_one` says whether something can lie at a place.
fn found(is_one: impl Fn(usize) -> bool) -> usize {
    let mut all = MOST;
    while FEWEST < all && !is_one(all / 2) {
        all /= 2;
    }
    all
}

/// Where lies what is kept apart from all else, of so many addresses: the kernel begins at the other end,
/// and mappings of files take half of them.
pub(crate) fn apart(addresses: usize) -> usize {
    addresses / 8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_makes_use_of_the_addresses_that_it_has() {
        let tib = 1 << 40;
        for (has, used, place) in [
            (128 * tib - PAGE, 128 * tib, 16 * tib),
            (256 * tib - PAGE, 128 * tib, 16 * tib),
            (tib / 2 - PAGE, tib / 2, tib / 16),
            (tib / 4, tib / 4, tib / 32),
            (0, FEWEST, FEWEST / 8),
        ] {
            let found = found(|at| at + PAGE <= has);
            assert_eq!((found, apart(found)), (used, place), "{has:#x}");
        }
    }

    #[test]
    fn what_is_mapped_already_is_an_address_too() {
        let taken = Pages::at(apart(addresses()) * 3, PAGE).unwrap();
        let again = Pages::at(taken.address(0).addr(), PAGE);
        assert_eq!(again.map(|_| ()), Err(Errno::EEXIST));
        let beyond = Pages::at(1 << 60, PAGE);
        assert_eq!(beyond.map(|_| ()), Err(Errno::ENOMEM));
    }
}
