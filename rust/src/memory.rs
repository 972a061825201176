// SPDX-License-Identifier: MIT
//! Memory of columns that grow: without memory a call fails, and the process goes on.
//!
//! `Column::push` returns nothing, so that it stays cheap. If an allocation fails, it
//! unwinds to the edge, which reports `Code::Exhausted`. What an author's own code
//! allocates is not checked: there Rust aborts the process, as everywhere.

use std::panic::resume_unwind;

/// The payload of that unwinding.
pub(crate) struct Exhausted;

#[cold]
pub(crate) fn exhausted() -> ! {
    // Not panic!: nothing went wrong in the code, so the hook has nothing to report.
    resume_unwind(Box::new(Exhausted))
}

/// Make room for `more` values.
#[inline]
pub(crate) fn reserve<T>(values: &mut Vec<T>, more: usize) {
    if values.capacity() - values.len() < more && values.try_reserve(more).is_err() {
        exhausted();
    }
}

#[inline]
pub(crate) fn push<T>(values: &mut Vec<T>, value: T) {
    let len = values.len();
    if len == values.capacity() {
        reserve(values, 1);
    }
    // SAFETY: there is room for one more value. Vec::push would test that a second time.
    unsafe {
        values.as_mut_ptr().add(len).write(value);
        values.set_len(len + 1);
    }
}

#[inline]
pub(crate) fn extend(bytes: &mut Vec<u8>, more: &[u8]) {
    reserve(bytes, more.len());
    bytes.extend_from_slice(more);
}
