//! How long an operation is, and where: more often than by chance at the edges of what the
//! filesystem is made of, at the end of the file, at the ends of extents, and where others act.
//!
//! First a *mark* is drawn, which is a position that matters, and then how the operation lies to
//! it: it begins or ends there, or a byte beside, or somewhere around.

use crate::haunts::Haunts;
use crate::scenario::plan::{ActorPlan, Plan, SizePlan, SizeShape};
use crate::target::Target;
use sim::chance::Stream;
use stormfs::quantity::{ByteRange, PAGE};

/// Where one actor aims.
pub struct Aim {
    /// Its number over all actors.
    actor: usize,
    size: SizePlan,
    align: u64,
    within: u64,
    /// Blocks, pages and folios: multiples of these are edges.
    units: [u64; 3],
    /// Where its own last operation ended.
    recent: u64,
}

/// What an actor aims at.
pub struct Field<'a> {
    /// Which can be asked where its edges are.
    pub target: &'a dyn Target,
    /// Where everybody acts.
    pub haunts: &'a Haunts,
}

impl Aim {
    /// That of `actor`, the `number`-th of `plan`.
    pub fn new(plan: &Plan, actor: &ActorPlan, number: usize) -> Aim {
        Aim {
            actor: number,
            size: actor.size,
            align: actor.align,
            within: plan.reach(actor),
            units: [plan.filesystem.block_size, PAGE, plan.filesystem.max_folio],
            recent: 0,
        }
    }

    /// A range of `file`.
    pub fn range(&mut self, chance: &mut Stream, file: usize, field: &Field<'_>) -> ByteRange {
        let len = self.length(chance);
        let anywhere = chance.below(self.within);
        let pos = match self.mark(chance, file, anywhere, field) {
            Some(mark) => beside(chance, mark, len),
            None => anywhere,
        };
        let pos = pos % self.within;
        let range = ByteRange::at(pos - pos % self.align, len);
        self.recent = range.end;
        range
    }

    fn length(&self, chance: &mut Stream) -> u64 {
        let SizePlan { min, max, shape } = self.size;
        match shape {
            SizeShape::Uniform => chance.between(min, max),
            SizeShape::Fixed => max,
            SizeShape::LogUniform => {
                let round = self.round_length(chance);
                let fits = round.filter(|len| (min..=max).contains(len));
                fits.unwrap_or_else(|| chance.log_uniform(min, max))
            }
        }
    }

    /// Now and then a unit, give or take a byte, or a single byte.
    fn round_length(&self, chance: &mut Stream) -> Option<u64> {
        match chance.below(16) {
            0 => Some(1),
            1 | 2 => Some(self.unit(chance)),
            3 => Some(self.unit(chance) - 1),
            4 => Some(self.unit(chance) + 1),
            _ => None,
        }
    }

    fn unit(&self, chance: &mut Stream) -> u64 {
        self.units[usize::try_from(chance.below(3)).expect("below 3")]
    }

    /// A position that matters; `None`: any will do.
    fn mark(
        &self,
        chance: &mut Stream,
        file: usize,
        anywhere: u64,
        field: &Field<'_>,
    ) -> Option<u64> {
        match chance.below(16) {
            0..=2 => Some(self.end_of_file(chance, field.target.size(file))),
            3..=5 => self.place_of_another(chance, file, field.haunts),
            6 => Some(self.recent),
            7 | 8 => {
                let unit = self.unit(chance);
                Some(anywhere - anywhere % unit)
            }
            9 => {
                let ByteRange { start, end } = field.target.extent(file, anywhere);
                Some(if chance.below(2) == 0 || self.within <= end { start } else { end })
            }
            _ => None,
        }
    }

    /// The end of the file, or an edge of the block, page or folio in which it lies.
    fn end_of_file(&self, chance: &mut Stream, size: u64) -> u64 {
        let unit = self.unit(chance);
        match chance.below(4) {
            0 => size - size % unit,
            1 => size.next_multiple_of(unit),
            _ => size,
        }
    }

    /// The start, the end or the inside of what another actor uses of that file, or used last.
    fn place_of_another(&self, chance: &mut Stream, file: usize, haunts: &Haunts) -> Option<u64> {
        let others = u64::try_from(haunts.actors()).expect("at most 40") - 1;
        let drawn = usize::try_from(chance.below(others)).expect("at most 40");
        let other = if drawn < self.actor { drawn } else { drawn + 1 };
        let (at, range) = (other < haunts.actors()).then(|| haunts.of(other)).flatten()?;
        let inside = match chance.below(4) {
            0 => range.end,
            1 => range.start + chance.below(range.len()),
            _ => range.start,
        };
        (at == file).then_some(inside)
    }
}

/// Where an operation of `len` bytes begins that has to do with the byte at `mark`.
fn beside(chance: &mut Stream, mark: u64, len: u64) -> u64 {
    match chance.below(8) {
        0 | 1 => mark,
        2 => mark + 1,
        3 => mark.saturating_sub(1),
        4 => mark.saturating_sub(len),
        5 => (mark + 1).saturating_sub(len + 2 * chance.below(2)),
        _ => {
            let reach = chance.log_uniform(1, 2 * PAGE);
            mark.saturating_sub(reach) + chance.below(2 * reach)
        }
    }
}
