// SPDX-License-Identifier: MIT
//! The functions of the crate `umbrella_rust`, on the parts of arrow-rs.

#[cfg(test)]
#[path = "../../rust_umbrella/src/tests.rs"]
mod tests;

#[path = "../../rust_umbrella/src/functions.rs"]
mod functions;

// For the test: the parts under the names that they have in the crate `arrow`.
#[cfg(test)]
mod arrow {
    pub use arrow_array as array;
    pub use arrow_array::ffi;
    pub use arrow_schema as datatypes;
}

mod parts {
    pub use arrow_array as array;
    pub use arrow_buffer as buffer;
    pub use arrow_data as data;
    pub use arrow_schema as schema;
}

arrowalloy::backend! {
    name: "test.parts",
    arrow: crate::parts,
    functions: [functions::back, functions::back_stream],
}
