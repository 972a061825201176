// SPDX-License-Identifier: MIT
//! Unsound uses in safe code do not compile; what authors write in safe code does.

use std::path::{Path, PathBuf};
use std::process::Command;

// Each has its own name, because cargo distinguishes crates in one target folder by it.
const MANIFEST: &str = r#"
[package]
name = "NAME"
edition = "2024"

[lib]
crate-type = ["cdylib"]
path = "lib.rs"

[workspace]

[dependencies]
arrowalloy = { path = "PATH" }
"#;

// Compiles the crate of an author in its own folder; returns the compiler's errors.
fn check(name: &str, source: &str) -> Result<(), String> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let tmp = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("sound");
    let folder = tmp.join(name);
    std::fs::create_dir_all(&folder).expect("a folder");
    let manifest = MANIFEST.replace("NAME", name);
    let manifest = manifest.replace("PATH", &here.display().to_string());
    std::fs::write(folder.join("Cargo.toml"), manifest).expect("a manifest");
    std::fs::write(folder.join("lib.rs"), source).expect("a source");
    let output = Command::new(env!("CARGO"))
        .args(["check", "--offline", "--color", "never", "--target-dir"])
        .arg(tmp.join("target"))
        .current_dir(&folder)
        .output()
        .expect("cargo");
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    if output.status.success() { Ok(()) } else { Err(errors) }
}

fn refused(name: &str, source: &str, error: &str) {
    let errors = check(name, source).expect_err(name);
    assert!(errors.contains(error), "{name}: {errors}");
    assert!(errors.contains("due to 1 previous error"), "{name}: {errors}");
}

#[test]
fn authors_may_forbid_unsafe_code() {
    let source = r#"
        #![forbid(unsafe_code)]
        use arrowalloy::View;

        arrowalloy::function! {
            /// Adds.
            #[option(times = "1", "How often.")]
            #[flags(rowwise)]
            fn add(scope, options; x: View<f64>, y: View<f64>) -> Result<(sum: f64)> {
                scope.check()?;
                let times: f64 = options.parse("times")?;
                Ok(x.iter().zip(y.iter()).map(|(x, y)| Some(x? + y? * times)).collect())
            }
        }
        arrowalloy::backend! { name: "author.add", functions: [add] }
    "#;
    assert_eq!(check("forbids", source), Ok(()));
}

#[test]
fn safe_code_makes_no_second_owner() {
    let take = "use arrowalloy::{OwnedArray, abi::ArrowArray};
        pub fn forge(array: &ArrowArray) -> OwnedArray {
            OwnedArray::take(&mut ArrowArray {
                release: array.release,
                private_data: array.private_data,
                ..ArrowArray::released()
            })
        }";
    refused("takes", take, "error[E0133]");
    let input = "use arrowalloy::{Input, abi::ArrowArray};
        pub fn forge() -> Input {
            Input(ArrowArray::released())
        }";
    refused("forges_an_input", input, "error[E0423]");
}

