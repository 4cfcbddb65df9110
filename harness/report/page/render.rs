//! The page of a run as a whole: its header and the order of its sections.

use super::html::Html;
use super::{banner, counts, coverage, failure, frame, latency, led, setting, target};
use crate::number;
use crate::record::{Record, World};

/// The page for a record. Equal records give equal bytes.
pub fn render(record: &Record) -> String {
    let title = format!(
        "{}: {} \u{b7} {}",
        record.verdict.kind.title(),
        record.scenario.name,
        record.tool.name
    );
    frame::page(&title, |html| {
        header(html, record);
        html.element("main", &[("id", "main"), ("tabindex", "-1")], |html| {
            banner::banner(html, record);
            contents(html, record);
            failure::failures(html, record);
            led::led(html, record);
            target::target(html, record);
            latency::latency(html, record);
            counts::counts(html, record);
            counts::faults(html, record);
            coverage::coverage(html, record);
            setting::environment(html, record);
            setting::scenario(html, record);
        });
        footer(html, record);
        record.violations.iter().any(|violation| violation.story.is_some())
    })
}

fn header(html: &mut Html, record: &Record) {
    html.element("header", &[], |html| {
        html.element("p", &[("class", "product")], |html| {
            html.line("strong", "", &record.tool.name);
            html.text(" ");
            html.text(&record.tool.version);
            html.text(" \u{b7} run report");
        });
        html.line("h1", "", &record.scenario.name);
        if !record.scenario.about.is_empty() {
            html.line("p", "about", record.scenario.about.trim());
        }
        html.element("ul", &[("class", "chips")], |html| {
            html.line("li", "", record.world.name());
            html.element("li", &[], |html| {
                html.text("seed ");
                html.line("code", "", &record.seed.first.to_string());
            });
            if record.world == World::Simulated {
                html.line("li", "", &number::counted(record.seed.count, "seed"));
            }
            let device = &record.device;
            let (stands_on, block_size) = if let Some(mounted) = &device.mounted {
                (device.detail.clone(), mounted.block_size)
            } else {
                let size = number::bytes(device.size);
                (format!("{} {size}", device.kind.name()), record.filesystem.block_size)
            };
            html.line("li", "", &stands_on);
            html.line("li", "", &format!("{} blocks", number::bytes(block_size)));
        });
    });
    html.markup("\n");
}

fn contents(html: &mut Html, record: &Record) {
    html.markup("<nav aria-label=\"On this page\"><ul>");
    if !record.violations.is_empty() {
        html.markup("<li><a href=\"#failures\">Failures</a></li>");
    }
    if !record.led.is_empty() {
        html.markup("<li><a href=\"#steps\">Steps</a></li>");
    }
    if record.device.mounted.is_some() {
        html.markup("<li><a href=\"#target\">Real filesystem</a></li>");
    }
    html.markup("<li><a href=\"#latency\">Latency</a></li>");
    if record.timeline.is_some() {
        html.markup("<li><a href=\"#throughput\">Throughput</a></li>");
    }
    html.markup(concat!(
        "<li><a href=\"#counts\">Counts</a></li>",
        "<li><a href=\"#faults\">Faults</a></li>",
        "<li><a href=\"#coverage\">Coverage</a></li>",
        "<li><a href=\"#environment\">Environment</a></li>",
        "<li><a href=\"#scenario\">Scenario</a></li>",
        "</ul></nav>\n",
    ));
}

fn footer(html: &mut Html, record: &Record) {
    html.element("footer", &[], |html| {
        html.markup("<p>The same facts for scripts: <code>result.json</code> beside this page");
        if let Some(hash) = &record.trace_hash {
            html.markup(". Trace hash ");
            html.line("code", "", hash);
        }
        html.markup(".</p>");
    });
}
