//! `vary:` as it was written: lists of values, from whose combinations each seed draws one.

use super::node::{Entry, Node, Place, Value, quoted};
use super::path::{Origin, Path};
use super::problem::{Problem, Problems};
use super::suggest::{did_you_mean, list};

/// The most combinations, those that are skipped included.
pub(super) const MOST: usize = 4096;

/// The outermost keys below which a value may differ between seeds.
pub(super) const MAY_VARY: &[&str] = &[
    "ops",
    "strategy",
    "swarm",
    "step_budget",
    "device",
    "filesystem",
    "files",
    "actors",
    "faults",
];

/// The key beside the paths that leaves combinations out.
const SKIP: &str = "skip";

/// What is varied.
pub(super) struct Vary<'a> {
    /// Where `vary` stands.
    pub(super) place: Place,
    /// Each value that is varied.
    pub(super) axes: Vec<Axis<'a>>,
    skips: Vec<Skip>,
}

/// One value that is varied.
pub(super) struct Axis<'a> {
    /// The path of the value.
    pub(super) path: Path<'a>,
    /// What it may be, in the order of the scenario.
    pub(super) values: &'a [Node],
    /// Whether the command line says what it is, or what a part of it is.
    pub(super) is_set: bool,
}

/// Combinations that are left out: those in which each of these axes has one of these values.
type Skip = Vec<(usize, Vec<String>)>;

impl<'a> Vary<'a> {
    /// Reads the line of `vary`, or reports what is wrong with it.
    pub(super) fn read(
        entry: &'a Entry,
        overrides: &[(String, String)],
        problems: &Problems,
    ) -> Option<Vary<'a>> {
        let place = entry.key.place;
        let note = |problem: Box<Problem>| problems.add(*problem);
        let entries = mapping(&entry.value, place).map_err(note).ok()?;
        let (skipped, paths): (Vec<_>, Vec<_>) =
            entries.iter().partition(|entry| entry.key.word() == SKIP);
        let mut axes: Vec<Axis<'a>> = Vec::new();
        let mut good = true;
        for entry in paths {
            match axis(entry, overrides).and_then(|axis| alone(axis, &axes)) {
                Ok(varied) => axes.push(varied),
                Err(problem) => {
                    good = false;
                    note(problem);
                }
            }
        }
        // What is skipped names axes, and makes sense only once those are well.
        let nodes = skipped.into_iter().flat_map(items).filter(|_| good);
        let skips: Vec<_> = nodes.map(|node| skip(node, &axes).map_err(note).ok()).collect();
        let skips: Option<Vec<Skip>> = skips.into_iter().collect();
        let vary = Vary { place, axes, skips: skips.filter(|_| good)? };
        vary.countable().map_err(note).ok()?;
        Some(vary)
    }

    /// How many combinations there are.
    pub(super) fn combinations(&self) -> usize {
        self.axes.iter().map(Axis::len).product()
    }

    /// Which value each axis has in the combination of that number; the last turns fastest.
    pub(super) fn choices(&self, combination: usize) -> Vec<usize> {
        let mut rest = combination;
        let mut choices: Vec<_> = self
            .axes
            .iter()
            .rev()
            .map(|axis| {
                let choice = rest % axis.len();
                rest /= axis.len();
                choice
            })
            .collect();
        choices.reverse();
        choices
    }

    /// Whether that combination is left out, in the scenario below `root`.
    pub(super) fn skips(&self, choices: &[usize], root: &Node) -> bool {
        let is = |(axis, values): &(usize, Vec<String>)| {
            values.contains(&self.axes[*axis].shown(root, choices[*axis]))
        };
        self.skips.iter().any(|skip| skip.iter().all(is))
    }

    fn countable(&self) -> Result<(), Box<Problem>> {
        let lengths = self.axes.iter().map(Axis::len);
        let count = lengths.fold(1_usize, usize::saturating_mul);
        if count <= MOST {
            return Ok(());
        }
        let message = format!("these are {count} combinations, and {MOST} are the most");
        Err(Box::new(Problem::at(self.place, message).help("vary less, or fewer values of each")))
    }
}

impl Axis<'_> {
    /// How many values it takes.
    pub(super) fn len(&self) -> usize {
        if self.is_set { 1 } else { self.values.len() }
    }

    /// Its value in one of its choices, as text.
    pub(super) fn shown(&self, root: &Node, choice: usize) -> String {
        let node = if self.is_set { self.path.find(root) } else { self.values.get(choice) };
        node.map_or_else(|| "its default".to_owned(), Node::flow)
    }

    /// Puts the value of that choice into the scenario, unless the command line has put it there.
    pub(super) fn put(&self, root: &mut Node, choice: usize) -> Result<(), Box<Problem>> {
        if !self.is_set {
            *self.path.open(root)? = self.values[choice].clone();
        }
        Ok(())
    }
}

