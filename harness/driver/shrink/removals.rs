//! Passes that take something out: actors, switches, faults, calls, pieces, files.

use crate::case;
use crate::ground::NoGround;
use crate::scenario::plan::{Plan, Strike};
use crate::shrink::bridges;
use crate::shrink::shrinker::{Candidate, Shrinker};
use crate::shrink::trial::Fails;
use std::ops::Range;

/// All of them, once.
pub(super) fn all(shrinker: &mut Shrinker<'_>) -> Result<(), NoGround> {
    let actors = |case: &Plan| case.actors.len();
    shrinker.sweep("actors, bridged", actors, |best, range| {
        without_actors(&unscheduled(&best.case, range.clone()), range)
    })?;
    shrinker.sweep("actors", actors, |best, range| without_actors(&best.case, range))?;
    shrinker.sweep("calls, bridged", calls, |best, range| {
        let gone = in_time(best).skip(range.start).take(range.len());
        bridges::without_calls(&best.case, &gone.collect())
    })?;
    schedule(shrinker)?;
    merge(shrinker)?;
    shrinker.sweep("faults", faults, |best, range| Some(without_faults(&best.case, range)))?;
    shrinker.sweep("calls", calls, |best, range| without_calls(&best.case, range))?;
    schedule(shrinker)?;
    shrinker.sweep("pieces", pieces, |best, range| Some(without_pieces(&best.case, range)))?;
    shrinker.sweep(
        "files",
        |case| case.files.len(),
        |best, range| without_files(&best.case, range),
    )?;
    let renumbered = |best: &Fails, _| {
        let mut case = best.case.clone();
        case::renumber(&mut case);
        Some(Candidate::followed(case))
    };
    shrinker.first("numbers", 1, renumbered)?;
    Ok(())
}

/// The calls in the order in which they began, each by its actor and number.
fn in_time(best: &Fails) -> impl Iterator<Item = (usize, u64)> {
    let mut next = vec![0; best.case.actors.len()];
    best.began.iter().filter_map(move |actor| {
        let call = best.case.actors[*actor].does.get(next[*actor])?;
        next[*actor] += 1;
        Some((*actor, call.number))
    })
}

/// Lets one actor do what two did, in the order in which they did it.
fn merge(shrinker: &mut Shrinker<'_>) -> Result<(), NoGround> {
    loop {
        let actors = shrinker.case().actors.len();
        let pair = |best: &Fails, number: usize| {
            let (one, other) = (number / actors, number % actors);
            let calls: Vec<_> = in_time(best).collect();
            let merged = || bridges::merged(&best.case, &calls, (one, other));
            (one < other).then(merged).map(Candidate::followed)
        };
        if shrinker.first("merge", actors * actors, pair)?.is_none() {
            return Ok(());
        }
    }
}

/// Takes switches out, and then slices.
fn schedule(shrinker: &mut Shrinker<'_>) -> Result<(), NoGround> {
    shrinker.sweep("switches", switches, |best, range| without_switches(&best.case, range))?;
    shrinker.sweep("slices", switches, |best, range| {
        let mut case = best.case.clone();
        for nth in range.rev() {
            let slice = bridges::without_slice(case.schedule.as_ref()?, nth);
            case.schedule = slice.or(case.schedule);
        }
        Some(case)
    })
}

/// The case with the switches of its run without those actors.
fn unscheduled(case: &Plan, range: Range<usize>) -> Plan {
    let mut case = case.clone();
    for actor in range {
        case.schedule = Some(bridges::without_actor(&case, actor));
    }
    case
}

pub(super) fn without_actors(case: &Plan, range: Range<usize>) -> Option<Plan> {
    let end = range.end.min(case.actors.len());
    if end - range.start == case.actors.len() {
        return None;
    }
    let mut case = case.clone();
    for actor in (range.start..end).rev() {
        case::remove_actor(&mut case, actor);
    }
    Some(case)
}

fn switches(case: &Plan) -> usize {
    case.schedule.as_ref().map_or(0, Vec::len)
}

