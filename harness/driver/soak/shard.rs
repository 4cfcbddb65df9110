//! Which share of the iterations is ours: as the command line says, or as the engine says that runs
//! one process beside others.

use report::record::Shard;

/// More machines than this is a typing mistake.
const MOST: u64 = 1_000_000;

/// A share, and who said so: nobody if the command line did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Share {
    /// Which.
    pub shard: Shard,
    /// The variable in which it was found.
    pub from: Option<&'static str>,
}

/// Where an engine says it: what holds the index, what is to be taken from it, and what holds how
/// many there are. Where several fit, the first does: engines run inside of one another.
const ENGINES: &[Engine] = &[
    Engine::new("GitLab", "CI_NODE_INDEX", Base::One, "CI_NODE_TOTAL"),
    Engine::new("CircleCI", "CIRCLE_NODE_INDEX", Base::Zero, "CIRCLE_NODE_TOTAL"),
    Engine::new("Buildkite", "BUILDKITE_PARALLEL_JOB", Base::Zero, "BUILDKITE_PARALLEL_JOB_COUNT"),
    Engine::new("Kubernetes", "JOB_COMPLETION_INDEX", Base::Zero, "JOB_COMPLETIONS"),
    Engine::new(
        "SLURM",
        "SLURM_ARRAY_TASK_ID",
        Base::In("SLURM_ARRAY_TASK_MIN"),
        "SLURM_ARRAY_TASK_COUNT",
    ),
];

/// What a workflow sets that has no number of its own, as `I/N`.
const OWN: &str = "PAGESTORM_SHARD";

struct Engine {
    name: &'static str,
    index: &'static str,
    base: Base,
    total: &'static str,
}

/// What the first index is.
enum Base {
    Zero,
    One,
    In(&'static str),
}

impl Engine {
    const fn new(
        name: &'static str,
        index: &'static str,
        base: Base,
        total: &'static str,
    ) -> Engine {
        Engine { name, index, base, total }
    }

    fn share(&self, of: &dyn Fn(&str) -> Option<String>) -> Result<Option<Share>, String> {
        let Some(index) = of(self.index) else { return Ok(None) };
        let number = |name: &str, text: &str| {
            text.trim().parse::<u64>().map_err(|_| format!("{name}={text} is no number"))
        };
        let index = number(self.index, &index)?;
        let base = match self.base {
            Base::Zero => 0,
            Base::One => 1,
            Base::In(name) => of(name).map_or(Ok(0), |text| number(name, &text))?,
        };
        let Some(total) = of(self.total) else {
            let (name, total) = (self.name, self.total);
            return Err(format!(
                "{name} says which shard this is ({} is {index}), and not how many there are: set {total}",
                self.index
            ));
        };
        let of = number(self.total, &total)?;
        let index = index.checked_sub(base).map(|index| index + 1);
        let told = format!("{} and {}", self.index, self.total);
        let shard = index.and_then(|index| checked(index, of));
        let shard = shard.ok_or_else(|| format!("{told} of {} make no shard", self.name))?;
        Ok(Some(Share { shard, from: Some(self.index) }))
    }
}

/// The share that `--shard` asks for.
///
/// # Errors
///
/// What is wrong with it, and what to write.
pub fn share(text: &str, of: &dyn Fn(&str) -> Option<String>) -> Result<Share, String> {
    if text != "auto" {
        return Ok(Share { shard: parsed(text, "--shard")?, from: None });
    }
    if let Some(own) = of(OWN) {
        return Ok(Share { shard: parsed(&own, OWN)?, from: Some(OWN) });
    }
    for engine in ENGINES {
        if let Some(share) = engine.share(of)? {
            return Ok(share);
        }
    }
    let known: Vec<_> = ENGINES.iter().map(|engine| engine.index).collect();
    Err(format!(
        "--shard auto found no engine: none of {}, {OWN} is set; set {OWN}=I/N, or write --shard I/N",
        known.join(", ")
    ))
}

fn parsed(text: &str, name: &str) -> Result<Shard, String> {
    let number = |text: &str| text.parse::<u64>().ok();
    let pair = text.split_once('/').and_then(|(index, of)| Some((number(index)?, number(of)?)));
    pair.and_then(|(index, of)| checked(index, of)).ok_or_else(|| {
        format!("{name}: `{text}` is no shard: write I/N with I from 1 to N, as in 3/8, or auto")
    })
}

fn checked(index: u64, of: u64) -> Option<Shard> {
    Some(Shard { index, of }).filter(|shard| is_one(*shard))
}

/// Whether there is such a shard: what was read may say anything.
pub fn is_one(Shard { index, of }: Shard) -> bool {
    1 <= index && index <= of && of <= MOST
}

#[cfg(test)]
mod tests {
    use super::*;

