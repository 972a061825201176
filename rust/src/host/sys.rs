// SPDX-License-Identifier: MIT
//! The C interface of the engine, field for field as in `alloy/alloy.h`.
//!
//! The header documents each function, and who owns what.

use std::ffi::{c_char, c_void};

use crate::abi::{ArrowArray, ArrowArrayStream, ArrowSchema, RawBackend, RawFunction};

/// `alloy_error`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct RawError {
    pub code: i32,
    pub reason: i32,
    pub input: i32,
    pub column: i32,
    pub side: u16,
    pub length: u16,
    pub text: [u8; 1004],
}

// alloy.h freezes this size.
const _: () = assert!(size_of::<RawError>() == 1024);

/// `alloy_log_line`.
#[repr(C)]
pub struct RawLine {
    pub struct_size: u32,
    pub level: i32,
    pub language: *const c_char,
    pub text: *const c_char,
    pub length: i64,
    pub backend: *const c_char,
    pub function: *const c_char,
    pub call_context: *mut c_void,
}

/// `alloy_host_options`.
#[repr(C)]
pub struct RawHostOptions {
    pub struct_size: u32,
    pub flags: u32,
    pub worker: *const c_char,
    pub may_need: *const *const c_char,
    pub language: *const c_char,
    pub log_mode: i32,
    pub log_fd: i32,
    pub log: Option<unsafe extern "C" fn()>,
    pub log_context: *mut c_void,
    pub log_line: Option<unsafe extern "C" fn(*mut c_void, *const RawLine)>,
}

/// `alloy_bridge_options`.
#[repr(C)]
pub struct RawBridgeOptions {
    pub struct_size: u32,
    pub isolated: u32,
    pub check_inputs: u32,
    pub check_results: u32,
    pub max_workers: u32,
    pub retries: u32,
    pub input_bytes: i64,
    pub output_bytes: i64,
    pub heap_bytes: i64,
    pub grace_ns: i64,
    pub name: *const c_char,
    pub min_sequence: u64,
    pub sidecar: *const c_char,
    pub sha256: *const c_char,
    pub demand: u32,
    pub setup_ms: u32,
}

/// `alloy_host`.
pub enum RawHost {}
/// `alloy_bridge`.
pub enum RawBridge {}
/// `alloy_call`.
pub enum RawCall {}

// An engine that is compiled into a program has names of its own version: the build script
// sets how they begin.
unsafe extern "C" {
    #[link_name = concat!(env!("ALLOY_SYMBOLS"), "version")]
    pub fn alloy_version() -> *const c_char;
    #[link_name = concat!(env!("ALLOY_SYMBOLS"), "code_name")]
    pub fn alloy_code_name(code: i32) -> *const c_char;
    #[link_name = concat!(env!("ALLOY_SYMBOLS"), "reason_name")]
    pub fn alloy_reason_name(reason: i32) -> *const c_char;
    #[link_name = concat!(env!("ALLOY_SYMBOLS"), "host_new")]
    pub fn alloy_host_new(
        options: *const RawHostOptions,
        out: *mut *mut RawHost,
        err: *mut RawError,
    ) -> i32;
    #[link_name = concat!(env!("ALLOY_SYMBOLS"), "host_free")]
    pub fn alloy_host_free(host: *mut RawHost);
    #[link_name = concat!(env!("ALLOY_SYMBOLS"), "bridge_new")]
    pub fn alloy_bridge_new(
        host: *mut RawHost,
        options: *const RawBridgeOptions,
        out: *mut *mut RawBridge,
        err: *mut RawError,
    ) -> i32;
    #[link_name = concat!(env!("ALLOY_SYMBOLS"), "bridge_load")]
    pub fn alloy_bridge_load(
        bridge: *mut RawBridge,
        library: *const c_char,
        certificate: *const c_char,
        err: *mut RawError,
    ) -> i32;
    #[link_name = concat!(env!("ALLOY_SYMBOLS"), "bridge_close")]
    pub fn alloy_bridge_close(bridge: *mut RawBridge);
    #[link_name = concat!(env!("ALLOY_SYMBOLS"), "bridge_free")]
    pub fn alloy_bridge_free(bridge: *mut RawBridge);
    #[link_name = concat!(env!("ALLOY_SYMBOLS"), "bridge_functions")]
    pub fn alloy_bridge_functions(
        bridge: *mut RawBridge,
        out: *mut *const *const RawFunction,
        err: *mut RawError,
    ) -> i32;
    #[link_name = concat!(env!("ALLOY_SYMBOLS"), "bridge_backend")]
    pub fn alloy_bridge_backend(
        bridge: *mut RawBridge,
        out: *mut *const RawBackend,
        err: *mut RawError,
    ) -> i32;
    #[link_name = concat!(env!("ALLOY_SYMBOLS"), "bridge_identity")]
    pub fn alloy_bridge_identity(
        bridge: *mut RawBridge,
        json: *mut c_char,
        capacity: i64,
        out_length: *mut i64,
        err: *mut RawError,
    ) -> i32;
    #[link_name = concat!(env!("ALLOY_SYMBOLS"), "call_bind")]
    pub fn alloy_call_bind(
        bridge: *mut RawBridge,
        function: *const c_char,
        inputs: *const ArrowSchema,
        n_inputs: i32,
        options: *const *const c_char,
        out: *mut *mut RawCall,
        err: *mut RawError,
    ) -> i32;
    #[link_name = concat!(env!("ALLOY_SYMBOLS"), "call_schema")]
    pub fn alloy_call_schema(call: *const RawCall) -> *const ArrowSchema;
    #[link_name = concat!(env!("ALLOY_SYMBOLS"), "call_run")]
    pub fn alloy_call_run(
        call: *mut RawCall,
        inputs: *mut ArrowArray,
        output: *mut ArrowArray,
        timeout_ns: i64,
        ticket: u64,
        err: *mut RawError,
    ) -> i32;
    #[link_name = concat!(env!("ALLOY_SYMBOLS"), "call_stream")]
    pub fn alloy_call_stream(
        call: *mut RawCall,
        inputs: *mut ArrowArrayStream,
        n_inputs: i32,
        output: *mut ArrowArrayStream,
        timeout_ns: i64,
        ticket: u64,
        err: *mut RawError,
    ) -> i32;
    #[link_name = concat!(env!("ALLOY_SYMBOLS"), "call_cancel")]
    pub fn alloy_call_cancel(call: *mut RawCall, ticket: u64);
    #[link_name = concat!(env!("ALLOY_SYMBOLS"), "call_progress")]
    pub fn alloy_call_progress(call: *const RawCall, done: *mut i64, total: *mut i64);
    #[link_name = concat!(env!("ALLOY_SYMBOLS"), "call_free")]
    pub fn alloy_call_free(call: *mut RawCall);
    #[link_name = concat!(env!("ALLOY_SYMBOLS"), "stream_error")]
    pub fn alloy_stream_error(stream: *const ArrowArrayStream, err: *mut RawError)
    -> i32;
}

