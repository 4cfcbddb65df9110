//! Seeds, which are written in hex: JSON readers may lose the low bits of a large number.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// The seeds of a run: `count` of them, derived from `first`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seeds {
    /// The seed that names the run.
    pub first: Seed,
    /// How many seeds were asked for; 1 where real threads ran.
    pub count: u64,
}

/// A seed. Prints as `0x` and lower-case hex digits, and is a string of that form in JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Seed(pub u64);

impl fmt::Display for Seed {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{:#x}", self.0)
    }
}

impl Serialize for Seed {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Seed {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Seed, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.strip_prefix("0x")
            .filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()))
            .and_then(|digits| u64::from_str_radix(digits, 16).ok())
            .map(Seed)
            .ok_or_else(|| {
                de::Error::custom(format_args!("`{text}` is no seed: write 0x and hex digits"))
            })
    }
}

#[cfg(test)]
mod tests {
    use super::Seed;

    #[test]
    fn seeds_read_back_as_written() {
        for seed in [0, 1, 0x9e37_79b9, u64::MAX] {
            let text = serde_json::to_string(&Seed(seed)).unwrap();
            assert_eq!(serde_json::from_str::<Seed>(&text).unwrap(), Seed(seed), "{text}");
        }
        assert_eq!(Seed(255).to_string(), "0xff");
    }

    #[test]
    fn other_spellings_are_errors() {
        for text in ["7", "\"7\"", "\"0x\"", "\"0x+7\"", "\"0xg\"", "\"0x10000000000000000\""] {
            assert!(serde_json::from_str::<Seed>(text).is_err(), "{text}");
        }
    }
}
