//! What a night of soaking leaves behind: the contents of `night.json`.
//!
//! A night is a set of parts, and everything else in it follows from them: `merge` takes parts from
//! many places, and adds up again. So it does not matter how many machines shared a night, nor how
//! often one of them was killed: outside `parts` and `shards`, which say who did what, the same
//! seeds leave the same bytes where all ran in the simulated world.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::{naming, visible};

use super::violation::place;
use super::{ByteRange, Counts, Environment, LatencyRecord, Seed, Story, Tool, World};

/// Everything that is kept of a night. The order of the fields is the order in `night.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Night {
    /// The version of this format: [`Night::SCHEMA_VERSION`].
    pub schema: u32,
    /// The program that ran.
    pub tool: Tool,
    /// Where the seeds come from; where nights were mixed, the first of [`Night::campaigns`].
    pub campaign: Soaked,
    /// All campaigns that are together here, in their order: more than one only where nights were mixed.
    pub campaigns: Vec<Soaked>,
    /// How the night ended.
    pub verdict: NightVerdict,
    /// What failed, one entry a signature, the one that was met under the lowest iteration first.
    pub signatures: Vec<Signature>,
    /// The scenarios, each once for every world that it ran in.
    pub scenarios: Vec<ScenarioTotal>,
    /// What was given and not soaked, and why.
    pub left_out: Vec<LeftOut>,
    /// Cases that failed once, and were run again before anything else.
    pub regressions: Vec<Regression>,
    /// Who took part, by number.
    pub shards: Vec<ShardState>,
    /// What each of them did, scenario by scenario.
    pub parts: Vec<Part>,
}

impl Night {
    /// The version of the format that this program writes, and the only one that it reads.
    pub const SCHEMA_VERSION: u32 = 2;

    /// The JSON Schema (draft 2020-12) of `night.json`; what it has in common with `result.json` is
    /// described in both.
    pub const JSON_SCHEMA: &'static str = include_str!("../night.schema.json");

    /// The night as indented JSON that ends with a newline.
    pub fn to_json(&self) -> String {
        let mut text = serde_json::to_string_pretty(self)
            .expect("a night has only string keys and writes to memory");
        text.push('\n');
        visible::json(&text).into_owned()
    }

    /// Reads what [`Night::to_json`] wrote. Fields that it does not know are skipped.
    ///
    /// # Errors
    ///
    /// What is wrong with the text, and what to do.
    pub fn from_json(text: &str) -> Result<Night, String> {
        #[derive(Deserialize)]
        struct Versioned {
            schema: u64,
        }
        let read = |error: serde_json::Error| {
            format!(
                "not the record of a night: {error}; it was cut short, edited, or is another file"
            )
        };
        let Versioned { schema } = serde_json::from_str(text).map_err(read)?;
        if schema != u64::from(Night::SCHEMA_VERSION) {
            return Err(format!(
                "the night has schema {schema} and this program reads schema {}; use the version \
                 of the program that wrote it",
                Night::SCHEMA_VERSION
            ));
        }
        serde_json::from_str(text).map_err(read)
    }
}

impl Part {
    /// Its world, or what it acted on if that is a real filesystem.
    pub fn setting(&self) -> &str {
        let target = self.target.as_deref().or(self.own_target.as_deref());
        target.unwrap_or(self.world.name())
    }
}

impl ScenarioTotal {
    /// That of its parts.
    pub fn setting(&self) -> &str {
        let target = self.target.as_deref().or(self.own_target.as_deref());
        target.unwrap_or(self.world.name())
    }
}

impl Night {
    /// The failure that a signature is told of: the first that was met.
    pub fn first_of(&self, signature: &Signature) -> Option<&NightFailure> {
        self.met_first(signature).map(|(_, failure)| failure)
    }