#[test]
fn safe_code_implements_nothing_that_unsafe_code_relies_on() {
    let number = "#[derive(Clone, Copy, Default)]
        pub struct Wide([u64; 4]);
        impl arrowalloy::Number for Wide {
            const FORMAT: &'static str = \"c\\0\";
        }";
    refused("adds_a_number", number, "error[E0277]");
    let value = "pub struct Short;
        impl arrowalloy::Value for Short {
            type Store = ();
            fn data_type() -> arrowalloy::Type { arrowalloy::Type::new(\"l\") }
            fn push(_: &mut (), _: Option<Self>) {}
            fn get(_: &(), _: usize) -> Self { Self }
            fn export(_: &(), _: &mut arrowalloy::Exporter) -> Result<(), arrowalloy::Error> {
                Ok(())
            }
        }";
    refused("adds_a_value", value, "error[E0200]");
    let fixed = "#[derive(Clone, Copy)]
        pub struct Wide([u64; 4]);
        impl arrowalloy::Fixed for Wide {
            const ACCEPTS: &'static str = \"c\\0\";
            const ZERO: Self = Self([0; 4]);
            fn data_type() -> arrowalloy::Type { arrowalloy::Type::new(\"c\") }
        }";
    refused("adds_a_width", fixed, "error[E0277]");
    let param = "pub struct Open;
        impl<'a> arrowalloy::Param<'a> for Open {
            const ACCEPTS: &'static str = \"no text of C\";
            fn view(_: arrowalloy::Source<'a>) -> Result<Self, arrowalloy::Error> {
                Ok(Self)
            }
        }";
    refused("adds_a_parameter", param, "error[E0277]");
    let function = "use arrowalloy::*;
        pub enum Wild {}
        impl Function for Wild {
            const SPEC: Spec = Spec {
                name: std::ptr::null(),
                summary: std::ptr::null(),
                flags: 0,
                options: std::ptr::dangling(),
                min_inputs: 1,
                max_inputs: 1,
                columns: std::ptr::null(),
            };
            type State = ();
            unsafe fn bind(
                _: Scope<'_>,
                _: &[abi::ArrowSchema],
                _: Options,
            ) -> Result<(OwnedSchema, ()), Error> {
                Err(Error::cancelled())
            }
            fn run(_: &mut (), _: Scope<'_>, _: &mut [Input]) -> Result<OwnedArray, Error> {
                Err(Error::cancelled())
            }
        }";
    refused("implements_a_function", function, "error[E0200]");
}

#[test]
fn safe_code_shares_nothing_as_a_constant() {
    let tuple = "use std::cell::Cell;
        pub static SHARED: arrowalloy::abi::Constant<Cell<u32>> =
            arrowalloy::abi::Constant(Cell::new(1));";
    refused("shares_by_the_field", tuple, "error[E0603]");
    let new = "use std::cell::Cell;
        pub static SHARED: arrowalloy::abi::Constant<Cell<u32>> =
            arrowalloy::abi::Constant::new(Cell::new(1));";
    refused("shares_by_new", new, "error[E0133]");
}

#[test]
fn safe_code_binds_no_schema_of_its_own() {
    let source = "use arrowalloy::{Function, Options, Scope, View, abi::ArrowSchema};
        arrowalloy::function! {
            fn same(x: View<i64>) -> y: i64 { x.iter().collect() }
        }
        pub fn forge(scope: Scope<'_>) {
            let _ = <same as Function>::bind(scope, &[ArrowSchema::released()], Options::default());
        }";
    refused("binds", source, "error[E0133]");
}

#[test]
fn safe_code_keeps_nothing_of_a_stream_past_its_release() {
    let scope = "use arrowalloy::{Scope, View};
        static KEPT: std::sync::Mutex<Option<Scope<'static>>> = std::sync::Mutex::new(None);
        arrowalloy::function! {
            stream fn same(scope; rows: Rows { x: View<i64> }) -> y: i64 {
                *KEPT.lock().unwrap() = Some(scope);
                rows.map(|rows| Ok(rows?.views()?.x.iter().collect()))
            }
        }";
    refused("keeps_a_scope", scope, "error[E0521]");
    let input = "use arrowalloy::View;
        arrowalloy::function! {
            stream fn same(rows: Points { x: View<i64> }) -> y: i64 {
                std::thread::spawn(|| rows.count());
                std::iter::empty()
            }
        }";
    refused("keeps_an_input", input, "error[E0521]");
}

#[test]
fn an_arrow_that_is_too_old_is_named_in_one_error() {
    let source = "use arrowalloy::typed::Unchecked;
        pub struct RecordBatch; // as before arrow 55.1: without new_unchecked
        pub fn import(schema: String, columns: Vec<u8>) -> RecordBatch {
            // SAFETY: it does not compile.
            unsafe { RecordBatch::new_unchecked(schema, columns, 3) }
        }";
    let error = "this version of arrow is too old for Alloy: use arrow 55.1 or newer";
    refused("old_arrow", source, error);
}
