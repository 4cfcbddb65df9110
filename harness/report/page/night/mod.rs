//! The page of a night: the verdict, what failed, what was soaked and by whom.

use std::collections::BTreeMap;

use super::banner::Tone;
use super::html::Html;
use super::table::{Cell, numbers, table, words};
use crate::number;
use crate::record::{
    Ended, LeftOut, Night, Part, Regression, ScenarioTotal, Shard, ShardState, Signature, World,
};

/// Reasons and remarks that are shown.
const REASONS: usize = 60;
/// Signatures that are shown in full.
const IN_FULL: usize = 20;
/// Rows of a table at most.
const ROWS: usize = 400;

/// The page for a night. Equal nights give equal bytes.
pub fn night(night: &Night) -> String {
    let mut html = Html::default();
    html.markup("<!doctype html>\n");
    html.element("html", &[("lang", "en")], |html| {
        head(html, night);
        html.element("body", &[], |html| {
            html.markup("<a class=\"skip\" href=\"#main\">Skip to the verdict</a>\n");
            header(html, night);
            html.element("main", &[("id", "main"), ("tabindex", "-1")], |html| {
                banner(html, night);
                contents(html, night);
                signatures(html, night);
                scenarios(html, night);
                regressions(html, night);
                faults(html, night);
                shards(html, night);
                environment(html, night);
            });
            html.markup("<footer><p>The same facts for scripts: <code>night.json</code> beside this page.</p></footer>");
        });
    });
    html.markup("\n");
    html.finish()
}

/// The same policy as that of a run's page, which has no script here.
fn head(html: &mut Html, night: &Night) {
    html.element("head", &[], |html| {
        html.markup(concat!(
            "\n<meta charset=\"utf-8\">\n",
            "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; ",
            "style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'\">\n",
            "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n",
            "<meta name=\"color-scheme\" content=\"light dark\">\n",
            "<meta name=\"referrer\" content=\"no-referrer\">\n",
        ));
        html.line(
            "title",
            "",
            &format!("{}: soak {} \u{b7} pagestorm", headline(night), night.campaign.seed),
        );
        html.markup(concat!(
            "\n<style>\n",
            include_str!("page.css"),
            ".scroll + .never { margin-top: 1.5rem; }\n</style>\n"
        ));
    });
    html.markup("\n");
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
        let title = match &night.campaign.date {
            Some(date) => format!("Soak of {date}"),
            None => format!("Soak {}", night.campaign.seed),
        };
        html.line("h1", "", &title);
        html.element("ul", &[("class", "chips")], |html| {
            html.element("li", &[], |html| {
                html.text("seed ");
                html.line("code", "", &night.campaign.seed.to_string());
            });
            if let Some(commit) = &night.campaign.commit {
                html.element("li", &[], |html| {
                    html.text("commit ");
                    html.line("code", "", crate::visible::clipped(commit, 12).0);
                });
            }
            let shards = u64::try_from(night.shards.len()).unwrap_or(u64::MAX);
            html.line("li", "", &number::counted(shards, "shard"));
        });
    });
    html.markup("\n");
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
            html.line("p", "sentence", &verdict.sentence);
            list(html, &verdict.reasons);
        });
        html.command("Soak again", &again(night));
    });
    html.markup("\n");
    figures(html, night);
}

/// The command that soaks under the same seeds.
fn again(night: &Night) -> String {
    let seeds = night.shards.iter().filter_map(|state| state.seeds).max();
    let time = night.shards.iter().filter_map(|state| state.time_ms).max();
    let mut text = format!("{} soak --seed {}", night.tool.name, night.campaign.seed);
    text.extend(seeds.map(|seeds| format!(" --seeds {seeds}")));
    text.extend(time.map(|time| format!(" --time {time}ms")));
    text
}

