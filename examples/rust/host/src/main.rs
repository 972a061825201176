// SPDX-License-Identifier: MIT
//! Opens a backend, and calls its function `distance` on a batch of arrow-rs.

use arrow::array::{RecordBatch, record_batch};
use arrowalloy::host::{BridgeOptions, Host, HostOptions};

arrowalloy::arrow_glue!(arrow);
use alloy_arrow::host::call;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let library = std::env::args().nth(1).ok_or("pass the path of a library")?;
    let host = Host::new(HostOptions { allow_unsigned: true, ..Default::default() })?;
    let bridge = host.open(library, None, &BridgeOptions::default())?;
    let batch = record_batch!(("x", Float64, [3.0, 5.0]), ("y", Float64, [4.0, 12.0]))?;
    let output: RecordBatch =
        call(&bridge, "distance", &[], vec![(batch.schema(), batch)])?;
    println!("{:?}", output.column(0));
    Ok(())
}
