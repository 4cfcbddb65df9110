//! `result.json`: written with equal bytes for equal records, read with care.

use std::fmt;

use serde::Deserialize;

use super::Record;
use crate::latency::Latency;
use crate::visible;

impl Record {
    /// The record as indented JSON that ends with a newline.
    pub fn to_json(&self) -> String {
        let mut text = serde_json::to_string_pretty(self)
            .expect("a record has only string keys and writes to memory");
        text.push('\n');
        visible::json(&text).into_owned()
    }

    /// Reads what [`Record::to_json`] wrote. Fields that it does not know are skipped.
    pub fn from_json(text: &str) -> Result<Record, RecordError> {
        #[derive(Deserialize)]
        struct Versioned {
            schema: u64,
        }

        let value: serde_json::Value = serde_json::from_str(text)
            .map_err(|error| RecordError::NotJson { message: error.to_string() })?;
        let Versioned { schema } = Versioned::deserialize(&value)
            .map_err(|error| RecordError::NotARecord { message: error.to_string() })?;
        if schema != u64::from(Record::SCHEMA_VERSION) {
            return Err(RecordError::UnknownSchema { found: schema });
        }
        // Parsed from the text again, because only then does an error know its line.
        let record: Record = serde_json::from_str(text)
            .map_err(|error| RecordError::NotARecord { message: error.to_string() })?;
        Latency::from_record(&record.latency)
            .map_err(|error| RecordError::Latency { message: error.to_string() })?;
        if record.timeline.as_ref().is_some_and(|timeline| !timeline.is_sound()) {
            return Err(RecordError::Timeline);
        }
        Ok(record)
    }
}

/// Why a text is not a record that this program can read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RecordError {
    /// It is not JSON, or only the beginning of it.
    NotJson {
        /// What the parser said, and where.
        message: String,
    },
    /// It is JSON, but a field is missing or of the wrong kind.
    NotARecord {
        /// Which field, and where.
        message: String,
    },
    /// It is a record of another version of the format.
    UnknownSchema {
        /// That version.
        found: u64,
    },
    /// A row of its latencies contradicts itself, or its histogram cannot be decoded.
    Latency {
        /// Which row, and what is wrong with it.
        message: String,
    },
    /// Its timeline has more slices or windows than there can be, or slices of no width.
    Timeline,
}

impl fmt::Display for RecordError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RecordError::NotJson { message } => write!(
                out,
                "not JSON: {message}; the file was cut short or edited, run the scenario again"
            ),
            RecordError::NotARecord { message } => write!(
                out,
                "not the record of a run: {message}; give the result.json of a run, or run the \
                 scenario again"
            ),
            RecordError::UnknownSchema { found } => write!(
                out,
                "the record has schema {found} and this program reads schema {}; use the version \
                 of the program that wrote it, or run the scenario again",
                Record::SCHEMA_VERSION
            ),
            RecordError::Latency { message } => {
                write!(out, "damaged latencies: {message}; run the scenario again")
            }
            RecordError::Timeline => write!(
                out,
                "damaged timeline: more slices than there can be, or of no width; run the scenario \
                 again"
            ),
        }
    }
}

impl std::error::Error for RecordError {}
