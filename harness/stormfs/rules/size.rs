//! The questions of those who change the size.

use super::Rules;
use crate::choices::Extension;

impl Rules {
    /// Are bytes zeroed that the growing file exposes?
    pub fn zeroes_exposed(&self) -> bool {
        match self.choices.extension {
            Extension::ZeroExposed => true,
            Extension::LeaveExposed => self.deviate(true, false),
        }
    }
}
