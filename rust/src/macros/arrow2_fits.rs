// SPDX-License-Identifier: MIT

// Which schemas and arrays arrow2 can take.
#[doc(hidden)]
#[macro_export]
macro_rules! __arrow2_fits {
    () => {
        // arrow2 has types for these, but no arrays.
        fn check_held(field: &Field) -> Result<(), Error> {
            let not_held = |what| {
                let text = format!("column {}: arrow2 cannot hold {what}", field.name);
                Err(Error::new($crate::Code::Unsupported, text))
            };
            match field.data_type.to_logical_type() {
                // arrow2 0.14 loses the extension.
                DataType::Null if field.data_type != DataType::Null => {
                    not_held("extension types of null")
                }
                DataType::Struct(fields) if fields.is_empty() => {
                    not_held("structs without fields")
                }
                DataType::FixedSizeBinary(0) | DataType::FixedSizeList(_, 0) => {
                    not_held("values of size 0")
                }
                DataType::Union(_, Some(ids), _) if ids.contains(&127) => {
                    not_held("unions with the type id 127")
                }
                DataType::Struct(fields) | DataType::Union(fields, ..) => {
                    fields.iter().try_for_each(check_held)
                }
                DataType::List(item)
                | DataType::LargeList(item)
                | DataType::FixedSizeList(item, _)
                | DataType::Map(item, _) => check_held(item),
                DataType::Dictionary(_, values, _) => {
                    let values = Field::new(&field.name, values.as_ref().clone(), true);
                    check_held(&values)
                }
                _ => Ok(()),
            }
        }

        // Whether arrow2 can read the array in place. For a misaligned buffer its import
        // ignores the offset and copies, or refuses it; that depends on the version.
        //
        // SAFETY (of the call): the gate passed the struct as this type.
        unsafe fn is_aligned(array: &ArrowArray, data_type: &DataType) -> bool {
            // Only buffer 1 holds more than bytes and bits: how many slots it has in
            // addition to one for each row, and their alignment.
            let (more, align) = match data_type.to_physical_type() {
                PhysicalType::Primitive(primitive) => (0, align_of_primitive(primitive)),
                PhysicalType::Dictionary(key) => (0, align_of_key(key)),
                PhysicalType::Union => (0, align_of::<i32>()),
                PhysicalType::Utf8
                | PhysicalType::Binary
                | PhysicalType::List
                | PhysicalType::Map => (1, align_of::<i32>()),
                PhysicalType::LargeUtf8
                | PhysicalType::LargeBinary
                | PhysicalType::LargeList => (1, align_of::<i64>()),
                PhysicalType::Null
                | PhysicalType::Boolean
                | PhysicalType::FixedSizeBinary
                | PhysicalType::FixedSizeList
                | PhysicalType::Struct => (0, 1),
            };
            let is_read = array.offset + array.length + more > 0;
            // SAFETY: see above.
            unsafe {
                if is_read && array.buffer(1) as usize % align != 0 {
                    return false;
                }
                let child = |index, field: &Field| {
                    array
                        .child(index)
                        .is_none_or(|child| is_aligned(child, &field.data_type))
                };
                match data_type.to_logical_type() {
                    DataType::List(field)
                    | DataType::LargeList(field)
                    | DataType::FixedSizeList(field, _)
                    | DataType::Map(field, _) => child(0, field),
                    DataType::Struct(fields) | DataType::Union(fields, ..) => fields
                        .iter()
                        .enumerate()
                        .all(|(index, field)| child(index, field)),
                    DataType::Dictionary(_, values, _) => array
                        .dictionary
                        .as_ref()
                        .is_none_or(|array| is_aligned(array, values)),
                    _ => true,
                }
            }
        }

        fn align_of_primitive(primitive: PrimitiveType) -> usize {
            match primitive {
                PrimitiveType::Int8 | PrimitiveType::UInt8 => 1,
                PrimitiveType::Int16 | PrimitiveType::UInt16 | PrimitiveType::Float16 => {
                    align_of::<u16>()
                }
                PrimitiveType::Int32 | PrimitiveType::UInt32 | PrimitiveType::Float32 => {
                    align_of::<u32>()
                }
                PrimitiveType::Int64 | PrimitiveType::UInt64 | PrimitiveType::Float64 => {
                    align_of::<u64>()
                }
                PrimitiveType::Int128 => align_of::<i128>(),
                PrimitiveType::Int256 => align_of::<i256>(),
                PrimitiveType::DaysMs => align_of::<days_ms>(),
                PrimitiveType::MonthDayNano => align_of::<months_days_ns>(),
            }
        }

        fn align_of_key(key: IntegerType) -> usize {
            match key {
                IntegerType::Int8 | IntegerType::UInt8 => 1,
                IntegerType::Int16 | IntegerType::UInt16 => align_of::<u16>(),
                IntegerType::Int32 | IntegerType::UInt32 => align_of::<u32>(),
                IntegerType::Int64 | IntegerType::UInt64 => align_of::<u64>(),
            }
        }
    };
}
