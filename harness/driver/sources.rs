//! Sources of writes that a step of a script ends while the write stands.

use std::sync::atomic::{AtomicU8, Ordering};

/// One for each actor.
#[derive(Debug)]
pub struct Sources(Vec<ScriptedSource>);

/// What the current write of an actor copies from, as far as a script is concerned.
#[derive(Debug)]
pub struct ScriptedSource(AtomicU8);

/// There is no write.
const NONE: u8 = 0;
/// All of it can be read.
const WHOLE: u8 = 1;
/// It ends early by itself.
const SHORT: u8 = 2;
/// A step has said that it ends, and the write has not asked for it again.
const TOLD: u8 = 3;
/// The write has met its end.
const MET: u8 = 4;
/// A step has said that it ends, and the write never asked for it again.
const UNMET: u8 = 5;

impl Sources {
    /// Those of so many actors.
    pub fn new(actors: usize) -> Sources {
        Sources((0..actors).map(|_| ScriptedSource(AtomicU8::new(NONE))).collect())
    }

    /// That of the actor with this number, if it is one.
    pub fn of(&self, actor: usize) -> Option<&ScriptedSource> {
        self.0.get(actor)
    }
}

impl ScriptedSource {
    /// A write begins; whether its source ends early by itself.
    pub fn begins(&self, short: bool) {
        self.0.store(if short { SHORT } else { WHOLE }, Ordering::Relaxed);
    }

    /// It is over.
    pub fn is_over(&self) {
        let unmet = self.0.load(Ordering::Relaxed) == TOLD;
        self.0.store(if unmet { UNMET } else { NONE }, Ordering::Relaxed);
    }

    /// From now on no byte can be read that the write has not asked for. If that cannot be: why, and what to
    /// do.
    pub fn fail(&self) -> Result<(), (&'static str, &'static str)> {
        match self.0.load(Ordering::Relaxed) {
            WHOLE => {
                self.0.store(TOLD, Ordering::Relaxed);
                Ok(())
            }
            SHORT => Err((
                "has a byte in its source already that is not there",
                "take `unreadable_at` or `not_present_at` out of the write, or `fail` out of the script",
            )),
            TOLD | MET => Err(("has a source that has ended already", "end it once")),
            _ => {
                Err(("is in no write", "let it stand in one first: `run ACTOR until write.mapped`"))
            }
        }
    }

    /// The write asks for a part of its source: whether it is to end there.
    pub(crate) fn ends_now(&self) -> bool {
        self.0.compare_exchange(TOLD, MET, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }

    /// Whether a write has ended since that was to meet the end of its source, and did not.
    pub fn take_unmet(&self) -> bool {
        self.0.compare_exchange(UNMET, NONE, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_ends_once_and_only_under_a_write() {
        let sources = Sources::new(1);
        assert!(sources.of(1).is_none());
        let source = sources.of(0).unwrap();
        assert!(source.fail().is_err(), "nobody writes");
        source.begins(true);
        assert!(source.fail().is_err(), "it ends by itself");
        source.begins(false);
        assert!(!source.ends_now());
        assert_eq!(source.fail(), Ok(()));
        assert!(source.fail().is_err(), "it has ended");
        assert!(source.ends_now() && !source.ends_now());
        source.is_over();
        assert!(!source.take_unmet());
        source.begins(false);
        source.fail().unwrap();
        source.is_over();
        assert!(source.take_unmet() && !source.take_unmet());
    }
}
