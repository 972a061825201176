// SPDX-License-Identifier: MIT
//! Stream functions on arrow2.

use arrow2::array::Int64Array;
use arrow2::datatypes::{DataType, Field, Schema};
use arrowalloy::Error;

use crate::alloy_arrow2::{Batch, Bind, BoundStream};

#[cfg(test)]
mod tests;

arrowalloy::backend! {
    name: "test.arrow2_streams",
    arrow2: arrow2,
    functions: [relay, lengths],
}

arrowalloy::function! {
    /// Returns the batches, one input after another.
    arrow2 stream fn relay(inputs: 1..) = bind_relay
}

arrowalloy::function! {
    /// The number of rows of each batch.
    arrow2 stream fn lengths(rows: [x: "i"]) = bind_lengths
}

fn bind_relay(bind: &Bind<'_>) -> Result<BoundStream, Error> {
    Ok(BoundStream::new(bind.schemas()[0].clone(), |scope, inputs| {
        let inputs: Vec<_> = inputs.collect();
        let batches = inputs.into_iter().flatten();
        Ok(Box::new(batches.map(move |batch| scope.check().and(batch))))
    }))
}

fn bind_lengths(_: &Bind<'_>) -> Result<BoundStream, Error> {
    let schema = Schema::from(vec![Field::new("length", DataType::Int64, false)]);
    Ok(BoundStream::new(schema, |_, inputs| {
        let input = inputs.take()?;
        Ok(Box::new(input.map(|batch| {
            let length = batch?.columns[0].len() as i64;
            Ok(Batch { columns: vec![Int64Array::from_slice([length]).boxed()], rows: 1 })
        })))
    }))
}
