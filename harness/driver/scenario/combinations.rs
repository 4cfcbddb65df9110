//! The combinations of what is varied, each read as if it stood in the scenario, so that no seed
//! meets a mistake.

use super::node::{Node, Place};
use super::plan::Plan;
use super::problem::{Problem, Problems};
use super::variations::{Dimension, Variations};
use super::vary::Vary;
use std::collections::BTreeSet;
use std::sync::Arc;

/// Different mistakes that are kept of all combinations: enough to begin with.
const MISTAKES: usize = 20;

/// What makes a plan of a tree, or reports why it cannot.
pub(super) type Reader<'a> = &'a dyn Fn(&Node, &Problems) -> Option<Plan>;

/// The plan of the scenario below `root`, with the plans of every combination if it varies.
pub(super) fn plan(
    root: &Node,
    overrides: &[(String, String)],
    problems: &Problems,
    read: Reader<'_>,
) -> Option<Plan> {
    let Some(entry) = root.entry("vary") else { return read(root, problems) };
    let Some(vary) = Vary::read(entry, overrides, problems) else {
        // What else is wrong is told, too.
        read(root, problems);
        return None;
    };
    let mut found = Found { vary: &vary, mistakes: Vec::new(), tried: 0 };
    match found.every_plan(root, read) {
        Ok(plans) if found.mistakes.is_empty() => varied(root, &vary, plans, problems),
        Ok(_) => {
            found.report(root, problems);
            None
        }
        Err(problem) => {
            read(root, problems);
            problems.add(*problem);
            None
        }
    }
}

/// The plan of a scenario that varies: that of its first combination, with all of them.
fn varied(
    root: &Node,
    vary: &Vary<'_>,
    plans: Vec<Option<Plan>>,
    problems: &Problems,
) -> Option<Plan> {
    let Some(first) = plans.iter().flatten().next().cloned() else {
        let problem = Problem::at(vary.place, "`skip` leaves no combination");
        problems.add(problem.help("remove an item of `skip`, or a value that all its items name"));
        return None;
    };
    let tried = plans.iter().flatten().filter(|plan| plan.exhaustive().is_some()).count();
    if tried != 0 && tried != plans.iter().flatten().count() {
        let message = "`strategy` is `exhaustive` in some combinations only";
        let problem = Problem::at(vary.place, message);
        problems.add(problem.help("write it outside of `vary`: then all combinations are tried"));
        return None;
    }
    let dimension = |axis: &super::vary::Axis<'_>| Dimension {
        path: axis.path.text.to_owned(),
        values: (0..axis.len()).map(|choice| axis.shown(root, choice)).collect(),
        is_set: axis.is_set,
    };
    let dimensions = vary.axes.iter().map(dimension).collect();
    let variations = Some(Arc::new(Variations::new(dimensions, plans)));
    Some(Plan { variations, drawn: Vec::new(), ..first })
}

/// What is wrong with which combinations.
struct Found<'a> {
    vary: &'a Vary<'a>,
    mistakes: Vec<(Problem, Vec<usize>)>,
    tried: usize,
}

impl Found<'_> {
    /// The plans, none for a combination that is skipped or wrong. The error is about a path that
    /// leads nowhere.
    fn every_plan(
        &mut self,
        root: &Node,
        read: Reader<'_>,
    ) -> Result<Vec<Option<Plan>>, Box<Problem>> {
        let mut tree = root.clone();
        let mut plans = Vec::with_capacity(self.vary.combinations());
        for combination in 0..self.vary.combinations() {
            let choices = self.vary.choices(combination);
            for (axis, choice) in self.vary.axes.iter().zip(&choices) {
                axis.put(&mut tree, *choice)?;
            }
            if self.vary.skips(&choices, root) {
                plans.push(None);
                continue;
            }
            self.tried += 1;
            let problems = Problems::default();
            let plan = read(&tree, &problems);
            let drawn = self.drawn(root, &choices);
            plans.push(plan.map(|plan| Plan { drawn, ..plan }));
            self.keep(problems, combination);
        }
        Ok(plans)
    }

    fn drawn(&self, root: &Node, choices: &[usize]) -> Vec<(String, String)> {
        let axes = self.vary.axes.iter().zip(choices).filter(|(axis, _)| !axis.is_set);
        axes.map(|(axis, choice)| (axis.path.text.to_owned(), axis.shown(root, *choice))).collect()
    }

    fn keep(&mut self, problems: Problems, combination: usize) {
        for problem in problems.into_sorted().0 {
            let same = |(known, _): &&mut (Problem, Vec<usize>)| {
                known.place == problem.place && known.message == problem.message
            };
            if let Some((_, combinations)) = self.mistakes.iter_mut().find(same) {
                combinations.push(combination);
            } else if self.mistakes.len() < MISTAKES {
                self.mistakes.push((problem, vec![combination]));
            }
        }
    }

    fn report(self, root: &Node, problems: &Problems) {
        for (problem, combinations) in &self.mistakes {
            let everywhere = combinations.len() == self.tried;
            problems.add(if everywhere && !self.is_value(problem.place) {
                problem.clone()
            } else {
                self.attributed(root, problem.clone(), combinations)
            });
        }
    }

    /// The problem with the combination to which it is due.
    fn attributed(&self, root: &Node, problem: Problem, combinations: &[usize]) -> Problem {
        let due = self.due(combinations);
        if due.len() <= 1 && self.is_value(problem.place) {
            return problem;
        }
        let choices = self.vary.choices(combinations[0]);
        let values = due.into_iter().map(|at| {
            let axis = &self.vary.axes[at];
            format!("`{}: {}`", axis.path.text, axis.shown(root, choices[at]))
        });
        let others = match combinations.len() - 1 {
            0 => String::new(),
            1 => ", and in one more combination".to_owned(),
            more => format!(", and in {more} more combinations"),
        };
        let help = format!(
            "that is so with {}{others}; `skip` leaves combinations out",
            values.collect::<Vec<_>>().join(" and ")
        );
        if self.is_value(problem.place) {
            return problem.help(help);
        }
        let moved = Problem { second: None, place: self.vary.place, ..problem.clone() };
        moved.help(help).second(problem.place, "here")
    }

    /// The axes that have something to do with it: those that do not take all of their values among
    /// these combinations. If all of them do, all are named.
    fn due(&self, combinations: &[usize]) -> Vec<usize> {
        let chosen: Vec<_> = combinations.iter().map(|n| self.vary.choices(*n)).collect();
        let all: Vec<_> = (0..self.vary.axes.len()).collect();
        let takes_all = |at: usize| {
            let values: BTreeSet<_> = chosen.iter().map(|choices| choices[at]).collect();
            values.len() == self.vary.axes[at].len()
        };
        let some: Vec<_> = all.iter().copied().filter(|at| !takes_all(*at)).collect();
        if some.is_empty() { all } else { some }
    }

    /// Whether that is the place of a value that is varied.
    fn is_value(&self, place: Place) -> bool {
        let values = self.vary.axes.iter().flat_map(|axis| axis.values);
        values.into_iter().any(|value| value.find(place).is_some())
    }
}
