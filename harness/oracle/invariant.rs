//! What an invariant is, how it is written down, and the list of all.

use crate::{data, extents, folios, progress, results, size, space};
use std::sync::atomic::{AtomicU64, Ordering};
use stormfs::quantity::ByteRange;

/// When an invariant holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// At every commit point of its subject, whatever else is in flight.
    Always,
    /// When no operation, writeback or completion is in flight.
    Quiet,
}

/// Who can notice that an invariant does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Whoever uses the files: by their bytes and sizes, by what calls return, or because they do
    /// not return.
    User,
    /// Only who looks inside: at folios, extents, counters and the disk.
    State,
}

/// Something that must be true.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Invariant {
    /// A positive sentence; its subject comes first.
    pub name: &'static str,
    /// Why it must hold, and when it may seem not to.
    pub about: &'static str,
    /// When it holds.
    pub when: When,
    /// Who can notice a breach.
    pub scope: Scope,
}

impl Invariant {
    /// Every invariant, by subject.
    pub fn all() -> impl Iterator<Item = &'static Invariant> {
        SUBJECTS.iter().copied().flatten()
    }

    /// The invariant of that name.
    pub fn named(name: &str) -> Option<&'static Invariant> {
        Invariant::all().find(|invariant| invariant.name == name)
    }
}

/// The subjects, in the order of reports. A subject's place here is its number in [`Checks`].
const SUBJECTS: [&[Invariant]; 7] = [
    data::INVARIANTS,
    size::INVARIANTS,
    folios::INVARIANTS,
    extents::INVARIANTS,
    space::INVARIANTS,
    results::INVARIANTS,
    progress::INVARIANTS,
];

/// What an invariant found instead of the truth.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Breach {
    /// Which invariant.
    pub invariant: &'static str,
    /// The bytes concerned, if it is about bytes.
    pub range: Option<ByteRange>,
    /// What should be.
    pub expected: String,
    /// What is.
    pub found: String,
}

/// What a check answers.
pub type Verdict = Result<(), Breach>;

/// Evidence of a breach, before it has its invariant's name.
pub struct Evidence {
    range: Option<ByteRange>,
    expected: String,
    found: String,
}

impl Evidence {
    /// The breach of `invariant` that this is.
    pub(crate) fn against(self, invariant: &'static str) -> Breach {
        let Evidence { range, expected, found } = self;
        Breach { invariant, range, expected, found }
    }
}

/// Evidence about bytes.
pub(crate) fn at(
    range: ByteRange,
    expected: impl Into<String>,
    found: impl Into<String>,
) -> Evidence {
    Evidence { range: Some(range), expected: expected.into(), found: found.into() }
}

/// Evidence about no particular bytes.
pub(crate) fn overall(expected: impl Into<String>, found: impl Into<String>) -> Evidence {
    Evidence { range: None, expected: expected.into(), found: found.into() }
}

/// How often each invariant was checked in a run: by subject, then by place within it.
#[derive(Debug, Default)]
pub struct Checks {
    counts: [[AtomicU64; 8]; SUBJECTS.len()],
}

impl Checks {
    /// Counts one check.
    #[inline]
    pub(crate) fn count(&self, subject: usize, place: usize) {
        self.counts[subject][place].fetch_add(1, Ordering::Relaxed);
    }

    /// The counts, by name.
    pub fn counts(&self) -> Vec<(&'static str, u64)> {
        let subjects = SUBJECTS.iter().zip(&self.counts);
        let rows = subjects.flat_map(|(subject, counts)| subject.iter().zip(counts));
        rows.map(|(invariant, count)| (invariant.name, count.load(Ordering::Relaxed))).collect()
    }
}

/// Writes down the invariants of one subject: each a function that answers with evidence, whose doc
/// comment is the reason for it. The function that comes out counts the check and puts the
/// invariant's name to the evidence; `INVARIANTS` lists them. `Always(user) fn` is one whose breach
/// a user can notice; without the word, only who looks inside can.
macro_rules! invariants {
    (subject $subject:literal; $(
        $(#[doc = $about:literal])*
        $when:ident $(($scope:ident))? fn $name:ident($($arg:ident: $type:ty),* $(,)?) $body:block
    )*) => {
        #[expect(non_camel_case_types, reason = "one place for each invariant, by its own name")]
        enum Nth { $($name,)* }

        /// The invariants of this subject.
        pub const INVARIANTS: &[$crate::invariant::Invariant] = &[$($crate::invariant::Invariant {
            name: stringify!($name),
            about: concat!($($about, "\n"),*),
            when: $crate::invariant::When::$when,
            scope: $crate::invariant::invariants!(@scope $($scope)?),
        },)*];

        $(
            $(#[doc = $about])*
            pub fn $name(
                checks: &$crate::invariant::Checks,
                $($arg: $type,)*
            ) -> $crate::invariant::Verdict {
                checks.count($subject, Nth::$name as usize);
                let judge = || -> Result<(), $crate::invariant::Evidence> { $body };
                judge().map_err(|evidence| evidence.against(stringify!($name)))
            }
        )*
    };
    (@scope) => { $crate::invariant::Scope::State };
    (@scope user) => { $crate::invariant::Scope::User };
}

pub(crate) use invariants;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_every_invariant_says_why() {
        let mut names: Vec<_> = Invariant::all().map(|invariant| invariant.name).collect();
        names.sort_unstable();
        let listed = names.len();
        names.dedup();
        assert_eq!(names.len(), listed);
        assert!(Invariant::all().all(|invariant| 40 < invariant.about.len()));
        assert!(SUBJECTS.iter().all(|subject| subject.len() <= 8), "Checks has room for 8");
    }
}
