//! Presets: the decisions that one historic state of the kernel took together, by name.
//!
//! A preset covers the decisions that are modelled, and of these the ones that later kernels took
//! otherwise: what stormfs does not model, it does not have. It is the buffered write path of that time as far as this model can differ from
//! it, not a kernel; every decision that it does not name has its default, which is correct.
//!
//! All of these kernels take `i_rwsem` exclusively for a buffered write, and so do the presets. They
//! have nothing but it between two writers: with `write_lock: shared` beside a preset one sees what
//! its other decisions are worth without.

use crate::choices::Choices;

/// Decisions that belong together.
#[derive(Debug, Clone, Copy)]
pub struct Preset {
    /// The name under `filesystem.preset` in a scenario.
    pub name: &'static str,
    /// What it stands for.
    pub about: &'static str,
    /// The decisions that are not the default, each with its value.
    pub sets: &'static [(&'static str, &'static str)],
}

impl Choices {
    /// Every preset, the oldest first and the correct filesystem last.
    pub const PRESETS: &'static [Preset] = &[
        Preset {
            name: "v5.19",
            about: "Before cached mappings had a cookie: a mapping is used until it ends, and a write \
                    that falls short drops the cache over what it gives back, without a lock.",
            sets: &[
                ("mapping_check", "never"),
                ("write_cleanup", "whole_range"),
                ("fault_ops", "buffered_write"),
                ("write_range", "unlocked"),
                ("stale_retries", "unbounded"),
                ("zero_range", "skips_unwritten"),
                ("truncate_eof", "flushes_first"),
                ("posteof_delalloc", "zeroed_in_cache"),
                ("zero_extends", "grows_size"),
                ("size_disk", "whole_blocks"),
            ],
        },
        Preset {
            name: "rfc",
            about: "v5.19 with the first proposal to check mappings, of September 2022, which was not \
                    merged: a stale mapping gives nothing back, and its successor counts as new.",
            sets: &[
                ("write_cleanup", "skip_if_stale_carry_new"),
                ("fault_ops", "buffered_write"),
                ("write_range", "unlocked"),
                ("stale_retries", "unbounded"),
                ("zero_range", "skips_unwritten"),
                ("truncate_eof", "flushes_first"),
                ("posteof_delalloc", "zeroed_in_cache"),
                ("zero_extends", "grows_size"),
                ("size_disk", "whole_blocks"),
            ],
        },
        Preset {
            name: "v6.2",
            about: "The series that was merged: mappings are compared under each folio's lock, and a \
                    write gives back what the page cache does not hold. Zeroing and sizes as before.",
            sets: &[
                ("write_range", "unlocked"),
                ("stale_retries", "unbounded"),
                ("zero_range", "skips_unwritten"),
                ("truncate_eof", "flushes_first"),
                ("posteof_delalloc", "zeroed_in_cache"),
                ("zero_extends", "grows_size"),
                ("size_disk", "whole_blocks"),
            ],
        },
        Preset {
            name: "v6.12",
            about: "As v6.2, and zeroing knows of dirty cache over unwritten extents and of what is \
                    reserved beyond the end of the file.",
            sets: &[
                ("empty_copy", "marks_last_block"),
                ("write_range", "unlocked"),
                ("stale_retries", "unbounded"),
                ("size_disk", "whole_blocks"),
            ],
        },
        Preset { name: "ideal", about: "The correct filesystem, which is the default.", sets: &[] },
    ];

    /// The decisions of the preset of that name.
    pub fn preset(name: &str) -> Option<Choices> {
        let preset = Choices::PRESETS.iter().find(|preset| preset.name == name)?;
        let mut choices = Choices::default();
        for (decision, value) in preset.sets {
            assert!(choices.set(decision, value), "{name} sets {decision}: {value}");
        }
        Some(choices)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_preset_sets_decisions_that_exist_and_differ_from_the_default() {
        for preset in Choices::PRESETS {
            let choices = Choices::preset(preset.name).expect("a preset finds itself");
            assert_eq!(choices.departures().len(), preset.sets.len(), "{}", preset.name);
        }
        assert_eq!(Choices::preset("ideal"), Some(Choices::default()));
        assert_eq!(Choices::preset("v0.01"), None);
    }
}