fn list(html: &mut Html, lines: &[String]) {
    if lines.is_empty() {
        return;
    }
    html.element("ul", &[("class", "details")], |html| {
        for line in lines.iter().take(REASONS) {
            html.element("li", &[], |html| html.text(line));
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
    html.element("dl", &[("class", "figures")], |html| {
        for (value, label) in &figures {
            html.element("div", &[], |html| {
                html.line("dt", "", label);
                html.line("dd", "", value);
            });
        }
    });
    html.markup("\n");
}

fn contents(html: &mut Html, night: &Night) {
    html.markup("<nav aria-label=\"On this page\"><ul>");
    if !night.signatures.is_empty() {
        html.markup("<li><a href=\"#failures\">Failures</a></li>");
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

fn signatures(html: &mut Html, night: &Night) {
    if night.signatures.is_empty() {
        return;
    }
    html.section("failures", "Failures by signature", |html| {
        let row = |one: &Signature| {
            vec![
                Cell::Name(one.signature.clone()),
                Cell::Text(number::count(one.count)),
                Cell::Text(rate(one)),
                Cell::Text(number::count(one.first.iteration)),
                Cell::Name(one.first.seed.to_string()),
                Cell::Text(one.first.scenario.clone()),
            ]
        };
        let rows: Vec<_> = night.signatures.iter().take(ROWS).map(row).collect();
        let columns = [
            words("Signature"),
            numbers("Failing seeds"),
            words("Comes back"),
            numbers("First iteration"),
            words("Its seed"),
            words("Of"),
        ];
        table(html, "What failed, the lowest iteration first", &columns, &rows);
        more(html, night.signatures.len());
        for one in night.signatures.iter().take(IN_FULL) {
            html.element("section", &[("class", "violation")], |html| signature(html, one));
        }
    });
}

fn rate(one: &Signature) -> String {
    match one.rate.runs {
        0 => "not tried".to_owned(),
        runs => format!("{} of {}", number::count(one.rate.failed), number::count(runs)),
    }
}

fn signature(html: &mut Html, one: &Signature) {
    html.element("h3", &[], |html| html.line("code", "", &one.signature));
    html.element("p", &[("class", "invariant")], |html| {
        html.markup("<span class=\"label\">Must hold</span> ");
        html.text(&one.sentence);
    });
    html.element("p", &[], |html| {
        html.text(&format!("Met in {}.", one.scenarios.join(", ")));
        html.text(match (one.file.is_some(), one.minimal) {
            (false, _) => " There is no case of it.",
            (true, true) => " Nothing more can be taken out of its case.",
            (true, false) => " Its case may become smaller: `pagestorm shrink` goes on.",
        });
    });
    if let Some(file) = &one.file {
        html.command("Replay, here", &format!("pagestorm replay {file}"));
    }
    html.command("The whole seed", &one.reproduce);
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
            html.element("div", &[("class", "never")], |html| {
                html.markup("<p><span class=\"warning\"><span aria-hidden=\"true\">\u{25b2}</span> Worth knowing</span></p>");
                list(html, &night.verdict.remarks);
            });
            html.markup("\n");
        }
        let row = |left: &LeftOut| {
            let why = Cell::Text(left.why.clone());
            vec![Cell::Name(left.file.clone()), why]
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
        Cell::Text(total.name.clone()),
        Cell::Text(total.world.name().to_owned()),
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
            let found = one.found.clone().unwrap_or_else(|| "nothing".to_owned());
            vec![
                Cell::Name(one.file.clone()),
                Cell::Text(one.expected.clone()),
                Cell::Text(found),
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
            vec![Cell::Name((*kind).to_owned()), armed, fired, remark]
        };
        let rows: Vec<_> = kinds.iter().map(row).collect();
        let columns = [words("Fault"), numbers("Armed"), numbers("Fired"), words("Remark")];
        table(html, "Faults over the whole night", &columns, &rows);
    });
}

fn shards(html: &mut Html, night: &Night) {
    html.section("shards", "Shards", |html| {
        let rows: Vec<_> = night.shards.iter().take(ROWS).map(|state| shard(night, state)).collect();
        let columns = [
            words("Shard"),
            words("How it ended"),
            numbers("Starts"),
            numbers("Elapsed"),
            numbers("Seeds"),
            numbers("Slices of threads"),
            numbers("Least of one scenario"),
            numbers("Most"),
        ];
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
    let of_it = || night.parts.iter().filter(|part| part.shard == state.shard);
    let seeds = of_it().filter(|part| part.world == World::Simulated);
    let slices = of_it().filter(|part| part.world == World::Threads);
    let sum = |parts: &mut dyn Iterator<Item = &Part>| number::sum(parts.map(|part| part.done));
    let (least, most) = (of_it().map(|part| part.done).min(), of_it().map(|part| part.done).max());
    let count = |n: u64| Cell::Text(number::count(n));
    vec![
        Cell::Text(state.shard.to_string()),
        match state.ended {
            Ended::Complete => Cell::Text("complete".to_owned()),
            Ended::Interrupted => Cell::Warning("interrupted"),
            Ended::Running => Cell::Warning("did not end"),
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
    let here = |shard: Shard| night.shards.iter().any(|state| state.shard == shard);
    let mut cuts: Vec<u64> = night.shards.iter().map(|state| state.shard.of).collect();
    cuts.dedup();
    // A night of one shard alone says nothing about the others.
    if night.shards.len() < 2 {
        return Vec::new();
    }
    let all = cuts.into_iter().flat_map(|of| (1..=of).map(move |index| Shard { index, of }));
    all.filter(|shard| !here(*shard)).take(ROWS).map(|shard| shard.to_string()).collect()
}

fn environment(html: &mut Html, night: &Night) {
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
            let mut row = vec![Cell::Text(shards.join(", "))];
            row.extend(machine.iter().map(|text| Cell::Text(text.clone())));
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
