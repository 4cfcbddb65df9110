//! Invariants of the free-space counters.

use crate::invariant::{invariants, overall};
use stormfs::extent_map::State;
use stormfs::view::View;

invariants! { subject 4;
    /// Blocks promised are the blocks of all delayed allocations, and blocks without an owner are
    /// those that no extent holds. What is missing has leaked; what is too much will be given out
    /// twice.
    Quiet fn space_adds_up(files: &[View<'_>]) {
        let Some(counts) = files.first().map(|file| file.space()) else { return Ok(()) };
        let (mut delayed, mut allocated) = (0, 0);
        for file in files {
            for extent in file.fork(|fork| fork.extents.iter().collect::<Vec<_>>()) {
                match extent.state {
                    Some(State::Delalloc) => delayed += extent.blocks.len(),
                    Some(State::Unwritten(_) | State::Mapped(_)) => allocated += extent.blocks.len(),
                    None => {}
                }
            }
        }
        let expected = format!("{delayed} reserved, {} unallocated", counts.total - allocated);
        let found = format!("{} reserved, {} unallocated", counts.reserved, counts.unallocated);
        if expected == found { Ok(()) } else { Err(overall(expected, found)) }
    }

    /// Reservations never exceed what is unallocated: each can be honoured.
    Always fn space_promised_is_there(file: View<'_>) {
        let counts = file.space();
        if counts.reserved <= counts.unallocated && counts.unallocated <= counts.total {
            return Ok(());
        }
        Err(overall("reservations within the unallocated blocks", format!("{counts:?}")))
    }

    /// A filesystem of the kernel whose files are synced has as many free blocks as after it was
    /// unmounted and mounted again. What is missing before was promised to nobody: a reservation that
    /// some call made and none gave back.
    Quiet(user) fn space_survives_a_mount(before: u64, after: u64) {
        if before == after {
            return Ok(());
        }
        Err(overall(format!("{after} free blocks, as after a mount"), format!("{before}")))
    }

    /// What lies on the device of a filesystem of the kernel, once it is unmounted, passes the check
    /// of that filesystem's own tool.
    Quiet(user) fn space_on_disk_passes_its_own_check(complaint: Option<&str>) {
        complaint.map_or(Ok(()), |complaint| Err(overall("nothing to complain about", complaint)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::invariant::Checks;

    #[test]
    fn a_block_too_few_or_too_many_is_told_and_so_is_a_complaint() {
        let checks = Checks::default();
        assert!(space_survives_a_mount(&checks, 7, 7).is_ok());
        assert!(space_survives_a_mount(&checks, 6, 7).is_err());
        assert!(space_survives_a_mount(&checks, 8, 7).is_err());
        assert!(space_on_disk_passes_its_own_check(&checks, None).is_ok());
        assert!(
            space_on_disk_passes_its_own_check(&checks, Some("a block has two owners")).is_err()
        );
    }
}
