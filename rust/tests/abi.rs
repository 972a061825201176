// SPDX-License-Identifier: MIT
//! The structs of `abi` have the sizes and offsets that the C compiler sees in the headers.

use std::fmt::Write as _;
use std::mem::offset_of;
use std::path::Path;
use std::process::Command;

use arrowalloy::abi;

macro_rules! layout {
    ($($rust:ident as $c:literal { $($field:ident $(as $c_field:literal)?),* $(,)? })*) => {
        [$((
            $c,
            size_of::<abi::$rust>(),
            vec![$((layout!(@name $field $($c_field)?), offset_of!(abi::$rust, $field))),*],
        )),*]
    };
    (@name $field:ident) => { stringify!($field) };
    (@name $field:ident $c_field:literal) => { $c_field };
}

#[test]
fn the_mirror_has_the_layout_of_the_headers() {
    let ours = layout! {
        ArrowSchema as "struct ArrowSchema" {
            format, name, metadata, flags, n_children, children, dictionary, release,
            private_data,
        }
        ArrowArray as "struct ArrowArray" {
            length, null_count, offset, n_buffers, n_children, buffers, children, dictionary,
            release, private_data,
        }
        ArrowArrayStream as "struct ArrowArrayStream" {
            get_schema, get_next, get_last_error, release, private_data,
        }
        RawScope as "alloy_scope" { services }
        Services as "alloy_services" {
            struct_size, abi, fail, cancelled, progress, resize, log, logging, describe,
        }
        RawOption as "alloy_option" { name, summary, fallback }
        RawColumn as "alloy_column" { name, summary, accepts }
        RawFunction as "alloy_function" {
            struct_size, flags, name, summary, options, self_ as "self", min_inputs,
            max_inputs, columns, bind, run, open, unbind,
        }
        RawBackend as "alloy_backend" {
            struct_size, abi, name, version, language, functions,
        }
    };
    let mut source = String::from("#include <stddef.h>\n#include \"alloy/backend.h\"\n");
    for (name, size, fields) in &ours {
        let _ = writeln!(source, "_Static_assert(sizeof({name}) == {size}, \"{name}\");");
        for (field, offset) in fields {
            let _ = writeln!(
                source,
                "_Static_assert(offsetof({name}, {field}) == {offset}, \"{name} {field}\");"
            );
        }
    }
    for (name, number) in [
        ("ALLOY_ABI", i64::from(abi::ABI)),
        ("ALLOY_IDEMPOTENT", i64::from(abi::IDEMPOTENT)),
        ("ALLOY_ROWWISE", i64::from(abi::ROWWISE)),
        ("ALLOY_STREAM", i64::from(abi::STREAM)),
        ("ALLOY_TRUSTS_VALUES", i64::from(abi::TRUSTS_VALUES)),
        ("ARROW_FLAG_DICTIONARY_ORDERED", abi::FLAG_DICTIONARY_ORDERED),
        ("ARROW_FLAG_NULLABLE", abi::FLAG_NULLABLE),
        ("ARROW_FLAG_MAP_KEYS_SORTED", abi::FLAG_MAP_KEYS_SORTED),
    ] {
        let _ = writeln!(source, "_Static_assert({name} == {number}, \"{name}\");");
    }
    for (name, number) in [
        ("ALLOY_INVALID", arrowalloy::Code::Invalid),
        ("ALLOY_BAD_DATA", arrowalloy::Code::BadData),
        ("ALLOY_NO_MATCH", arrowalloy::Code::NoMatch),
        ("ALLOY_NOT_FOUND", arrowalloy::Code::NotFound),
        ("ALLOY_FAILED", arrowalloy::Code::Failed),
        ("ALLOY_RETRY", arrowalloy::Code::Retry),
        ("ALLOY_CANCELLED", arrowalloy::Code::Cancelled),
        ("ALLOY_EXHAUSTED", arrowalloy::Code::Exhausted),
        ("ALLOY_UNSUPPORTED", arrowalloy::Code::Unsupported),
    ] {
        let _ =
            writeln!(source, "_Static_assert({name} == {}, \"{name}\");", number as i32);
    }

    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let file = folder.join("layout.c");
    std::fs::write(&file, source).expect("a temporary file");
    let compiler = std::env::var("CC").unwrap_or_else(|_| "cc".to_owned());
    let output = Command::new(compiler)
        .args(["-std=c11", "-fsyntax-only", "-I"])
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("../include"))
        .arg(&file)
        .output()
        .expect("a C compiler");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
