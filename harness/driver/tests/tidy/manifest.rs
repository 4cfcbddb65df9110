//! Manifests, read as far as the rules need it.

use crate::tree::{read, root};

/// One `Cargo.toml`.
pub(crate) struct Manifest {
    /// From the top.
    pub(crate) path: String,
    text: String,
}

/// One line of a table of dependencies.
pub(crate) struct Dependency<'a> {
    pub(crate) name: &'a str,
    /// All after the name.
    pub(crate) value: &'a str,
    /// The line above.
    pub(crate) above: &'a str,
}

impl Manifest {
    /// That of the workspace.
    pub(crate) fn top() -> Manifest {
        Manifest { path: "Cargo.toml".to_owned(), text: read("Cargo.toml") }
    }

    /// That of a crate, by its folder in `harness/`.
    pub(crate) fn member(name: &str) -> Manifest {
        let path = format!("harness/{name}/Cargo.toml");
        Manifest { text: read(&path), path }
    }

    /// The lines of the table `[name]`, without blank ones and comments.
    pub(crate) fn table(&self, name: &str) -> Vec<&str> {
        self.dependencies(name).iter().map(|line| line.name).collect()
    }

    /// Whether the table `[name]` holds `line`, word by word.
    pub(crate) fn says(&self, name: &str, line: &str) -> bool {
        let Some((_, table)) = self.text.split_once(&format!("[{name}]\n")) else { return false };
        table.lines().take_while(|found| !found.starts_with('[')).any(|found| found == line)
    }

    /// The dependencies in the table `[name]`.
    pub(crate) fn dependencies(&self, name: &str) -> Vec<Dependency<'_>> {
        let Some((_, table)) = self.text.split_once(&format!("[{name}]\n")) else {
            return Vec::new();
        };
        let mut list = Vec::new();
        let mut above = "";
        for line in table.lines().take_while(|line| !line.starts_with('[')) {
            let end = line.find(|c: char| !c.is_alphanumeric() && !"-_".contains(c));
            let (name, value) = line.split_at(end.unwrap_or(line.len()));
            if !name.is_empty() {
                list.push(Dependency { name, value, above });
            }
            above = line;
        }
        list
    }
}

/// The crates: every folder of `harness/` with a manifest.
pub(crate) fn members() -> Vec<String> {
    let entries = std::fs::read_dir(root().join("harness")).expect("harness/ can be read");
    let folders = entries.map(|entry| entry.expect("harness/ can be read").path());
    let crates = folders.filter(|path| path.join("Cargo.toml").exists());
    let name = |path: std::path::PathBuf| {
        path.file_name().and_then(|name| name.to_str().map(str::to_owned))
    };
    let mut names: Vec<_> = crates.filter_map(name).collect();
    names.sort();
    names
}
