// SPDX-License-Identifier: MIT
//! A backend with one stream function: batches in, batches out. It keeps a total in between.

use arrowalloy::View;

arrowalloy::function! {
    /// The total of price times count so far; null where one of them is null.
    #[option(start = "0", "The total before the first row.")]
    stream fn running_total(
        scope, options; sales: Sales { price: View<f64>, count: View<i64> }
    ) -> total: f64 {
        let mut total: f64 = options.parse("start")?;
        sales.map(move |sales| {
            scope.check()?; // ends a call that was cancelled
            let sales = sales?; // the host gets an error of the input unchanged
            let columns = sales.views()?; // a struct with the declared names
            let rows = columns.price.iter().zip(columns.count.iter());
            Ok(rows.map(|(price, count)| {
                total += price? * count? as f64;
                Some(total)
            }).collect())
        })
    }
}

arrowalloy::backend! { name: "example.total", functions: [running_total] }