fn without_switches(case: &Plan, range: Range<usize>) -> Option<Plan> {
    let mut case = case.clone();
    let schedule = case.schedule.as_mut()?;
    schedule.drain(range.start..range.end.min(schedule.len()));
    Some(case)
}

/// What is peculiar about calls comes first, then the strikes.
fn faults(case: &Plan) -> usize {
    peculiar(case) + case.strikes.len()
}

pub(super) fn peculiar(case: &Plan) -> usize {
    let calls = case.actors.iter().flat_map(|actor| &actor.does);
    calls.map(|call| usize::from(call.gap.is_some()) + usize::from(call.abandoned)).sum()
}

pub(super) fn without_faults(case: &Plan, range: Range<usize>) -> Plan {
    let mut case = case.clone();
    let first_strike = peculiar(&case);
    let mut number = 0;
    let mut goes = || {
        number += 1;
        range.contains(&(number - 1))
    };
    for call in case.actors.iter_mut().flat_map(|actor| &mut actor.does) {
        if call.gap.is_some() && goes() {
            call.gap = None;
        }
        if call.abandoned && goes() {
            call.abandoned = false;
        }
    }
    let strikes: Vec<Strike> = std::mem::take(&mut case.strikes);
    let numbered = (first_strike..).zip(strikes);
    case.strikes =
        numbered.filter(|(number, _)| !range.contains(number)).map(|(_, strike)| strike).collect();
    case
}

/// The calls of all actors, one actor after the other.
pub(super) fn calls(case: &Plan) -> usize {
    case.actors.iter().map(|actor| actor.does.len()).sum()
}

/// Without some calls, and without actors of which none is left.
pub(super) fn without_calls(case: &Plan, range: Range<usize>) -> Option<Plan> {
    if range.start == 0 && calls(case) <= range.end {
        return None;
    }
    let mut case = case.clone();
    let mut number = 0;
    for actor in &mut case.actors {
        actor.does.retain(|_| {
            number += 1;
            !range.contains(&(number - 1))
        });
    }
    for actor in (0..case.actors.len()).rev() {
        if case.actors[actor].does.is_empty() {
            case::remove_actor(&mut case, actor);
        }
    }
    Some(case)
}

pub(super) fn pieces(case: &Plan) -> usize {
    case.actors.iter().flat_map(|actor| &actor.does).map(|call| call.pieces.len()).sum()
}

pub(super) fn without_pieces(case: &Plan, range: Range<usize>) -> Plan {
    let mut case = case.clone();
    let mut number = 0;
    for call in case.actors.iter_mut().flat_map(|actor| &mut actor.does) {
        call.pieces.retain(|_| {
            number += 1;
            !range.contains(&(number - 1))
        });
    }
    case
}

/// Without some files, if nobody uses them.
pub(super) fn without_files(case: &Plan, range: Range<usize>) -> Option<Plan> {
    let mut case = case.clone();
    for file in (range.start..range.end.min(case.files.len())).rev() {
        let used = case.actors.iter().flat_map(|actor| &actor.does).any(|call| {
            call.file == file || call.op.clone().source_file().is_some_and(|from| *from == file)
        });
        let named = case.strikes.iter_mut().filter_map(file_of).any(|named| *named == file);
        if used || named || case.files.len() == 1 {
            return None;
        }
        case.files.remove(file);
        let moved = |named: &mut usize| *named -= usize::from(file < *named);
        let calls = case.actors.iter_mut().flat_map(|actor| &mut actor.does);
        for call in calls {
            moved(&mut call.file);
            call.op.source_file().into_iter().for_each(moved);
        }
        case.strikes.iter_mut().filter_map(file_of).for_each(moved);
    }
    Some(case)
}

fn file_of(strike: &mut Strike) -> Option<&mut usize> {
    match strike {
        Strike::IoError(request) | Strike::Latency(request, _) => Some(&mut request.file),
        Strike::Evict { file, .. } => Some(file),
        Strike::Delay(..) => None,
    }
}
