//! The format of a scenario: every key, its type, its range, its default and its meaning.

use super::calls::CALLS;
use super::keys::{Fallback, Key, Kind, Shape, Variant};
use super::plan::{DeviceKind, IoKind, Judge, Layout, SizeShape, Unreadable, WorldKind};
use super::recorded::RECORDED;
use super::schedule::MOST_SWITCHES;
use super::script::MOST_STEPS;
use super::strikes::MOST_STRIKES;
use super::target::TARGET;

const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;
const TIB: u64 = 1 << 40;

/// The largest file, as large as a position may be.
pub(super) const LARGEST_FILE: u64 = 16 * TIB;

/// The longest operation.
pub(super) const LONGEST: u64 = 16 * MIB;

/// The most calls in an actor's list.
const MOST_CALLS: usize = 1_000_000;

/// The file that there is if no other is named.
pub(super) const ONLY_FILE: &str = "a";

/// The most seeds of one run.
pub(super) const MOST_SEEDS: u64 = 10_000_000;

/// The most operations that an actor can be asked to begin in a second.
const FASTEST: u64 = 1_000_000;

/// The most actors of one run, over all groups.
pub(super) const MOST_ACTORS: u64 = 40;

pub(super) const fn key(
    name: &'static str,
    about: &'static str,
    default: Fallback,
    kind: Kind,
) -> Key {
    Key { name, about, default, kind }
}

pub(super) const fn size(min: u64, max: u64) -> Kind {
    Kind::Size { min, max, power_of_two: false }
}

const CHANCE: Key = key(
    "chance",
    "How often it happens, `5%` or `0.05`; finest is one in a million.",
    Fallback::Required,
    Kind::Chance,
);

const FOR: Key = key("for", "How long it lasts.", Fallback::Required, Kind::Duration { hours: 1 });

const AFTER: Key = key(
    "after",
    "Not before the actors have acted for so long.",
    Fallback::Rule("from the start, also while files are laid out"),
    Kind::Duration { hours: 24 * 7 },
);

const TIMES: Key = key(
    "times",
    "At most so often in one storm, once the actors act.",
    Fallback::Rule("unlimited"),
    Kind::Number { min: 1, max: 1_000_000_000 },
);

