// SPDX-License-Identifier: MIT
//! The echo in Rust, on arrow2: says what it got, counts it or gives it back.

use arrow2::array::Int64Array;
use arrow2::datatypes::{DataType, Field, Schema};
use arrowalloy::{Error, Level, Scope};

use crate::alloy_arrow2::{Batch, Batches, Bind, Bound, describe_array, describe_batch};

#[cfg(test)]
mod misaligned;
#[cfg(test)]
mod settled;
#[cfg(test)]
#[path = "../../echo_rust/src/tests.rs"]
mod tests;

arrowalloy::backend! {
    name: "alloy.echo",
    arrow2: arrow2,
    functions: [from_chunks, echo],
}

arrowalloy::function! {
    /// Counts the arrays it gets, each in a batch of its own.
    arrow2 fn from_chunks(inputs: any) = bind_from_chunks
}

arrowalloy::function! {
    /// Gives its batch back.
    #[flags(idempotent, rowwise)]
    arrow2 fn echo(inputs: 1) = bind_echo
}

const HELLO: &str = "Hello! Reading the ffi pointers now.";

fn bind_echo(bind: &Bind<'_>) -> Result<Bound, Error> {
    Ok(Bound::new(bind.schema(), |scope, batches| {
        let batch = batches.take()?;
        if scope.logging(Level::Info) {
            let text = describe_batch(scope, &batches.schemas()[0], &batch)?;
            scope.log(HELLO);
            scope.log(&format!("array1: {text}"));
        }
        Ok(batch)
    }))
}

fn bind_from_chunks(_: &Bind<'_>) -> Result<Bound, Error> {
    let schema = Schema::from(vec![Field::new("count", DataType::Int64, false)]);
    Ok(Bound::new(schema, |scope, batches| {
        let count = batches.len();
        if scope.logging(Level::Info) {
            log_chunks(scope, batches)?;
        }
        let column = Int64Array::from_slice([count as i64]).boxed();
        Ok(Batch { columns: vec![column], rows: 1 })
    }))
}

fn log_chunks(scope: Scope<'_>, batches: &mut Batches<'_>) -> Result<(), Error> {
    scope.log(HELLO);
    let schemas = batches.schemas();
    for (index, (batch, schema)) in batches.zip(schemas).enumerate() {
        let column = &batch?.columns[0];
        let text = describe_array(scope, &schema.fields[0], column.as_ref())?;
        scope.log(&format!("array{}: {text}", index + 1));
    }
    Ok(())
}
