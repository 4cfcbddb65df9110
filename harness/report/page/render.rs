//! The page as a whole: its head, its header and the order of its sections.

use super::html::Html;
use super::{banner, counts, coverage, failure, latency, setting};
use crate::number;
use crate::record::{Record, World};

/// The page for a record. Equal records give equal bytes.
pub fn render(record: &Record) -> String {
    let mut html = Html::default();
    html.markup("<!doctype html>\n");
    html.element("html", &[("lang", "en")], |html| {
        head(html, record);
        html.element("body", &[], |html| {
            html.markup("<a class=\"skip\" href=\"#main\">Skip to the verdict</a>\n");
            header(html, record);
            html.element("main", &[("id", "main"), ("tabindex", "-1")], |html| {
                banner::banner(html, record);
                contents(html, record);
                failure::failures(html, record);
                latency::latency(html, record);
                counts::counts(html, record);
                counts::faults(html, record);
                coverage::coverage(html, record);
                setting::environment(html, record);
                setting::scenario(html, record);
            });
            footer(html, record);
            if record.violations.iter().any(|violation| violation.story.is_some()) {
                html.markup(concat!("<script>", include_str!("failure/page.js"), "</script>\n"));
            }
        });
    });
    html.markup("\n");
    html.finish()
}

/// The policy forbids everything but the style and the script in the page, which it names by its hash, so
/// that even a mistake in escaping could neither run another script nor fetch anything.
fn head(html: &mut Html, record: &Record) {
    html.element("head", &[], |html| {
        html.markup(concat!(
            "\n<meta charset=\"utf-8\">\n<meta http-equiv=\"Content-Security-Policy\" content=\"",
            "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; ",
            "script-src 'sha256-DbiK1qrwchyFeM5qr82KiPZ3R8US38CzUIitcBZkmw8='\">\n",
            "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n",
            "<meta name=\"color-scheme\" content=\"light dark\">\n",
            "<meta name=\"referrer\" content=\"no-referrer\">\n",
        ));
        let title = format!(
            "{}: {} \u{b7} {}",
            record.verdict.kind.title(),
            record.scenario.name,
            record.tool.name
        );
        html.line("title", "", &title);
        html.markup(concat!(
            "\n<style>\n",
            include_str!("page.css"),
            include_str!("failure/failure.css"),
            "</style>\n"
        ));
    });
    html.markup("\n");
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
            html.line("li", "", &format!("{} {}", device.kind.name(), number::bytes(device.size)));
            let block_size = number::bytes(record.filesystem.block_size);
            html.line("li", "", &format!("{block_size} blocks"));
        });
    });
    html.markup("\n");
}

fn contents(html: &mut Html, record: &Record) {
    html.markup("<nav aria-label=\"On this page\"><ul>");
    if !record.violations.is_empty() {
        html.markup("<li><a href=\"#failures\">Failures</a></li>");
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
