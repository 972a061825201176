// SPDX-License-Identifier: MIT
//! A backend with panic = "abort" does not compile, and the error explains why.

use std::path::Path;
use std::process::Command;

fn check_example(config: &[&str]) -> (bool, String) {
    let output = Command::new(env!("CARGO"))
        .args(["check", "--offline", "--locked", "-p", "distance_rust", "--target-dir"])
        .arg(Path::new(env!("CARGO_TARGET_TMPDIR")).join("abort"))
        .args(config)
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(".."))
        .output()
        .expect("cargo");
    (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
}

#[test]
fn panic_abort_is_a_compile_error_that_says_so() {
    let (compiles, errors) = check_example(&[]);
    assert!(compiles, "{errors}");
    let (compiles, errors) = check_example(&["--config", "profile.dev.panic=\"abort\""]);
    assert!(!compiles);
    assert!(errors.contains("a backend of Alloy turns panics into errors"), "{errors}");
}
