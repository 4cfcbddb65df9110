//! Errors that direct I/O beside other calls is answered with on a filesystem that works.

use stormfs::op::OpKind;

/// Which of them can be met.
pub(super) struct Collisions {
    /// Whether somebody writes past the page cache.
    pub(super) writes: bool,
    /// Whether somebody stores through a mapping.
    pub(super) stores: bool,
}

impl Collisions {
    /// Whether EIO of a call of that kind may come of direct I/O that met others, and of nothing else.
    pub(super) fn excuses(&self, kind: OpKind) -> bool {
        // Pages that are in the cache after a direct write, as somebody brought them there meanwhile,
        // stay, and the next sync of the file tells of it: dio_warn_stale_pagecache.
        let syncs = [OpKind::Fsync, OpKind::Fdatasync, OpKind::Msync, OpKind::SyncRange];
        // A store reserves blocks without i_rwsem. Direct I/O that finds such a block after it has
        // written the cache back gives up: "Direct I/O collision with buffered writes!", iomap_dio_iter.
        let direct = [OpKind::DirectRead, OpKind::DirectWrite];
        self.writes && syncs.contains(&kind) || self.stores && direct.contains(&kind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_can_be_met_is_an_excuse() {
        for (writes, stores, kind, excused) in [
            (true, false, OpKind::Fsync, true),
            (false, true, OpKind::Fsync, false),
            (false, true, OpKind::DirectRead, true),
            (true, false, OpKind::DirectRead, false),
            (true, true, OpKind::Read, false),
            (true, true, OpKind::Write, false),
        ] {
            let collisions = Collisions { writes, stores };
            assert_eq!(collisions.excuses(kind), excused, "{} {writes} {stores}", kind.name());
        }
    }
}
