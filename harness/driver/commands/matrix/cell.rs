//! One cell: a scenario under one value, run until something speaks, and then once more to see
//! whether a user would have noticed.

use super::harm::Harm;
use crate::campaign::{self, Campaign, Mission};
use crate::ground::Ground;
use crate::ground::NoGround;
use crate::progress::Progress;
use crate::scenario::plan::Plan;
use crate::scenario::{self, Report};
use crate::vocabulary;
use oracle::{Scope, Violation};
use sim::chance::Seed;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// How a column is given on the command line.
const COLUMN: &str = "--across ";

/// A scenario that was read once without the value of any column.
#[derive(Debug)]
pub(super) struct Row {
    /// Its path, as it was written.
    pub(super) file: String,
    /// Its text.
    pub(super) text: String,
    /// What the command line changes in every cell.
    pub(super) sets: Vec<(String, String)>,
    /// What it means.
    pub(super) plan: Plan,
}

/// What came of a cell.
#[derive(Debug)]
pub(super) enum Cell {
    /// Nothing spoke.
    Clean,
    /// Something spoke.
    Harmed(Box<Harmed>),
    /// The scenario makes no sense with that value; one line says why.
    Impossible(String),
    /// The command was interrupted before the cell was done.
    Unfinished,
    /// The same seed gave two different runs.
    Undetermined,
}

/// What spoke.
#[derive(Debug)]
pub(super) struct Harmed {
    /// The worst of both.
    pub(super) harm: Harm,
    /// What spoke first.
    pub(super) first: Evidence,
    /// What a user noticed, if something else spoke first and the run went on past it.
    pub(super) noticed: Option<Evidence>,
    /// Why the run could not go on past what spoke first, if it could not.
    pub(super) cut_short: Option<String>,
}

/// A violation and the seed under which it was found.
#[derive(Debug)]
pub(super) struct Evidence {
    /// What was violated.
    pub(super) violation: Violation,
    /// Under which seed.
    pub(super) seed: Seed,
}

impl Row {
    /// Reads the scenario, or says what is wrong with it.
    pub(super) fn read(
        file: String,
        text: String,
        sets: &[(String, String)],
    ) -> Result<Row, Report> {
        let plan = scenario::parse(
            &file,
            &text,
            &vocabulary::known(),
            &overrides(sets, None, "everything"),
        )?;
        Ok(Row { file, text, sets: sets.to_vec(), plan })
    }

    /// The decisions that the scenario takes itself, in every column that does not set them.
    pub(super) fn own_decisions(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        self.plan.filesystem.choices.departures().into_iter()
    }

    /// What stands before the cells: its name, and what it decides itself.
    pub(super) fn title(&self, mark: &str) -> String {
        let own = self.own_decisions();
        let own: Vec<_> = own.map(|(name, value)| format!("{mark}{name}: {value}{mark}")).collect();
        let own = own.join(", ");
        let name = &self.plan.name;
        if own.is_empty() { name.clone() } else { format!("{name}, {own}") }
    }

    /// The plan with one value set.
    pub(super) fn plan(&self, set: (&str, &str), judge: &str) -> Result<Plan, Report> {
        let overrides = overrides(&self.sets, Some(set), judge);
        scenario::parse(&self.file, &self.text, &vocabulary::known(), &overrides)
            .map_err(|report| report.last_given_as(COLUMN))
    }

    /// Runs it with one value set.
    pub(super) fn cell(
        &self,
        set: (&str, &str),
        interrupted: &Arc<AtomicBool>,
    ) -> Result<Cell, NoGround> {
        let plans =
            self.plan(set, "everything").and_then(|all| Ok((all, self.plan(set, "bytes")?)));
        let (everything, bytes) = match plans {
            Ok(plans) => plans,
            Err(report) => return Ok(Cell::Impossible(first_line(&report))),
        };
        let first = match self.run(&everything, set, interrupted)? {
            Ran::Found(first) => first,
            Ran::Nothing => return Ok(Cell::Clean),
            Ran::Misfired(why) => return Ok(Cell::Impossible(why)),
            Ran::Unfinished => return Ok(Cell::Unfinished),
            Ran::Undetermined => return Ok(Cell::Undetermined),
        };
        let harm = Harm::of(&first.violation);
        let mut harmed = Box::new(Harmed { harm, first, noticed: None, cut_short: None });
        if harmed.first.violation.scope() == Scope::User {
            return Ok(Cell::Harmed(harmed));
        }
        match self.run(&bytes, set, interrupted)? {
            Ran::Found(noticed) => {
                harmed.harm = harmed.harm.max(Harm::of(&noticed.violation));
                harmed.noticed = Some(noticed);
            }
            Ran::Nothing => {}
            Ran::Misfired(why) => harmed.cut_short = Some(why),
            Ran::Unfinished => return Ok(Cell::Unfinished),
            Ran::Undetermined => return Ok(Cell::Undetermined),
        }
        Ok(Cell::Harmed(harmed))
    }

    fn run(
        &self,
        plan: &Plan,
        set: (&str, &str),
        interrupted: &Arc<AtomicBool>,
    ) -> Result<Ran, NoGround> {
        let ground = Ground::open(plan)?;
        let progress = Progress::default();
        let campaign = campaign::run(
            Mission { plan, interrupted, progress: &progress, fail_fast: true },
            ground,
        )?;
        Ok(match campaign {
            Campaign { deterministic: false, .. } => Ran::Undetermined,
            Campaign { found: Some(found), .. } => {
                Ran::Found(Evidence { violation: found.violation, seed: found.seed })
            }
            Campaign { misfire: Some(misfire), .. } => {
                let told = (misfire.message, misfire.stands, misfire.help);
                let overrides = overrides(&self.sets, Some(set), "everything");
                let report = scenario::at_item(
                    &self.file,
                    &self.text,
                    &overrides,
                    ("script", misfire.step - 1),
                    told,
                );
                Ran::Misfired(first_line(&report.last_given_as(COLUMN)))
            }
            _ if interrupted.load(Ordering::Relaxed) => Ran::Unfinished,
            _ => Ran::Nothing,
        })
    }
}

/// How one run of a cell ended.
enum Ran {
    Found(Evidence),
    Nothing,
    /// A step of its script could not be performed; one line says why.
    Misfired(String),
    Unfinished,
    Undetermined,
}

/// The first mistake, with its place.
fn first_line(report: &Report) -> String {
    report.lines().next().unwrap_or_default()
}

/// What is changed in the scenario: what the command needs, what it was told, and the column.
pub(super) fn overrides(
    sets: &[(String, String)],
    set: Option<(&str, &str)>,
    judge: &str,
) -> Vec<(String, String)> {
    let needed = [("world", "simulated"), ("expect", "clean"), ("judge", judge)];
    let owned = |(path, value): (&str, &str)| (path.to_owned(), value.to_owned());
    let column = set.map(owned);
    needed.map(owned).into_iter().chain(sets.iter().cloned()).chain(column).collect()
}
