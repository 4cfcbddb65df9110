//! `schema`: the JSON Schemas of what goes in and what comes out.

use crate::console::Console;
use crate::exit::Exit;
use crate::scenario::schema::json_schema;
use report::record::Record;

/// Prints the schema of scenarios, or that of results.
pub fn schema(result: bool, console: Console) -> Exit {
    if result {
        return console.print(Record::JSON_SCHEMA);
    }
    console.print(&format!("{:#}\n", json_schema()))
}
