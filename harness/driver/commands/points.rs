//! `points`: the places where a scenario can delay an actor.

use crate::console::Console;
use crate::exit::Exit;
use stormfs::points::Point;

/// Prints each point with where the actor stands.
pub fn points(console: Console) -> Exit {
    let line = |point: &Point| format!("{:<27} {}\n", point.name(), point.about());
    console.print(&Point::ALL.iter().map(line).collect::<String>())
}