/// The outermost mapping.
pub(super) static SCENARIO: Shape = Shape {
    what: "a scenario",
    decisions: false,
    keys: &[
        key(
            "name",
            "Names the run in reports and folders.",
            Fallback::Rule("the file's name without its ending"),
            Kind::Name,
        ),
        key("about", "What it exercises, in a sentence or two.", Fallback::Text(""), Kind::Prose),
        key(
            "world",
            "Where the actors run.",
            Fallback::Text("simulated"),
            Kind::Words(WorldKind::WORDS),
        ),
        key(
            "seed",
            "The master seed, from which every other is derived; also as `0x` and hexadecimal \
             digits.",
            Fallback::Text("1"),
            Kind::Seed,
        ),
        key(
            "seeds",
            "How many seeds to run (simulated world only).",
            Fallback::Rule("100, or as many as `time` allows"),
            Kind::Number { min: 1, max: MOST_SEEDS },
        ),
        key(
            "ops",
            "Operations over all actors with `ops`: per seed (simulated) or in total (threads).",
            Fallback::Rule("2000 if simulated; unlimited in threads"),
            Kind::Number { min: 1, max: 1_000_000_000_000 },
        ),
        key(
            "time",
            "How long to run. A simulation ends after the seeds that run when it is up, and how many \
             they are is no function of the seed.",
            Fallback::Rule(
                "in threads 10s, or until `ops` are done if they are given; else unlimited",
            ),
            Kind::Duration { hours: 24 * 7 },
        ),
        key(
            "strategy",
            "Who decides which actor goes on (simulated world only).",
            Fallback::Rule("`mix`"),
            Kind::Either { words: STRATEGIES, variants: STRATEGIES_WITH },
        ),
        key(
            "swarm",
            "Whether each seed draws weights, sizes, positions, chances and pauses within what the \
             scenario names (simulated world only).",
            Fallback::Rule("`true` if simulated and some actor draws"),
            Kind::Flag,
        ),
        key(
            "step_budget",
            "Scheduling points one operation may take before it counts as hung.",
            Fallback::Text("1000000"),
            Kind::Number { min: 1000, max: 1_000_000_000_000 },
        ),
        key(
            "target",
            "What the actors act on.",
            Fallback::Rule("the filesystem model"),
            Kind::Mapping(&TARGET),
        ),
        key(
            "device",
            "Where the blocks live.",
            Fallback::Rule("its keys have their defaults"),
            Kind::Mapping(&DEVICE),
        ),
        key(
            "filesystem",
            "The geometry of the filesystem, and what it decides.",
            Fallback::Rule("its keys have their defaults"),
            Kind::Mapping(&FILESYSTEM),
        ),
        key(
            "files",
            "What exists when the run begins.",
            Fallback::Rule("one file `a` of 256KiB, all hole"),
            Kind::List { of: &FILE, min: 1, max: 64 },
        ),
        key(
            "actors",
            "Who acts. The counts add up to 40 at most.",
            Fallback::Required,
            Kind::List { of: &ACTOR, min: 1, max: 40 },
        ),
        key(
            "script",
            "Who goes on, and how far, step by step; then all are let go. Every actor needs a list, \
             `does` (simulated world only, one seed).",
            Fallback::Rule("none: `strategy` decides"),
            Kind::Sentences {
                what: "step",
                example: "run writer until write.mapped",
                pattern: STEP,
                min: 1,
                max: MOST_STEPS,
            },
        ),
        key(
            "schedule",
            "Who goes on where the default rule says otherwise: stay with the current task while it can \
             go on, else take the first that can of `conductor`, the actors, `disk-0` and so on. Every \
             actor needs a list, `does`, and nothing is drawn (simulated world only, one seed).",
            Fallback::Rule("none: `strategy` decides"),
            Kind::Sentences {
                what: "switch",
                example: "writer 3.12 write.mapped -> flusher",
                pattern: r"^\s*\S+\s+[0-9]+[.][0-9]+\s+\S.*\s->\s+\S+\s*$",
                min: 0,
                max: MOST_SWITCHES,
            },
        ),
        key(
            "faults",
            "What goes wrong on purpose, and must be survived.",
            Fallback::Rule("none"),
            Kind::Variants { what: "faults", of: FAULTS, max: 64 },
        ),
        key(
            "strikes",
            "What goes wrong on purpose, each at one place. Every actor needs a list, `does` (simulated \
             world only).",
            Fallback::Rule("none"),
            Kind::Sentences {
                what: "strike",
                example: "write of a at 4KiB fails",
                pattern: r"\s(fails|takes\s+\S+|->\s+(evict|stand)\s.*)\s*$",
                min: 0,
                max: MOST_STRIKES,
            },
        ),
        key(
            "judge",
            "Which breaches end a run.",
            Fallback::Text("everything"),
            Kind::Words(Judge::WORDS),
        ),
        key(
            "vary",
            "Values of which each seed draws one: paths as in `--set`, each with a list.",
            Fallback::Rule("nothing"),
            Kind::Vary,
        ),
        key("bugs", "The bugs that are switched on, by id.", Fallback::Rule("none"), Kind::Bugs),
        key(
            "expect",
            "How the run should end.",
            Fallback::Rule("`clean`"),
            Kind::Either { words: CLEAN, variants: CAUGHT },
        ),
        key(
            "recorded",
            "Where a reproducer comes from, and what it did there; `pagestorm replay` compares.",
            Fallback::Rule("none"),
            Kind::Mapping(&RECORDED),
        ),
    ],
};

/// Words of `strategy`.
pub(super) static STRATEGIES: &[(&str, &str)] = &[
    ("mix", "Each seed draws one of these: random 40 %, pos 20 %, pct 20 %, surw 20 %."),
    ("random", "Any runnable actor, with equal chance, at every scheduling point."),
    ("exhaustive", "Every schedule and every fault, within bounds; every actor needs `does`."),
    ("pct", "Priorities that change at a few random places; each seed draws the depth, 1 to 6."),
    ("pos", "Random priorities of what actors do next, drawn anew where two race for a lock."),
    (
        "surw",
        "The orders in which actors come to one class of locks or points, which each seed draws, \
         are sampled evenly.",
    ),
];

/// Mappings of `strategy`.
pub(super) static STRATEGIES_WITH: &[Variant] = &[
    Variant {
        name: "pct",
        about: "The same with that depth.",
        shape: Shape {
            what: "`pct`",
            decisions: false,
            keys: &[key(
                "depth",
                "How many ordering constraints the sought bug needs.",
                Fallback::Required,
                Kind::Number { min: 1, max: 16 },
            )],
        },
    },
    Variant {
        name: "exhaustive",
        about: "The same within these bounds, for each combination of what varies.",
        shape: Shape {
            what: "`exhaustive`",
            decisions: false,
            keys: &[
                key(
                    "preemptions",
                    "The most switches of a schedule away from an actor that could have gone on. \
                     Others are free.",
                    Fallback::Text("2"),
                    Kind::Number { min: 0, max: 16 },
                ),
                key(
                    "faults",
                    "The most faults of a schedule, of those in `faults`: each at every place \
                     where it can strike, whatever its `chance`.",
                    Fallback::Text("1"),
                    Kind::Number { min: 0, max: 4 },
                ),
                key(
                    "limit",
                    "The most schedules. If there are more, the result says how many were tried \
                     of about how many.",
                    Fallback::Text("1000000"),
                    Kind::Number { min: 1, max: 1_000_000_000 },
                ),
            ],
        },
    },
];

