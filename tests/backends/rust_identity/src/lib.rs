// SPDX-License-Identifier: MIT
//! Returns batches of every type, imported into arrow-rs and exported again.

use arrowalloy::Error;

use crate::alloy_arrow::{Bind, Bound, BoundStream};

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
    functions: [identity, identity_stream, picked],
}

arrowalloy::function! {
    /// Returns its batch.
    arrow fn identity(inputs: 1) = bind_identity
}

arrowalloy::function! {
    /// Returns its batches, one input after another.
    arrow stream fn identity_stream(inputs: 1..) = bind_stream
}

arrowalloy::function! {
    /// Returns the declared columns of its batches.
    arrow stream fn picked(rows: [b, a: "l u"]) = bind_stream
}

fn bind_stream(bind: &Bind<'_>) -> Result<BoundStream, Error> {
    Ok(BoundStream::new(bind.schemas()[0].clone(), |scope, inputs| {
        let inputs: Vec<_> = inputs.collect();
        let batches = inputs.into_iter().flatten();
        Ok(Box::new(batches.map(move |batch| scope.check().and(batch))))
    }))
}

fn bind_identity(bind: &Bind<'_>) -> Result<Bound, Error> {
    Ok(Bound::new(bind.schema(), |_, batches| batches.take()))
}
