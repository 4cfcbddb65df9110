//! The union of nights: every iteration counts once, wherever and however often it ran.
//!
//! A part holds the first so many iterations of one shard, so of two parts of the same shard one
//! holds the beginning of the other, and the longer one stands for both. Taking the greater of two
//! in an order is commutative, associative and idempotent, and so is the union of sets of those.
//! Simulations are the same wherever they run: where two parts of them have iterations in common that
//! can be compared, these must be equal. Threads are not, so failures of both parts are kept.
//!
//! What can be compared depends on what is united at once: two parts of equal length entirely, others up
//! to the last mark of the shorter one. A longer part that was united with one of them before hides how
//! they differ beyond that mark.

use super::shard;
use report::record::{Night, NightFailure, Part, Seed, Shard, ShardState, Soaked, World};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// Why nights have no union.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Conflict {
    /// The same seeds left different results: the harness, or one of the machines, is wrong.
    Differs(String),
    /// They belong to different nights.
    Mixed(String),
    /// The same iterations are in shares that were cut differently.
    Cuts(String),
    /// One of them is damaged.
    Damaged(String),
}

impl fmt::Display for Conflict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Conflict::Differs(what) => write!(f, "same seeds, different results: {what}"),
            Conflict::Mixed(what) => {
                write!(f, "these are different nights: {what}; --allow-mixed takes them together")
            }
            Conflict::Cuts(what) => {
                write!(f, "iterations were shared out in two ways: {what}; merge either of them")
            }
            Conflict::Damaged(what) => f.write_str(what),
        }
    }
}

/// The nights as one, whose totals are still those of the first. `mixed` says that they need not belong
/// together; then they keep their campaigns, and the first of these, in their order, stands for all.
///
/// # Errors
///
/// See [`Conflict`]. Of these nights, in any order, each is held against each.
pub fn union(nights: &[Night], mixed: bool) -> Result<Night, Conflict> {
    let mut all =
        nights.first().cloned().ok_or_else(|| Conflict::Damaged("no night".to_owned()))?;
    for night in nights {
        if !mixed {
            same_campaign(&all, night)?;
        }
        all.left_out.extend(night.left_out.iter().cloned());
        all.regressions.extend(night.regressions.iter().cloned());
        all.shards.extend(night.shards.iter().cloned());
        all.campaigns.extend(campaigns(night));
        let tool = |night: &Night| (night.tool.version.clone(), night.tool.name.clone());
        if tool(&all) < tool(night) {
            all.tool.clone_from(&night.tool);
        }
        all.parts.extend(night.parts.iter().cloned());
    }
    if let Some(state) = all.shards.iter().find(|state| !shard::is_one(state.shard)) {
        return Err(Conflict::Damaged(format!("{} is no shard", state.shard)));
    }
    sort_and_dedup(&mut all.campaigns);
    all.campaign = all.campaigns.first().cloned().unwrap_or(all.campaign);
    sort_and_dedup(&mut all.left_out);
    sort_and_dedup(&mut all.regressions);
    all.shards = shards(all.shards);
    all.parts = parts(all.parts, mixed)?;
    Ok(all)
}

/// All campaigns of which something is in a night.
fn campaigns(night: &Night) -> impl Iterator<Item = Soaked> {
    let own = std::iter::once(&night.campaign).chain(&night.campaigns);
    let shards = night.shards.iter().map(|state| &state.campaign);
    own.chain(shards).chain(night.parts.iter().map(|part| &part.campaign)).cloned()
}

/// Shards that more than one of the nights has.
pub fn twice(nights: &[Night]) -> Vec<Shard> {
    let mut seen: BTreeMap<(&Soaked, Shard), usize> = BTreeMap::new();
    for state in nights.iter().flat_map(|night| &night.shards) {
        *seen.entry((&state.campaign, state.shard)).or_default() += 1;
    }
    seen.into_iter().filter(|(_, times)| 1 < *times).map(|((_, shard), _)| shard).collect()
}

