// SPDX-License-Identifier: MIT
//! `filter`: the value becomes a scalar of the column's type at bind, so that a batch
//! costs one comparison and one selection.

use std::sync::Arc;

use arrow_array::types::Decimal128Type;
use arrow_array::{
    Array, ArrayRef, BooleanArray, Datum, PrimitiveArray, Scalar, StringArray,
};
use arrow_cast::{CastOptions, can_cast_types, cast_with_options};
use arrow_ord::cmp;
use arrow_schema::{ArrowError, DataType};
use arrow_select::filter::filter_record_batch;
use arrowalloy::Error;

use crate::alloy_arrow::{Bind, Bound};
use crate::keys::{one_zero, value_type};
use crate::names::index_of;
use crate::scaling::parse_decimal;

type Compare = fn(&dyn Datum, &dyn Datum) -> Result<BooleanArray, ArrowError>;

enum Predicate {
    Compare(Compare, Scalar<ArrayRef>),
    IsNull(bool),
}

const OPERATORS: [(&str, Compare); 8] = [
    ("=", cmp::eq),
    ("==", cmp::eq),
    ("!=", cmp::neq),
    ("<>", cmp::neq),
    ("<", cmp::lt),
    ("<=", cmp::lt_eq),
    (">", cmp::gt),
    (">=", cmp::gt_eq),
];

pub fn bind_filter(bind: &Bind<'_>) -> Result<Bound, Error> {
    let schema = bind.schema();
    let name = bind.options().get("column")?;
    let index = index_of("column", &schema, name)?;
    let data_type = schema.field(index).data_type();
    let (op, value) = (bind.options().get("op")?, bind.options().get("value")?);
    let predicate = match op.trim() {
        "is null" => Predicate::IsNull(true),
        "is not null" => Predicate::IsNull(false),
        op => {
            let known = OPERATORS.iter().find(|(known, _)| *known == op);
            let (_, compare) = known.ok_or_else(|| {
                Error::invalid(format!(
                    "option op: {op:?} is none; there are =, !=, <, <=, >, >=, is null, \
                     is not null"
                ))
            })?;
            Predicate::Compare(*compare, scalar(name, value, value_type(data_type))?)
        }
    };
    Ok(Bound::new(schema, move |_, batches| {
        let batch = batches.take()?;
        let column = batch.column(index);
        let is_wanted = match &predicate {
            Predicate::Compare(compare, value) => compare(&one_zero(column), value)?,
            Predicate::IsNull(wanted) => {
                // The kernel is_null asks for the nulls of the layout, which a dictionary
                // hides in its values.
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
    let wrong = |why: String| {
        Error::invalid(format!(
            "option value: {value:?} is no {data_type} like {column}{why}"
        ))
    };
    if let DataType::Decimal128(_, scale) = data_type {
        // The cast from text would round what has more digits than the column.
        let value = parse_decimal(value).and_then(|decimal| decimal.rescaled(*scale));
        let value = value.ok_or_else(|| wrong(String::new()))?;
        let array = PrimitiveArray::<Decimal128Type>::from_value(value, 1);
        return Ok(Scalar::new(Arc::new(array.with_data_type(data_type.clone()))));
    }
    if !can_cast_types(&DataType::Utf8, data_type) || data_type.is_nested() {
        return Err(Error::invalid(format!(
            "option column: {column} is {data_type}, which compares with no text"
        )));
    }
    let text = StringArray::from(vec![value]);
    let strict = CastOptions { safe: false, ..CastOptions::default() };
    let value = cast_with_options(&text, data_type, &strict)
        .map_err(|error| wrong(format!(": {error}")))?;
    if value.null_count() > 0 {
        return Err(wrong(String::new()));
    }
    Ok(Scalar::new(one_zero(&value)))
}
