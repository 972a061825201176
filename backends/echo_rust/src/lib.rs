// SPDX-License-Identifier: MIT
//! The echo in Rust, on arrow-rs: logs its inputs, then counts them or returns them.

use std::sync::Arc;

use arrow::array::{Int64Array, RecordBatch};
use arrow::schema::{DataType, Field, Schema};
use arrowalloy::{Error, Level, Scope};

use crate::alloy_arrow::{Batches, Bind, Bound, describe_array, describe_batch};

#[cfg(test)]
mod tests;

mod arrow {
    pub use arrow_array as array;
    pub use arrow_buffer as buffer;
    pub use arrow_data as data;
    pub use arrow_schema as schema;
}

arrowalloy::backend! {
    name: "alloy.echo",
    arrow: crate::arrow,
    functions: [from_chunks, echo],
}

arrowalloy::function! {
    /// Counts its inputs, each an array in its own batch.
    arrow fn from_chunks(inputs: any) = bind_from_chunks
}

arrowalloy::function! {
    /// Returns its batch.
    #[flags(idempotent, rowwise)]
    arrow fn echo(inputs: 1) = bind_echo
}

const HELLO: &str = "Hello! Reading the ffi pointers now.";

fn bind_echo(bind: &Bind<'_>) -> Result<Bound, Error> {
    Ok(Bound::new(bind.schema(), |scope, batches| {
        let batch = batches.take()?;
        if scope.logging(Level::Info) {
            scope.log(HELLO);
            scope.log(&format!("array1: {}", describe_batch(scope, &batch)?));
        }
        Ok(batch)
    }))
}

fn bind_from_chunks(_: &Bind<'_>) -> Result<Bound, Error> {
    let schema = Arc::new(Schema::new(vec![Field::new("count", DataType::Int64, false)]));
    Ok(Bound::new(schema.clone(), move |scope, batches| {
        let count = batches.len();
        if scope.logging(Level::Info) {
            log_chunks(scope, batches)?;
        }
        let column = Arc::new(Int64Array::from(vec![count as i64]));
        Ok(RecordBatch::try_new(schema.clone(), vec![column])?)
    }))
}

fn log_chunks(scope: Scope<'_>, batches: &mut Batches<'_>) -> Result<(), Error> {
    scope.log(HELLO);
    for (index, batch) in batches.enumerate() {
        let batch = batch?;
        let text = describe_array(scope, batch.schema_ref().field(0), batch.column(0))?;
        scope.log(&format!("array{}: {text}", index + 1));
    }
    Ok(())
}
