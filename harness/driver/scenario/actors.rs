//! Actors: what they do, how long, where and how many; both stages.

use super::calls::{self, RawCall};
use super::fields::{Fields, Given, Read};
use super::keys::{Fallback, Key, Kind};
use super::node::{Node, Place, Value, quoted};
use super::plan::{ActorPlan, SizePlan, SizeShape};
use super::problem::Problem;
use super::quantity::show_size;
use super::suggest::{did_you_mean, list};
use super::values;
use std::time::Duration;
use stormfs::op::OpKind;

/// The heaviest weight of an operation.
pub(super) const HEAVIEST: u64 = 1_000_000;

/// Kinds of operation, each with its weight.
type Weights = Vec<(OpKind, u64)>;

/// A list of calls; `None` for each that is wrong.
type List = Vec<Option<RawCall>>;

/// Actors that do the same kind of thing, as written.
pub(super) struct RawActor {
    pub(super) name: Read<String>,
    pub(super) count: Read<u64>,
    ops: Option<Weights>,
    /// What only a filesystem of the kernel can do, and where it stands.
    pub(super) real: Vec<(&'static str, Place)>,
    /// Where its calls give up at their faults, as only the model's can be made to.
    pub(super) abandoned: Vec<Place>,
    /// Where `ops` stands, if it is given.
    pub(super) draws: Option<Place>,
    does: Option<List>,
    size: Option<RawSize>,
    align: Read<u64>,
    within: Read<Option<u64>>,
    iovecs: Read<u64>,
    pause: Read<Duration>,
    pub(super) rate: Read<Option<u64>>,
}

struct RawSize {
    place: Place,
    min: Read<Option<u64>>,
    max: Read<u64>,
    shape: Read<SizeShape>,
}

/// Reads the list of actors.
pub(super) fn actors(fields: &Fields<'_>) -> Option<Vec<RawActor>> {
    let (shape, items) = fields.list("actors")?;
    let open = |node| Some(actor(&Fields::open(node, shape, fields.problems())?));
    Some(items.iter().filter_map(open).collect())
}

impl RawActor {
    /// The kinds of the calls that it lists, if it does, and if each of them is right.
    pub(super) fn listed(&self) -> Option<Vec<OpKind>> {
        let calls = self.does.as_ref().filter(|calls| !calls.is_empty())?;
        calls.iter().map(|call| Some(call.as_ref()?.kind())).collect()
    }
}

/// The plan of one actor, if its sizes make sense and its files are among `files`,
/// unless those are wrong themselves.
pub(super) fn plan(
    raw: RawActor,
    files: Option<&[&str]>,
    report: &mut dyn FnMut(Problem),
) -> Option<ActorPlan> {
    let calls = raw.does.map(|does| {
        let calls = calls::plan(does, files, report);
        calls.into_iter().collect::<Option<Vec<_>>>()
    });
    let size = raw.size.and_then(|raw| sizes(&raw, report));
    let count = raw.count.and_then(|count| u32::try_from(count.value).ok());
    let iovecs = raw.iovecs.and_then(|iovecs| u32::try_from(iovecs.value).ok());
    Some(ActorPlan {
        name: raw.name?.value,
        count: count?,
        ops: raw.ops?,
        does: calls??,
        size: size?,
        align: raw.align?.value,
        within: raw.within?.value,
        iovecs: iovecs?,
        pause: raw.pause?.value,
        rate: raw.rate?.value,
        apart: None,
    })
}

fn actor(fields: &Fields<'_>) -> RawActor {
    let size = fields.mapping("size").map(|size| RawSize {
        place: size.place,
        min: size.maybe("min", values::size),
        max: size.size("max"),
        shape: size.word("shape"),
    });
    let (ops, does) = work(fields);
    let real = of_real(fields, does.as_deref().unwrap_or_default());
    let abandoned = does.iter().flatten().flatten().filter_map(|call| call.abandoned).collect();
    if let (Some(pause), Some(rate)) = (fields.given("pause"), fields.given("rate")) {
        let message = "`pause` has no meaning beside `rate`, which says when operations begin";
        let problem = Problem::at(pause.key.place, message).help("remove one of the two");
        fields.report(problem.second(rate.key.place, "the rate"));
    }
    RawActor {
        name: fields.read("name", values::name),
        count: fields.number("count"),
        ops,
        real,
        abandoned,
        draws: fields.given("ops").map(|entry| entry.key.place),
        does,
        size,
        align: fields.size("align"),
        within: fields.maybe("within", values::size),
        iovecs: fields.number("iovecs"),
        pause: fields.duration("pause"),
        rate: fields.maybe("rate", values::rate),
    }
}

/// What they draw from, and what they do one after the other: one of the two is empty.
fn work(fields: &Fields<'_>) -> (Option<Weights>, Option<List>) {
    match (fields.given("ops"), fields.given("does")) {
        (Some(_), None) => (ops(fields), Some(Vec::new())),
        (None, Some(_)) => (Some(Vec::new()), does(fields)),
        (None, None) => {
            let help = "add `ops:`, what they do at random, each operation with its weight, or \
                        `does:`, a list of what they do";
            let message = "an actor has neither `ops` nor `does`";
            fields.report(Problem::at(fields.place, message).help(help));
            (None, None)
        }
        (Some(first), Some(second)) => {
            let message = "an actor has `ops` or `does`, and this one has both";
            let problem = Problem::at(second.key.place, message).help("remove one of the two");
            fields.report(problem.second(first.key.place, "the other"));
            (ops(fields), does(fields))
        }
    }
}

/// Kinds that stormfs does not model, wherever they stand.
fn of_real(fields: &Fields<'_>, does: &[Option<RawCall>]) -> Vec<(&'static str, Place)> {
    let weighed = fields.given("ops").map(|ops| &ops.value.value);
    let weighed =
        if let Some(Value::Mapping(entries)) = weighed { entries.as_slice() } else { &[] };
    let named = weighed.iter().filter_map(|entry| {
        let kind = OpKind::named(&entry.key.word()).filter(|kind| !kind.is_modelled())?;
        Some((kind.name(), entry.key.place))
    });
    named.chain(does.iter().flatten().filter_map(|call| call.real)).collect()
}

fn does(fields: &Fields<'_>) -> Option<List> {
    for name in ["size", "align", "within", "iovecs"] {
        if let Some(entry) = fields.given(name) {
            let message = format!("`{name}` has no meaning beside `does`");
            let help = "remove it: each operation of the list says for itself where it acts";
            fields.report(Problem::at(entry.key.place, message).help(help));
        }
    }
    let calls = calls::calls(fields)?;
    if calls.is_empty() {
        let place = fields.given("does")?.value.place;
        let problem = Problem::at(place, "this actor does nothing: `does` is empty");
        fields.report(problem.help("list at least one operation, as in `[fsync]`"));
        return None;
    }
    Some(calls)
}

fn ops(fields: &Fields<'_>) -> Option<Weights> {
    let Given { value: (), place } = fields.read("ops", |node, key| {
        let wanted = "a mapping from operations to weights";
        let help = "write `{write: 8, fsync: 1}`";
        let is_mapping = matches!(node.value, Value::Mapping(_));
        is_mapping.then_some(()).ok_or_else(|| values::wrong_type(node, key, wanted, help))
    })?;
    let Value::Mapping(entries) = &fields.given("ops")?.value.value else { return None };
    if entries.is_empty() {
        let help = format!("name at least one, with its weight: {}", list(&names()));
        fields.report(Problem::at(place, "this actor does nothing: `ops` is empty").help(help));
        return None;
    }
    let read: Vec<_> = entries
        .iter()
        .map(|entry| {
            let kind = kind(fields, &entry.key);
            let weight = weight(fields, &entry.key, &entry.value);
            Some((kind?, weight?))
        })
        .collect();
    read.into_iter().collect()
}

fn kind(fields: &Fields<'_>, key: &Node) -> Option<OpKind> {
    let name = key.word();
    let kind = OpKind::named(&name);
    if kind.is_none() {
        let message = format!("there is no operation {}", quoted(&name));
        fields.report(Problem::at(key.place, message).help(did_you_mean(&name, &names())));
    }
    kind
}

fn weight(fields: &Fields<'_>, name: &Node, node: &Node) -> Option<u64> {
    let default = Fallback::Required;
    let kind = Kind::Number { min: 1, max: HEAVIEST };
    let weight = values::number(node, &Key { name: "weight", about: "", default, kind });
    if weight.is_err() {
        let nothing = matches!(node.value, Value::Null);
        let found = if nothing { "nothing".to_owned() } else { quoted(&node.word()) };
        let message = format!("the weight of {} cannot be {found}", quoted(&name.word()));
        let help = if matches!(node.value, Value::Integer(0)) {
            "remove the operation if nobody should do it".to_owned()
        } else {
            format!("write a whole number from 1 to {HEAVIEST}")
        };
        let place = if nothing { name.place } else { node.place };
        fields.report(Problem::at(place, message).help(help));
    }
    weight.ok()
}

fn names() -> Vec<&'static str> {
    OpKind::ALL.iter().map(|kind| kind.name()).collect()
}

