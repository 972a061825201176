// SPDX-License-Identifier: MIT
//! Runs the example, as its reader does.

use std::path::Path;
use std::process::Command;

#[test]
fn it_calls_a_rust_backend() {
    let program = Path::new(env!("CARGO_BIN_EXE_host_rust"));
    // The backend is a dependency of this test, so cargo has built it.
    let folder = program.parent().expect("a folder").join("deps");
    let library = folder.join("libdistance_rust.so");
    let output = Command::new(program).arg(&library).output().expect("it starts");
    let (text, error) = (output.stdout, String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(text).expect("UTF-8");
    assert!(output.status.success(), "{library:?}: {error}");
    assert!(text.contains("5.0,\n  13.0,"), "{text}");
}

#[test]
fn it_reports_a_library_that_is_not_there() {
    let program = env!("CARGO_BIN_EXE_host_rust");
    let output =
        Command::new(program).arg("/nowhere/libnone.so").output().expect("it starts");
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success());
    assert!(error.contains("/nowhere/libnone.so"), "{error}");
}
