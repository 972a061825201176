// SPDX-License-Identifier: MIT
//! Functions that return their batches.

use arrowalloy::Error;

use crate::alloy_arrow::{Bind, Bound, BoundStream};

arrowalloy::function! {
    /// Returns its batch.
    arrow fn back(inputs: 1) = bind_back
}

arrowalloy::function! {
    /// Returns its batches.
    arrow stream fn back_stream(inputs: 1) = bind_back_stream
}

fn bind_back(bind: &Bind<'_>) -> Result<Bound, Error> {
    Ok(Bound::new(bind.schema(), |_, batches| batches.take()))
}

fn bind_back_stream(bind: &Bind<'_>) -> Result<BoundStream, Error> {
    Ok(BoundStream::new(bind.schema(), |_, inputs| Ok(Box::new(inputs.take()?))))
}