fn sizes(raw: &RawSize, report: &mut dyn FnMut(Problem)) -> Option<SizePlan> {
    let (min, max, shape) = (raw.min?, raw.max?, raw.shape?);
    if shape.value == SizeShape::Fixed {
        return fixed(min, max, report);
    }
    let least = min.value.unwrap_or(1);
    if max.value < least {
        report(above(raw.place, min.place, least, max));
        return None;
    }
    Some(SizePlan { min: least, max: max.value, shape: shape.value })
}

fn fixed(
    min: Given<Option<u64>>,
    max: Given<u64>,
    report: &mut dyn FnMut(Problem),
) -> Option<SizePlan> {
    let Given { value: max, place: _ } = max;
    match min.value {
        Some(least) if least != max => {
            let message = format!("every length is `max` ({}), and `min` differs", show_size(max));
            report(
                Problem::at(min.place, message)
                    .help("remove `min`, or let `shape` be `uniform` or `log_uniform`"),
            );
            None
        }
        _ => Some(SizePlan { min: max, max, shape: SizeShape::Fixed }),
    }
}

fn above(mapping: Place, place: Place, min: u64, max: Given<u64>) -> Problem {
    let (min, most) = (show_size(min), show_size(max.value));
    if max.place == mapping {
        let message = format!("`min` ({min}) is above `max`, which is {most} by default");
        return Problem::at(place, message).help("lower `min`, or give `max` a value, too");
    }
    Problem::at(place, format!("`min` ({min}) is above `max` ({most})"))
        .help("lower `min`, or raise `max`")
        .second(max.place, "`max` is here")
}