    /// The same, with the part that it is of.
    pub fn met_first<'a>(&'a self, signature: &Signature) -> Option<(&'a Part, &'a NightFailure)> {
        let known = |(_, failure): &(&Part, &NightFailure)| {
            (&failure.signature, failure.seed) == (&signature.signature, signature.first.seed)
        };
        let all = |part: &'a Part| part.failures.iter().map(move |failure| (part, failure));
        self.parts.iter().flat_map(all).find(known)
    }

    /// The parts that a total adds up. Scenarios of different folders may have one name, and machines may
    /// have found one scenario in different folders: it is its text that tells.
    pub fn parts_of(&self, total: &ScenarioTotal) -> Vec<&Part> {
        let named = |part: &&Part| {
            (&part.name, part.world, &part.target) == (&total.name, total.world, &total.target)
        };
        let all = || self.parts.iter().filter(named);
        let texts: BTreeSet<&str> = all()
            .filter(|part| part.file == total.file)
            .map(|part| part.text_hash.as_str())
            .collect();
        all().filter(|part| texts.contains(part.text_hash.as_str())).collect()
    }

    /// Why a signature fails: the story of its first failure, or else of another one.
    pub fn story_of(&self, signature: &Signature) -> Option<&Story> {
        let alike = |failure: &&NightFailure| failure.signature == signature.signature;
        let all = || self.parts.iter().flat_map(|part| &part.failures).filter(alike);
        let first = self.first_of(signature).and_then(|failure| failure.story.as_deref());
        first.or_else(|| all().find_map(|failure| failure.story.as_deref()))
    }

    /// The cases of a night, each with its place beside `night.json`: none but these places, whatever
    /// the record says, which anybody may have written.
    pub fn cases(&self) -> Vec<(String, &str)> {
        let places = Night::places(self.signatures.iter().map(|one| one.signature.as_str()));
        let case = |one| self.first_of(one).and_then(|failure| failure.case.as_deref());
        let cases = self.signatures.iter().map(case);
        places.into_iter().zip(cases).filter_map(|(place, case)| Some((place, case?))).collect()
    }

    /// The cuts of which it has shards.
    pub fn cuts(&self) -> Vec<Cut<'_>> {
        let mut cuts: BTreeMap<(&Soaked, u64), BTreeSet<u64>> = BTreeMap::new();
        for ShardState { campaign, shard, .. } in &self.shards {
            cuts.entry((campaign, shard.of)).or_default().insert(shard.index);
        }
        let cut = |((campaign, of), here)| Cut { campaign, of, here };
        cuts.into_iter().map(cut).collect()
    }

    /// Where the cases of signatures lie, in their order; no two in the same place.
    pub fn places<'a>(signatures: impl Iterator<Item = &'a str>) -> Vec<String> {
        let mut taken = BTreeSet::new();
        let place = |signature: &str| {
            let name = naming::name(signature);
            let more = (2..).map(|nth: u64| format!("failures/{name}-{nth}.yaml"));
            let mut names = std::iter::once(format!("failures/{name}.yaml")).chain(more);
            names.find(|name| taken.insert(name.clone())).expect("there are more names than places")
        };
        signatures.map(place).collect()
    }
}

/// The shards that are there of one way to cut the iterations of a campaign.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cut<'a> {
    /// Whose iterations.
    pub campaign: &'a Soaked,
    /// Into how many.
    pub of: u64,
    /// The numbers of those that are there.
    pub here: BTreeSet<u64>,
}

impl Cut<'_> {
    /// The others, in their order.
    pub fn missing(&self) -> impl Iterator<Item = Shard> {
        let missing = (1..=self.of).filter(|index| !self.here.contains(index));
        missing.map(|index| Shard { index, of: self.of })
    }
}

/// Where the seeds of a night come from: iteration `i` of a scenario has a seed that is a function of
/// the campaign's, of the scenario's text and of `i`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Soaked {
    /// The seed that names the night.
    pub seed: Seed,
    /// The date that it was made from, as `2026-01-31`; none if the seed was given.
    pub date: Option<String>,
    /// The commit that it began at, and that the seed was made from unless it was given; none if no
    /// commit was known.
    pub commit: Option<String>,
}

/// How a night ended.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct NightVerdict {
    /// Whether nothing failed and everything was exercised.
    pub good: bool,
    /// The exit status that follows from it.
    pub exit: u8,
    /// The verdict as one sentence.
    pub sentence: String,
    /// Why it is not good, one reason a line, each with the name of what it is about.
    pub reasons: Vec<String>,
    /// What is worth knowing and no failure.
    pub remarks: Vec<String>,
}

