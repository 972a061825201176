// SPDX-License-Identifier: MIT
//! Opens a backend, and calls its function `distance` on a batch of arrow-rs.

use arrow::array::{ArrayRef, Float64Array, RecordBatch};
use arrowalloy::host::{BridgeOptions, Host, HostOptions};

arrowalloy::arrow_glue!(arrow);

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let library = std::env::args().nth(1).ok_or("pass the path of a library")?;
    let host = Host::new(HostOptions { allow_unsigned: true, ..Default::default() })?;
    let bridge = host.open(library, None, &BridgeOptions::default())?;
    let column = |v: Vec<f64>| std::sync::Arc::new(Float64Array::from(v)) as ArrayRef;
    let batch = [("x", column(vec![3.0, 5.0])), ("y", column(vec![4.0, 12.0]))];
    let batch = RecordBatch::try_from_iter(batch)?;
    let inputs = vec![(batch.schema(), batch)];
    let output = alloy_arrow::host::call(&bridge, "distance", &[], inputs)?;
    println!("{:?}", output.column(0));
    Ok(())
}
