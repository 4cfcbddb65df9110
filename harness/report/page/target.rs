//! The real filesystem that a run stood on: how it was made, what it could not do, and what was allowed
//! to it.

use super::html::Html;
use super::table::{Cell, numbers, table, words};
use crate::number;
use crate::record::{Device, Mounted, Record};

/// Adds the section, if the run stood on one.
pub(super) fn target(html: &mut Html, record: &Record) {
    let Some(mounted) = &record.device.mounted else { return };
    html.section("target", "Real filesystem", |html| {
        let mut facts = facts(&record.device, mounted);
        if let Some(kernel) = &record.environment.kernel {
            facts.push(("Kernel", kernel.clone()));
        }
        let row =
            |(name, value): (&str, String)| vec![Cell::Text(name.to_owned()), Cell::Text(value)];
        let rows: Vec<_> = facts.into_iter().map(row).collect();
        table(html, "What it is", &[words("What"), words("Value")], &rows);
        memory(html, record);
        left_out(html, record);
        leeways(html, record);
    });
}

/// What it is, and what it can do.
fn facts(device: &Device, mounted: &Mounted) -> Vec<(&'static str, String)> {
    let or = |text: &str, none: &str| if text.is_empty() { none } else { text }.to_owned();
    let mut facts = vec![
        ("Filesystem", or(&mounted.filesystem, "unknown")),
        ("Where", device.detail.clone()),
        ("Mount options", or(&mounted.mount, "those of the kernel")),
    ];
    if !mounted.image.is_empty() {
        let size = number::bytes(device.size);
        facts.push(("Arguments of mkfs", or(&mounted.mkfs.join(" "), "none of the scenario")));
        facts.push(("Image", format!("{size} in {}", mounted.image)));
    } else if device.size != 0 {
        facts.push(("Size", number::bytes(device.size)));
    }
    if let Some(memory) = mounted.memory {
        facts.push(("Memory for its page cache", number::bytes(memory)));
    }
    facts.push(("Block size", number::bytes(mounted.block_size)));
    facts.push(("Direct I/O in units of", number::bytes(mounted.direct_unit)));
    let lacks: Vec<_> = mounted.lacks.iter().map(|(what, why)| format!("{what} ({why})")).collect();
    facts.push(("Cannot do", or(&lacks.join("; "), "nothing is missing")));
    facts
}

fn left_out(html: &mut Html, record: &Record) {
    let rows = record.counts.left_out.iter().map(|(kind, left)| {
        let (count, reason) = (number::count(left.count), left.reason.clone());
        vec![Cell::Name(kind.clone()), Cell::Text(count), Cell::Text(reason)]
    });
    let columns = [words("Operation"), numbers("Drawn"), words("The filesystem's answer")];
    let caption = "Left out: what the filesystem cannot do";
    table(html, caption, &columns, &rows.collect::<Vec<_>>());
}

fn memory(html: &mut Html, record: &Record) {
    let row = |(name, count): (&String, &u64)| {
        vec![Cell::Name(name.clone()), Cell::Text(number::count(*count))]
    };
    let rows: Vec<_> = record.counts.memory.iter().map(row).collect();
    let columns = [words("Counter of the kernel"), numbers("How often")];
    table(html, "Memory that was short", &columns, &rows);
}

fn leeways(html: &mut Html, record: &Record) {
    let row = |(name, count): (&String, &u64)| {
        vec![Cell::Name(name.clone()), Cell::Text(number::count(*count))]
    };
    let rows: Vec<_> = record.counts.leeways.iter().map(row).collect();
    let columns = [words("Leeway"), numbers("How often")];
    table(html, "Allowed, as POSIX leaves it open", &columns, &rows);
}
