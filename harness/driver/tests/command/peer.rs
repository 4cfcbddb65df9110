//! `bench --against`: what is said when the other tool is not there, is no tool, or fails.

use crate::stand::Stand;
use std::fs;
use std::os::unix::fs::PermissionsExt;

#[test]
fn a_tool_that_cannot_be_measured_is_told_with_what_to_do() {
    let stand = Stand::new();
    stand.write("broken", "#!/bin/sh\necho 'seed set'\necho 'short read: 0x1 bytes'\nexit 141\n");
    stand.write("silent", "#!/bin/sh\nexit 3\n");
    stand.write("text", "no program\n");
    for name in ["broken", "silent"] {
        fs::set_permissions(stand.path(name), fs::Permissions::from_mode(0o755)).unwrap();
    }
    for (against, code, told) in [
        ("fio=broken", 2, "the tool is fsx"),
        ("fsx=", 2, "fsx=/usr/lib/xfstests/ltp/fsx"),
        ("fsx=./nowhere", 5, "./nowhere cannot be run: No such file"),
        ("fsx=./text", 5, "./text cannot be run: Permission denied"),
        ("fsx=./broken", 5, "exit status: 141, short read: 0x1 bytes"),
        ("fsx=./silent", 5, "exit status: 3, and it said nothing"),
    ] {
        let ran = stand.run(&format!("bench --against {against}"));
        assert_eq!(ran.code, Some(code), "{against}: {ran:?}");
        assert!(ran.err.contains(told), "{against}: {ran:?}");
        assert!(ran.out.is_empty(), "{against}: {ran:?}");
    }
}
