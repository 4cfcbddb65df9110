//! The page of a night: the verdict, what failed, what was soaked and by whom.

mod failures;
mod latency;
mod machines;

use std::collections::BTreeMap;

use super::banner::Tone;
use super::frame;
use super::html::Html;
use super::table::{Cell, numbers, table, words};
use crate::record::{LeftOut, Night, Regression, ScenarioTotal, Soaked};
use crate::{number, reproduce, visible};

/// Reasons and remarks that are shown.
const REASONS: usize = 60;
/// Rows of a table at most.
const ROWS: usize = 400;
/// Characters of one text that are shown.
const SHOWN: usize = 400;
/// Campaigns that are named, where nights were mixed.
const CAMPAIGNS: usize = 12;

/// The page for a night. Equal nights give equal bytes.
pub fn night(night: &Night) -> String {
    let title = format!("{}: soak {} \u{b7} pagestorm", headline(night), night.campaign.seed);
    let latencies = latency::latencies(night);
    frame::page(&title, |html| {
        header(html, night);
        html.element("main", &[("id", "main"), ("tabindex", "-1")], |html| {
            banner(html, night);
            contents(html, night, latencies.is_some());
            failures::failures(html, night);
            latency::latency(html, latencies.as_ref());
            scenarios(html, night);
            regressions(html, night);
            faults(html, night);
            machines::shards(html, night);
            machines::environment(html, night);
        });
        html.markup("<footer><p>The same facts for scripts: <code>night.json</code> beside this page.</p></footer>");
        failures::is_stepped(night)
    })
}

fn headline(night: &Night) -> String {
    match (night.verdict.good, u64::try_from(night.signatures.len()).unwrap_or(u64::MAX)) {
        (true, _) => "As expected".to_owned(),
        (false, 0) => "Not as expected".to_owned(),
        (false, failures) => number::counted(failures, "signature") + " failed",
    }
}

fn header(html: &mut Html, night: &Night) {
    html.element("header", &[], |html| {
        html.element("p", &[("class", "product")], |html| {
            html.line("strong", "", &night.tool.name);
            html.text(" ");
            html.text(&night.tool.version);
            html.text(" \u{b7} soak report");
        });
        let title = match (&night.campaign.date, night.campaigns.len()) {
            (_, several @ 2..) => format!("Soaks of {several} campaigns"),
            (Some(date), _) => format!("Soak of {}", fold(date)),
            (None, _) => format!("Soak {}", night.campaign.seed),
        };
        html.line("h1", "", &title);
        html.element("ul", &[("class", "chips")], |html| {
            for campaign in night.campaigns.iter().take(CAMPAIGNS) {
                html.element("li", &[], |html| of_campaign(html, campaign));
            }
            if let Some(rest @ 1..) = night.campaigns.len().checked_sub(CAMPAIGNS) {
                html.line("li", "", &format!("and {rest} more campaigns"));
            }
            let shards = u64::try_from(night.shards.len()).unwrap_or(u64::MAX);
            html.line("li", "", &number::counted(shards, "shard"));
        });
    });
    html.markup("\n");
}

/// Seed and commit, and the date where it is not told in the title.
fn of_campaign(html: &mut Html, campaign: &Soaked) {
    html.text("seed ");
    html.line("code", "", &campaign.seed.to_string());
    if let Some(commit) = &campaign.commit {
        html.text(", commit ");
        html.line("code", "", visible::clipped(commit, 12).0);
    }
}

fn banner(html: &mut Html, night: &Night) {
    let verdict = &night.verdict;
    let tone = match (verdict.good, night.signatures.is_empty()) {
        (true, _) => Tone::Good,
        (false, true) => Tone::Weak,
        (false, false) => Tone::Bad,
    };
    let class = format!("verdict {}", tone.class());
    html.element("section", &[("class", &class), ("aria-labelledby", "verdict")], |html| {
        html.markup(tone.icon());
        html.element("div", &[], |html| {
            html.element("h2", &[("id", "verdict")], |html| html.text(&headline(night)));
            html.line("p", "sentence", &fold(&verdict.sentence));
            list(html, &verdict.reasons);
        });
        for campaign in night.campaigns.iter().take(CAMPAIGNS) {
            html.command("Soak again", &reproduce::soak(night, campaign));
        }
    });
    html.markup("\n");
    figures(html, night);
}

