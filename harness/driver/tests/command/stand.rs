//! Where the command is tried out: a directory of its own, scenarios in it, and what came of a run.

use report::record::Record;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use tempfile::TempDir;

/// The command under test.
pub(crate) const PAGESTORM: &str = env!("CARGO_BIN_EXE_pagestorm");

/// A simulation that is over at once.
pub(crate) const CLEAN: &str = "\
name: clean
seeds: 6
ops: 60
actors:
  - {name: writer, count: 2, ops: {write: 4, append: 1, truncate: 1, fsync: 1}}
  - {name: flusher, ops: {writeback: 2, evict: 2}}
faults:
  - short_copy: {chance: 5%}
";

/// Threads that act until somebody stops them.
pub(crate) const THREADS: &str = "\
name: threads
world: threads
time: 60s
device: {size: 1MiB}
actors:
  - {name: writer, count: 2, ops: {write: 4, append: 1, truncate: 1, fsync: 1}}
  - {name: flusher, ops: {writeback: 2, evict: 2}, pause: 1ms}
";

/// See the module. Whatever is in it goes when it is dropped.
pub(crate) struct Stand {
    dir: TempDir,
}

impl Stand {
    /// An empty one, that every user may enter.
    pub(crate) fn new() -> Stand {
        let dir = tempfile::tempdir().unwrap();
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o777)).unwrap();
        Stand { dir }
    }

    /// One with a scenario in `a.yaml`.
    pub(crate) fn with(scenario: &str) -> Stand {
        let stand = Stand::new();
        stand.write("a.yaml", scenario);
        stand
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        fs::write(self.path(name), text).unwrap();
    }

    /// The names in a directory of it; none if there is no such directory.
    pub(crate) fn names(&self, dir: &str) -> Vec<String> {
        let Ok(entries) = fs::read_dir(self.path(dir)) else { return Vec::new() };
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    /// The command, ready to run here.
    pub(crate) fn command(&self, words: &str) -> Command {
        let mut command = Command::new(PAGESTORM);
        command.args(words.split_whitespace()).current_dir(self.dir.path());
        command.env("TMPDIR", self.dir.path()).env_remove("NO_COLOR");
        // Only tests of it shall meet a runner.
        for name in ["GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY", "GITHUB_WORKSPACE"] {
            command.env_remove(name);
        }
        command
    }

    /// Runs `pagestorm` with these words to its end.
    pub(crate) fn run(&self, words: &str) -> Ran {
        Ran::of(self.command(words).stdin(Stdio::null()).output().unwrap())
    }

    /// Starts `pagestorm` with these words.
    pub(crate) fn start(&self, words: &str) -> Child {
        let mut command = self.command(words);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().unwrap()
    }

    /// The `result.json` of the only run.
    pub(crate) fn record(&self) -> Record {
        let runs = self.names("reports");
        assert_eq!(runs.len(), 1, "{runs:?}");
        let path = self.path("reports").join(&runs[0]).join("result.json");
        Record::from_json(&fs::read_to_string(path).unwrap()).unwrap()
    }
}

/// What a run of the command said, and how it ended.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ran {
    pub(crate) fn of(output: Output) -> Ran {
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Ran { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
    }

    /// The record that `--json -` printed.
    pub(crate) fn record(&self) -> Record {
        Record::from_json(&self.out).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

/// A file of the project.
pub(crate) fn project(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path).canonicalize().unwrap()
}

/// Whether the tests run as root.
pub(crate) fn is_root() -> bool {
    nix::unistd::geteuid().is_root()
}
