//! What the actors act on: the filesystem model, or a real filesystem.

use super::fields::{Fields, Read};
use super::format::{key, size};
use super::keys::{Fallback, Key, Kind, Shape};
use super::node::Place;
use super::other_target::OF_THE_MODEL;
use super::plan::{FaultPlan, IoKind, Unreadable, WorldKind};
use super::problem::{Problem, Problems};
use super::raw::RawScenario;
use super::values;
use mounted::Spec;
use std::path::PathBuf;

/// What the actors act on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TargetPlan {
    /// The filesystem model.
    Model,
    /// A filesystem of the kernel, made for the run.
    Kernel(Spec),
    /// Whatever is mounted at a directory.
    Directory(PathBuf),
}

/// Whose memory the files are mapped into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MmPlan {
    /// One that all actors share.
    Shared,
    /// Each actor's own.
    Own,
}

impl TargetPlan {
    /// A real one, as the command line takes it.
    pub fn named(&self) -> Option<String> {
        match self {
            TargetPlan::Model => None,
            TargetPlan::Kernel(spec) => Some(format!("kernel:{}", spec.kind.name())),
            TargetPlan::Directory(path) => Some(path.display().to_string()),
        }
    }

    /// Whether its files may have blocks in common.
    pub fn may_share_blocks(&self) -> bool {
        match self {
            TargetPlan::Kernel(spec) => spec.kind.shares_blocks(),
            TargetPlan::Model | TargetPlan::Directory(_) => true,
        }
    }
}

impl RawTarget {
    /// Whether it is a real filesystem.
    pub(super) fn is_real(&self) -> bool {
        let kernel = self.kernel.is_some_and(|kernel| kernel.value.is_some());
        kernel || self.directory.as_ref().is_some_and(|directory| directory.value.is_some())
    }

    /// The bytes of what is made for the run; nobody knows before how many a directory has.
    pub(super) fn room(&self) -> Option<u64> {
        let kind = self.kernel?.value?;
        Some(self.size?.value.unwrap_or(kind.image_size()))
    }
}

/// Who reads the tables wants these words.
const KERNELS: &[(&str, &str)] = &[
    ("xfs", "XFS, on an image of its own."),
    ("ext4", "ext4, on an image of its own."),
    ("btrfs", "btrfs, on an image of its own."),
    ("tmpfs", "tmpfs: it has no device, and no writeback."),
];

const MMS: &[(&str, &str)] = &[
    ("shared", "All map into the same memory, as threads do: their faults meet at its locks."),
    ("own", "Each maps into memory of its own, as processes do."),
];

const GIB: u64 = 1 << 30;

/// The most times that an actor opens a file.
const MOST_DESCRIPTORS: u64 = 16;

/// The most arguments of an `mkfs`.
const MOST_ARGUMENTS: usize = 64;

/// The keys of `target`.
pub(super) static TARGET: Shape = Shape {
    what: "the target",
    decisions: false,
    keys: &[
        key(
            "kernel",
            "Makes and mounts such a filesystem of this kernel. Needs root.",
            Fallback::Rule("none; one of `kernel` and `directory` is needed"),
            Kind::Words(KERNELS),
        ),
        key(
            "directory",
            "Uses what is mounted at this directory, whatever it is. Nothing is left there.",
            Fallback::Rule("none; see `kernel`"),
            Kind::Prose,
        ),
        key(
            "mkfs",
            "Arguments of its `mkfs`, behind those that always go with it, each an item: \
             `[-bsize=1024]` for xfs, `[-b, \"1024\"]` for ext4.",
            Fallback::Rule("none"),
            Kind::Sentences {
                what: "argument",
                example: "-Lname",
                pattern: r"^\S+$",
                min: 0,
                max: MOST_ARGUMENTS,
            },
        ),
        key(
            "mount",
            "Options of `mount -o`, separated by commas: its own, and those of mounts, as `noatime`.",
            Fallback::Text(""),
            Kind::Prose,
        ),
        key(
            "size",
            "Bytes of its image, or of all files on a tmpfs.",
            Fallback::Rule("320MiB for xfs, 128MiB for ext4, 256MiB for the others"),
            size(16 << 20, 1024 * GIB),
        ),
        key(
            "image",
            "The directory whose filesystem holds the image, without a name.",
            Fallback::Rule("`/dev/shm` where it fits, else the one for temporary files"),
            Kind::Prose,
        ),
        key(
            "descriptors",
            "How many times each actor opens each file, each time plain, with `O_APPEND` and with \
             `O_DIRECT`; it uses them in turn, and `release` closes and opens one.",
            Fallback::Text("1"),
            Kind::Number { min: 1, max: MOST_DESCRIPTORS },
        ),
        key(
            "mm",
            "Whose memory the actors map files into.",
            Fallback::Text("shared"),
            Kind::Words(MMS),
        ),
        key(
            "memory",
            "What the page cache may have, in a memory cgroup of the run; the image lies in the \
             directory for temporary files then. `doctor` says whether it can be had.",
            Fallback::Rule("as much as there is"),
            size(16 << 20, 1024 * GIB),
        ),
    ],
};