/// Everything that failed alike.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signature {
    /// Equal for failures that probably have the same cause: the invariant, the kinds of calls and the
    /// kinds of faults of the smallest case; of a provisional one the invariant and the kind of what
    /// was found.
    pub signature: String,
    /// The invariant that did not hold.
    pub invariant: String,
    /// The invariant as prose.
    pub sentence: String,
    /// Seeds that failed with that invariant and that kind of finding, over all scenarios in which
    /// the first of them has this signature.
    pub count: u64,
    /// The scenarios and worlds in which it was met, each `name (world)`.
    pub scenarios: Vec<String>,
    /// Where it was met first: under the lowest iteration.
    pub first: FirstMet,
    /// How often its case fails when it is run again.
    pub rate: Rate,
    /// Whether its case was made as small as it can be.
    pub minimal: bool,
    /// Whether the case was not made as small as it can be: then several causes may share the
    /// signature, and another one takes its place as soon as the case is.
    pub provisional: bool,
    /// The file beside `night.json` that holds its case; none if there is no case.
    pub file: Option<String>,
    /// The command that runs the first failing seed again.
    pub reproduce: String,
}

/// What is said of a signature that is provisional.
pub const PROVISIONAL: &str =
    "a provisional signature: its case was not made as small as it can be";

/// The first seed that fails in some way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FirstMet {
    /// The scenario's name.
    pub scenario: String,
    /// Its world.
    pub world: World,
    /// The number of the iteration, from 0.
    pub iteration: u64,
    /// Its seed.
    pub seed: Seed,
}

/// How often a failure came back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
pub struct Rate {
    /// Runs that failed alike.
    pub failed: u64,
    /// Runs; 0 if there was no time to try.
    pub runs: u64,
}

/// One scenario in one world, over all shards.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ScenarioTotal {
    /// Its name.
    pub name: String,
    /// The path it was read from.
    pub file: String,
    /// The world it ran in.
    pub world: World,
    /// What it acted on, where `--target` said so.
    #[serde(default)]
    pub target: Option<String>,
    /// The real filesystem that the scenario itself names, if it names one.
    #[serde(default)]
    pub own_target: Option<String>,
    /// What it expects, in words.
    pub expected: String,
    /// Iterations: seeds in the simulated world, slices of time in that of threads.
    pub iterations: u64,
    /// From how many on what it expects must have been seen.
    #[serde(default)]
    pub enough: u64,
    /// Those that failed as the scenario expects.
    pub caught: u64,
    /// Those that failed and should not have.
    pub failed: u64,
    /// Why it did not do as it should, beside the failures themselves; empty if it did.
    pub wrong: Vec<String>,
    /// What happened, and how often.
    pub counts: Counts,
    /// How long operations took; the histograms themselves are in the parts.
    pub latency: LatencyRecord,
    /// The trace hashes of all iterations, combined; none of threads.
    pub trace_hash: Option<String>,
}

/// Something that was given and not soaked.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct LeftOut {
    /// The file.
    pub file: String,
    /// Why.
    pub why: String,
    /// Whether it should have been, and the machine or the harness could not.
    pub refused: bool,
    /// Whether the harness itself failed.
    #[serde(default)]
    pub harness_failed: bool,
}

impl LeftOut {
    /// There is nothing to soak in it.
    pub fn because(file: String, why: String) -> LeftOut {
        LeftOut { file, why, refused: false, harness_failed: false }
    }
}

/// A case that failed once, run again.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Regression {
    /// Its file.
    pub file: String,
    /// What it expects, in words.
    pub expected: String,
    /// The invariant that it violated now.
    pub found: Option<String>,
    /// Whether that is what it expects.
    pub as_expected: bool,
    /// What of it no longer fits: its schedule names places where nobody comes to any more.
    pub unfit: Vec<String>,
    /// Whether it did the same when it was run once more.
    pub deterministic: bool,
}

/// One share of the iterations: those whose number leaves `index - 1` when divided by `of`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Shard {
    /// Counts from 1.
    pub index: u64,
    /// How many shards there are.
    pub of: u64,
}

impl Shard {
    /// The only one there is.
    pub const WHOLE: Shard = Shard { index: 1, of: 1 };

    /// The number of the `nth` of its iterations; both count from 0.
    pub fn iteration(self, nth: u64) -> u64 {
        nth.saturating_mul(self.of).saturating_add(self.index - 1)
    }

    /// How many of the first `iterations` are its own.
    pub fn share(self, iterations: u64) -> u64 {
        iterations.saturating_sub(self.index - 1).div_ceil(self.of)
    }
}

impl std::fmt::Display for Shard {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{}/{}", self.index, self.of)
    }
}

