//! Where a reproducer comes from, and what it did there.

use super::fields::{Fields, Given, Read};
use super::format::key;
use super::keys::{Fallback, Kind, Shape};
use super::plan::Recorded;
use super::values;

/// The keys of `recorded`.
pub(super) static RECORDED: Shape = Shape {
    what: "`recorded`",
    decisions: false,
    keys: &[
        key("version", "The version of Pagestorm that ran it.", Fallback::Required, Kind::Prose),
        key("from", "The scenario that it was found with.", Fallback::Required, Kind::Prose),
        key("seed", "The seed under which it was found.", Fallback::Required, Kind::Seed),
        key("trace", "The hash of what happened, in its order.", Fallback::Required, Kind::Seed),
        key(
            "points",
            "How many scheduling points were passed.",
            Fallback::Required,
            Kind::Number { min: 0, max: u64::MAX },
        ),
    ],
};

/// Reads it, if it is there.
pub(super) fn recorded(fields: &Fields<'_>) -> Read<Option<Recorded>> {
    if fields.given("recorded").is_none() {
        return Some(Given { value: None, place: fields.place });
    }
    let keys = fields.mapping("recorded")?;
    let (version, from) = (keys.read("version", values::prose), keys.read("from", values::prose));
    let (seed, trace) = (keys.read("seed", values::seed), keys.read("trace", values::seed));
    let points = keys.number("points");
    let recorded = Recorded {
        version: version?.value,
        from: from?.value,
        seed: seed?.value,
        trace_hash: trace?.value,
        points: points?.value,
    };
    Some(Given { value: Some(recorded), place: keys.place })
}
