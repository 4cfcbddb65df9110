//! In which ways the sources of writes end early.

use crate::scenario::plan::{Plan, Unreadable};
use crate::tally::Fault;
use crate::user_buffer::Gap;
use mounted::source::poisoning;
use mounted::{Failing, Hole, Refusal, Way};
use stormfs::op::OpId;
use stormfs::quantity::narrow;

/// See the module.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ways {
    /// The only one, if the scenario names it.
    named: Option<Way>,
    poisons: bool,
}

impl Ways {
    /// Those that `plan` wants, of those that there are here.
    pub(super) fn of(plan: &Plan) -> Result<Ways, Refusal> {
        let named = match plan.unreadable() {
            Unreadable::Any => None,
            Unreadable::Protect => Some(Way::Protected),
            Unreadable::Unmap => Some(Way::Unmapped),
            Unreadable::Bus => Some(Way::BeyondEof),
            Unreadable::Poison => Some(Way::Poisoned),
        };
        let poisoning = poisoning();
        match (named, poisoning) {
            (Some(Way::Poisoned), Err(refusal)) => Err(no_poison(&refusal)),
            (named, poisoning) => Ok(Ways { named, poisons: poisoning.is_ok() }),
        }
    }

    /// The missing byte of the source of a write. If no way is named, it is a matter of which operation it
    /// is.
    pub(super) fn hole(self, id: OpId, gap: Gap) -> Hole {
        let in_turn = || Way::in_turn(id.number, self.poisons);
        let way = if gap.persistent { self.named.unwrap_or_else(in_turn) } else { Way::NotPresent };
        Hole { at: narrow(gap.at), way }
    }

    /// How a byte is made to fail at which a write stands, or would.
    pub(super) fn failing(self) -> Failing {
        match self.named {
            None | Some(Way::Protected | Way::NotPresent) => Failing::Protected,
            Some(Way::Unmapped) => Failing::Unmapped,
            Some(Way::BeyondEof) => Failing::BeyondEof,
            Some(Way::Poisoned) => Failing::Poisoned,
        }
    }
}

/// As what a source is counted that ends in that way; none if it does not end in the end.
pub(super) fn counted(way: Way) -> Option<Fault> {
    match way {
        Way::Protected => Some(Fault::ShortCopyByProtect),
        Way::Unmapped => Some(Fault::ShortCopyByUnmap),
        Way::BeyondEof => Some(Fault::ShortCopyByBus),
        Way::Poisoned => Some(Fault::ShortCopyByPoison),
        Way::NotPresent => None,
    }
}

/// The same, of one that ends where its write stood.
pub(super) fn counted_failing(how: Failing) -> Fault {
    match how {
        Failing::Protected => Fault::ShortCopyByProtect,
        Failing::Unmapped => Fault::ShortCopyByUnmap,
        Failing::BeyondEof => Fault::ShortCopyByBus,
        Failing::Poisoned => Fault::ShortCopyByPoison,
    }
}

fn no_poison(refusal: &Refusal) -> Refusal {
    let tried = format!("`by: poison` of `short_copy`: {}", refusal.tried);
    let advice = format!("{}; or name another way, or none", refusal.advice);
    Refusal::told(tried, refusal.came.clone(), advice)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::{Known, parse};

    #[test]
    fn what_a_scenario_names_holds_for_every_source() {
        for (by, way, failing) in [
            ("protect", Way::Protected, Failing::Protected),
            ("unmap", Way::Unmapped, Failing::Unmapped),
            ("bus", Way::BeyondEof, Failing::BeyondEof),
        ] {
            let text = format!(
                "world: threads\ntarget: {{directory: /there}}\nops: 9\n\
                 actors: [{{name: w, ops: {{write: 1}}}}]\n\
                 faults: [{{short_copy: {{chance: 0%, by: {by}}}}}]\n"
            );
            let plan = parse("a", &text, &Known::default(), &[]).unwrap();
            let ways = Ways::of(&plan).unwrap();
            assert_eq!(ways.failing(), failing);
            for number in 0..8 {
                let id = OpId { actor: 1, number };
                let hole = |persistent| ways.hole(id, Gap { at: 7, persistent });
                assert_eq!(hole(true), Hole { at: 7, way });
                assert_eq!(hole(false), Hole { at: 7, way: Way::NotPresent });
            }
            assert_eq!(counted(way), Some(counted_failing(failing)));
        }
    }

    #[test]
    fn who_names_what_is_not_there_is_told_how_to_have_it() {
        let refusal = Refusal::told("userfaultfd", "EPERM", "run as root");
        let told = "`by: poison` of `short_copy`: userfaultfd: EPERM; run as root; or name another \
                    way, or none";
        assert_eq!(no_poison(&refusal).to_string(), told);
    }
}
