//! Which seeds a night has: new ones every day and for every commit, and the same on every machine.

use crate::clock;
use report::naming;
use report::record::{Seed, Soaked};
use sim::chance::{self, scramble};
use std::path::Path;
use std::process::{Command, Stdio};

/// Where CI engines say which commit they test.
const COMMITS: [&str; 4] = ["GITHUB_SHA", "CI_COMMIT_SHA", "CIRCLE_SHA1", "BUILDKITE_COMMIT"];

/// The campaign that was asked for: with a seed that was given, else one made from a date, which is
/// today if none was given, and the commit. Under a seed that was given, too, another commit does
/// other things.
pub fn campaign(seed: Option<u64>, date: Option<&str>) -> Soaked {
    let commit = commit();
    if let Some(seed) = seed {
        return Soaked { seed: Seed(seed), date: None, commit };
    }
    let date = date.map_or_else(clock::today, str::to_owned);
    let known = commit.as_deref().unwrap_or("");
    Soaked { seed: Seed(hash(&format!("{date} {known}"))), date: Some(date), commit }
}

/// The seed of an iteration of the scenario whose text has that hash.
pub fn of_iteration(campaign: Seed, text_hash: u64, iteration: u64) -> chance::Seed {
    // The golden ratio: steps of it fill 64 bits evenly.
    const STEP: u64 = 0x9e37_79b9_7f4a_7c15;
    let scenario = scramble(scramble(campaign.0.wrapping_add(STEP)) ^ text_hash);
    chance::Seed(scramble(scenario.wrapping_add(iteration.wrapping_add(1).wrapping_mul(STEP))))
}

/// A hash of a text: FNV-1a, mixed. Equal on every machine and in every version.
pub fn hash(text: &str) -> u64 {
    scramble(naming::hash(text))
}

/// The commit under test, as the engine says, or else git for the current directory.
pub fn commit() -> Option<String> {
    let told = COMMITS.iter().filter_map(|name| std::env::var(name).ok());
    told.chain(asked(Path::new("."))).map(|text| text.trim().to_owned()).find(|text| is_hash(text))
}

fn asked(dir: &Path) -> Option<String> {
    let mut git = Command::new("git");
    git.args(["rev-parse", "HEAD"]).current_dir(dir).stdin(Stdio::null()).stderr(Stdio::null());
    let output = git.output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

fn is_hash(text: &str) -> bool {
    (7..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn a_night_has_seeds_of_its_own_and_of_nothing_else() {
        let given = campaign(None, Some("2026-01-31"));
        assert_eq!(campaign(None, Some("2026-01-31")), given);
        assert_ne!(campaign(None, Some("2026-02-01")).seed, given.seed);
        assert_eq!(campaign(Some(7), None), Soaked { seed: Seed(7), date: None, commit: commit() });
        // What has been soaked once must be found again by every later version.
        assert_eq!(hash("actors"), 0x2c64_a1c9_ed6b_e31a);
        assert_eq!(of_iteration(Seed(7), 9, 0).0, 0xf7f9_6d2d_ada1_e29f);
    }

    #[test]
    fn seeds_differ_by_iteration_scenario_and_campaign() {
        let all = (0..10).flat_map(|campaign| (0..10).map(move |text| (campaign, text)));
        let seed = |((campaign, text), n)| of_iteration(Seed(campaign), text, n).0;
        let seeds: BTreeSet<u64> =
            all.flat_map(|pair| (0..100).map(move |n| (pair, n))).map(seed).collect();
        assert_eq!(seeds.len(), 10_000);
    }
}
