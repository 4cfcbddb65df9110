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
    Engine::new("SLURM", "SLURM_ARRAY_TASK_ID", Base::Array, "SLURM_ARRAY_TASK_COUNT"),
];

/// What a workflow sets that has no number of its own, as `I/N`.
const OWN: &str = "PAGESTORM_SHARD";

/// How many shards there are, of which the tasks of a SLURM array are any, by their numbers from 0: so
/// one that was lost can be repeated by an array of its own.
const SHARDS: &str = "PAGESTORM_SHARDS";

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
    /// The numbers of a SLURM array may begin anywhere, and be anything.
    Array,
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
        let index = number(self.index, &index)?;
        if let (Base::Array, Some(shards)) = (&self.base, of(SHARDS)) {
            let shards = number(SHARDS, &shards)?;
            return self.numbered(Some(index), (SHARDS, shards)).map(Some);
        }
        let Some(total) = of(self.total) else {
            let (name, total) = (self.name, self.total);
            return Err(format!(
                "{name} says which shard this is ({} is {index}), and not how many there are: set {total}",
                self.index
            ));
        };
        let total = number(self.total, &total)?;
        let index = match self.base {
            Base::Zero => Some(index),
            Base::One => index.checked_sub(1),
            Base::Array => Some(nth_of_array(index, total, of)?),
        };
        self.numbered(index, (self.total, total)).map(Some)
    }

    /// The shard whose index is that, from 0.
    fn numbered(&self, index: Option<u64>, (name, of): (&str, u64)) -> Result<Share, String> {
        let shard = index.and_then(|index| checked(index.checked_add(1)?, of));
        let told = format!("{} and {name} of {} make no shard", self.index, self.name);
        Ok(Share { shard: shard.ok_or(told)?, from: Some(self.index) })
    }
}

fn number(name: &str, text: &str) -> Result<u64, String> {
    text.trim().parse().map_err(|_| format!("{name}={text} is no number"))
}

/// Which of the tasks of a SLURM array this one is, from 0, where that says which shard it is: an array
/// of one task, or one with gaps, may be there to repeat some shards of a larger one.
fn nth_of_array(task: u64, count: u64, of: &dyn Fn(&str) -> Option<String>) -> Result<u64, String> {
    let read = |name: &str| of(name).map(|text| number(name, &text)).transpose();
    let first = read("SLURM_ARRAY_TASK_MIN")?.unwrap_or(0);
    let step = read("SLURM_ARRAY_TASK_STEP")?.unwrap_or(1).max(1);
    let nth = |number: u64| {
        let far = number.checked_sub(first).filter(|far| far.is_multiple_of(step));
        far.map(|far| far / step)
    };
    let last = read("SLURM_ARRAY_TASK_MAX")?.map_or(count.checked_sub(1), nth);
    let whole =
        first <= 1 && 1 < count && last.is_some_and(|last| Some(last) == count.checked_sub(1));
    nth(task).filter(|_| whole).ok_or_else(|| {
        let tasks = if count == 1 { "is the only one of its array" } else { "is one of some" };
        format!(
            "SLURM_ARRAY_TASK_ID={task} {tasks}, which does not say how many shards there are: set \
             {SHARDS} to how many, of which task 0 is the first, or number the tasks from 0 without gaps"
        )
    })
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
            (&[("PAGESTORM_SHARD", "2/5"), ("CI_NODE_INDEX", "1"), ("CI_NODE_TOTAL", "9")], 2, 5),
        ];
        for (variables, index, of) in table {
            let share = asked("auto", variables).unwrap();
            assert_eq!(share.shard, Shard { index: *index, of: *of }, "{variables:?}");
            assert_eq!(share.from, Some(variables[0].0), "{variables:?}");
        }
        assert_eq!(asked("3/8", &[]).unwrap().shard, Shard { index: 3, of: 8 });
    }

    /// What SLURM sets for a task of an array: its number, the least, the greatest, how far they are
    /// apart, and how many there are.
    fn slurm(task: [u64; 5], shards: Option<&str>) -> Result<Shard, String> {
        let names = ["ID", "MIN", "MAX", "STEP", "COUNT"];
        let mut variables: Vec<_> = names
            .iter()
            .zip(task)
            .map(|(name, value)| (format!("SLURM_ARRAY_TASK_{name}"), value.to_string()))
            .collect();
        variables.extend(shards.map(|of| ("PAGESTORM_SHARDS".to_owned(), of.to_owned())));
        let of = |name: &str| {
            let found = variables.iter().find(|(known, _)| known == name);
            found.map(|(_, value)| value.clone())
        };
        share("auto", &of).map(|share| share.shard)
    }

    #[test]
    fn a_task_of_an_array_is_the_shard_that_it_is_or_none() {
        let table = [
            ("0-7", [5, 0, 7, 1, 8], None, Ok((6, 8))),
            ("1-6", [2, 1, 6, 1, 6], None, Ok((2, 6))),
            ("0-14:2", [14, 0, 14, 2, 8], None, Ok((8, 8))),
            ("0-14:2", [2, 0, 14, 2, 8], None, Ok((2, 8))),
            // 15 is no number of such an array, though 0-15:2 ends at 14.
            ("0-15:2", [14, 0, 14, 2, 8], None, Ok((8, 8))),
            // To repeat one shard, or some.
            ("3", [3, 3, 3, 1, 1], None, Err("PAGESTORM_SHARDS")),
            ("0", [0, 0, 0, 1, 1], None, Err("PAGESTORM_SHARDS")),
            ("3,5", [5, 3, 5, 1, 2], None, Err("PAGESTORM_SHARDS")),
            ("0,2,5", [5, 0, 5, 1, 3], None, Err("PAGESTORM_SHARDS")),
            ("4-7", [4, 4, 7, 1, 4], None, Err("PAGESTORM_SHARDS")),
            ("3", [3, 3, 3, 1, 1], Some("8"), Ok((4, 8))),
            ("0", [0, 0, 0, 1, 1], Some("1"), Ok((1, 1))),
            ("3,5", [5, 3, 5, 1, 2], Some("8"), Ok((6, 8))),
            ("0-7", [5, 0, 7, 1, 8], Some("8"), Ok((6, 8))),
            ("8", [8, 8, 8, 1, 1], Some("8"), Err("make no shard")),
            ("0-3", [0, 0, 3, 1, 4], Some("x"), Err("PAGESTORM_SHARDS=x is no number")),
        ];
        for (array, task, shards, wanted) in table {
            let wanted = wanted.map(|(index, of)| Shard { index, of });
            match (slurm(task, shards), wanted) {
                (Err(error), Err(told)) => assert!(error.contains(told), "{array}: {error}"),
                (found, wanted) => assert_eq!(found, wanted.map_err(str::to_owned), "{array}"),
            }
        }
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