fn same_campaign(one: &Night, other: &Night) -> Result<(), Conflict> {
    let differ = |what: &str, one: String, other: String| {
        if one == other {
            Ok(())
        } else {
            Err(Conflict::Mixed(format!("{what} {one} and {other}")))
        }
    };
    let text = |known: &Option<String>| known.clone().unwrap_or_else(|| "none".to_owned());
    let (mine, theirs) = (&one.campaign, &other.campaign);
    differ("the seed is", mine.seed.to_string(), theirs.seed.to_string())?;
    differ("the commit is", text(&mine.commit), text(&theirs.commit))?;
    // Seeds of one number that were made of a date and that were given would count twice.
    differ("the date is", text(&mine.date), text(&theirs.date))?;
    let several = |night: &Night| campaigns(night).collect::<BTreeSet<_>>().len().to_string();
    differ("the campaigns are", several(one), several(other))?;
    differ("the version is", one.tool.version.clone(), other.tool.version.clone())?;
    differ("the program is", one.tool.name.clone(), other.tool.name.clone())
}

fn sort_and_dedup<T: Ord>(items: &mut Vec<T>) {
    items.sort();
    items.dedup();
}

/// Of every shard the state that is furthest.
fn shards(states: Vec<ShardState>) -> Vec<ShardState> {
    let mut furthest: BTreeMap<(Shard, Soaked), ShardState> = BTreeMap::new();
    // The text decides between states of equal rank, so that their order does not.
    let rank = |state: &ShardState| (state.ended, state.elapsed_ms, format!("{state:?}"));
    for state in states {
        let key = (state.shard, state.campaign.clone());
        let known = furthest.get(&key).is_some_and(|known| rank(&state) <= rank(known));
        if !known {
            furthest.insert(key, state);
        }
    }
    furthest.into_values().collect()
}

/// What a part is about: its name, its world and the hash of its text, and then its share of which
/// seeds, under which commit.
type Key = (String, u8, String, Shard, Seed, Option<String>);

fn key(part: &Part) -> Key {
    let world = u8::from(part.world == World::Threads);
    let Soaked { seed, commit, .. } = &part.campaign;
    let (name, text) = (part.name.clone(), part.text_hash.clone());
    (name, world, text, part.shard, *seed, commit.clone())
}

fn parts(parts: Vec<Part>, mixed: bool) -> Result<Vec<Part>, Conflict> {
    let mut groups: BTreeMap<Key, Vec<Part>> = BTreeMap::new();
    for part in parts {
        checked(&part)?;
        groups.entry(key(&part)).or_default().push(part);
    }
    let all: Vec<Part> = groups.into_values().map(longest).collect::<Result<_, _>>()?;
    for (at, one) in all.iter().enumerate() {
        // They are sorted by what they are about.
        let alike = |other: &&Part| (&other.name, other.world) == (&one.name, one.world);
        for other in all[at + 1..].iter().take_while(alike) {
            disjoint(one, other, mixed)?;
        }
    }
    Ok(all)
}

/// What a part must be before anything is made of it.
fn checked(part: &Part) -> Result<(), Conflict> {
    let damaged = |what: &str| Err(Conflict::Damaged(format!("{}: {what}", name(part))));
    if !shard::is_one(part.shard) {
        return damaged("its shard is none");
    }
    let mut rows = part.latency.kinds.iter().chain(&part.latency.lag);
    if rows.any(|row| row.histogram.is_none()) {
        return damaged("a latency has no histogram, and cannot be merged");
    }
    Ok(())
}

/// The longest of the parts of one share. Each is held against each first: a part that is longer than
/// two that differ would hide it.
fn longest(parts: Vec<Part>) -> Result<Part, Conflict> {
    for (at, one) in parts.iter().enumerate() {
        parts[at + 1..].iter().try_for_each(|other| agree(one, other))?;
    }
    Ok(parts.into_iter().reduce(longer).expect("a share has a part"))
}

/// The longer of two parts of the same share, whose common beginning is the same.
fn longer(mut one: Part, mut other: Part) -> Part {
    let deterministic = one.deterministic && other.deterministic;
    (one.deterministic, other.deterministic) = (deterministic, deterministic);
    if one.world == World::Threads {
        share_failures(&mut one, &mut other);
    } else {
        share_looks(&mut one, &mut other);
    }
    if rank(&one) < rank(&other) { other } else { one }
}

/// Of two parts of equal length, whose failures are equal by now, any order will do, as long as it is one.
fn rank(part: &Part) -> impl Ord + use<> {
    let json = serde_json::to_string(part).expect("a part has only string keys");
    (part.done, part.counts.operations, json)
}

