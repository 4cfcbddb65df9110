//! Whether two runs are of the same thing in the same place: if not, a difference says little.

use serde::Serialize;

use crate::record::Record;
use crate::visible;

/// What two runs do not have in common.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// What it is.
    pub what: &'static str,
    /// In the first run.
    pub a: String,
    /// In the second.
    pub b: String,
}

/// Characters of a value that are shown.
const SHOWN: usize = 100;

/// Everything that has to be the same and is not.
pub fn differences(a: &Record, b: &Record) -> Vec<Difference> {
    let one = |what, value: &dyn Fn(&Record) -> String| {
        let (a, b) = (value(a), value(b));
        (a != b).then_some(Difference { what, a, b })
    };
    let known = |value: &Option<String>| value.clone().unwrap_or_else(|| "unknown".to_owned());
    let text = a.scenario.text != b.scenario.text;
    let text = text.then(|| first_difference(&a.scenario.text, &b.scenario.text));
    let all = [
        one("processor", &|record| known(&record.environment.cpu)),
        one("processors", &|record| {
            record.environment.cores.map_or("unknown".to_owned(), |cores| cores.to_string())
        }),
        one("kernel", &|record| known(&record.environment.kernel)),
        text,
        one("world", &|record| record.world.name().to_owned()),
        one("overrides", &|record| match record.scenario.overrides.join(", ") {
            none if none.is_empty() => "none".to_owned(),
            some => some,
        }),
        one("device", &|record| record.device.kind.name().to_owned()),
    ];
    all.into_iter().flatten().collect()
}

/// Of two texts the first line that differs.
fn first_difference(a: &str, b: &str) -> Difference {
    // Not by `lines`: two texts may differ in how their lines end.
    let (mut a, mut b) = (a.split('\n'), b.split('\n'));
    let mut number = 0;
    loop {
        number += 1;
        let (one, other) = (a.next(), b.next());
        if one != other || one.is_none() {
            let shown = |line: Option<&str>| match line {
                Some("") => format!("line {number}: empty"),
                Some(line) => {
                    let line = visible::line(line);
                    format!("line {number}: {}", visible::clipped(&line, SHOWN).0)
                }
                None => format!("line {number}: none"),
            };
            return Difference { what: "scenario", a: shown(one), b: shown(other) };
        }
    }
}
