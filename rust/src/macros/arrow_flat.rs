// SPDX-License-Identifier: MIT

// A match over a data type with an arm for each number and each string type that import
// and export handle directly; the caller adds the remaining arms. `$number` and `$bytes`
// are macros that take the arrow-rs type. `$with_type` is `$number` for the types that
// have parameters, such as a time zone.
#[doc(hidden)]
#[macro_export]
macro_rules! __match_flat {
    ($data_type:expr, $number:ident, $with_type:ident, $bytes:ident, $($arms:tt)+) => {
        match $data_type {
            DataType::Int8 => $number!(Int8Type),
            DataType::Int16 => $number!(Int16Type),
            DataType::Int32 => $number!(Int32Type),
            DataType::Int64 => $number!(Int64Type),
            DataType::UInt8 => $number!(UInt8Type),
            DataType::UInt16 => $number!(UInt16Type),
            DataType::UInt32 => $number!(UInt32Type),
            DataType::UInt64 => $number!(UInt64Type),
            DataType::Float32 => $number!(Float32Type),
            DataType::Float64 => $number!(Float64Type),
            DataType::Date32 => $number!(Date32Type),
            DataType::Date64 => $number!(Date64Type),
            DataType::Timestamp(TimeUnit::Second, _) => $with_type!(TimestampSecondType),
            DataType::Timestamp(TimeUnit::Millisecond, _) => {
                $with_type!(TimestampMillisecondType)
            }
            DataType::Timestamp(TimeUnit::Microsecond, _) => {
                $with_type!(TimestampMicrosecondType)
            }
            DataType::Timestamp(TimeUnit::Nanosecond, _) => {
                $with_type!(TimestampNanosecondType)
            }
            DataType::Decimal128(..) => $with_type!(Decimal128Type),
            DataType::Utf8 => $bytes!(Utf8Type),
            DataType::LargeUtf8 => $bytes!(LargeUtf8Type),
            DataType::Binary => $bytes!(BinaryType),
            DataType::LargeBinary => $bytes!(LargeBinaryType),
            $($arms)+
        }
    };
}
