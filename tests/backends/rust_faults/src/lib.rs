// SPDX-License-Identifier: MIT
//! A backend that misbehaves, with one function for each fault, or does something rare but
//! allowed.
//!
//! Every function takes one batch or one stream, and declares one int64 output column,
//! `value`.

mod crash;
mod lies;
mod outcomes;
mod streams;
#[cfg(test)]
mod tests;

use std::ffi::c_char;

use arrowalloy::abi::c_text;
use arrowalloy::{ColumnSchema, Error, OwnedSchema, Spec};

arrowalloy::backend! {
    name: "test.faults",
    functions: [
        crash::crash,
        outcomes::error,
        outcomes::retry,
        outcomes::refuse,
        outcomes::panic_in_run,
        outcomes::use_up_heap,
        outcomes::panic_of_another_thread,
        outcomes::panic_after_a_caught_one,
        outcomes::panic_after_a_caught_run,
        outcomes::panic_around_another,
        outcomes::panic_in_bind,
        outcomes::panic_with_payload,
        outcomes::panic_in_unbind,
        outcomes::slow,
        outcomes::keep,
        outcomes::delay,
        outcomes::release_input,
        outcomes::release_on_thread,
        outcomes::empty,
        outcomes::no_columns,
        lies::released_output,
        lies::released_column,
        lies::double_release,
        lies::too_few_children,
        lies::too_many_children,
        lies::null_children,
        lies::null_child,
        lies::too_few_buffers,
        lies::too_many_buffers,
        lies::null_buffers,
        lies::null_values,
        lies::negative_length,
        lies::negative_offset,
        lies::huge_length,
        lies::short_column,
        lies::null_count_too_high,
        lies::nulls_without_bitmap,
        lies::batch_nulls,
        lies::format_null,
        lies::no_struct,
        lies::hand_over,
        streams::panic_in_open,
        streams::panic_in_next,
        streams::hide_error,
        streams::never_ending,
    ],
}

const fn spec(name: *const c_char, summary: &'static str) -> Spec {
    Spec {
        name,
        summary: c_text(summary),
        flags: 0,
        options: std::ptr::null(),
        min_inputs: 1,
        max_inputs: 1,
        columns: std::ptr::null(),
    }
}

fn value_schema() -> Result<OwnedSchema, Error> {
    OwnedSchema::batch(&[ColumnSchema { name: "value", format: c"l", nullable: true }])
}
