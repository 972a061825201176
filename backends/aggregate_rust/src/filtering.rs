// SPDX-License-Identifier: MIT
//! `filter`: the value becomes a scalar of the column's type at bind. So a batch costs one
//! comparison and one selection.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::Decimal128Type;
use arrow_array::{Array, ArrayRef, BooleanArray, Datum, Scalar};
use arrow_cast::can_cast_types;
use arrow_ord::cmp;
use arrow_schema::{ArrowError, DataType};
use arrow_select::filter::filter_record_batch;
use arrowalloy::Error;

use crate::alloy_arrow::{Bind, Bound};
use crate::keys::{comparable, one_zero, value_type};
use crate::names::index_of;
use crate::scaling::{decimal_places, parse};

type Compare = fn(&dyn Datum, &dyn Datum) -> Result<BooleanArray, ArrowError>;

enum Predicate {
    Compare(Compare, Scalar<ArrayRef>),
    IsNull(bool),
}

pub fn bind_filter(bind: &Bind<'_>) -> Result<Bound, Error> {
    let schema = bind.schema();
    let name = bind.options().get("column")?;
    let index = index_of("column", &schema, name)?;
    let data_type = value_type(schema.field(index).data_type());
    let value = bind.options().get("value")?;
    let compare = |with| Ok(Predicate::Compare(with, scalar(name, value, data_type)?));
    let predicate = match bind.options().get("op")?.trim() {
        "=" | "==" => compare(cmp::eq),
        "!=" | "<>" => compare(cmp::neq),
        "<" => compare(cmp::lt),
        "<=" => compare(cmp::lt_eq),
        ">" => compare(cmp::gt),
        ">=" => compare(cmp::gt_eq),
        "is null" => Ok(Predicate::IsNull(true)),
        "is not null" => Ok(Predicate::IsNull(false)),
        op => Err(Error::invalid(format!(
            "option op: unknown operator {op:?}; use =, !=, <, <=, >, >=, is null or is not \
             null"
        ))),
    }?;
    Ok(Bound::new(schema, move |_, batches| {
        let batch = batches.take()?;
        let column = comparable(&batch, index)?;
        let is_wanted = match &predicate {
            Predicate::Compare(compare, value) => compare(&column, value)?,
            Predicate::IsNull(wanted) => {
                // The values of a dictionary may be null as well, which the kernel is_null
                // does not see.
                let nulls = column.logical_nulls();
                let is_null =
                    |row| nulls.as_ref().is_some_and(|nulls| nulls.is_null(row));
                (0..column.len()).map(|row| Some(is_null(row) == *wanted)).collect()
            }
        };
        Ok(filter_record_batch(&batch, &is_wanted)?)
    }))
}

fn scalar(
    column: &str,
    value: &str,
    data_type: &DataType,
) -> Result<Scalar<ArrayRef>, Error> {
    if !can_cast_types(&DataType::Utf8, data_type) || data_type.is_nested() {
        return Err(Error::invalid(format!(
            "option column: column {column} is {data_type}, which does not compare with a \
             text; filter it by: is null, is not null"
        )));
    }
    let parsed = match data_type {
        DataType::Decimal128(_, scale) => {
            let value = value.trim();
            let digits =
                if value.contains('.') { value.trim_end_matches('0') } else { value };
            let fits = decimal_places(digits).is_some_and(|places| places <= *scale);
            let parsed = fits.then(|| parse(value, &DataType::Decimal128(38, *scale)));
            // It may have more digits than the column, but the types must be the same.
            parsed.flatten().map(|parsed| -> ArrayRef {
                let parsed = parsed.as_primitive::<Decimal128Type>().clone();
                Arc::new(parsed.with_data_type(data_type.clone()))
            })
        }
        _ => parse(value, data_type),
    };
    parsed.map(|value| Scalar::new(one_zero(&value))).ok_or_else(|| {
        Error::invalid(format!(
            "option value: cannot read {value:?} as {data_type}, the type of column {column}"
        ))
    })
}
