//! Invariants of the file size.

use crate::content::SizeMismatch;
use crate::invariant::{at, invariants, overall};
use stormfs::quantity::{ByteRange, page_up};
use stormfs::view::View;
use stormfs::witness::Completion;

invariants! { subject 1;
    /// After each operation `i_size` is what some order of the operations leaves: a write ends at
    /// least at its last accepted byte, truncate is exact, and zeroing, faults and writeback never
    /// raise it. A failed operation leaves it as it was, and an append begins there.
    Always(user) fn size_matches_model(seen: Result<(), &SizeMismatch>) {
        seen.map_err(|wrong| overall("a size that some order of operations leaves", wrong.to_string()))
    }

    /// The size that is made durable never exceeds `i_size`: it would promise bytes that are gone.
    Quiet fn size_on_disk_never_exceeds_size(file: View<'_>) {
        let (size, disk) = (file.size(), file.fork(|fork| fork.size_disk));
        if disk <= size {
            return Ok(());
        }
        Err(overall(format!("an on-disk size of at most {size}"), format!("{disk}")))
    }

    /// A completed I/O raises the size that is made durable at most to the last byte that it carried.
    /// The bytes behind that one may be new data whose own I/O has not completed: a durable size that
    /// covers them promises data and holds zeros.
    Always fn size_on_disk_covers_only_completed_io(io: Completion) {
        let most = io.size_disk_before.max(io.bytes.end);
        if io.size_disk_after <= most {
            return Ok(());
        }
        let uncovered = ByteRange::new(most, io.size_disk_after);
        let found = format!("{} after I/O for {}", io.size_disk_after, io.bytes);
        Err(at(uncovered, format!("an on-disk size of at most {most}"), found))
    }

    /// With nothing in flight no folio lies wholly beyond the end of the file, no PTE maps a page
    /// beyond it, and none maps a folio that has left the page cache.
    Quiet fn size_bounds_the_page_cache(file: View<'_>) {
        let size = file.size();
        if let Some(folio) = file.first_folio(ByteRange::new(page_up(size), u64::MAX >> 8))
            && size <= folio.range().start
        {
            let found = format!("a folio at {} beyond the size {size}", folio.range());
            return Err(at(folio.range(), "no folio beyond the end", found));
        }
        for (page, attached) in file.mapped_pages() {
            if page_up(size) <= page || !attached {
                let found = format!("a PTE for the page at {page}, folio in cache: {attached}");
                return Err(overall("PTEs only for cached pages below the end", found));
            }
        }
        Ok(())
    }
}
