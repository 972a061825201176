// SPDX-License-Identifier: MIT
//! TPC-H Q1 and Q6 over a stream of lineitem, with the types and the digits of DuckDB.
//!
//! Each function declares the columns that it reads, so that hosts read only these from a
//! file.

mod decimals;
mod pricing;
mod query;
mod revenue;
#[cfg(test)]
mod tests;

use crate::pricing::Pricing;
use crate::query::bind;
use crate::revenue::Revenue;

mod arrow {
    pub use arrow_array as array;
    pub use arrow_buffer as buffer;
    pub use arrow_data as data;
    pub use arrow_schema as schema;
}

arrowalloy::backend! {
    name: "alloy.tpch",
    arrow: crate::arrow,
    functions: [q1, q6],
}

arrowalloy::function! {
    /// The pricing summary report: sums and averages by return flag and line status.
    #[flags(idempotent)]
    arrow stream fn q1(lineitem: [
        l_quantity: "d:15,2", l_extendedprice: "d:15,2",
        l_discount: "d:15,2", l_tax: "d:15,2",
        l_returnflag: "u U vu", l_linestatus: "u U vu",
        l_shipdate: "tdD",
    ]) = bind::<Pricing>
}

arrowalloy::function! {
    /// The forecast of revenue change: what the discounts of a year cost.
    #[flags(idempotent)]
    arrow stream fn q6(lineitem: [
        l_quantity: "d:15,2", l_extendedprice: "d:15,2",
        l_discount: "d:15,2", l_shipdate: "tdD",
    ]) = bind::<Revenue>
}