/// How far a shard came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ShardEnd {
    /// It is at work, or it was killed.
    Running,
    /// A signal ended it early.
    Interrupted,
    /// Its time was up before its iterations were done.
    TimeUp,
    /// It did what it was to do.
    Complete,
}

/// What one shard was told, and how far it came.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShardState {
    /// In which campaign.
    pub campaign: Soaked,
    /// Which.
    pub shard: Shard,
    /// How far it came.
    pub ended: ShardEnd,
    /// Iterations of each scenario that all shards together were to do; none: only time ends it.
    pub seeds: Option<u64>,
    /// How long it was to take, in milliseconds; none: only the iterations end it.
    pub time_ms: Option<u64>,
    /// How long it took, over all its starts, in milliseconds.
    pub elapsed_ms: u64,
    /// How often it was started.
    pub starts: u64,
    /// The machine of its last start.
    pub environment: Environment,
}

/// What one shard did of one scenario in one world: its iterations from the first one on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Part {
    /// Where its seeds come from.
    pub campaign: Soaked,
    /// The scenario's name.
    pub name: String,
    /// The path it was read from.
    pub file: String,
    /// A hash of its text.
    pub text_hash: String,
    /// The world.
    pub world: World,
    /// What it acted on, where `--target` said so.
    #[serde(default)]
    pub target: Option<String>,
    /// The real filesystem that the scenario itself names, if it names one.
    #[serde(default)]
    pub own_target: Option<String>,
    /// What the scenario expects, in words.
    pub expected: String,
    /// The invariant that it expects to be violated.
    pub expects: Option<String>,
    /// After how many iterations, over all parts, that must have been seen: as many as a run of the
    /// scenario has.
    #[serde(default)]
    pub enough: u64,
    /// Which iterations these are.
    pub shard: Shard,
    /// How many of them, from the first one on.
    pub done: u64,
    /// What happened in all of them.
    pub counts: Counts,
    /// How long operations took.
    pub latency: LatencyRecord,
    /// The trace hashes of all of them, combined; none of threads.
    pub trace_hash: Option<String>,
    /// The same after the first 1, 2, 4, 8 and so on: two parts that began alike can be compared.
    pub marks: Vec<String>,
    /// What failed, by kind.
    pub failures: Vec<NightFailure>,
    /// Whether every seed that failed did the same when it was run again.
    pub deterministic: bool,
}

/// Seeds of one part that failed with the same invariant and the same kind of finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NightFailure {
    /// The invariant and the kind of what was found.
    pub failure: String,
    /// The invariant.
    pub invariant: String,
    /// The invariant as prose.
    pub sentence: String,
    /// How many seeds.
    pub count: u64,
    /// Whether the scenario expects it, or has a bug switched on that may show so, too.
    pub excused: bool,
    /// The number of the first such iteration.
    pub iteration: u64,
    /// Its seed.
    pub seed: Seed,
    /// Equal for failures that probably have the same cause.
    pub signature: String,
    /// Whether the case was made as small as it can be.
    pub minimal: bool,
    /// How often the case fails when it is run again.
    pub rate: Rate,
    /// The case of the first such iteration, as a scenario; none if there is none.
    pub case: Option<String>,
    /// Why that case fails; none if nobody looked into it, or threads left it.
    pub story: Option<Box<Story>>,
    /// What was seen under that seed; none if nobody kept it.
    #[serde(default)]
    pub seen: Option<Box<Seen>>,
}

/// A violation as its seed met it, before anything was made smaller.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// The real filesystem it was seen on, as `--target` names it; none if it was the filesystem model.
    pub target: Option<String>,
    /// The file; none if the invariant is about no single file.
    pub file: Option<String>,
    /// The bytes of that file; none if the invariant is about no range.
    pub range: Option<ByteRange>,
    /// What should have been there.
    pub expected: String,
    /// What was there.
    pub found: String,
    /// The operation after which it was seen, as text.
    pub operation: String,
}

impl Seen {
    /// What was seen, each with its name: where, expected, found, after which operation.
    pub fn facts(&self) -> Vec<(&'static str, String)> {
        let place = place(self.file.as_deref(), self.range).map(|place| ("where", place));
        let rest =
            [("expected", &self.expected), ("found", &self.found), ("after", &self.operation)];
        place.into_iter().chain(rest.map(|(name, value)| (name, value.clone()))).collect()
    }
}