    type Variables = &'static [(&'static str, &'static str)];

    fn asked(text: &str, variables: &[(&str, &str)]) -> Result<Share, String> {
        let of = |name: &str| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        share(text, &of)
    }

    #[test]
    fn engines_say_which_shard_this_is() {
        let table: &[(Variables, u64, u64)] = &[
            (&[("CI_NODE_INDEX", "3"), ("CI_NODE_TOTAL", "8")], 3, 8),
            (&[("CIRCLE_NODE_INDEX", "2"), ("CIRCLE_NODE_TOTAL", "8")], 3, 8),
            (&[("BUILDKITE_PARALLEL_JOB", "0"), ("BUILDKITE_PARALLEL_JOB_COUNT", "4")], 1, 4),
            (&[("JOB_COMPLETION_INDEX", "7"), ("JOB_COMPLETIONS", "8")], 8, 8),
            (&[("SLURM_ARRAY_TASK_ID", "5"), ("SLURM_ARRAY_TASK_COUNT", "6")], 6, 6),
            (
                &[
                    ("SLURM_ARRAY_TASK_ID", "11"),
                    ("SLURM_ARRAY_TASK_MIN", "10"),
                    ("SLURM_ARRAY_TASK_COUNT", "6"),
                ],
                2,
                6,
            ),
            (&[("PAGESTORM_SHARD", "2/5"), ("CI_NODE_INDEX", "1"), ("CI_NODE_TOTAL", "9")], 2, 5),
        ];
        for (variables, index, of) in table {
            let share = asked("auto", variables).unwrap();
            assert_eq!(share.shard, Shard { index: *index, of: *of }, "{variables:?}");
            assert_eq!(share.from, Some(variables[0].0), "{variables:?}");
        }
        assert_eq!(asked("3/8", &[]).unwrap().shard, Shard { index: 3, of: 8 });
    }

    #[test]
    fn what_is_no_shard_is_told_with_what_to_write() {
        let table: &[(&str, Variables, &str)] = &[
            ("0/8", &[], "from 1 to N"),
            ("9/8", &[], "from 1 to N"),
            ("3", &[], "write I/N"),
            ("-1/2", &[], "write I/N"),
            ("auto", &[], "set PAGESTORM_SHARD=I/N"),
            ("auto", &[("PAGESTORM_SHARD", "x")], "PAGESTORM_SHARD: `x` is no shard"),
            ("auto", &[("JOB_COMPLETION_INDEX", "3")], "set JOB_COMPLETIONS"),
            (
                "auto",
                &[("CI_NODE_INDEX", "a"), ("CI_NODE_TOTAL", "2")],
                "CI_NODE_INDEX=a is no number",
            ),
            ("auto", &[("CI_NODE_INDEX", "0"), ("CI_NODE_TOTAL", "2")], "make no shard"),
            ("auto", &[("CIRCLE_NODE_INDEX", "2"), ("CIRCLE_NODE_TOTAL", "2")], "make no shard"),
        ];
        for (text, variables, told) in table {
            let error = asked(text, variables).unwrap_err();
            assert!(error.contains(told), "{text} {variables:?}: {error}");
        }
    }

    #[test]
    fn shards_share_all_iterations_and_none_twice() {
        for of in 1..=7 {
            let of_shard = |index| {
                let shard = Shard { index, of };
                (0..shard.share(100)).map(move |nth| shard.iteration(nth))
            };
            let mut all: Vec<_> = (1..=of).flat_map(of_shard).collect();
            all.sort_unstable();
            assert_eq!(all, (0..100).collect::<Vec<_>>(), "{of} shards");
        }
        assert_eq!(Shard { index: 3, of: 8 }.share(2), 0);
    }
}