/// Words of `expect`.
pub(super) static CLEAN: &[(&str, &str)] = &[("clean", "Nothing is violated.")];

/// Mappings of `expect`.
pub(super) static CAUGHT: &[Variant] = &[Variant {
    name: "caught",
    about: "An invariant is violated.",
    shape: Shape {
        what: "`caught`",
        decisions: false,
        keys: &[
            key("by", "The invariant that is violated.", Fallback::Required, Kind::Invariant),
            key(
                "bug",
                "The bug that is to blame, one of `bugs`.",
                Fallback::Rule("any"),
                Kind::Bug,
            ),
        ],
    },
}];

static DEVICE: Shape = Shape {
    what: "a device",
    decisions: false,
    keys: &[
        key(
            "kind",
            "What holds the blocks.",
            Fallback::Text("auto"),
            Kind::Words(DeviceKind::WORDS),
        ),
        key(
            "size",
            "Its size, a multiple of the block size.",
            Fallback::Text("64MiB"),
            size(MIB, TIB),
        ),
        key("latency", "How long one request takes.", Fallback::Rule("0"), Kind::Mapping(&LATENCY)),
        key(
            "workers",
            "How many requests it carries out at once; of more than one, any may complete first.",
            Fallback::Text("2"),
            Kind::Number { min: 1, max: 8 },
        ),
    ],
};

static LATENCY: Shape = Shape {
    what: "a latency",
    decisions: false,
    keys: &[
        key(
            "min",
            "The least time one request takes.",
            Fallback::Text("0"),
            Kind::Duration { hours: 1 },
        ),
        key(
            "max",
            "The most time one request takes.",
            Fallback::Rule("the value of `min`"),
            Kind::Duration { hours: 1 },
        ),
    ],
};

static FILESYSTEM: Shape = Shape {
    what: "a filesystem",
    decisions: true,
    keys: &[
        key(
            "block_size",
            "The unit of allocation.",
            Fallback::Text("4KiB"),
            Kind::Size { min: 512, max: 64 * KIB, power_of_two: true },
        ),
        key(
            "max_folio",
            "The largest folio; at least one block.",
            Fallback::Text("64KiB"),
            Kind::Size { min: 4 * KIB, max: 64 * KIB, power_of_two: true },
        ),
        key(
            "preset",
            "Decisions that belong together; those written beside it override it.",
            Fallback::Rule("`ideal`"),
            Kind::Preset,
        ),
    ],
};

static FILE: Shape = Shape {
    what: "a file",
    decisions: false,
    keys: &[
        key("name", "A name that no other file has.", Fallback::Required, Kind::Name),
        key("size", "Its size.", Fallback::Text("256KiB"), size(0, LARGEST_FILE)),
        key(
            "layout",
            "The state of its blocks.",
            Fallback::Text("hole"),
            Kind::Words(Layout::WORDS),
        ),
    ],
};

static ACTOR: Shape = Shape {
    what: "an actor",
    decisions: false,
    keys: &[
        key("name", "A name that no other actor has.", Fallback::Required, Kind::Name),
        key(
            "count",
            "How many of them there are.",
            Fallback::Text("1"),
            Kind::Number { min: 1, max: 32 },
        ),
        key(
            "ops",
            "What they do at random, each operation with its weight: `{write: 8, fsync: 1}`.",
            Fallback::Rule("none: `does` says what they do"),
            Kind::Weights,
        ),
        key(
            "does",
            "What each of them does, one after the other, and then it is done: \
             `[write: {at: 0, size: 4KiB}, fsync]`.",
            Fallback::Rule("none: `ops` says what they do"),
            Kind::Variants { what: "operations", of: CALLS, max: MOST_CALLS },
        ),
        key(
            "size",
            "How long their operations are.",
            Fallback::Rule("1 to 64KiB, `log_uniform`"),
            Kind::Mapping(&LENGTH),
        ),
        key("align", "Positions are multiples of this.", Fallback::Text("1"), size(1, LONGEST)),
        key(
            "within",
            "Positions lie below this.",
            Fallback::Rule("twice the size of the largest file, at least 1MiB"),
            size(1, LARGEST_FILE),
        ),
        key(
            "iovecs",
            "A write's source has up to this many pieces.",
            Fallback::Text("1"),
            Kind::Number { min: 1, max: 16 },
        ),
        key(
            "pause",
            "The time between two operations.",
            Fallback::Text("0"),
            Kind::Duration { hours: 1 },
        ),
        key(
            "rate",
            "How many operations a second each of them begins, whether or not those before have \
             ended; one that is late does not wait and is not left out. The report then tells \
             response times, from the intended start, beside service times (threads only).",
            Fallback::Rule("none: the next begins when the last has ended"),
            Kind::Rate { max: FASTEST },
        ),
    ],
};

