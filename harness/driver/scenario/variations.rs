//! What each seed of a run draws for itself, and the plan of every combination.

use super::plan::Plan;
use sim::chance::Seed;

/// See the module. At least one combination has a plan.
#[derive(Debug)]
pub struct Variations {
    /// What is varied, in the order of the scenario.
    pub dimensions: Vec<Dimension>,
    /// One for each combination, the last dimension turning fastest; `None` where it is skipped.
    plans: Vec<Option<Plan>>,
}

/// A value of the scenario that differs between seeds.
#[derive(Debug)]
pub struct Dimension {
    /// The path of the value.
    pub path: String,
    /// What it may be.
    pub values: Vec<String>,
    /// Whether the command line says what it is: then it has one value, and does not vary.
    pub is_set: bool,
}

impl Variations {
    /// `plans` has one for each combination of `dimensions`.
    pub(super) fn new(dimensions: Vec<Dimension>, plans: Vec<Option<Plan>>) -> Variations {
        assert!(plans.iter().any(Option::is_some), "some combination is left");
        Variations { dimensions, plans }
    }

    /// The plan of the combination that `seed` draws. Each value has a stream of its own, so that
    /// to hold one still leaves the others as they were; a combination that is skipped is drawn
    /// again as a whole.
    pub(super) fn drawn(&self, seed: Seed) -> &Plan {
        let numbered = (0..).zip(&self.dimensions);
        let mut streams: Vec<_> = numbered.map(|(number, _)| seed.setting(number)).collect();
        loop {
            let mut combination = 0;
            for (stream, dimension) in streams.iter_mut().zip(&self.dimensions) {
                let count = dimension.values.len();
                let choice = stream.below(u64::try_from(count).expect("a few values"));
                combination = combination * count + usize::try_from(choice).expect("below count");
            }
            if let Some(plan) = &self.plans[combination] {
                return plan;
            }
        }
    }

    /// How many combinations some seed may draw.
    pub fn count(&self) -> usize {
        self.plans().count()
    }

    /// The plans of all combinations that are not skipped.
    pub fn plans(&self) -> impl Iterator<Item = &Plan> {
        self.plans.iter().flatten()
    }
}
