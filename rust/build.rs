// SPDX-License-Identifier: MIT
//! The engine for the feature `host`: compiled from `engine/`, or an installed liballoy.

use std::env;
use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    if env::var_os("CARGO_FEATURE_HOST").is_none() {
        return;
    }
    println!("cargo::rerun-if-env-changed=ALLOY_LIB_DIR");
    println!("cargo::rerun-if-env-changed=ALLOY_SYSTEM");
    if let Ok(folder) = env::var("ALLOY_LIB_DIR") {
        println!("cargo::rustc-link-search=native={folder}");
        link();
    } else if env::var_os("ALLOY_SYSTEM").is_some() {
        println!("cargo::rustc-link-search=native={}", installed());
        link();
    } else {
        compile();
    }
}

fn link() {
    println!("cargo::rustc-link-lib=dylib=alloy");
    println!("cargo::rustc-env=ALLOY_SYMBOLS=alloy_");
}

fn installed() -> String {
    let mut command = Command::new("pkg-config");
    let output = command.args(["--variable=libdir", "alloy"]).output();
    let output = output.expect("ALLOY_SYSTEM is set, but pkg-config cannot be run");
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "ALLOY_SYSTEM: pkg-config finds no alloy: {error}");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

#[cfg(feature = "host")]
fn compile() {
    println!("cargo::rerun-if-changed=engine");
    let mut build = cc::Build::new();
    // The engine is optimised in every profile: an unoptimised gate is many times slower.
    build.cpp(true).std("c++20").opt_level(2).debug(false).warnings(false);
    build.flag("-fvisibility=hidden").flag("-fvisibility-inlines-hidden");
    build
        .files(["engine/alloy_engine.cc", "engine/alloy_gate.cc"])
        .compile("alloy_engine");
    println!("cargo::rustc-env=ALLOY_SYMBOLS={}", symbols());
    println!("cargo::rustc-link-lib=dylib=dl");
    println!("cargo::rustc-link-lib=dylib=pthread");
}

// How the names of the compiled engine begin, so that it is never mixed with another one:
// its header has the line `#define alloy_version <this>version`.
#[cfg(feature = "host")]
fn symbols() -> String {
    let header =
        std::fs::read_to_string("engine/alloy_engine.h").expect("the engine's header");
    let named =
        header.lines().find_map(|line| line.strip_prefix("#define alloy_version "));
    let begin = named.and_then(|name| name.trim().strip_suffix("version"));
    begin.expect("the header renames alloy_version").to_owned()
}

#[cfg(not(feature = "host"))]
fn compile() {}
