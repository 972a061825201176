// SPDX-License-Identifier: MIT
//! Gives batches of every type back, imported into arrow-rs and exported again.

use arrowalloy::Error;

use crate::alloy_arrow::{Bind, Bound};

#[cfg(test)]
mod tests;

mod arrow {
    pub use arrow_array as array;
    pub use arrow_buffer as buffer;
    pub use arrow_data as data;
    pub use arrow_schema as schema;
}

arrowalloy::backend! {
    name: "test.identity",
    arrow: crate::arrow,
    functions: [identity],
}

arrowalloy::function! {
    /// Gives its batch back.
    arrow fn identity(inputs: 1) = bind_identity
}

fn bind_identity(bind: &Bind<'_>) -> Result<Bound, Error> {
    Ok(Bound::new(bind.schema(), |_, batches| batches.take()))
}
