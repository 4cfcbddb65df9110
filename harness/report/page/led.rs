//! What came of the steps of a script on a real filesystem.

use super::html::Html;
use super::table::{Cell, numbers, table, words};
use crate::number;
use crate::record::{Led, Record, hit, leads};

/// Adds the section, if a script led anybody.
pub(super) fn led(html: &mut Html, record: &Record) {
    if !leads(record) {
        return;
    }
    html.section("steps", "Steps", |html| {
        let (_, told) = hit(&record.led, record.scenario.script.len(), 0);
        html.line("p", "", &told);
        if record.led.is_empty() {
            return;
        }
        let rows = record.led.iter().map(|step| {
            let how = match step.how {
                Led::Steered | Led::Nearby => Cell::Text(step.how.name().to_owned()),
                Led::NotSteered => Cell::Warning(step.how.name()),
            };
            let why = step.why.clone().unwrap_or_default();
            let number = Cell::Text(number::count(step.step));
            vec![number, Cell::Name(step.text.clone()), how, Cell::Text(why)]
        });
        let rows: Vec<_> = rows.collect();
        let columns = [numbers("Step"), words("Sentence"), words("What came of it"), words("Why")];
        table(html, "Steps of the script, as far as this kernel could be led", &columns, &rows);
    });
}
