// SPDX-License-Identifier: MIT
//! `scale`: one column of numbers, multiplied; what overflows names its row.

use std::str::FromStr;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::*;
use arrow_array::{Array, ArrayRef, ArrowNativeTypeOp, RecordBatch};
use arrow_schema::{DataType, Field, Schema};
use arrowalloy::Error;

use crate::alloy_arrow::{Bind, Bound};
use crate::names::index_of;

type Multiply = Box<dyn Fn(&dyn Array) -> Result<ArrayRef, Error> + Send>;

pub fn bind_scale(bind: &Bind<'_>) -> Result<Bound, Error> {
    let input = bind.schema();
    let name = bind.options().get("column")?.to_owned();
    let index = index_of("column", &input, &name)?;
    let field = input.field(index);
    let factor = bind.options().get("factor")?.trim();
    let (data_type, multiply) = multiply(&name, field.data_type(), factor)?;

    let mut fields: Vec<Arc<Field>> = input.fields().iter().cloned().collect();
    fields[index] = Arc::new(field.clone().with_data_type(data_type));
    let schema = Arc::new(Schema::new_with_metadata(fields, input.metadata().clone()));
    Ok(Bound::new(schema.clone(), move |_, batches| {
        let batch = batches.take()?;
        let scaled = multiply(batch.column(index).as_ref()).map_err(|error| {
            Error::new(error.code(), format!("column {name}{}", error.text()))
        })?;
        let mut columns = batch.columns().to_vec();
        columns[index] = scaled;
        Ok(RecordBatch::try_new(schema.clone(), columns)?)
    }))
}

fn multiply(
    column: &str,
    data_type: &DataType,
    factor: &str,
) -> Result<(DataType, Multiply), Error> {
    macro_rules! whole {
        ($type:ty) => {
            checked::<$type>(data_type.clone(), parse(column, data_type, factor)?)
        };
    }
    macro_rules! floats {
        ($type:ty) => {{
            let by: <$type as ArrowPrimitiveType>::Native =
                parse(column, data_type, factor)?;
            if !by.is_finite() {
                return Err(no_factor(column, data_type, factor));
            }
            Box::new(move |array: &dyn Array| {
                let scaled = array.as_primitive::<$type>().unary::<_, $type>(|x| x * by);
                Ok(Arc::new(scaled) as ArrayRef)
            })
        }};
    }
    let multiply: Multiply = match data_type {
        DataType::Int8 => whole!(Int8Type),
        DataType::Int16 => whole!(Int16Type),
        DataType::Int32 => whole!(Int32Type),
        DataType::Int64 => whole!(Int64Type),
        DataType::UInt8 => whole!(UInt8Type),
        DataType::UInt16 => whole!(UInt16Type),
        DataType::UInt32 => whole!(UInt32Type),
        DataType::UInt64 => whole!(UInt64Type),
        DataType::Float32 => floats!(Float32Type),
        DataType::Float64 => floats!(Float64Type),
        DataType::Decimal128(_, scale) => {
            let by = parse_decimal(factor)
                .ok_or_else(|| no_factor(column, data_type, factor))?;
            let scale = scale.checked_add(by.scale).filter(|scale| *scale <= 38);
            let output = scale.map(|scale| DataType::Decimal128(38, scale));
            let output = output.ok_or_else(|| {
                Error::invalid(format!(
                    "option factor: {factor} has too many digits for {column}, {data_type}"
                ))
            })?;
            let multiply = checked::<Decimal128Type>(output.clone(), by.digits);
            return Ok((output, multiply));
        }
        other => {
            return Err(Error::invalid(format!(
                "option column: {column} is {other}; integers, floats and decimal128 can be \
                 scaled"
            )));
        }
    };
    Ok((data_type.clone(), multiply))
}

fn no_factor(column: &str, data_type: &DataType, factor: &str) -> Error {
    Error::invalid(format!(
        "option factor: {factor:?} is no number that {column}, {data_type}, can be \
         multiplied with"
    ))
}

fn parse<N: FromStr>(
    column: &str,
    data_type: &DataType,
    factor: &str,
) -> Result<N, Error> {
    factor.parse().map_err(|_| no_factor(column, data_type, factor))
}

fn checked<T: ArrowPrimitiveType>(output: DataType, by: T::Native) -> Multiply
where
    T::Native: ArrowNativeTypeOp + TryInto<i128>,
{
    let is_decimal = matches!(output, DataType::Decimal128(..));
    let product = move |value: T::Native| {
        let fits = |product: &T::Native| {
            let digits: i128 = (*product).try_into().unwrap_or_default();
            !is_decimal || digits.unsigned_abs() < 10u128.pow(38)
        };
        value.mul_checked(by).ok().filter(fits)
    };
    Box::new(move |array| {
        let array = array.as_primitive::<T>();
        let scaled = array.try_unary::<_, T, ()>(|value| product(value).ok_or(()));
        // Which row it was is looked for when one overflows.
        let scaled = scaled.map_err(|()| {
            let overflows =
                |value: Option<_>| value.is_some_and(|v| product(v).is_none());
            let row = array.iter().position(overflows).unwrap_or_default();
            Error::failed(format!(
                ", row {row} of the batch: the product overflows {output}"
            ))
        })?;
        Ok(Arc::new(scaled.with_data_type(output.clone())))
    })
}

/// A number with a point somewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decimal {
    pub digits: i128,
    pub scale: i8,
}

impl Decimal {
    /// Its digits at another scale; None: there is no place for all of them.
    pub fn rescaled(self, scale: i8) -> Option<i128> {
        let more = i32::from(scale) - i32::from(self.scale);
        let power = 10i128.checked_pow(more.unsigned_abs())?;
        if more >= 0 {
            return self.digits.checked_mul(power);
        }
        (self.digits % power == 0).then_some(self.digits / power)
    }
}

/// Read `[+-]digits[.digits]`.
pub fn parse_decimal(text: &str) -> Option<Decimal> {
    let text = text.trim();
    let (sign, rest) = match text.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", text.strip_prefix('+').unwrap_or(text)),
    };
    let (whole, part) = rest.split_once('.').unwrap_or((rest, ""));
    let digits = format!("{whole}{part}");
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let digits = format!("{sign}{digits}").parse().ok()?;
    Some(Decimal { digits, scale: i8::try_from(part.len()).ok()? })
}
