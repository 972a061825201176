// SPDX-License-Identifier: MIT
//! `select l_returnflag, l_linestatus, sum(l_quantity) as sum_qty, sum(l_extendedprice) as
//! sum_base_price, sum(l_extendedprice * (1 - l_discount)) as sum_disc_price,
//! sum(l_extendedprice * (1 - l_discount) * (1 + l_tax)) as sum_charge, avg(l_quantity) as
//! avg_qty, avg(l_extendedprice) as avg_price, avg(l_discount) as avg_disc, count(*) as
//! count_order from lineitem where l_shipdate <= date '1998-12-01' - interval '90' day group
//! by l_returnflag, l_linestatus order by l_returnflag, l_linestatus`

mod groups;

use std::iter;
use std::sync::Arc;

use arrow_array::{
    ArrayRef, Decimal128Array, Float64Array, Int64Array, RecordBatch, StringArray,
};
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use arrowalloy::Error;

use self::groups::{Groups, Key, Sums};
use crate::alloy_arrow::{Bind, BoundStream};
use crate::average::{average, average_of_sum};
use crate::lineitem::{Dates, Decimals, Flags};

pub fn bind_q1(_: &Bind<'_>) -> Result<BoundStream, Error> {
    let schema = schema();
    Ok(BoundStream::new(schema.clone(), move |scope, inputs| {
        let (input, schema) = (inputs.take()?, schema.clone());
        Ok(Box::new(iter::once_with(move || {
            let mut groups = Groups::new();
            for batch in input {
                scope.check()?;
                groups.add(&Rows::of(&batch?))?;
            }
            report(groups, schema)
        })))
    }))
}

fn schema() -> SchemaRef {
    let decimal = |scale| DataType::Decimal128(38, scale);
    let field = |name, data_type| Field::new(name, data_type, true);
    Arc::new(Schema::new(vec![
        field("l_returnflag", DataType::Utf8),
        field("l_linestatus", DataType::Utf8),
        field("sum_qty", decimal(2)),
        field("sum_base_price", decimal(2)),
        field("sum_disc_price", decimal(4)),
        field("sum_charge", decimal(6)),
        field("avg_qty", DataType::Float64),
        field("avg_price", DataType::Float64),
        field("avg_disc", DataType::Float64),
        Field::new("count_order", DataType::Int64, false),
    ]))
}

/// The columns of a batch, in the order in which the function declares them.
pub struct Rows<'a> {
    quantity: Decimals<'a>,
    price: Decimals<'a>,
    discount: Decimals<'a>,
    tax: Decimals<'a>,
    return_flag: Flags<'a>,
    line_status: Flags<'a>,
    day: Dates<'a>,
    count: usize,
}

impl<'a> Rows<'a> {
    fn of(batch: &'a RecordBatch) -> Self {
        Self {
            quantity: Decimals::of(batch.column(0)),
            price: Decimals::of(batch.column(1)),
            discount: Decimals::of(batch.column(2)),
            tax: Decimals::of(batch.column(3)),
            return_flag: Flags::of(batch.column(4)),
            line_status: Flags::of(batch.column(5)),
            day: Dates::of(batch.column(6)),
            count: batch.num_rows(),
        }
    }

    fn has_nulls(&self) -> bool {
        let decimals = [&self.quantity, &self.price, &self.discount, &self.tax];
        decimals.iter().any(|column| column.has_nulls())
            || self.return_flag.has_nulls()
            || self.line_status.has_nulls()
            || self.day.has_nulls()
    }
}

fn report(groups: Groups, schema: SchemaRef) -> Result<RecordBatch, Error> {
    let groups = groups.in_order();
    let flags = |of: fn(&Key) -> &Option<String>| -> ArrayRef {
        let flags = groups.iter().map(|(key, _)| of(key).as_deref());
        Arc::new(flags.collect::<StringArray>())
    };
    let sums = |name: &str, scale: i8, of: fn(&Sums) -> (i128, u64)| {
        let sums = groups.iter().map(|(_, sums)| of(sums));
        let sums = sums.map(|(sum, count)| (count > 0).then_some(sum));
        let sums: Vec<Option<i128>> = sums.collect();
        if sums.iter().flatten().any(|sum| sum.unsigned_abs() >= 10u128.pow(38)) {
            return Err(overflow(name));
        }
        let column = Decimal128Array::from(sums);
        Ok(Arc::new(column.with_data_type(DataType::Decimal128(38, scale))) as ArrayRef)
    };
    type Average = fn(i128, u64) -> Option<f64>;
    let averages = |average: Average, of: fn(&Sums) -> (i128, u64)| -> ArrayRef {
        let sums = groups.iter().map(|(_, sums)| of(sums));
        Arc::new(sums.map(|(sum, count)| average(sum, count)).collect::<Float64Array>())
    };
    let columns = vec![
        flags(|(flag, _)| flag),
        flags(|(_, status)| status),
        sums("sum_qty", 2, Sums::quantity)?,
        sums("sum_base_price", 2, Sums::price)?,
        sums("sum_disc_price", 4, Sums::discounted)?,
        sums("sum_charge", 6, Sums::charge)?,
        averages(average_of_sum, Sums::quantity),
        averages(average_of_sum, Sums::price),
        averages(average, Sums::discount),
        Arc::new(Int64Array::from_iter_values(
            groups.iter().map(|(_, sums)| sums.rows as i64),
        )),
    ];
    Ok(RecordBatch::try_new(schema, columns)?)
}

#[cold]
pub fn overflow(name: &str) -> Error {
    Error::failed(format!("{name} overflows a decimal of 38 digits"))
}
