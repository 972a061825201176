// SPDX-License-Identifier: MIT
//! A backend with one function. It needs no Arrow crate and no unsafe code.

use arrowalloy::View;

arrowalloy::function! {
    /// The distance of each point from the origin; null if a coordinate is null.
    #[flags(rowwise)]
    fn distance(x: View<f64>, y: View<f64>) -> distance: f64 {
        x.iter().zip(y.iter()).map(|(x, y)| Some(x?.hypot(y?))).collect()
    }
}

arrowalloy::backend! { name: "example.distance", functions: [distance] }
