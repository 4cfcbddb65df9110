//! The windows that calls are tried in: somebody has come so far and stands there.

/// One window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Window {
    /// A buffered write has its mapping and its delayed allocation; nothing is copied.
    WriteMapped,
    /// A buffered write has copied its first page and has not begun with its second.
    MidCopy,
    /// A page is in writeback, and its I/O is held.
    WritebackHeld,
    /// A read waits for its I/O, which is held.
    ReadHeld,
    /// A write of a part of a page waits for the I/O that reads the rest, which is held.
    ReadHeldInBegin,
}

impl Window {
    /// Every window, in the order of the table.
    pub const ALL: [Window; 5] = [
        Window::WriteMapped,
        Window::MidCopy,
        Window::WritebackHeld,
        Window::ReadHeld,
        Window::ReadHeldInBegin,
    ];

    /// What a table calls it.
    pub fn name(self) -> &'static str {
        match self {
            Window::WriteMapped => "write mapped",
            Window::MidCopy => "write in mid-copy",
            Window::WritebackHeld => "writeback held",
            Window::ReadHeld => "read held",
            Window::ReadHeldInBegin => "read held in write_begin",
        }
    }

    /// What stands there, and what it holds.
    pub fn about(self) -> &'static str {
        match self {
            Window::WriteMapped => {
                "pwrite of two pages of a hole: mapping made, delalloc reserved, nothing copied"
            }
            Window::MidCopy => "the same pwrite: its first page is copied, in the cache and dirty",
            Window::WritebackHeld => "a page that has blocks is in writeback, its I/O in flight",
            Window::ReadHeld => "pread of a page that is not cached, its I/O in flight",
            Window::ReadHeldInBegin => {
                "pwrite of 100 bytes in a page that is not cached, the read of the rest in flight"
            }
        }
    }

    /// What brings the model there.
    pub(super) fn opening(self) -> Opening {
        let whole = "write: {at: 32KiB, size: 8KiB}";
        match self {
            Window::WriteMapped => Opening::writing(whole, "run W until write.mapped"),
            Window::MidCopy => Opening::writing(whole, "run W until write.unlocked"),
            Window::WritebackHeld => Opening {
                layout: "written",
                does: "write: {at: 32KiB, size: 4KiB}, writeback: {at: 32KiB, size: 4KiB}",
                steps: "hold disk at ioend.before_convert, run W",
                strikes: "",
            },
            Window::ReadHeld => {
                Opening::reading("evict: {at: 32KiB, size: 4KiB}, read: {at: 32KiB, size: 4KiB}")
            }
            Window::ReadHeldInBegin => {
                Opening::reading("evict: {at: 32KiB, size: 4KiB}, write: {at: 32868, size: 100}")
            }
        }
    }
}

/// A scenario in which the actor `W` comes to a window.
pub(super) struct Opening {
    layout: &'static str,
    does: &'static str,
    /// Of its script; empty if it has none.
    pub(super) steps: &'static str,
    strikes: &'static str,
}

impl Opening {
    fn writing(does: &'static str, steps: &'static str) -> Opening {
        Opening { layout: "hole", does, steps, strikes: "" }
    }

    fn reading(does: &'static str) -> Opening {
        let strikes = "read of a at 32KiB takes 1h";
        Opening { layout: "written", does, steps: "", strikes }
    }

    /// The whole of it, in which the actor `O` performs `call`.
    pub(super) fn scenario(&self, call: &str) -> String {
        let Opening { layout, does, steps, strikes } = self;
        let script = match *steps {
            "" => "seeds: 1".to_owned(),
            steps => format!("script: [{steps}, run O]"),
        };
        format!(
            "{{filesystem: {{block_size: 4KiB, max_folio: 4KiB}}, device: {{workers: 4}}, \
             files: [{{name: a, size: 64KiB, layout: {layout}}}], \
             actors: [{{name: W, does: [{does}]}}, {{name: O, does: [{call}]}}], \
             {script}, strikes: [{strikes}], expect: clean}}"
        )
    }
}