/// What stands behind `vary`.
fn mapping(node: &Node, key: Place) -> Result<&[Entry], Box<Problem>> {
    const FORM: &str = "write paths with lists: `{filesystem.block_size: [1KiB, 4KiB]}`";
    if let Value::Mapping(entries) = &node.value {
        return Ok(entries);
    }
    if matches!(node.value, Value::Null) {
        return Err(Box::new(Problem::at(key, "`vary` has no value").help(FORM)));
    }
    let message = format!("`vary` is a mapping, and this is {}", node.kind());
    Err(Box::new(Problem::at(node.place, message).help(FORM)))
}

/// One line of `vary`.
fn axis<'a>(entry: &'a Entry, overrides: &[(String, String)]) -> Result<Axis<'a>, Box<Problem>> {
    let Value::Text(text) = &entry.key.value else {
        let message = format!("{} is no path into a scenario", quoted(&entry.key.word()));
        let help = "write one like `filesystem.block_size`";
        return Err(Box::new(Problem::at(entry.key.place, message).help(help)));
    };
    let path = Path::read(text, Origin::Key(entry.key.place))?;
    if !MAY_VARY.contains(&path.first()) {
        let message = format!("{} is the same for every seed", quoted(path.first()));
        let help = format!("what may vary lies below {}", list(MAY_VARY));
        return Err(Box::new(Problem::at(entry.key.place, message).help(help)));
    }
    let Value::List(values) = &entry.value.value else {
        let message =
            format!("`{text}` takes a list of values here, and this is {}", entry.value.kind());
        let nothing = matches!(entry.value.value, Value::Null);
        let place = if nothing { entry.key.place } else { entry.value.place };
        let value = if nothing { String::new() } else { format!("{}, ", entry.value.flow()) };
        let help = format!("write `{text}: [{value}...]`");
        return Err(Box::new(Problem::at(place, message).help(help)));
    };
    if values.is_empty() {
        let message = format!("`{text}` has no values");
        let help = "write some, or remove the line";
        return Err(Box::new(Problem::at(entry.value.place, message).help(help)));
    }
    // An override that cannot be read has been reported where it stands.
    let reaches = |text| Path::read(text, Origin::Set(0)).is_ok_and(|set| set.overlaps(&path));
    let is_set = overrides.iter().any(|(text, _)| reaches(text));
    Ok(Axis { path, values, is_set })
}

/// The axis, unless another one leads to a part of it or to the whole of which it is a part.
fn alone<'a>(axis: Axis<'a>, others: &[Axis<'a>]) -> Result<Axis<'a>, Box<Problem>> {
    let Some(other) = others.iter().find(|other| other.path.overlaps(&axis.path)) else {
        return Ok(axis);
    };
    let message = format!("`{}` and `{}` vary the same value", other.path.text, axis.path.text);
    let problem = Problem::at(axis.path.place_of_all(), message).help("remove one of the two");
    Err(Box::new(problem.second(other.path.place_of_all(), "the first")))
}

/// The items of `skip`; what is no list is one item.
fn items(entry: &Entry) -> &[Node] {
    if let Value::List(items) = &entry.value.value {
        return items;
    }
    std::slice::from_ref(&entry.value)
}

/// One item of `skip`.
fn skip(node: &Node, axes: &[Axis<'_>]) -> Result<Skip, Box<Problem>> {
    let Value::Mapping(entries) = &node.value else {
        let message = "an item of `skip` is a mapping from paths to values";
        let help = "write some of the paths above, each with the values that do not go together: \
                    `{filesystem.block_size: 64KiB, filesystem.max_folio: [4KiB, 16KiB]}`";
        return Err(Box::new(Problem::at(node.place, message).help(help)));
    };
    if entries.is_empty() {
        let problem = Problem::at(node.place, "this item of `skip` names nothing");
        return Err(Box::new(problem.help("name some of the paths above, or remove it")));
    }
    entries.iter().map(|entry| part(entry, axes)).collect()
}

/// One path of an item of `skip`, with the values that are meant.
fn part(entry: &Entry, axes: &[Axis<'_>]) -> Result<(usize, Vec<String>), Box<Problem>> {
    let name = entry.key.word();
    let Some(at) = axes.iter().position(|axis| axis.path.text == name) else {
        let names: Vec<_> = axes.iter().map(|axis| axis.path.text).collect();
        let message = format!("{} is not varied", quoted(&name));
        let help = did_you_mean(&name, &names);
        return Err(Box::new(Problem::at(entry.key.place, message).help(help)));
    };
    let meant = items(entry);
    let known: Vec<_> = axes[at].values.iter().map(Node::flow).collect();
    let known: Vec<_> = known.iter().map(String::as_str).collect();
    for node in meant {
        if !known.contains(&node.flow().as_str()) {
            let message = format!("{} is none of the values of `{name}`", quoted(&node.flow()));
            let help = did_you_mean(&node.flow(), &known);
            return Err(Box::new(Problem::at(node.place, message).help(help)));
        }
    }
    Ok((at, meant.iter().map(Node::flow).collect()))
}
