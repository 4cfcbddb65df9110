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

    /// What lies on the device of a filesystem of the kernel, once it is unmounted, passes the check
    /// of that filesystem's own tool.
    Quiet(user) fn space_on_disk_passes_its_own_check(complaint: Option<&str>) {
        complaint.map_or(Ok(()), |complaint| Err(overall("nothing to complain about", complaint)))
    }
}
