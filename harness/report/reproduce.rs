//! The command that runs something again, as one line that a shell takes.

use crate::record::{Night, Record, Soaked, Violation, World};
use crate::visible;
use std::collections::BTreeSet;

/// Runs the whole scenario again, with the seed and the overrides it had.
pub fn run(record: &Record) -> String {
    let seed = record.seed.first.to_string();
    of_record(record, &seed, record.scenario.overrides.iter().map(String::as_str))
}

/// Shows one violation again: its reproducer if there is one, else the one seed that led to it.
pub fn violation(record: &Record, violation: &Violation) -> String {
    if let Some(path) = &violation.replay {
        return format!("{} replay {}", quoted(&record.tool.name), path_argument(path));
    }
    // One seed is enough, however many the scenario or the command line asked for.
    let overrides = record.scenario.overrides.iter().map(String::as_str);
    let simulated = record.world == World::Simulated;
    let kept = overrides
        .filter(|text| !(text.starts_with("seeds=") || simulated && text.starts_with("time=")));
    if record.explored.is_some() {
        // No seed decides anything; the combination that failed is tried out again.
        let all = kept.map(str::to_owned).chain(violation.drawn.iter().cloned());
        return command(&record.tool.name, &record.scenario.file, None, &all.collect::<Vec<_>>());
    }
    let line = of_record(record, &violation.seed.to_string(), kept);
    match record.world {
        World::Simulated if record.scenario.is_without_seeds() => line,
        World::Simulated => format!("{line} --seeds 1"),
        World::Threads => line,
    }
}

fn of_record<'a>(record: &Record, seed: &str, overrides: impl Iterator<Item = &'a str>) -> String {
    let overrides: Vec<_> = overrides.map(str::to_owned).collect();
    // If a seed was asked for all the same, it is among the overrides.
    let is_without_seeds = record.scenario.is_without_seeds() || record.explored.is_some();
    let seed = (!is_without_seeds).then_some(seed);
    command(&record.tool.name, &record.scenario.file, seed, &overrides)
}

/// Runs the scenario in `file`, under `seed` if it is given, with these overrides, each
/// `path=value`.
pub fn command(tool: &str, file: &str, seed: Option<&str>, overrides: &[String]) -> String {
    let mut text = format!("{} run {}", quoted(tool), path_argument(file));
    if let Some(seed) = seed {
        text.extend([" --seed ", seed]);
    }
    for change in overrides {
        text.push_str(" --set ");
        text.push_str(&quoted(change));
    }
    text
}

/// Scenarios that a command names; more than these are the directory that is soaked by default.
const NAMED: usize = 8;

/// Soaks what a night soaked again, under the seeds of one of its campaigns.
pub fn soak(night: &Night, campaign: &Soaked) -> String {
    let shards = || night.shards.iter().filter(|state| state.campaign == *campaign);
    let files: BTreeSet<_> = night.scenarios.iter().map(|one| one.file.as_str()).collect();
    let worlds: BTreeSet<_> = night.scenarios.iter().map(|one| one.world.name()).collect();
    let below =
        |file: &&str| file.strip_prefix("scenarios/").is_some_and(|rest| !rest.contains('/'));
    let is_default = NAMED < files.len()
        && files.iter().all(|file| file.starts_with("scenarios/"))
        && files.iter().any(below);
    let mut text = format!("{} soak", quoted(&night.tool.name));
    for file in files.into_iter().filter(|_| !is_default) {
        text.extend([" ", &path_argument(file)]);
    }
    text.extend([" --seed ", &campaign.seed.to_string()]);
    let targets: BTreeSet<_> = night.scenarios.iter().map(|one| one.target.as_deref()).collect();
    if let (Some(Some(target)), 1) = (targets.first(), targets.len()) {
        text.extend([" --target ", &quoted(target)]);
    } else if let (Some(world), 1) = (worlds.first(), worlds.len()) {
        text.extend([" --world ", world]);
    }
    if let Some(seeds) = shards().filter_map(|state| state.seeds).max() {
        text.extend([" --seeds ", &seeds.to_string()]);
    }
    if let Some(time) = shards().filter_map(|state| state.time_ms).max() {
        let seconds = time.is_multiple_of(1000).then_some(time / 1000);
        let time = seconds.map_or_else(|| format!("{time}ms"), |seconds| format!("{seconds}s"));
        text.extend([" --time ", &time]);
    }
    text
}

/// A path that cannot be taken for an option.
pub(crate) fn path_argument(path: &str) -> String {
    if path.starts_with('-') { quoted(&format!("./{path}")) } else { quoted(path) }
}

/// One word for a POSIX shell. Control characters need the `$'…'` form, which every shell that
/// people use interactively knows.
fn quoted(word: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_./:=@%+,-".contains(&byte);
    if !word.is_empty() && word.bytes().all(plain) {
        return word.to_owned();
    }
    if visible::line(word) == word {
        return format!("'{}'", word.replace('\'', r"'\''"));
    }
    let mut text = "$'".to_owned();
    for character in word.chars() {
        match character {
            '\\' | '\'' => text.extend(['\\', character]),
            ' '..='~' => text.push(character),
            other => {
                let mut buffer = [0; 4];
                let bytes = other.encode_utf8(&mut buffer).bytes();
                text.extend(bytes.map(|byte| format!("\\x{byte:02x}")));
            }
        }
    }
    text.push('\'');
    text
}

#[cfg(test)]
mod tests {
    use super::{path_argument, quoted};

    #[test]
    fn words_survive_a_shell() {
        let table = [
            ("scenarios/a-b_c.yaml", "scenarios/a-b_c.yaml"),
            ("seeds=1", "seeds=1"),
            ("", "''"),
            ("actors[0].count=2", "'actors[0].count=2'"),
            ("it's", r"'it'\''s'"),
            ("$(rm -rf ~)", "'$(rm -rf ~)'"),
            ("naïve", "'naïve'"),
            ("a\nb'c\u{202e}", r"$'a\x0ab\'c\xe2\x80\xae'"),
        ];
        for (word, expected) in table {
            assert_eq!(quoted(word), expected, "{word:?}");
        }
        assert_eq!(path_argument("-rf"), "./-rf");
    }
}