#[cfg(test)]
mod tests {
    use super::{RawBridgeOptions, RawError, RawHostOptions, RawLine};
    use crate::host::Code;
    use std::fmt::Write as _;
    use std::mem::offset_of;

    #[test]
    fn the_structs_have_the_layout_of_the_header() {
        let mut source = "#include <stddef.h>\n#include \"alloy/alloy.h\"\n".to_owned();
        macro_rules! layout {
            ($($rust:ident as $c:literal { $($field:ident),* })*) => {$(
                let size = size_of::<$rust>();
                let _ = writeln!(source, "_Static_assert(sizeof({}) == {size}, \"\");", $c);
                $(
                    let (field, offset) = (stringify!($field), offset_of!($rust, $field));
                    let _ = writeln!(
                        source,
                        "_Static_assert(offsetof({}, {field}) == {offset}, \"{field}\");",
                        $c
                    );
                )*
            )*};
        }
        layout! {
            RawError as "alloy_error" { code, reason, input, column, side, length, text }
            RawLine as "alloy_log_line" {
                struct_size, level, language, text, length, backend, function, call_context
            }
            RawHostOptions as "alloy_host_options" {
                struct_size, flags, worker, may_need, language, log_mode, log_fd, log,
                log_context, log_line
            }
            RawBridgeOptions as "alloy_bridge_options" {
                struct_size, isolated, check_inputs, check_results, max_workers, retries,
                input_bytes, output_bytes, heap_bytes, grace_ns, name, min_sequence,
                sidecar, sha256, demand, setup_ms
            }
        }
        let (timeout, internal) = (Code::Timeout as i32, Code::Internal as i32);
        let _ = writeln!(
            source,
            "_Static_assert(ALLOY_TIMEOUT == {timeout} && ALLOY_INTERNAL == {internal}, \"\");"
        );
        let file =
            std::env::temp_dir().join(format!("alloy_host_{}.c", std::process::id()));
        std::fs::write(&file, source).expect("a temporary file");
        let compiler = std::env::var("CC").unwrap_or_else(|_| "cc".to_owned());
        let output = std::process::Command::new(compiler)
            .args(["-std=c11", "-fsyntax-only", "-I"])
            .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/../include"))
            .arg(&file)
            .output();
        let _ = std::fs::remove_file(&file);
        let output = output.expect("a C compiler");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}
