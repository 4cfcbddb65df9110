//! How a run ended.

use serde::{Deserialize, Serialize};

/// The verdict on a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// What happened.
    pub kind: VerdictKind,
    /// What the scenario expected, in its own words.
    pub expected: String,
    /// True if what happened is what was expected.
    pub as_expected: bool,
    /// The verdict as one sentence.
    pub sentence: String,
}

macro_rules! verdicts {
    ($($(#[doc = $about:literal])* $variant:ident = $name:literal, $title:literal;)*) => {
        /// The ways in which a run can end.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
        pub enum VerdictKind { $($(#[doc = $about])* #[serde(rename = $name)] $variant,)* }

        impl VerdictKind {
            /// Every kind.
            pub const ALL: &'static [VerdictKind] = &[$(VerdictKind::$variant,)*];

            /// The name in `result.json`.
            pub fn name(self) -> &'static str {
                match self { $(VerdictKind::$variant => $name,)* }
            }

            /// The name as a headline.
            pub fn title(self) -> &'static str {
                match self { $(VerdictKind::$variant => $title,)* }
            }
        }
    };
}

verdicts! {
    /// Every check held, and no bug was switched on that deviated.
    Clean = "clean", "Clean";
    /// The invariant spoke that the scenario expected to.
    Caught = "caught", "Caught";
    /// An invariant spoke that nobody expected to.
    Violated = "violated", "Violated";
    /// A bug deviated and no invariant spoke: the oracle is blind.
    Missed = "missed", "Missed";
    /// A bug was switched on and never deviated: the scenario is weak.
    NotProvoked = "not_provoked", "Not provoked";
    /// Nobody could go on, or an operation exceeded its step budget.
    Hung = "hung", "Hung";
    /// The filesystem panicked.
    Panicked = "panicked", "Panicked";
    /// Not a single operation ended.
    NothingRan = "nothing_ran", "Nothing ran";
    /// A signal ended the run; what was found until then is here.
    Interrupted = "interrupted", "Interrupted";
    /// The machine could not do what was asked.
    Environment = "environment", "The environment cannot";
    /// The same seed gave two different runs: the harness itself is wrong.
    NotDeterministic = "not_deterministic", "Not deterministic";
    /// The harness panicked while it looked at a filesystem that it has not written; what was found until
    /// then is here.
    HarnessFailed = "harness_failed", "The harness failed";
}
