//! How the command ends: one small number that scripts and CI engines act on.

/// An exit status, in the order of severity: of several runs the most severe counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Exit {
    /// As the scenario expected.
    Ok,
    /// Only a gate on figures was missed.
    Gate,
    /// Not a single operation ended, or nothing was there to judge.
    NothingRan,
    /// The machine cannot do what was asked.
    Environment,
    /// Bad usage, or a bad scenario.
    Usage,
    /// A violation, or a verdict other than the expected one.
    Failed,
    /// SIGINT ended the run; what was found until then is written.
    Interrupted,
    /// SIGTERM ended the run; what was found until then is written.
    Terminated,
    /// What was found is nowhere on disk: whoever acts on 1 would look for it in vain.
    Unwritten,
    /// The harness itself failed, or a simulation was not deterministic.
    Harness,
}

impl Exit {
    /// The number that the process ends with.
    pub fn code(self) -> u8 {
        match self {
            Exit::Ok => 0,
            Exit::Failed => 1,
            Exit::Usage => 2,
            Exit::Gate => 3,
            Exit::NothingRan => 4,
            Exit::Environment | Exit::Unwritten => 5,
            Exit::Harness => 70,
            Exit::Interrupted => 130,
            Exit::Terminated => 143,
        }
    }
}
