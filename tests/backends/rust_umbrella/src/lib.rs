// SPDX-License-Identifier: MIT
//! Functions on the crate `arrow` itself. The oldest version that works compiles this file
//! as well.

#[cfg(test)]
mod tests;

mod functions;

// For the test, which has parts of arrow-rs here in another crate.
#[cfg(test)]
use ::arrow;

arrowalloy::backend! {
    name: "test.umbrella",
    arrow: ::arrow,
    functions: [functions::back, functions::back_stream],
}