/// What was written about the target.
pub(super) struct RawTarget {
    kernel: Read<Option<mounted::Kind>>,
    directory: Read<Option<String>>,
    mkfs: Option<Vec<Read<String>>>,
    mount: Read<String>,
    size: Read<Option<u64>>,
    image: Read<Option<String>>,
    descriptors: Read<u64>,
    mm: Read<MmPlan>,
    memory: Read<Option<u64>>,
    /// Keys that only some filesystems can have, as far as they were written.
    of_some: Vec<(&'static str, Place)>,
    /// Keys that are about the model, as far as they were written.
    of_model: Vec<(&'static str, Place)>,
    /// Where it was written, if it was.
    place: Option<Place>,
}

/// Keys that only a filesystem that is made can have.
const OF_THE_MADE: &[&str] = &["mkfs", "mount", "size", "image"];

/// Those of them that are about an image.
const OF_AN_IMAGE: &[&str] = &["mkfs", "image"];

/// Reads the mapping.
pub(super) fn raw(scenario: &Fields<'_>, fields: &Fields<'_>) -> RawTarget {
    let names = mounted::Kind::ALL.map(mounted::Kind::name);
    let kernel = |node: &_, key: &Key| {
        let word = values::word(node, key, &names)?;
        Ok(mounted::Kind::named(&word).expect("it is one of the names"))
    };
    let mm = |node: &_, key: &Key| {
        let words: Vec<_> = MMS.iter().map(|(word, _)| *word).collect();
        let own = values::word(node, key, &words)? == "own";
        Ok(if own { MmPlan::Own } else { MmPlan::Shared })
    };
    let written = |of: &Fields<'_>, name: &'static str| Some((name, of.given(name)?.key.place));
    RawTarget {
        kernel: fields.maybe("kernel", kernel),
        directory: fields.maybe("directory", values::prose),
        mkfs: fields.sentences("mkfs"),
        mount: fields.read("mount", values::prose),
        size: fields.maybe("size", values::size),
        image: fields.maybe("image", values::prose),
        descriptors: fields.number("descriptors"),
        mm: fields.read("mm", mm),
        memory: fields.maybe("memory", values::size),
        of_some: OF_THE_MADE.iter().filter_map(|name| written(fields, name)).collect(),
        of_model: OF_THE_MODEL.iter().filter_map(|name| written(scenario, name)).collect(),
        place: scenario.given("target").map(|entry| entry.value.place),
    }
}

/// How many times each actor opens each file.
pub(super) fn descriptors(target: &RawTarget) -> Option<u32> {
    u32::try_from(target.descriptors?.value).ok()
}

/// Whose memory the files are mapped into.
pub(super) fn mm(target: &RawTarget) -> Option<MmPlan> {
    Some(target.mm?.value)
}

/// What the page cache may have of memory.
pub(super) fn memory(target: &RawTarget) -> Option<u64> {
    target.memory?.value
}

/// What it means, if all of it makes sense together with the rest.
pub(super) fn plan(raw: &RawScenario, problems: &Problems) -> Option<TargetPlan> {
    let target = raw.target.as_ref()?;
    let is_model = |read: &RawTarget| {
        let none = |given: Option<Option<()>>| given.is_some_and(|given| given.is_none());
        none(read.kernel.map(|kernel| kernel.value.map(drop)))
            && none(read.directory.as_ref().map(|given| given.value.as_ref().map(drop)))
    };
    if is_model(target) {
        refuse_the_kernels(raw, problems);
    }
    let (kernel, directory) = (target.kernel?, target.directory.as_ref()?);
    let place = kernel.place;
    let plan = match (kernel.value, &directory.value) {
        (None, None) => return is_absent(target, problems).then_some(TargetPlan::Model),
        (Some(_), Some(_)) => {
            let message = "`target` is either a `kernel` filesystem or a `directory`";
            let problem = Problem::at(directory.place, message).help("remove one of the two");
            problems.add(problem.second(place, "`kernel` is here"));
            return None;
        }
        (None, Some(path)) => {
            refuse_keys(target, OF_THE_MADE, problems);
            TargetPlan::Directory(path.into())
        }
        (Some(kind), None) => {
            if kind.mkfs().is_none() {
                refuse_keys(target, OF_AN_IMAGE, problems);
            }
            let mkfs =
                target.mkfs.as_ref()?.iter().map(|argument| Some(argument.as_ref()?.value.clone()));
            TargetPlan::Kernel(Spec {
                kind,
                mkfs: mkfs.collect::<Option<_>>()?,
                mount: target.mount.as_ref()?.value.clone(),
                size: target.size?.value.unwrap_or(kind.image_size()),
                image: target.image.as_ref()?.value.as_ref().map(Into::into),
                gated: raw
                    .faults
                    .as_ref()
                    .is_some_and(|faults| faults.value.iter().any(is_of_a_disk)),
            })
        }
    };
    let has_disk = kernel.value.is_some_and(|kind| kind.mkfs().is_some());
    refuse_memory(raw, kernel.value, problems);
    refuse_the_models(raw, target, problems);
    refuse_faults(raw, has_disk, problems);
    refuse_journaled_data(raw, target, problems);
    refuse_other_memory(raw, target, problems);
    Some(plan)
}

/// What stormfs cannot be asked for.
fn refuse_the_kernels(raw: &RawScenario, problems: &Problems) {
    for (name, place) in raw.actors.iter().flatten().flat_map(|actor| &actor.real) {
        let message = format!("stormfs does not model `{name}`: it is for `target:`");
        let help = "name a filesystem, as `target: {kernel: xfs}`, or remove the operation";
        problems.add(Problem::at(*place, message).help(help));
    }
    let Some(faults) = &raw.faults else { return };
    let places = raw.fault_places.iter().copied().chain(std::iter::repeat(faults.place));
    for (fault, place) in faults.value.iter().zip(places) {
        if matches!(fault, FaultPlan::ShortCopy { by, .. } if *by != Unreadable::Any) {
            let message = "stormfs knows no ways in which memory is missing: `by` is for `target:`";
            let help = "name a filesystem, as `target: {kernel: xfs}`, or remove `by`";
            problems.add(Problem::at(place, message).help(help));
        }
    }
}

/// Whether nothing is said of it. A mapping that names no filesystem is a mistake.
fn is_absent(target: &RawTarget, problems: &Problems) -> bool {
    if let Some(place) = target.place {
        let help = "write `{kernel: xfs}` or `{directory: PATH}`, or remove `target`: then it is the \
                    filesystem model";
        problems.add(Problem::at(place, "`target` names no filesystem").help(help));
    }
    target.place.is_none()
}

/// Refuses keys that this filesystem cannot have.
fn refuse_keys(target: &RawTarget, names: &[&str], problems: &Problems) {
    for (name, place) in target.of_some.iter().filter(|(name, _)| names.contains(name)) {
        let (message, help) = if names == OF_THE_MADE {
            (
                "is for a filesystem that is made for the run",
                "write `kernel: xfs` for the directory",
            )
        } else {
            ("is for a filesystem on an image, and a tmpfs has none", "name another `kernel`")
        };
        let problem = Problem::at(*place, format!("`{name}` {message}"));
        problems.add(problem.help(format!("{help}, or remove the key")));
    }
}

/// Refuses a limit of memory where that means nothing: a tmpfs has nothing else, and who is led by a script
/// stands where it says, not where memory is short.
fn refuse_memory(raw: &RawScenario, kind: Option<mounted::Kind>, problems: &Problems) {
    let memory = raw.target.as_ref().and_then(|target| target.memory);
    let Some(place) = memory.filter(|memory| memory.value.is_some()).map(|memory| memory.place)
    else {
        return;
    };
    let refuse = |message: &str, help: &str| problems.add(Problem::at(place, message).help(help));
    if kind.is_some_and(|kind| kind.mkfs().is_none()) {
        let message = "nothing can be taken out of memory that holds a tmpfs";
        refuse(message, "name another `kernel`, or remove `memory`");
    }
    if raw.script.as_ref().is_some_and(|steps| !steps.is_empty()) {
        let message =
            "memory that is short stops actors anywhere, and a script says where they stop";
        refuse(message, "remove one of the two");
    }
}

/// What a real filesystem cannot be asked for.
fn refuse_the_models(raw: &RawScenario, target: &RawTarget, problems: &Problems) {
    let refuse = |place, message: String, help: &str| {
        problems.add(Problem::at(place, message).help(help));
    };
    if let Some(world) = raw.world.filter(|world| world.value != WorldKind::Threads) {
        let message = "a real filesystem is not simulated".to_owned();
        refuse(world.place, message, "let `world` be `threads`");
    }
    for (name, place) in &target.of_model {
        let message = format!("`{name}` is about the filesystem model, and `target` is a real one");
        refuse(*place, message, "remove one of the two");
    }
    for place in raw.actors.iter().flatten().flat_map(|actor| &actor.abandoned) {
        let message = "no store can be made to give up at its fault on a real filesystem";
        refuse(*place, message.to_owned(), "remove `abandoned`, or `target`");
    }
}

/// Faults that a real filesystem cannot meet.
fn refuse_faults(raw: &RawScenario, has_disk: bool, problems: &Problems) {
    let Some(faults) = &raw.faults else { return };
    let places = raw.fault_places.iter().copied().chain(std::iter::repeat(faults.place));
    for (fault, place) in faults.value.iter().zip(places) {
        let is_of_a_disk = is_of_a_disk(fault);
        if matches!(fault, FaultPlan::ShortCopy { .. }) || is_of_a_disk && has_disk {
            continue;
        }
        let (message, help) = match fault {
            _ if is_of_a_disk => {
                ("this target has no disk of ours that could be slow or fail", NAME_A_DISK)
            }
            FaultPlan::IoError { .. } if !has_disk => ("this target has no disk", FLUSHES_STAY),
            FaultPlan::IoError { .. } => {
                ("a flush that fails ends a filesystem of the kernel", FAIL_OTHERS)
            }
            FaultPlan::ShortCopy { .. }
            | FaultPlan::AbandonedFault { .. }
            | FaultPlan::Evict { .. }
            | FaultPlan::Delay { .. }
            | FaultPlan::Latency { .. } => (
                "a real filesystem meets bad sources and disks that are slow or fail, and no other fault",
                LEAVE,
            ),
        };
        problems.add(Problem::at(place, message).help(help));
    }
}

const NAME_A_DISK: &str =
    "name one that is made on an image, as `kernel: xfs`, or remove the fault";
const FLUSHES_STAY: &str = "remove the fault: of a filesystem made on an image, as `kernel: xfs`, only reads and writes can fail";
const FAIL_OTHERS: &str = "let `on` be `read` or `write`, or remove the fault";
const LEAVE: &str = "leave `short_copy`, `io_error` and `latency` alone in the list";

/// Bytes of files, in the journal of ext4 or told to end it: a write of them that fails ends the
/// filesystem.
fn refuse_journaled_data(raw: &RawScenario, target: &RawTarget, problems: &Problems) {
    let ends = |option: &str| matches!(option, "data=journal" | "data_err=abort");
    let Some(mount) = target.mount.as_ref().filter(|mount| mount.value.split(',').any(ends)) else {
        return;
    };
    let fails = |fault: &FaultPlan| matches!(fault, FaultPlan::IoError { on: IoKind::Write, .. });
    if raw.faults.as_ref().is_some_and(|faults| faults.value.iter().any(fails)) {
        let message = "with these options the first write that fails ends the filesystem";
        let help = "leave out `data=journal` and `data_err=abort`, or `io_error` of writes";
        problems.add(Problem::at(mount.place, message).help(help));
    }
}

/// Whoever waits in a fault of another process is not seen to wait.
fn refuse_other_memory(raw: &RawScenario, target: &RawTarget, problems: &Problems) {
    let own = target.mm.filter(|mm| mm.value == MmPlan::Own);
    if let Some(own) = own.filter(|_| raw.script.as_ref().is_some_and(|script| !script.is_empty()))
    {
        let message = "the actors of a script map into memory that they share";
        problems.add(Problem::at(own.place, message).help("remove `mm`, or `script`"));
    }
}

/// Whether the gate before a disk makes it.
fn is_of_a_disk(fault: &FaultPlan) -> bool {
    match fault {
        FaultPlan::Latency { .. } => true,
        FaultPlan::IoError { on, .. } => *on != IoKind::Flush,
        FaultPlan::ShortCopy { .. }
        | FaultPlan::AbandonedFault { .. }
        | FaultPlan::Evict { .. }
        | FaultPlan::Delay { .. } => false,
    }
}
