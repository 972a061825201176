// SPDX-License-Identifier: MIT
//! A first function: no Arrow crate, no unsafe, nulls where a coordinate is null.

use arrowalloy::View;

arrowalloy::function! {
    /// How far each point is from the origin.
    #[flags(rowwise)]
    fn distance(x: View<f64>, y: View<f64>) -> distance: f64 {
        x.iter().zip(y.iter()).map(|(x, y)| Some(x?.hypot(y?))).collect()
    }
}

arrowalloy::backend! { name: "example.distance", functions: [distance] }
