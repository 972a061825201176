// SPDX-License-Identifier: MIT
//! `scale`: multiplies one column of numbers. An overflow is an error that names the row.

use std::sync::Arc;

use arrow_arith::numeric::mul;
use arrow_array::cast::AsArray;
use arrow_array::types::{Decimal128Type, Float64Type};
use arrow_array::{Array, ArrayRef, RecordBatch, Scalar, StringArray};
use arrow_cast::{CastOptions, cast, cast_with_options};
use arrow_schema::{DataType, Schema};
use arrowalloy::Error;

use crate::alloy_arrow::{Bind, Bound};
use crate::names::{index_of, wrong};

pub fn bind_scale(bind: &Bind<'_>) -> Result<Bound, Error> {
    let input = bind.schema();
    let name = bind.options().get("column")?.to_owned();
    let index = index_of("column", &input, &name)?;
    let (field, factor) = (input.field(index), bind.options().get("factor")?.trim());
    let of = field.data_type();
    let refuse = || {
        let what = format!("cannot multiply column {name}, which is {of}, by {factor:?}");
        wrong("factor", what)
    };
    let (by, output) = match of {
        DataType::Decimal128(_, scale) => {
            let places = decimal_places(factor).ok_or_else(refuse)?;
            let scale = scale.checked_add(places).filter(|scale| *scale <= 38);
            let scale = scale.ok_or_else(|| {
                let what = format!("too many decimal places for column {name}");
                wrong("factor", format!("{factor} has {what}, which is {of}"))
            })?;
            (DataType::Decimal128(38, places), DataType::Decimal128(38, scale))
        }
        _ if of.is_integer() || matches!(of, DataType::Float32 | DataType::Float64) => {
            (of.clone(), of.clone())
        }
        _ => {
            let what = "scale takes integers, floats and decimal128";
            return Err(wrong("column", format!("column {name} is {of}; {what}")));
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
fn multiply(
    column: &ArrayRef,
    by: &Scalar<ArrayRef>,
    output: &DataType,
) -> Option<ArrayRef> {
    let product = mul(column, by).ok()?;
    let Some(decimals) = product.as_primitive_opt::<Decimal128Type>() else {
        return Some(product);
    };
    // The kernel only notices what overflows 128 bits, which are more than 38 digits.
    decimals.validate_decimal_precision(38).ok()?;
    Some(Arc::new(decimals.clone().with_data_type(output.clone())))
}

/// The text of an option as one value of a type. None: the text is not such a value.
pub fn parse(text: &str, data_type: &DataType) -> Option<ArrayRef> {
    let strict = CastOptions { safe: false, ..CastOptions::default() };
    let value = cast_with_options(&StringArray::from(vec![text]), data_type, &strict);
    value.ok().filter(|value| value.null_count() == 0)
}

/// How many digits follow the point of a decimal number. None: the text is not a number.
/// The casts of arrow-rs round digits that do not fit, so they are counted before.
pub fn decimal_places(text: &str) -> Option<i8> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
    let mut all = whole.bytes().chain(part.bytes()).peekable();
    all.peek()?;
    all.all(|byte| byte.is_ascii_digit()).then(|| i8::try_from(part.len()).ok())?
}
