//! Who decides which actor goes on, as a plan says it.

/// Who decides which actor goes on in the simulated world.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StrategyPlan {
    /// Any runnable actor, with equal chance, at every scheduling point.
    Random,
    /// Priorities that change at `depth - 1` random places of the run.
    Pct {
        /// 1..=16: how many ordering constraints the sought bug needs. `None`: each seed draws it.
        depth: Option<u32>,
    },
    /// Random priorities of what each task does next, drawn anew where two of them race.
    Pos,
    /// Every order of the passages of one class of places is as likely as any other.
    Surw,
    /// Each seed draws one of those above.
    Mix,
    /// Every schedule and every fault, within bounds.
    Exhaustive(ExhaustivePlan),
}

/// What is tried out, of each combination of what varies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExhaustivePlan {
    /// At most so many preemptions in a schedule: 0..=16.
    pub preemptions: u32,
    /// At most so many faults in a schedule, of those that the plan names: 0..=4.
    pub faults: u32,
    /// At most so many schedules.
    pub limit: u64,
}

impl StrategyPlan {
    /// The strategy that a scenario writes as that word.
    pub(in crate::scenario) fn named(word: &str) -> Option<StrategyPlan> {
        match word {
            "random" => Some(StrategyPlan::Random),
            "pct" => Some(StrategyPlan::Pct { depth: None }),
            "pos" => Some(StrategyPlan::Pos),
            "surw" => Some(StrategyPlan::Surw),
            "mix" => Some(StrategyPlan::Mix),
            "exhaustive" => Some(StrategyPlan::Exhaustive(ExhaustivePlan::default())),
            _ => None,
        }
    }

    /// The names of those that a seed may draw.
    pub fn drawn(self) -> &'static [&'static str] {
        match self {
            StrategyPlan::Random => &["random"],
            StrategyPlan::Pct { .. } => &["pct"],
            StrategyPlan::Pos => &["pos"],
            StrategyPlan::Surw => &["surw"],
            StrategyPlan::Exhaustive(_) => &["exhaustive"],
            StrategyPlan::Mix => &["pct", "pos", "random", "surw"],
        }
    }

    /// The word in a scenario.
    pub fn name(self) -> &'static str {
        match self {
            StrategyPlan::Random => "random",
            StrategyPlan::Pct { .. } => "pct",
            StrategyPlan::Pos => "pos",
            StrategyPlan::Surw => "surw",
            StrategyPlan::Mix => "mix",
            StrategyPlan::Exhaustive(_) => "exhaustive",
        }
    }
}

impl Default for ExhaustivePlan {
    fn default() -> ExhaustivePlan {
        ExhaustivePlan { preemptions: 2, faults: 1, limit: 1_000_000 }
    }
}
