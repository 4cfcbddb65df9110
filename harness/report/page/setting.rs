//! Where it ran and what was asked for: machine, device, filesystem, scenario.

use super::html::Html;
use super::table::{Cell, table, words};
use crate::record::{Record, Varied};
use crate::{number, visible};

/// Characters of the scenario that are shown: its file may be a mebibyte.
const TEXT: usize = 64 * 1024;

/// Adds the section on the machine, the device and the filesystem.
pub(super) fn environment(html: &mut Html, record: &Record) {
    let (machine, timing) = (&record.environment, &record.timing);
    let unknown = || "unknown".to_owned();
    let or_unknown = |value: &Option<String>| value.clone().unwrap_or_else(unknown);
    let filesystem = &record.filesystem;
    let folio = number::bytes(filesystem.max_folio);
    let block = number::bytes(filesystem.block_size);
    let mut facts = match &record.device.mounted {
        // It has a section of its own.
        Some(_) => Vec::new(),
        None => vec![
            (
                "Device",
                format!("{}, {}", record.device.kind.name(), number::bytes(record.device.size)),
            ),
            ("Why this device", record.device.detail.clone()),
            ("Filesystem", format!("blocks of {block}, folios of up to {folio}")),
        ],
    };
    facts.extend([
        ("Kernel", or_unknown(&machine.kernel)),
        ("Processor", or_unknown(&machine.cpu)),
        ("Processors", machine.cores.map_or_else(unknown, |cores| cores.to_string())),
        ("Compiler", or_unknown(&machine.rustc)),
        ("Commit", or_unknown(&machine.commit)),
        ("Elapsed", number::elapsed(timing.elapsed_ms)),
        (
            "Throughput",
            format!("{} operations per second", number::count(timing.operations_per_second)),
        ),
    ]);
    if let Some(preset) = &filesystem.preset {
        facts.push(("Preset of its decisions", preset.clone()));
    }
    if let Some(share) = timing.oracle_share {
        facts.push(("Oracle's share of the time", number::percent(share)));
    }
    if !filesystem.bugs.is_empty() {
        facts.push(("Bugs switched on", filesystem.bugs.join(", ")));
    }
    html.section("environment", "Environment", |html| {
        let rows: Vec<_> = facts
            .into_iter()
            .map(|(name, value)| vec![Cell::Text(name.to_owned()), Cell::Text(value)])
            .collect();
        table(html, "Machine and setting", &[words("What"), words("Value")], &rows);
        let rows: Vec<_> = filesystem
            .deviations
            .iter()
            .map(|one| vec![Cell::Name(one.decision.clone()), Cell::Name(one.value.clone())])
            .collect();
        let caption = "Decisions that differ from the correct ones";
        table(html, caption, &[words("Decision"), words("Set to")], &rows);
    });
}

/// Adds the scenario, verbatim.
pub(super) fn scenario(html: &mut Html, record: &Record) {
    let scenario = &record.scenario;
    html.section("scenario", "Scenario", |html| {
        html.element("p", &[("class", "lead")], |html| {
            html.text("Read from ");
            html.line("code", "", &scenario.file);
            html.text(if scenario.overrides.is_empty() {
                "."
            } else {
                ", changed on the command line:"
            });
        });
        if !scenario.overrides.is_empty() {
            html.element("ul", &[("class", "names")], |html| {
                for change in &scenario.overrides {
                    html.element("li", &[], |html| html.line("code", "", change));
                }
            });
        }
        if !scenario.dropped.is_empty() {
            html.line("p", "", "Dropped, as it has no meaning in this world or on this target:");
            html.element("ul", &[("class", "names")], |html| {
                for key in &scenario.dropped {
                    html.element("li", &[], |html| html.line("code", "", key));
                }
            });
        }
        if !scenario.varied.is_empty() {
            let row = |one: &Varied| {
                let values = one.values.join(", ");
                vec![Cell::Name(one.path.clone()), Cell::Text(values)]
            };
            let rows: Vec<_> = scenario.varied.iter().map(row).collect();
            let caption = "What each seed drew for itself";
            table(html, caption, &[words("Value"), words("One of")], &rows);
        }
        if !scenario.drawn.is_empty() {
            html.line("p", "", "Its seed has drawn:");
            html.element("ul", &[("class", "names")], |html| {
                for value in &scenario.drawn {
                    html.element("li", &[], |html| html.line("code", "", value));
                }
            });
        }
        if !scenario.script.is_empty() {
            html.line("p", "", "The steps of its script:");
            html.element("ol", &[("class", "names")], |html| {
                for step in &scenario.script {
                    html.element("li", &[], |html| html.line("code", "", step));
                }
            });
        }
        let frame =
            [("class", "source"), ("tabindex", "0"), ("role", "group"), ("aria-label", "Scenario")];
        let (text, whole) = visible::clipped(&scenario.text, TEXT);
        html.element("pre", &frame, |html| html.block(text));
        if !whole {
            html.markup("<p class=\"note\">The rest is in result.json.</p>");
        }
    });
}
