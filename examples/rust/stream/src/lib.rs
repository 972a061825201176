// SPDX-License-Identifier: MIT
//! A first stream function: batches in, batches out, and what it remembers in between.
use arrowalloy::View;

arrowalloy::function! {
    /// The running total of x, null where x is null.
    stream fn running_total(points: Points { x: View<f64> }) -> total: f64 {
        let mut total = 0.0;
        points.map(move |points| {
            Ok(points?.views()?.iter().map(|x| { total += x?; Some(total) }).collect())
        })
    }
}

arrowalloy::backend! { name: "example.total", functions: [running_total] }