/// Simulations that began alike went on alike.
fn agree(one: &Part, other: &Part) -> Result<(), Conflict> {
    let common = one.marks.len().min(other.marks.len());
    let differ = one.marks[..common] != other.marks[..common]
        || (one.done == other.done && results(one) != results(other));
    if differ && one.world == World::Simulated { Err(Conflict::Differs(name(one))) } else { Ok(()) }
}

/// Threads never do the same again, so what failed in the shorter part need not have failed in the
/// longer one, and is not lost. Of failures of one kind the more frequent stands for both.
fn share_failures(one: &mut Part, other: &mut Part) {
    let rank = |failure: &NightFailure| {
        let json = serde_json::to_string(failure).expect("a failure has only string keys");
        (failure.count, failure.minimal, json)
    };
    let mut all: BTreeMap<String, NightFailure> = BTreeMap::new();
    for failure in one.failures.iter().chain(&other.failures) {
        let known = all.entry(failure.failure.clone()).or_insert_with(|| failure.clone());
        if rank(known) < rank(failure) {
            known.clone_from(failure);
        }
    }
    let mut all: Vec<_> = all.into_values().collect();
    // As they were met.
    all.sort_by(|one, other| (one.iteration, &one.failure).cmp(&(other.iteration, &other.failure)));
    one.failures.clone_from(&all);
    other.failures = all;
}

/// Both parts of a simulation know the smallest case of a failure that both have, and what was made of
/// it: the shorter part may have had more time for that.
fn share_looks(one: &mut Part, other: &mut Part) {
    let rank = |failure: &NightFailure| {
        let json = serde_json::to_string(&NightFailure { count: 0, ..failure.clone() });
        let json = json.expect("a failure has only string keys");
        (failure.minimal, failure.story.is_some(), failure.rate.runs, json)
    };
    let first = |failure: &NightFailure| (failure.failure.clone(), failure.seed);
    for mine in &mut one.failures {
        let theirs = other.failures.iter_mut().find(|theirs| first(theirs) == first(mine));
        let Some(theirs) = theirs else { continue };
        if rank(mine) < rank(theirs) {
            *mine = NightFailure { count: mine.count, ..theirs.clone() };
        } else {
            *theirs = NightFailure { count: theirs.count, ..mine.clone() };
        }
    }
}

/// What of a simulated part is a function of its seeds. How small a failure became depends on the
/// time there was.
fn results(part: &Part) -> impl PartialEq {
    let failures: Vec<_> = part
        .failures
        .iter()
        .map(|one| (one.failure.clone(), one.count, one.iteration, one.seed))
        .collect();
    (part.counts.clone(), part.latency.clone(), part.trace_hash.clone(), failures)
}

/// A file has one text, and parts of one scenario have no iteration in common.
fn disjoint(one: &Part, other: &Part, mixed: bool) -> Result<(), Conflict> {
    if one.text_hash != other.text_hash {
        // Scenarios of different folders may have one name.
        let changed = one.file == other.file && !mixed;
        let what = if one.target == other.target {
            format!("{} has two texts", one.file)
        } else {
            let on = |part: &Part| part.target.clone().unwrap_or_else(|| "what it says".to_owned());
            format!("the target of {} is {} and {}", one.file, on(one), on(other))
        };
        return if changed { Err(Conflict::Mixed(what)) } else { Ok(()) };
    }
    let seeds = |part: &Part| (part.campaign.seed, part.campaign.commit.clone());
    if seeds(one) != seeds(other)
        || one.shard.of == other.shard.of
        || one.done == 0
        || other.done == 0
    {
        return Ok(());
    }
    let (a, b) = (one.shard, other.shard);
    let apart = a.index.abs_diff(b.index) % common_divisor(a.of, b.of) != 0;
    if apart {
        return Ok(());
    }
    Err(Conflict::Cuts(format!("{} ran as shard {a} and as shard {b}", name(one))))
}

fn common_divisor(one: u64, other: u64) -> u64 {
    if other == 0 { one } else { common_divisor(other, one % other) }
}

