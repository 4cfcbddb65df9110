//! Running the tools of a filesystem: they die with us.

use crate::kind::Tool;
use crate::refusal::Refusal;
use nix::sys::signal::Signal;
use std::io::ErrorKind;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

/// Runs `tool` with `more` arguments behind its own; what it printed, or why it failed.
pub(crate) fn run(tool: Tool, more: &[&str]) -> Result<String, Refusal> {
    let mut command = Command::new(tool.program);
    command.args(tool.arguments).args(more).stdin(Stdio::null());
    die_with_parent(&mut command);
    let tried = || told(tool, more);
    let output = command.output().map_err(|error| {
        if error.kind() == ErrorKind::NotFound {
            let advice =
                format!("it is in the package {0}; on Debian: apt install {0}", tool.package);
            return Refusal::told(tool.program, "not installed, or not in PATH", advice)
                .of("kernel");
        }
        Refusal::told(tried(), error.to_string(), "see whether it can be run by hand")
    })?;
    let printed = [&output.stdout[..], &output.stderr].concat();
    let printed = String::from_utf8_lossy(&printed).trim().to_owned();
    if output.status.success() {
        return Ok(printed);
    }
    // What is wrong stands there, and what it did until then elsewhere.
    let complaint = [output.stderr, output.stdout].concat();
    let came = format!("{}: {}", output.status, lines(&String::from_utf8_lossy(&complaint)));
    Err(Refusal::told(tried(), came, "see its manual page for what these arguments allow"))
}

/// The command line, as a person would type it.
fn told(tool: Tool, more: &[&str]) -> String {
    let words = [tool.program].into_iter().chain(tool.arguments.iter().copied());
    words.chain(more.iter().copied()).collect::<Vec<_>>().join(" ")
}

/// Its first lines in one: what is wrong, without how the tool is used, which comes behind it.
fn lines(printed: &str) -> String {
    const SHOWN: usize = 6;
    let words = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
    let lines: Vec<_> = printed.lines().map(words).filter(|line| !line.is_empty()).collect();
    let is_usage = |line: &String| line.to_ascii_lowercase().starts_with("usage:");
    let told = match lines.iter().position(is_usage) {
        // Of a tool that says nothing else, this is to be seen.
        None | Some(0) => lines.len(),
        Some(usage) => usage,
    };
    lines[..told.min(SHOWN)].join("; ")
}

/// Has the kernel kill the command when the thread that waits for it is gone.
#[expect(unsafe_code, reason = "something must happen between fork and exec")]
pub fn die_with_parent(command: &mut Command) {
    let parent = nix::unistd::getpid();
    let die = move || {
        nix::sys::prctl::set_pdeathsig(Signal::SIGKILL)?;
        // It may have died before it was asked for.
        if nix::unistd::getppid() == parent { Ok(()) } else { Err(nix::errno::Errno::ESRCH.into()) }
    };
    // SAFETY: between fork and exec it makes system calls only, and takes no lock or memory.
    unsafe {
        command.pre_exec(die);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_say_what_was_run_and_what_came() {
        let tool = |program, package| Tool { program, arguments: &["-x"], package };
        let missing = run(tool("mkfs.nothing", "nothing"), &["/dev/null"]).unwrap_err();
        assert_eq!(missing.of, Some("kernel"));
        let told = "mkfs.nothing: not installed, or not in PATH; it is in the package nothing; on \
                    Debian: apt install nothing";
        assert_eq!(missing.to_string(), told);
        let shell = Tool { program: "sh", arguments: &["-c"], package: "dash" };
        let failed = run(shell, &["echo one; echo; echo two >&2; exit 3"]).unwrap_err();
        assert_eq!(failed.came, "exit status: 3: two; one");
        for (printed, told) in [
            ("no -Z\n\nUsage: mkfs\n/* size */\t\t[-b num]\n", "no -Z"),
            ("mkfs: no -Z\nERROR:\t-b\nusage: mkfs [-b]\n", "mkfs: no -Z; ERROR: -b"),
            ("Usage: mkfs\n\t\t[-b num]\n", "Usage: mkfs; [-b num]"),
        ] {
            assert_eq!(lines(printed), told);
        }
        assert_eq!(run(shell, &["echo fine"]).unwrap(), "fine");
    }
}
