// SPDX-License-Identifier: MIT
//! The C structs of `alloy/backend.h` and of the Arrow C data interface, field for field.
//!
//! The headers document each field and its owner. Only authors who implement
//! [`Function`](crate::Function) by hand need this module. `tests/abi.rs` compares it with
//! the headers by means of the C compiler.

use std::ffi::{c_char, c_void};

/// `struct ArrowSchema`.
#[repr(C)]
#[derive(Debug)]
#[allow(missing_docs)]
pub struct ArrowSchema {
    pub format: *const c_char,
    pub name: *const c_char,
    pub metadata: *const c_char,
    pub flags: i64,
    pub n_children: i64,
    pub children: *mut *mut ArrowSchema,
    pub dictionary: *mut ArrowSchema,
    pub release: Option<unsafe extern "C" fn(*mut ArrowSchema)>,
    pub private_data: *mut c_void,
}

/// `struct ArrowArray`.
#[repr(C)]
#[derive(Debug)]
#[allow(missing_docs)]
pub struct ArrowArray {
    pub length: i64,
    pub null_count: i64,
    pub offset: i64,
    pub n_buffers: i64,
    pub n_children: i64,
    pub buffers: *mut *const c_void,
    pub children: *mut *mut ArrowArray,
    pub dictionary: *mut ArrowArray,
    pub release: Option<unsafe extern "C" fn(*mut ArrowArray)>,
    pub private_data: *mut c_void,
}

/// `struct ArrowArrayStream`.
#[repr(C)]
#[derive(Debug)]
#[allow(missing_docs)]
pub struct ArrowArrayStream {
    pub get_schema:
        Option<unsafe extern "C" fn(*mut ArrowArrayStream, *mut ArrowSchema) -> i32>,
    pub get_next:
        Option<unsafe extern "C" fn(*mut ArrowArrayStream, *mut ArrowArray) -> i32>,
    pub get_last_error:
        Option<unsafe extern "C" fn(*mut ArrowArrayStream) -> *const c_char>,
    pub release: Option<unsafe extern "C" fn(*mut ArrowArrayStream)>,
    pub private_data: *mut c_void,
}

/// `ARROW_FLAG_DICTIONARY_ORDERED`.
pub const FLAG_DICTIONARY_ORDERED: i64 = 1;
/// `ARROW_FLAG_NULLABLE`.
pub const FLAG_NULLABLE: i64 = 2;
/// `ARROW_FLAG_MAP_KEYS_SORTED`.
pub const FLAG_MAP_KEYS_SORTED: i64 = 4;

/// `ALLOY_ABI`.
pub const ABI: u32 = 1;

/// `ALLOY_IDEMPOTENT`.
pub const IDEMPOTENT: u32 = 1;
/// `ALLOY_ROWWISE`.
pub const ROWWISE: u32 = 2;
/// `ALLOY_STREAM`.
pub const STREAM: u32 = 4;
/// `ALLOY_TRUSTS_VALUES`.
pub const TRUSTS_VALUES: u32 = 8;

/// `alloy_scope`.
#[repr(C)]
#[derive(Debug)]
#[allow(missing_docs)]
pub struct RawScope {
    pub services: *const Services,
}

/// `alloy_services`.
#[repr(C)]
#[derive(Debug)]
#[allow(missing_docs)]
pub struct Services {
    pub struct_size: u32,
    pub abi: u32,
    pub fail: unsafe extern "C" fn(*mut RawScope, i32, *const c_char, i64) -> i32,
    pub cancelled: unsafe extern "C" fn(*mut RawScope) -> i32,
    pub progress: unsafe extern "C" fn(*mut RawScope, i64, i64),
    pub resize: unsafe extern "C" fn(*mut c_void, i64, i64) -> *mut c_void,
    pub log: unsafe extern "C" fn(*mut RawScope, i32, *const c_char, i64),
    pub logging: unsafe extern "C" fn(*mut RawScope, i32) -> i32,
    pub describe: unsafe extern "C" fn(
        *const ArrowSchema,
        *const ArrowArray,
        *mut c_char,
        i64,
    ) -> i64,
}

/// `alloy_option`.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
#[allow(missing_docs)]
pub struct RawOption {
    pub name: *const c_char,
    pub summary: *const c_char,
    pub fallback: *const c_char,
}

/// `alloy_column`.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
#[allow(missing_docs)]
pub struct RawColumn {
    pub name: *const c_char,
    pub summary: *const c_char,
    pub accepts: *const c_char,
}

/// `alloy_function`.
#[repr(C)]
#[derive(Debug)]
#[allow(missing_docs)]
pub struct RawFunction {
    pub struct_size: u32,
    pub flags: u32,
    pub name: *const c_char,
    pub summary: *const c_char,
    pub options: *const RawOption,
    pub self_: *mut c_void,
    pub min_inputs: i32,
    pub max_inputs: i32,
    pub columns: *const *const RawColumn,
    pub bind: Option<BindEntry>,
    pub run: Option<RunEntry>,
    pub open: Option<OpenEntry>,
    pub unbind: Option<unsafe extern "C" fn(*mut c_void)>,
}

/// The entry `bind` of a function.
pub type BindEntry = unsafe extern "C" fn(
    *mut c_void,
    *mut RawScope,
    *const ArrowSchema,
    i32,
    *const *const c_char,
    *mut ArrowSchema,
    *mut *mut c_void,
) -> i32;

/// The entry `run` of a map function.
pub type RunEntry = unsafe extern "C" fn(
    *mut c_void,
    *mut RawScope,
    *mut ArrowArray,
    i32,
    *mut ArrowArray,
) -> i32;

/// The entry `open` of a stream function.
pub type OpenEntry = unsafe extern "C" fn(
    *mut c_void,
    *mut RawScope,
    *mut ArrowArrayStream,
    i32,
    *mut ArrowArrayStream,
) -> i32;

/// `alloy_backend`.
#[repr(C)]
#[derive(Debug)]
#[allow(missing_docs)]
pub struct RawBackend {
    pub struct_size: u32,
    pub abi: u32,
    pub name: *const c_char,
    pub version: *const c_char,
    pub language: *const c_char,
    pub functions: *const *const RawFunction,
}

/// A constant table whose pointers point only to constants.
#[repr(transparent)]
#[derive(Debug)]
pub struct Constant<T>(T);

// SAFETY: the caller of `new` promised that all threads may read it at once.
unsafe impl<T> Sync for Constant<T> {}

impl<T> Constant<T> {
    /// Let all threads share a table.
    ///
    /// # Safety
    ///
    /// The table, and everything that its pointers point to, must never be written.
    #[must_use]
    pub const unsafe fn new(table: T) -> Self {
        Self(table)
    }

    /// The table.
    #[must_use]
    pub const fn get(&self) -> &T {
        &self.0
    }
}

/// `text` as a C string, for a constant table.
///
/// # Panics
///
/// At compile time, if `text` does not end with a NUL or contains another one.
#[must_use]
pub const fn c_text(text: &'static str) -> *const c_char {
    match std::ffi::CStr::from_bytes_with_nul(text.as_bytes()) {
        Ok(text) => text.as_ptr(),
        Err(_) => panic!("a name or a summary contains a NUL, or does not end with one"),
    }
}

/// The name of an identifier as a C string: without the `r#` of a raw one.
///
/// # Panics
///
/// As [`c_text`].
#[must_use]
pub const fn c_name(text: &'static str) -> *const c_char {
    c_text(crate::typed::name(text))
}
