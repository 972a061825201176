// SPDX-License-Identifier: MIT
//! `filter` and `scale`: the value and the factor become scalars at bind. So a batch costs
//! one comparison and one selection, or one multiplication.

use std::sync::Arc;

use arrow_arith::boolean::{is_not_null, is_null};
use arrow_arith::numeric::mul;
use arrow_array::cast::AsArray;
use arrow_array::types::{Decimal128Type, Float64Type};
use arrow_array::{Array, ArrayRef, BooleanArray, Datum, RecordBatch, Scalar};
use arrow_array::{StringArray, new_null_array};
use arrow_cast::{CastOptions, can_cast_types, cast, cast_with_options};
use arrow_ord::cmp;
use arrow_schema::{ArrowError, DataType, Schema};
use arrow_select::filter::filter_record_batch;
use arrowalloy::Error;

use crate::alloy_arrow::{Bind, Bound};
use crate::keys::{comparable, index_of, one_zero, value_type};

type Compare = fn(&dyn Datum, &dyn Datum) -> Result<BooleanArray, ArrowError>;

pub fn bind_filter(bind: &Bind<'_>) -> Result<Bound, Error> {
    let schema = bind.schema();
    let name = bind.options().get("column")?;
    let index = index_of("column", &schema, name)?;
    let data_type = value_type(schema.field(index).data_type());
    let value = bind.options().get("value")?;
    let op = bind.options().get("op")?.trim();
    let compare: Compare = match op {
        "=" | "==" => cmp::eq,
        "!=" | "<>" => cmp::neq,
        "<" => cmp::lt,
        "<=" => cmp::lt_eq,
        ">" => cmp::gt,
        ">=" => cmp::gt_eq,
        "is null" => |column, _| is_null(column.get().0),
        "is not null" => |column, _| is_not_null(column.get().0),
        _ => {
            let ops = "=, !=, <, <=, >, >=, is null or is not null";
            return Err(wrong!("op", "unknown operator {op:?}; use {ops}"));
        }
    };
    let value = match op {
        "is null" | "is not null" => Scalar::new(new_null_array(&DataType::Null, 1)),
        _ => scalar(name, value, data_type)?,
    };
    Ok(Bound::new(schema, move |_, batches| {
        let batch = batches.take()?;
        let is_wanted = compare(&comparable(&batch, index)?, &value)?;
        Ok(filter_record_batch(&batch, &is_wanted)?)
    }))
}

fn scalar(column: &str, value: &str, of: &DataType) -> Result<Scalar<ArrayRef>, Error> {
    if !can_cast_types(&DataType::Utf8, of) || of.is_nested() {
        let what =
            "which does not compare with a text; filter it by: is null, is not null";
        return Err(wrong!("column", "column {column} is {of}, {what}"));
    }
    let parsed = if let DataType::Decimal128(_, scale) = of {
        let value = value.trim();
        let is_whole = !value.contains('.');
        let digits = if is_whole { value } else { value.trim_end_matches('0') };
        let fits = decimal_places(digits).is_some_and(|places| places <= *scale);
        // It may have more digits than the column, but the types must be the same.
        let parsed = fits.then(|| parse(value, &DataType::Decimal128(38, *scale)));
        parsed.flatten().map(|value| with_digits(value, of))
    } else {
        parse(value, of)
    };
    parsed.map(|value| Scalar::new(one_zero(&value))).ok_or_else(|| {
        wrong!("value", "cannot read {value:?} as {of}, the type of column {column}")
    })
}

pub fn bind_scale(bind: &Bind<'_>) -> Result<Bound, Error> {
    let input = bind.schema();
    let name = bind.options().get("column")?.to_owned();
    let index = index_of("column", &input, &name)?;
    let (field, factor) = (input.field(index), bind.options().get("factor")?.trim());
    let of = field.data_type();
    let refuse = || {
        wrong!("factor", "cannot multiply column {name}, which is {of}, by {factor:?}")
    };
    let (by, output) = match of {
        DataType::Decimal128(_, scale) => {
            let places = decimal_places(factor).ok_or_else(refuse)?;
            let scale = scale.checked_add(places).filter(|scale| *scale <= 38);
            let scale = scale.ok_or_else(|| {
                let column = format!("column {name}, which is {of}");
                wrong!("factor", "{factor} has too many decimal places for {column}")
            })?;
            (DataType::Decimal128(38, places), DataType::Decimal128(38, scale))
        }
        _ if of.is_integer() || matches!(of, DataType::Float32 | DataType::Float64) => {
            (of.clone(), of.clone())
        }
        _ => {
            let what = "scale takes integers, floats and decimal128";
            return Err(wrong!("column", "column {name} is {of}; {what}"));
        }
    };
    let by = parse(factor, &by).ok_or_else(refuse)?;
    let double = cast(&by, &DataType::Float64)?;
    if !double.as_primitive::<Float64Type>().value(0).is_finite() {
        return Err(refuse());
    }
    let by = Scalar::new(by);
    let mut fields = input.fields().to_vec();
    fields[index] = Arc::new(field.clone().with_data_type(output.clone()));
    let schema = Arc::new(Schema::new_with_metadata(fields, input.metadata().clone()));
    Ok(Bound::new(schema.clone(), move |_, batches| {
        let batch = batches.take()?;
        let column = batch.column(index);
        let scaled = multiply(column, &by, &output).ok_or_else(|| {
            // The kernel does not report the row.
            let overflows =
                |row: &usize| multiply(&column.slice(*row, 1), &by, &output).is_none();
            let row = (0..column.len()).find(overflows).unwrap_or_default();
            Error::failed(format!(
                "column {name}, row {row} of the batch: the product overflows {output}"
            ))
        })?;
        let mut columns = batch.columns().to_vec();
        columns[index] = scaled;
        Ok(RecordBatch::try_new(schema.clone(), columns)?)
    }))
}

// None: a product overflows.
fn multiply(column: &ArrayRef, by: &Scalar<ArrayRef>, of: &DataType) -> Option<ArrayRef> {
    let product = mul(column, by).ok()?;
    // The kernel only notices what overflows 128 bits, which are more than 38 digits.
    let decimals = product.as_primitive_opt::<Decimal128Type>();
    decimals.map_or(Ok(()), |d| d.validate_decimal_precision(38)).ok()?;
    Some(with_digits(product, of))
}

// Decimals with as many digits as another type of the same scale.
fn with_digits(column: ArrayRef, of: &DataType) -> ArrayRef {
    let Some(decimals) = column.as_primitive_opt::<Decimal128Type>() else {
        return column;
    };
    Arc::new(decimals.clone().with_data_type(of.clone()))
}

// The text of an option as one value of a type. None: the text is not such a value.
fn parse(text: &str, data_type: &DataType) -> Option<ArrayRef> {
    let strict = CastOptions { safe: false, ..CastOptions::default() };
    let value = cast_with_options(&StringArray::from(vec![text]), data_type, &strict);
    value.ok().filter(|value| value.null_count() == 0)
}

// How many digits follow the point of a decimal number. None: the text is not a number.
// The casts of arrow-rs round digits that do not fit, so they are counted before.
fn decimal_places(text: &str) -> Option<i8> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
    let mut all = whole.bytes().chain(part.bytes()).peekable();
    all.peek()?;
    all.all(|byte| byte.is_ascii_digit()).then(|| i8::try_from(part.len()).ok())?
}
