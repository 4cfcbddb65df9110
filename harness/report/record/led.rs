//! What came of the steps of a script that led actors on a real filesystem.

use super::{Record, World};
use crate::number;
use serde::{Deserialize, Serialize};

/// One step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedStep {
    /// Its number, from 1.
    pub step: u64,
    /// Its sentence.
    pub text: String,
    /// Whether it did what it says.
    pub how: Led,
    /// What an actor waits for that was led to where it waits; else why it did not do what it says.
    pub why: Option<String>,
}

/// Whether a step did what it says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Led {
    /// It did.
    #[serde(rename = "steered")]
    Steered,
    /// It came close.
    #[serde(rename = "nearby")]
    Nearby,
    /// It did not.
    #[serde(rename = "not steered")]
    NotSteered,
}

impl Led {
    /// As `result.json` has it.
    pub fn name(self) -> &'static str {
        match self {
            Led::Steered => "steered",
            Led::Nearby => "nearby",
            Led::NotSteered => "not steered",
        }
    }
}

impl LedStep {
    /// What is worth a line of its own.
    pub fn remark(&self) -> Option<String> {
        let why = self.why.as_deref()?;
        let how = match self.how {
            Led::Steered => String::new(),
            Led::Nearby | Led::NotSteered => format!("{}; ", self.how.name()),
        };
        Some(format!("step {}, {}: {how}{why}", self.step, self.text))
    }
}

/// Whether a script was to lead actors of a real filesystem, however far it came.
pub fn leads(record: &Record) -> bool {
    let is_led = record.world == World::Threads && !record.scenario.script.is_empty();
    is_led || !record.led.is_empty()
}

/// Whether these are all `steps` of a script, each of them was led or came close, and nothing else of it is
/// `lost`; in words, too.
pub fn hit(led: &[LedStep], steps: usize, lost: usize) -> (bool, String) {
    let count = |how| led.iter().filter(|step| step.how == how).count();
    let (missed, nearby) = (count(Led::NotSteered), count(Led::Nearby));
    let all = steps + lost;
    let left = all - (led.len() - missed);
    let all = number::counted(u64::try_from(all).unwrap_or(u64::MAX), "step");
    match (missed + lost, nearby) {
        (0, _) if led.len() < steps => (false, format!("ended after {} of {all}", led.len())),
        (0, 0) => (true, format!("hit: all {all}")),
        (0, nearby) => (true, format!("hit: all {all}, {nearby} of them nearby")),
        _ => (false, format!("not provoked: {left} of {all} could not be steered")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_is_hit_by_all_of_its_steps() {
        let step = |how| LedStep { step: 1, text: String::new(), how, why: None };
        let all = [step(Led::Steered), step(Led::Nearby), step(Led::NotSteered)];
        for (led, (steps, lost), told) in [
            (&all[..1], (1, 0), "hit: all 1 step"),
            (&all[..2], (2, 0), "hit: all 2 steps, 1 of them nearby"),
            (&all[..2], (3, 0), "ended after 2 of 3 steps"),
            (&all[..2], (2, 1), "not provoked: 1 of 3 steps could not be steered"),
            (&all[..], (3, 0), "not provoked: 1 of 3 steps could not be steered"),
        ] {
            assert_eq!(hit(led, steps, lost), (told.starts_with("hit"), told.to_owned()));
        }
    }
}