fn list(html: &mut Html, lines: &[String]) {
    if lines.is_empty() {
        return;
    }
    html.element("ul", &[("class", "details")], |html| {
        for line in lines.iter().take(REASONS) {
            html.element("li", &[], |html| html.text(&fold(line)));
        }
        if let Some(rest @ 1..) = lines.len().checked_sub(REASONS) {
            html.line("li", "note", &format!("and {rest} more in night.json"));
        }
    });
}

fn figures(html: &mut Html, night: &Night) {
    let sum = |of: fn(&ScenarioTotal) -> u64| number::sum(night.scenarios.iter().map(of));
    let fired =
        |total: &ScenarioTotal| number::sum(total.counts.faults.values().map(|one| one.fired));
    let elapsed = number::sum(night.shards.iter().map(|state| state.elapsed_ms));
    let failing = number::sum(night.signatures.iter().map(|one| one.count));
    let figures = [
        (number::count(sum(|total| total.iterations)), "iterations"),
        (number::count(sum(|total| total.counts.operations)), "operations"),
        (number::count(sum(|total| total.counts.verified_operations)), "of them verified"),
        (number::count(sum(fired)), "faults fired"),
        (number::count(failing), "failing seeds"),
        (number::elapsed(elapsed), "of machine time"),
    ];
    super::table::figures(html, &figures);
}

fn contents(html: &mut Html, night: &Night, has_latency: bool) {
    html.markup("<nav aria-label=\"On this page\"><ul>");
    if !night.signatures.is_empty() {
        html.markup("<li><a href=\"#failures\">Failures</a></li>");
    }
    if has_latency {
        html.markup("<li><a href=\"#latency\">Latency</a></li>");
    }
    html.markup("<li><a href=\"#scenarios\">Scenarios</a></li>");
    if !night.regressions.is_empty() {
        html.markup("<li><a href=\"#regressions\">Regressions</a></li>");
    }
    html.markup(concat!(
        "<li><a href=\"#faults\">Faults</a></li>",
        "<li><a href=\"#shards\">Shards</a></li>",
        "<li><a href=\"#environment\">Environment</a></li>",
        "</ul></nav>\n",
    ));
}

/// As much of a text as a cell has room for.
fn fold(text: &str) -> String {
    match visible::clipped(text, SHOWN) {
        (_, true) => text.to_owned(),
        (beginning, false) => format!("{beginning}\u{2026}"),
    }
}

fn more(html: &mut Html, rows: usize) {
    if let Some(hidden @ 1..) = rows.checked_sub(ROWS) {
        html.line("p", "note", &format!("{hidden} more rows are in night.json."));
    }
}

fn scenarios(html: &mut Html, night: &Night) {
    html.section("scenarios", "Scenarios", |html| {
        let rows: Vec<_> = night.scenarios.iter().take(ROWS).map(scenario).collect();
        let columns = [
            words("Scenario"),
            words("World"),
            numbers("Iterations"),
            numbers("Operations"),
            numbers("Faults armed"),
            numbers("Faults fired"),
            words("Outcome"),
        ];
        table(html, "What was soaked; an iteration is a seed, or a slice of time of threads", &columns, &rows);
        more(html, night.scenarios.len());
        if !night.verdict.remarks.is_empty() {
            let apart = [("class", "never"), ("style", "margin-top:1.5rem")];
            html.element("div", &apart, |html| {
                html.markup("<p><span class=\"warning\"><span aria-hidden=\"true\">\u{25b2}</span> Worth knowing</span></p>");
                list(html, &night.verdict.remarks);
            });
            html.markup("\n");
        }
        let row = |left: &LeftOut| {
            let why = Cell::Text(fold(&left.why));
            vec![Cell::Name(fold(&left.file)), why]
        };
        let rows: Vec<_> = night.left_out.iter().take(ROWS).map(row).collect();
        if !rows.is_empty() {
            html.element("details", &[("class", "more")], |html| {
                let count = u64::try_from(night.left_out.len()).unwrap_or(u64::MAX);
                html.line("summary", "", &format!("{} left out", number::counted(count, "file")));
                table(html, "What was given and not soaked", &[words("File"), words("Why")], &rows);
            });
        }
    });
}

