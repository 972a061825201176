// SPDX-License-Identifier: MIT
//! `filter`: the value becomes a scalar of the column's type at bind. So a batch costs one
//! comparison and one selection.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::Decimal128Type;
use arrow_array::{Array, ArrayRef, BooleanArray, Datum, Scalar};
use arrow_buffer::BooleanBuffer;
use arrow_cast::can_cast_types;
use arrow_ord::cmp;
use arrow_schema::{ArrowError, DataType};
use arrow_select::filter::filter_record_batch;
use arrowalloy::Error;

use crate::alloy_arrow::{Bind, Bound};
use crate::keys::{comparable, one_zero, value_type};
use crate::names::{index_of, wrong};
use crate::scaling::{decimal_places, parse};

type Compare = fn(&dyn Datum, &dyn Datum) -> Result<BooleanArray, ArrowError>;

pub fn bind_filter(bind: &Bind<'_>) -> Result<Bound, Error> {
    let schema = bind.schema();
    let name = bind.options().get("column")?;
    let index = index_of("column", &schema, name)?;
    let data_type = value_type(schema.field(index).data_type());
    let value = bind.options().get("value")?;
    let op = bind.options().get("op")?.trim();
    let compare: Option<Compare> = match op {
        "=" | "==" => Some(cmp::eq),
        "!=" | "<>" => Some(cmp::neq),
        "<" => Some(cmp::lt),
        "<=" => Some(cmp::lt_eq),
        ">" => Some(cmp::gt),
        ">=" => Some(cmp::gt_eq),
        "is null" | "is not null" => None,
        _ => {
            let ops = "=, !=, <, <=, >, >=, is null or is not null";
            return Err(wrong("op", format!("unknown operator {op:?}; use {ops}")));
        }
    };
    let is_null = op == "is null";
    let value = compare.map(|_| scalar(name, value, data_type)).transpose()?;
    Ok(Bound::new(schema, move |_, batches| {
        let batch = batches.take()?;
        let column = comparable(&batch, index)?;
        let is_wanted = if let (Some(compare), Some(value)) = (compare, &value) {
            compare(&column, value)?
        } else {
            // The values of a dictionary may be null as well, which the kernel is_null
            // does not see.
            let nulls = column.logical_nulls().map(|nulls| nulls.into_inner());
            let valid = nulls.unwrap_or_else(|| BooleanBuffer::new_set(column.len()));
            BooleanArray::from(if is_null { !&valid } else { valid })
        };
        Ok(filter_record_batch(&batch, &is_wanted)?)
    }))
}

fn scalar(column: &str, value: &str, of: &DataType) -> Result<Scalar<ArrayRef>, Error> {
    if !can_cast_types(&DataType::Utf8, of) || of.is_nested() {
        let what =
            "which does not compare with a text; filter it by: is null, is not null";
        return Err(wrong("column", format!("column {column} is {of}, {what}")));
    }
    let parsed = match of {
        DataType::Decimal128(_, scale) => {
            let value = value.trim();
            let digits =
                if value.contains('.') { value.trim_end_matches('0') } else { value };
            let fits = decimal_places(digits).is_some_and(|places| places <= *scale);
            let parsed = fits.then(|| parse(value, &DataType::Decimal128(38, *scale)));
            // It may have more digits than the column, but the types must be the same.
            parsed.flatten().map(|parsed| -> ArrayRef {
                let parsed = parsed.as_primitive::<Decimal128Type>().clone();
                Arc::new(parsed.with_data_type(of.clone()))
            })
        }
        _ => parse(value, of),
    };
    parsed.map(|value| Scalar::new(one_zero(&value))).ok_or_else(|| {
        let what = format!("cannot read {value:?} as {of}, the type of column {column}");
        wrong("value", what)
    })
}
