//! What is checked when nothing moves: between two storms, and at the end of every run.

use crate::watch::Oracle;
use crate::{data, extents, folios, results, size, space};
use std::collections::BTreeSet;
use std::sync::atomic::Ordering;
use stormfs::folio::Folio;
use stormfs::quantity::{ByteRange, FileBlock, narrow};
use stormfs::view::View;

/// Bytes compared at once.
const STEP: u64 = 64 << 10;

impl Oracle {
    /// Every file with no operation, writeback or completion in flight: content and size against
    /// the model, folios against the disk, extents and counters against each other.
    pub fn judge_quiet(&self, files: &[View<'_>]) {
        for file in files {
            self.judge_bytes(*file, Bytes::Seen);
            self.judge_folios(*file);
            let checks = self.checks();
            let whole = ByteRange::new(0, file.size());
            let verdict = extents::extents_delalloc_is_flushable(checks, *file, whole, &[])
                .and_then(|()| extents::extents_delalloc_beyond_eof_is_tagged(checks, *file))
                .and_then(|()| size::size_on_disk_never_exceeds_size(checks, *file))
                .and_then(|()| size::size_bounds_the_page_cache(checks, *file));
            self.judge(*file, None, verdict);
        }
        self.judge_overall(extents::extents_own_their_blocks(self.checks(), files));
        self.judge_overall(space::space_adds_up(self.checks(), files));
    }

    /// Every file after a successful sync.
    pub fn judge_synced(&self, files: &[View<'_>]) {
        for file in files {
            let checks = self.checks();
            let failed = self.failed_blocks(*file);
            let left = extents::first_delalloc(*file);
            let verdict = extents::extents_below_eof_are_allocated_after_sync(checks, left)
                .and_then(|()| data::data_beyond_eof_on_disk_is_zero(checks, *file, &failed));
            self.judge(*file, None, verdict);
        }
        self.judge_quiet(files);
    }

    /// Every file after a sync, with its whole cache dropped.
    pub fn judge_reread(&self, files: &[View<'_>]) {
        for file in files {
            assert!(file.is_uncached(), "the cache was to be dropped before");
            self.judge_bytes(*file, Bytes::Reread);
        }
    }

    /// Every file after it was released.
    pub fn judge_released(&self, files: &[View<'_>]) {
        for file in files {
            let verdict = extents::extents_beyond_eof_were_asked_for(self.checks(), *file);
            self.judge(*file, None, verdict);
        }
        self.judge_overall(space::space_adds_up(self.checks(), files));
    }

    /// One file, told how many of its fsyncs reported an error.
    pub fn judge_errors_reported(&self, file: View<'_>, reported: u64) {
        let failed = self.failures[file.file()].load(Ordering::Relaxed);
        let verdict = results::results_report_writeback_errors(self.checks(), failed, reported);
        self.judge(file, None, verdict);
    }

    fn judge_bytes(&self, file: View<'_>, bytes: Bytes) {
        let wrong_size = self.shadow(file).lock().content.quiet_settle_size(file.size());
        let verdict = size::size_matches_model(self.checks(), wrong_size.as_ref().copied());
        self.judge(file, None, verdict);
        let mut rest = ByteRange::new(0, file.size());
        let mut seen = Vec::new();
        while !rest.is_empty() {
            let part = ByteRange::new(rest.start, rest.end.min(rest.start + STEP));
            rest.start = part.end;
            seen.resize(narrow(part.len()), 0);
            let verdict = {
                let mut shadow = self.shadow(file).lock();
                if !file.peek(part, &mut seen) {
                    continue;
                }
                let looked = match bytes {
                    Bytes::Seen => shadow.content.quiet_settle(part.start, &seen),
                    Bytes::Reread => shadow.content.settle(part.start, &seen),
                };
                match bytes {
                    Bytes::Seen => data::judge(self.checks(), &looked),
                    Bytes::Reread => {
                        data::data_survives_eviction(self.checks(), looked.as_ref().copied())
                    }
                }
            };
            self.judge(file, None, verdict);
        }
    }

    fn judge_folios(&self, file: View<'_>) {
        let failed = self.failed_blocks(file);
        let mut rest = ByteRange::new(0, u64::MAX >> 8);
        while let Some(folio) = file.first_folio(rest) {
            rest.start = folio.range().end;
            self.judge(file, None, self.judge_folio(file, &folio, &failed));
        }
    }

    /// A copy, as extents must not be looked at under the shadow's lock.
    fn failed_blocks(&self, file: View<'_>) -> BTreeSet<FileBlock> {
        self.shadow(file).lock().failed.clone()
    }

    fn judge_folio(
        &self,
        file: View<'_>,
        folio: &Folio,
        failed: &BTreeSet<FileBlock>,
    ) -> crate::invariant::Verdict {
        let end = file.geometry().up(file.size());
        folios::folio_bits_are_consistent(self.checks(), file, folio)?;
        folios::folio_modified_block_is_dirty(self.checks(), folio, end)?;
        folios::folio_dirty_block_has_backing(self.checks(), file, folio, end)?;
        folios::folio_clean_means_write_protected(self.checks(), file, folio)?;
        data::data_in_clean_folios_equals_disk(self.checks(), file, folio, failed)
    }
}

/// How the bytes that are judged came to be seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Bytes {
    /// As they stand.
    Seen,
    /// From the disk, after a sync.
    Reread,
}