fn scenario(total: &ScenarioTotal) -> Vec<Cell> {
    let sum = |of: fn(&crate::record::FaultCount) -> u64| {
        Cell::Text(number::count(number::sum(total.counts.faults.values().map(of))))
    };
    let outcome = match (total.failed, total.caught) {
        _ if total.counts.operations == 0 => Cell::Warning("nothing ran"),
        (0, 0) if total.expected == "clean" => Cell::Text("clean".to_owned()),
        (0, 0) => Cell::Warning("not caught"),
        (failed, 0) => Cell::Text(format!("\u{2717} {} failed", number::count(failed))),
        (0, caught) => Cell::Text(format!("{} caught", number::count(caught))),
        (others, caught) => {
            let (caught, others) = (number::count(caught), number::count(others));
            Cell::Text(format!("{caught} caught, {others} otherwise"))
        }
    };
    vec![
        Cell::Text(fold(&total.name)),
        Cell::Text(fold(total.setting())),
        Cell::Text(number::count(total.iterations)),
        Cell::Text(number::count(total.counts.operations)),
        sum(|one| one.armed),
        sum(|one| one.fired),
        outcome,
    ]
}

fn regressions(html: &mut Html, night: &Night) {
    if night.regressions.is_empty() {
        return;
    }
    html.section("regressions", "Regressions", |html| {
        let row = |one: &Regression| {
            let found = one.found.as_deref().unwrap_or("nothing");
            vec![
                Cell::Name(fold(&one.file)),
                Cell::Text(fold(&one.expected)),
                Cell::Text(fold(found)),
                match (one.as_expected, one.unfit.is_empty()) {
                    (false, _) => Cell::Warning("not as expected"),
                    (true, false) => Cell::Warning("no longer fits"),
                    (true, true) => Cell::Text("as expected".to_owned()),
                },
            ]
        };
        let rows: Vec<_> = night.regressions.iter().take(ROWS).map(row).collect();
        let columns = [words("Case"), words("Expected"), words("Violated"), words("Outcome")];
        table(html, "Cases that failed once, run again", &columns, &rows);
        more(html, night.regressions.len());
    });
}

fn faults(html: &mut Html, night: &Night) {
    let mut kinds: BTreeMap<&str, (u64, u64)> = BTreeMap::new();
    for (kind, count) in night.scenarios.iter().flat_map(|total| &total.counts.faults) {
        let (armed, fired) = kinds.entry(kind).or_default();
        *armed = armed.saturating_add(count.armed);
        *fired = fired.saturating_add(count.fired);
    }
    html.section("faults", "Faults", |html| {
        if kinds.is_empty() {
            html.markup("<p>No scenario asks for faults.</p>");
        }
        let row = |(kind, (armed, fired)): (&&str, &(u64, u64))| {
            let remark = match (armed, fired) {
                (0, _) => Cell::Warning("never armed"),
                (_, 0) => Cell::Warning("never fired"),
                _ => Cell::Text(String::new()),
            };
            let [armed, fired] = [armed, fired].map(|n| Cell::Text(number::count(*n)));
            vec![Cell::Name(fold(kind)), armed, fired, remark]
        };
        let rows: Vec<_> = kinds.iter().take(ROWS).map(row).collect();
        let columns = [words("Fault"), numbers("Armed"), numbers("Fired"), words("Remark")];
        table(html, "Faults over the whole night", &columns, &rows);
    });
}
