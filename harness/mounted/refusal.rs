//! Why a filesystem cannot be had, and what to do about it.

use nix::errno::Errno;
use std::fmt;

/// See the module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// What was tried.
    pub tried: String,
    /// What came of it.
    pub came: String,
    /// What a person can do.
    pub advice: String,
    /// The key of a target that asked for what cannot be had, if it is one of them.
    pub of: Option<&'static str>,
}

impl Refusal {
    /// `tried` ended with this error number.
    pub fn errno(tried: impl Into<String>, errno: Errno, advice: impl Into<String>) -> Refusal {
        Refusal::told(tried, format!("{errno:?}, {}", errno.desc()), advice)
    }

    /// `tried` ended with these words.
    pub fn told(
        tried: impl Into<String>,
        came: impl Into<String>,
        advice: impl Into<String>,
    ) -> Refusal {
        Refusal { tried: tried.into(), came: came.into(), advice: advice.into(), of: None }
    }

    /// The same, of that key; unless it is known better.
    #[must_use]
    pub fn of(self, key: &'static str) -> Refusal {
        Refusal { of: self.of.or(Some(key)), ..self }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}; {}", self.tried, self.came, self.advice)
    }
}

impl std::error::Error for Refusal {}
