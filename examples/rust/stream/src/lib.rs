// SPDX-License-Identifier: MIT
//! A backend with one stream function: batches in, batches out. It keeps a total in between.

use arrowalloy::View;

arrowalloy::function! {
    /// The running total of x; null where x is null.
    stream fn running_total(points: Points { x: View<f64> }) -> total: f64 {
        let mut total = 0.0;
        points.map(move |points| {
            let points = points?; // the host gets an error of the input unchanged
            let x = points.views()?;
            Ok(x.iter().map(|x| { total += x?; Some(total) }).collect())
        })
    }
}

arrowalloy::backend! { name: "example.total", functions: [running_total] }
