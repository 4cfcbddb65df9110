//! What stormfs does not model, as far as a call inside a window shows it: each entry is a difference that is
//! there, with its reason.

use super::windows::Window;

/// One difference.
pub struct Known {
    /// Where.
    pub window: Window,
    /// The call, as the table names it.
    pub call: &'static str,
    /// Why the model does something else.
    pub reason: &'static str,
}

/// All of them, for XFS.
pub static KNOWN: &[Known] = &[];

/// The reason of a difference, if it is known.
pub fn reason(window: Window, call: &str) -> Option<&'static str> {
    let known = KNOWN.iter().find(|known| known.window == window && known.call == call);
    known.map(|known| known.reason)
}