fn name(part: &Part) -> String {
    format!("{} ({} world)", part.name, part.world.name())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exit::Exit;
    use crate::soak::night::concluded;
    use crate::soak::sums::hash_text;
    use report::latency::{Class, Latency};
    use report::record::{
        Clock, Counts, Environment, LeftOut, Measure, NightVerdict, Outcome, Rate, Seed, ShardEnd,
        Signature, Tool,
    };
    use sim::chance::scramble;

    /// What a shard leaves that did so many of its iterations of one scenario.
    fn part(shard: Shard, done: u64) -> Part {
        let (mut hash, mut marks) = (0_u64, Vec::new());
        let (mut counts, mut latency) = (Counts::default(), Latency::new(Clock::Steps));
        let class = Class { measure: Measure::Service, outcome: Outcome::Ok, faulted: false };
        for nth in 0..done {
            let drawn = scramble(shard.iteration(nth) + 1);
            hash = hash.wrapping_add(drawn);
            if (nth + 1).is_power_of_two() {
                marks.push(hash_text(hash));
            }
            counts.operations += drawn % 100;
            *counts.points.entry(format!("point-{}", drawn % 3)).or_default() += 1;
            latency.record("write", class, drawn % 5_000);
        }
        Part {
            campaign: campaign(),
            name: "a".to_owned(),
            file: "a.yaml".to_owned(),
            text_hash: "1".to_owned(),
            world: World::Simulated,
            target: None,
            own_target: None,
            expected: "clean".to_owned(),
            expects: None,
            enough: 1,
            shard,
            done,
            counts,
            latency: latency.to_record(),
            trace_hash: Some(hash_text(hash)),
            marks,
            failures: Vec::new(),
            deterministic: true,
        }
    }

    fn campaign() -> Soaked {
        Soaked { seed: Seed(1), date: None, commit: None }
    }

    fn night(shard: Shard, done: u64) -> Night {
        Night {
            schema: Night::SCHEMA_VERSION,
            tool: Tool { name: "pagestorm".to_owned(), version: "1".to_owned() },
            campaign: campaign(),
            campaigns: vec![campaign()],
            verdict: NightVerdict::default(),
            signatures: Vec::new(),
            scenarios: Vec::new(),
            left_out: Vec::new(),
            regressions: Vec::new(),
            shards: vec![ShardState {
                campaign: campaign(),
                shard,
                ended: ShardEnd::Complete,
                seeds: None,
                time_ms: None,
                elapsed_ms: done,
                starts: 1,
                environment: Environment::default(),
            }],
            parts: vec![part(shard, done)],
        }
    }

    fn merged(nights: &[Night]) -> Night {
        concluded(union(nights, false).unwrap()).unwrap().0
    }

    #[test]
    fn what_could_not_be_soaked_ends_a_night_as_what_kept_it() {
        for (harness_failed, exit) in [(false, Exit::Environment), (true, Exit::Harness)] {
            let (file, why) = ("a.yaml".to_owned(), "b".to_owned());
            let left = LeftOut { file, why, refused: true, harness_failed };
            let shard = Shard { index: 1, of: 1 };
            let night = Night { left_out: vec![left], ..night(shard, 1) };
            assert_eq!(concluded(night).unwrap().1, exit);
        }
    }

    #[test]
    fn whatever_is_merged_in_whichever_order_each_iteration_counts_once() {
        let mut state = 1_u64;
        let mut draw = |below: u64| {
            state = scramble(state.wrapping_add(0x9e37_79b9_7f4a_7c15));
            state % below
        };
        let whole = merged(&[night(Shard::WHOLE, 60)]);
        for _ in 0..60 {
            let of = 1 + draw(6);
            let shards = || (1..=of).map(move |index| Shard { index, of });
            let mut nights: Vec<_> = shards().map(|shard| night(shard, shard.share(60))).collect();
            // Machines that were killed on the way, and began again elsewhere.
            for shard in shards().filter(|_| draw(2) == 0).collect::<Vec<_>>() {
                nights.push(night(shard, draw(1 + shard.share(60))));
            }
            for at in (1..nights.len()).rev() {
                nights.swap(at, usize::try_from(draw(1 + u64::try_from(at).unwrap())).unwrap());
            }
            let all = merged(&nights);
            assert_eq!(all.scenarios, whole.scenarios);
            let cut = usize::try_from(draw(u64::try_from(nights.len()).unwrap())).unwrap().max(1);
            let (left, right) = nights.split_at(cut.min(nights.len()));
            let halves: Vec<_> = [left, right]
                .iter()
                .filter(|half| !half.is_empty())
                .map(|half| merged(half))
                .collect();
            let nested: Vec<_> = halves.iter().rev().chain(&nights).cloned().collect();
            assert_eq!(merged(&nested), all, "{of} shards");
        }
    }

    /// The night of threads, with one failure of each of these kinds.
    fn of_threads(done: u64, kinds: &[&str]) -> Night {
        let mut night = night(Shard::WHOLE, done);
        let failure = |kind: &&str| NightFailure {
            failure: (*kind).to_owned(),
            invariant: (*kind).to_owned(),
            sentence: String::new(),
            count: done,
            excused: false,
            iteration: done / 2,
            seed: Seed(done),
            signature: (*kind).to_owned(),
            minimal: false,
            rate: Rate::default(),
            case: None,
            story: None,
            seen: None,
        };
        let part = &mut night.parts[0];
        (part.world, part.trace_hash, part.marks) = (World::Threads, None, Vec::new());
        part.failures = kinds.iter().map(failure).collect();
        night
    }

    #[test]
    fn what_failed_once_on_threads_is_not_lost_to_a_longer_part() {
        let nights = [of_threads(9, &["a"]), of_threads(20, &["b"]), of_threads(3, &["a", "c"])];
        let all = merged(&nights);
        let names: Vec<_> = all.signatures.iter().map(|one| (&*one.signature, one.count)).collect();
        assert_eq!(names, [("c", 3), ("a", 9), ("b", 20)]);
        assert_eq!(all.scenarios[0].iterations, 20);
        for order in [[0, 2, 1], [1, 0, 2], [2, 1, 0]] {
            let nested = merged(&[nights[order[0]].clone(), nights[order[1]].clone()]);
            assert_eq!(merged(&[nested, nights[order[2]].clone(), all.clone()]), all);
        }
        assert_eq!(merged(&nights[2..]), merged(&[nights[2].clone(), nights[2].clone()]));
    }

    #[test]
    fn a_case_that_was_made_small_in_a_shorter_part_replaces_the_provisional_one() {
        let failed = |done, signature: &str, minimal| {
            let mut night = night(Shard::WHOLE, done);
            let mut failures = of_threads(done, &["a"]).parts.remove(0).failures;
            let failure = &mut failures[0];
            (failure.iteration, failure.seed, failure.minimal) = (1, Seed(1), minimal);
            signature.clone_into(&mut failure.signature);
            night.parts[0].failures = failures;
            night
        };
        let nights =
            [failed(9, "a-lost-bytes", false), failed(9, "a-write", true), failed(20, "a", false)];
        let all = merged(&nights);
        let signatures: Vec<_> = all.signatures.iter().collect();
        assert_eq!(signatures.len(), 1, "{signatures:?}");
        let Signature { signature, count, provisional, .. } = signatures[0];
        assert_eq!((signature.as_str(), *count, *provisional), ("a-write", 20, false));
        for order in [[0, 2, 1], [1, 0, 2], [2, 1, 0], [1, 2, 0]] {
            let nested = merged(&[nights[order[0]].clone(), nights[order[1]].clone()]);
            assert_eq!(merged(&[nested, nights[order[2]].clone(), all.clone()]), all);
        }
        assert!(merged(&nights[2..]).signatures[0].provisional);
    }

    #[test]
    fn a_shard_that_cannot_be_is_damage() {
        for (index, of) in [(0, 1), (2, 1), (1, u64::MAX)] {
            let mut night = night(Shard::WHOLE, 3);
            night.shards[0].shard = Shard { index, of };
            assert!(matches!(union(&[night], false), Err(Conflict::Damaged(_))));
        }
    }

    /// The same shards of two campaigns, found in different places, some of them with stories and some cut
    /// short.
    fn scattered(draw: &mut impl FnMut(u64) -> u64) -> Vec<Night> {
        let mut nights = Vec::new();
        for number in 0..2 + draw(5) {
            let done = 5 + draw(3);
            let mut night =
                if draw(3) == 0 { of_threads(done, &["a"]) } else { night(Shard::WHOLE, done) };
            let date = (draw(2) == 0).then(|| format!("2026-01-0{}", 1 + draw(2)));
            let commit = (draw(2) == 0).then(|| "c".to_owned());
            let campaign = Soaked { seed: Seed(1 + draw(2)), date, commit };
            night.tool.version = format!("{}", draw(2));
            night.shards[0].campaign = campaign.clone();
            night.parts[0].campaign = campaign.clone();
            night.parts[0].file = format!("{number}/a.yaml");
            night.campaigns = vec![campaign.clone()];
            night.campaign = campaign;
            nights.push(night);
        }
        nights
    }

    #[test]
    fn nights_that_do_not_belong_together_unite_in_any_order_to_the_same_bytes() {
        let mut state = 7_u64;
        let mut draw = |below: u64| {
            state = scramble(state.wrapping_add(0x9e37_79b9_7f4a_7c15));
            state % below
        };
        let mixed = |nights: &[Night]| concluded(union(nights, true).unwrap()).unwrap().0;
        for _ in 0..200 {
            let nights = scattered(&mut draw);
            let all = mixed(&nights).to_json();
            let mut shuffled = nights.clone();
            for at in (1..shuffled.len()).rev() {
                let other = usize::try_from(draw(1 + u64::try_from(at).unwrap())).unwrap();
                shuffled.swap(at, other);
            }
            assert_eq!(mixed(&shuffled).to_json(), all, "it commutes");
            let cut = usize::try_from(draw(u64::try_from(nights.len()).unwrap())).unwrap();
            let (left, right) = shuffled.split_at(cut);
            let halves = [left, right].map(|half| (!half.is_empty()).then(|| mixed(half)));
            let halves: Vec<_> = halves.into_iter().flatten().collect();
            assert_eq!(mixed(&halves).to_json(), all, "it associates");
            let twice: Vec<_> = halves.iter().chain(&nights).chain(&halves).cloned().collect();
            assert_eq!(mixed(&twice).to_json(), all, "twice is once");
        }
    }

    #[test]
    fn a_longer_part_hides_no_two_that_differ() {
        let (one, longer) = (night(Shard::WHOLE, 10), night(Shard::WHOLE, 20));
        let mut other = one.clone();
        other.parts[0].counts.operations += 1;
        for order in [[&one, &other, &longer], [&one, &longer, &other], [&longer, &other, &one]] {
            let nights = order.map(Night::clone);
            assert!(matches!(union(&nights, false), Err(Conflict::Differs(_))));
        }
    }

    #[test]
    fn equal_seeds_that_differ_are_told_even_if_one_went_further() {
        let good = night(Shard::WHOLE, 40);
        for damage in [0, 20, 39] {
            let mut bad = night(Shard::WHOLE, 40);
            bad.parts[0].counts.operations += 1 + damage;
            assert!(matches!(union(&[good.clone(), bad], false), Err(Conflict::Differs(_))));
        }
        let mut short = night(Shard::WHOLE, 33);
        assert!(union(&[good.clone(), short.clone()], false).is_ok());
        short.parts[0].marks[2] = "0".to_owned();
        for pair in [[good.clone(), short.clone()], [short, good]] {
            assert!(matches!(union(&pair, false), Err(Conflict::Differs(_))));
        }
    }

    #[test]
    fn a_file_on_two_targets_has_not_two_texts() {
        let on = |target: &str, text: &str| {
            let mut night = night(Shard::WHOLE, 5);
            night.parts[0].target = Some(target.to_owned());
            text.clone_into(&mut night.parts[0].text_hash);
            night
        };
        let mixed = |what: &str| Err(Conflict::Mixed(what.to_owned()));
        let two = union(&[on("kernel:xfs", "1"), on("/a", "2")], false);
        assert_eq!(two, mixed("the target of a.yaml is kernel:xfs and /a"));
        assert_eq!(union(&[on("/a", "1"), on("/a", "2")], false), mixed("a.yaml has two texts"));
    }

    #[test]
    fn shares_that_were_cut_differently_may_not_meet() {
        let shard = |index, of| night(Shard { index, of }, 5);
        assert!(union(&[shard(1, 2), shard(2, 4)], false).is_ok());
        for (one, other) in [(shard(1, 2), shard(3, 4)), (shard(1, 3), shard(1, 2))] {
            assert!(matches!(union(&[one.clone(), other.clone()], false), Err(Conflict::Cuts(_))));
            assert!(matches!(union(&[other, one], false), Err(Conflict::Cuts(_))));
        }
    }
}
