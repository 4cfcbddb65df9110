//! A record of a run becomes `result.json`, a page and a terminal summary.
//!
//! This crate knows no filesystem, no oracle and no scheduler: the driver fills a
//! [`record::Record`], and everything here is a function of it. Equal records give equal bytes.

/// What a run leaves behind: the contents of `result.json`.
pub mod record;
/// Collects latencies while a run is on, and turns them into rows of the record.
pub mod latency;
/// Collects what happened when.
pub mod timeline;
/// Latencies as the log of `HdrHistogram`.
pub mod hlog;
/// The command that runs something again.
pub mod reproduce;
/// Puts `result.json` and what is made of it into a directory, whole or not at all.
pub mod writing;
/// `JUnit` XML, for CI engines.
pub mod junit;
/// Annotations and job summaries of GitHub Actions.
pub mod github;
/// Two runs side by side.
pub mod compare;
/// The text that a terminal prints at the end of a run.
pub mod summary;
/// The offline HTML page.
pub mod page;

/// Names of files for texts that may say anything.
pub mod naming;
/// Numbers as people read them.
pub mod number;

mod histogram;
mod nightly;
mod xml;
/// Makes every character of a hostile text visible.
pub mod visible;
