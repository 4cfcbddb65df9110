//! Selective uniform random walk (Zhao et al., ASPLOS 2025).
//!
//! Of all that a run passes, one class of places is selected: the acquisitions of one class of
//! locks, or one named point. The orders in which tasks come to those are sampled evenly: it is
//! drawn who comes to one next, each task in proportion to how many it has still before it, and
//! until that has happened nobody else does. Anything else goes on in any order.

use super::{Decision, Strategy};
use crate::chance::Stream;
use crate::profile::Profile;
use crate::schedule::Key;

/// See the module.
#[derive(Debug)]
pub struct Surw {
    chance: Stream,
    /// The name of the selected places.
    selected: &'static str,
    /// By task: the selected places that it has still before it, by the profile.
    left: [u64; 64],
    /// Who comes to a selected place next.
    next: Option<usize>,
}

impl Surw {
    /// Selects one class of places at random, of those that at least two tasks of the `profile` came
    /// to. Without any, this is a random walk.
    pub fn new(mut chance: Stream, profile: &Profile) -> Surw {
        let shared = profile.shared();
        let drawn = chance.below(u64::try_from(shared.len()).expect("a short list"));
        let selected = usize::try_from(drawn).ok().and_then(|index| shared.get(index).copied());
        Surw::over(chance, profile, selected.unwrap_or_default())
    }

    /// Selects the places called `selected`.
    pub fn over(chance: Stream, profile: &Profile, selected: &'static str) -> Surw {
        let mut left = [0; 64];
        for (left, count) in left.iter_mut().zip(profile.of_site(selected)) {
            *left = count;
        }
        Surw { chance, selected, left, next: None }
    }

    /// The name of the selected places.
    pub fn selected(&self) -> &'static str {
        self.selected
    }

    fn stands_at_one(&self, decision: &Decision<'_>, task: usize) -> bool {
        decision.pending(task).name == self.selected
    }

    /// Who is to come to a selected place next; nobody if no candidate will.
    fn draw_next(&mut self, decision: &Decision<'_>) -> Option<usize> {
        let mut weights = [0; 64];
        for task in decision.candidates.iter() {
            // One who stands there has one before it, whatever the profile says.
            let least = u64::from(self.stands_at_one(decision, task));
            weights[task] = self.left[task].max(least);
        }
        let mut drawn = self.chance.below(weights.iter().sum());
        for task in decision.candidates.iter() {
            match drawn.checked_sub(weights[task]) {
                Some(rest) => drawn = rest,
                None => return Some(task),
            }
        }
        None
    }
}

impl Strategy for Surw {
    fn pick(&mut self, decision: &Decision<'_>, _key: Key) -> usize {
        let waits = self.next.filter(|task| decision.candidates.contains(*task));
        self.next = waits.or_else(|| self.draw_next(decision));
        let may = |task: &usize| self.next == Some(*task) || !self.stands_at_one(decision, *task);
        let those = decision.candidates.only(may);
        let drawn = self.chance.below(u64::from(those.count()));
        let chosen = those.nth(u32::try_from(drawn).expect("below 64"));
        if self.stands_at_one(decision, chosen) {
            self.left[chosen] = self.left[chosen].saturating_sub(1);
            self.next = None;
        }
        chosen
    }

    /// Whoever polls may wait for somebody who is kept from a selected place because of it.
    fn demote(&mut self, task: usize) {
        self.next = self.next.filter(|next| *next != task);
    }
}
