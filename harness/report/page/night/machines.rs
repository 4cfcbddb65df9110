//! Who took part in a night: shards, what each did, and their machines.

use std::collections::BTreeMap;

use super::super::html::Html;
use super::super::table::{Cell, numbers, table, words};
use super::{ROWS, fold, more};
use crate::number;
use crate::record::{Cut, Night, Part, Shard, ShardEnd, ShardState, Soaked, World};

/// Adds the section on who did what.
pub(super) fn shards(html: &mut Html, night: &Night) {
    html.section("shards", "Shards", |html| {
        let several = 1 < night.campaigns.len();
        let row = |state: &ShardState| {
            let mut row = shard(night, state);
            if several {
                row.insert(1, Cell::Name(state.campaign.seed.to_string()));
            }
            row
        };
        let rows: Vec<_> = night.shards.iter().take(ROWS).map(row).collect();
        let mut columns = vec![
            words("Shard"),
            words("How it ended"),
            numbers("Starts"),
            numbers("Elapsed"),
            numbers("Seeds"),
            numbers("Slices of threads"),
            numbers("Least of one scenario"),
            numbers("Most"),
        ];
        if several {
            columns.insert(1, words("Campaign"));
        }
        table(html, "Who did what", &columns, &rows);
        more(html, night.shards.len());
        let missing = missing(night);
        if !missing.is_empty() {
            html.element("p", &[("class", "note")], |html| {
                html.markup("<span class=\"warning\"><span aria-hidden=\"true\">\u{25b2}</span> Not here:</span> ");
                html.text(&missing.join(", "));
            });
        }
    });
}

fn shard(night: &Night, state: &ShardState) -> Vec<Cell> {
    let is_its = |part: &&Part| (part.shard, &part.campaign) == (state.shard, &state.campaign);
    let of_it = || night.parts.iter().filter(is_its);
    let seeds = of_it().filter(|part| part.world == World::Simulated);
    let slices = of_it().filter(|part| part.world == World::Threads);
    let sum = |parts: &mut dyn Iterator<Item = &Part>| number::sum(parts.map(|part| part.done));
    let (least, most) = (of_it().map(|part| part.done).min(), of_it().map(|part| part.done).max());
    let count = |n: u64| Cell::Text(number::count(n));
    vec![
        Cell::Text(state.shard.to_string()),
        match state.ended {
            ShardEnd::Complete => Cell::Text("complete".to_owned()),
            ShardEnd::TimeUp => Cell::Warning("time was up"),
            ShardEnd::Interrupted => Cell::Warning("interrupted"),
            ShardEnd::Running => Cell::Warning("did not end"),
        },
        count(state.starts),
        Cell::Text(number::elapsed(state.elapsed_ms)),
        count(sum(&mut seeds.into_iter())),
        count(sum(&mut slices.into_iter())),
        count(least.unwrap_or(0)),
        count(most.unwrap_or(0)),
    ]
}

/// The shards that are not there, of those cuts that are.
fn missing(night: &Night) -> Vec<String> {
    // A night of one shard alone says nothing about the others.
    if night.shards.len() < 2 {
        return Vec::new();
    }
    let told = |campaign: &Soaked, shard: Shard| match night.campaigns.len() {
        0 | 1 => shard.to_string(),
        _ => format!("{shard} of {}", campaign.seed),
    };
    let cut =
        |cut: &Cut<'_>| cut.missing().map(|shard| told(cut.campaign, shard)).collect::<Vec<_>>();
    night.cuts().iter().flat_map(cut).take(ROWS).collect()
}

/// Adds the section on machines.
pub(super) fn environment(html: &mut Html, night: &Night) {
    html.section("environment", "Environment", |html| {
        let mut machines: BTreeMap<[String; 4], Vec<String>> = BTreeMap::new();
        for state in &night.shards {
            let known =
                |text: &Option<String>| text.clone().unwrap_or_else(|| "unknown".to_owned());
            let machine = &state.environment;
            let cores =
                machine.cores.map_or_else(|| "unknown".to_owned(), |cores| cores.to_string());
            let key = [known(&machine.kernel), known(&machine.cpu), cores, known(&machine.rustc)];
            machines.entry(key).or_default().push(state.shard.to_string());
        }
        let row = |(machine, shards): (&[String; 4], &Vec<String>)| {
            let mut row = vec![Cell::Text(fold(&shards.join(", ")))];
            row.extend(machine.iter().map(|text| Cell::Text(fold(text))));
            row
        };
        let rows: Vec<_> = machines.iter().take(ROWS).map(row).collect();
        let columns = [
            words("Shards"),
            words("Kernel"),
            words("Processor"),
            numbers("Processors"),
            words("Compiler"),
        ];
        table(html, "Machines", &columns, &rows);
    });
}