static LENGTH: Shape = Shape {
    what: "a range of sizes",
    decisions: false,
    keys: &[
        key(
            "min",
            "The shortest.",
            Fallback::Rule("1; the value of `max` if `shape` is `fixed`"),
            size(1, LONGEST),
        ),
        key("max", "The longest.", Fallback::Text("64KiB"), size(1, LONGEST)),
        key(
            "shape",
            "How lengths between the two are drawn.",
            Fallback::Text("log_uniform"),
            Kind::Words(SizeShape::WORDS),
        ),
    ],
};

/// How a step of a script begins: with a verb, or with a kind of call.
pub(super) const STEP: &str = concat!(
    r"^\s*(",
    "run|resume|fail|hold|store|load|read|write|append|write_from_mmap|mmap_load|",
    "mmap_store|truncate|punch|zero_range|fallocate|fsync|sync|writeback|evict|",
    "release|direct_read|direct_write|copy_file_range|reflink|collapse_range|",
    "insert_range|fdatasync|sync_file_range|msync|dontneed|page_out",
    r")\s",
);

/// Mappings of `faults`.
pub(super) static FAULTS: &[Variant] = &[
    Variant {
        name: "short_copy",
        about: "A copy from a user buffer ends early, at any byte.",
        shape: Shape {
            what: "`short_copy`",
            decisions: false,
            keys: &[
                CHANCE,
                key(
                    "persistent",
                    "How many of them meet the same unreadable byte again when the write tries \
                     again.",
                    Fallback::Text("50%"),
                    Kind::Chance,
                ),
                key(
                    "by",
                    "How that byte is made unreadable; `target` only.",
                    Fallback::Text("any"),
                    Kind::Words(Unreadable::WORDS),
                ),
            ],
        },
    },
    Variant {
        name: "abandoned_fault",
        about: "A store through a mapping gives up at its first write fault, once the fault has \
                reserved its blocks, as a fatal signal makes it do: SIGBUS, or a short count.",
        shape: Shape { what: "`abandoned_fault`", decisions: false, keys: &[CHANCE] },
    },
    Variant {
        name: "io_error",
        about: "The device answers with EIO.",
        shape: Shape {
            what: "`io_error`",
            decisions: false,
            keys: &[
                key("on", "To which requests.", Fallback::Required, Kind::Words(IoKind::WORDS)),
                CHANCE,
            ],
        },
    },
    Variant {
        name: "evict",
        about: "Reclaim takes a clean, unlocked folio out of the page cache.",
        shape: Shape { what: "`evict`", decisions: false, keys: &[CHANCE] },
    },
    Variant {
        name: "delay",
        about: "An actor stands still at a named point.",
        shape: Shape {
            what: "`delay`",
            decisions: false,
            keys: &[
                key("at", "The point.", Fallback::Required, Kind::Point),
                CHANCE,
                FOR,
                AFTER,
                TIMES,
            ],
        },
    },
    Variant {
        name: "latency",
        about: "One request of the device takes longer than the others.",
        shape: Shape { what: "`latency`", decisions: false, keys: &[CHANCE, FOR, AFTER, TIMES] },
    },
];

/// Every mapping, so that a key in the wrong place can be sent to the right one.
pub(super) static PLACES: &[(&str, &Shape)] = &[
    ("the outermost level", &SCENARIO),
    ("`target`", &TARGET),
    ("`device`", &DEVICE),
    ("`device.latency`", &LATENCY),
    ("`filesystem`", &FILESYSTEM),
    ("an item of `files`", &FILE),
    ("an item of `actors`", &ACTOR),
    ("`size` of an actor", &LENGTH),
    ("`recorded`", &RECORDED),
];
