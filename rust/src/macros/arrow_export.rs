// SPDX-License-Identifier: MIT

// A batch goes out as one block that owns the batch itself. Nothing is copied but
// validity bits whose place within a byte differs from that of their values.
#[doc(hidden)]
#[macro_export]
macro_rules! __arrow_export {
    () => {
        use std::ptr::null;

        // What a block owns beside the arrays.
        #[derive(Default)]
        struct Kept {
            buffers: Vec<Buffer>,
            sizes: Vec<Vec<i64>>,
            data: Vec<ArrayData>,
        }

        fn export_batch(
            batch: RecordBatch,
            exporter: &mut Exporter,
        ) -> Result<OwnedArray, Error> {
            let mut kept = Kept::default();
            exporter.start();
            exporter.node(batch.num_rows(), 0, 0, batch.num_columns(), false);
            exporter.buffer(null::<u8>());
            for column in batch.columns() {
                add_array(column.as_ref(), exporter, &mut kept)?;
            }
            // SAFETY: the buffers are those of the batch and of what was kept.
            Ok(unsafe { exporter.finish((batch, kept)) })
        }

        fn export_array(array: ArrayRef) -> Result<OwnedArray, Error> {
            let mut kept = Kept::default();
            let mut exporter = Exporter::default();
            exporter.start();
            add_array(array.as_ref(), &mut exporter, &mut kept)?;
            // SAFETY: the buffers are those of the array and of what was kept.
            Ok(unsafe { exporter.finish((array, kept)) })
        }

        #[inline]
        fn add_array(
            array: &dyn Array,
            exporter: &mut Exporter,
            kept: &mut Kept,
        ) -> Result<(), Error> {
            macro_rules! numbers {
                ($type:ty) => {
                    if let Some(array) =
                        array.as_any().downcast_ref::<PrimitiveArray<$type>>()
                    {
                        let width = size_of::<<$type as ArrowPrimitiveType>::Native>();
                        let values = array.values().inner();
                        add_slots(
                            array.len(),
                            array.nulls(),
                            values,
                            width,
                            exporter,
                            kept,
                        );
                        return Ok(());
                    }
                };
            }
            macro_rules! bytes {
                ($type:ty) => {
                    if let Some(array) =
                        array.as_any().downcast_ref::<GenericByteArray<$type>>()
                    {
                        if array.is_empty() {
                            add_nothing(exporter);
                            return Ok(());
                        }
                        let width = size_of::<<$type as ByteArrayType>::Offset>();
                        let offsets = array.offsets().inner().inner();
                        add_slots(
                            array.len(),
                            array.nulls(),
                            offsets,
                            width,
                            exporter,
                            kept,
                        );
                        exporter.buffer(array.values().as_ptr());
                        return Ok(());
                    }
                };
            }
            match array.data_type() {
                DataType::Int8 => numbers!(Int8Type),
                DataType::Int16 => numbers!(Int16Type),
                DataType::Int32 => numbers!(Int32Type),
                DataType::Int64 => numbers!(Int64Type),
                DataType::UInt8 => numbers!(UInt8Type),
                DataType::UInt16 => numbers!(UInt16Type),
                DataType::UInt32 => numbers!(UInt32Type),
                DataType::UInt64 => numbers!(UInt64Type),
                DataType::Float32 => numbers!(Float32Type),
                DataType::Float64 => numbers!(Float64Type),
                DataType::Date32 => numbers!(Date32Type),
                DataType::Date64 => numbers!(Date64Type),
                DataType::Timestamp(TimeUnit::Second, _) => numbers!(TimestampSecondType),
                DataType::Timestamp(TimeUnit::Millisecond, _) => {
                    numbers!(TimestampMillisecondType)
                }
                DataType::Timestamp(TimeUnit::Microsecond, _) => {
                    numbers!(TimestampMicrosecondType)
                }
                DataType::Timestamp(TimeUnit::Nanosecond, _) => {
                    numbers!(TimestampNanosecondType)
                }
                DataType::Decimal128(..) => numbers!(Decimal128Type),
                DataType::Utf8 => bytes!(Utf8Type),
                DataType::LargeUtf8 => bytes!(LargeUtf8Type),
                DataType::Binary => bytes!(BinaryType),
                DataType::LargeBinary => bytes!(LargeBinaryType),
                _ => {}
            }
            let data = array.to_data();
            add_data(&data, exporter, kept)?;
            kept.data.push(data);
            Ok(())
        }

        // Strings of no rows. The one offset of a slice need not be 0, which leads others
        // astray.
        #[cold]
        fn add_nothing(exporter: &mut Exporter) {
            static ZERO: i64 = 0;
            exporter.node(0, 0, 0, 0, false);
            exporter.buffer(null::<u8>());
            exporter.buffer(&raw const ZERO);
            exporter.buffer(&raw const ZERO);
        }

        // A node whose validity and slots of `width` bytes share one offset: where the
        // first bit is not the first of its byte, the values step back to meet it.
        #[inline]
        fn add_slots(
            len: usize,
            nulls: Option<&NullBuffer>,
            values: &Buffer,
            width: usize,
            exporter: &mut Exporter,
            kept: &mut Kept,
        ) {
            let Some(nulls) = nulls else {
                exporter.node(len, 0, 0, 0, false);
                exporter.buffer(null::<u8>());
                exporter.buffer(values.as_ptr());
                return;
            };
            let step = nulls.offset() % 8;
            if step * width <= values.ptr_offset() {
                exporter.node(len, nulls.null_count(), step, 0, false);
                exporter.buffer(nulls.buffer().as_ptr().wrapping_add(nulls.offset() / 8));
                exporter.buffer(values.as_ptr().wrapping_sub(step * width));
            } else {
                exporter.node(len, nulls.null_count(), 0, 0, false);
                add_validity(Some(nulls), 0, exporter, kept);
                exporter.buffer(values.as_ptr());
            }
        }

        // Validity whose first bit stands at `offset`.
        fn add_validity(
            nulls: Option<&NullBuffer>,
            offset: usize,
            exporter: &mut Exporter,
            kept: &mut Kept,
        ) {
            let Some(nulls) = nulls else {
                exporter.buffer(null::<u8>());
                return;
            };
            let first = nulls.offset();
            if first >= offset && (first - offset) % 8 == 0 {
                exporter
                    .buffer(nulls.buffer().as_ptr().wrapping_add((first - offset) / 8));
                return;
            }
            let bits = BooleanBuffer::collect_bool(offset + nulls.len(), |index| {
                index >= offset && nulls.is_valid(index - offset)
            });
            exporter.buffer(bits.inner().as_ptr());
            kept.buffers.push(bits.into_inner());
        }

        fn add_data(
            data: &ArrayData,
            exporter: &mut Exporter,
            kept: &mut Kept,
        ) -> Result<(), Error> {
            let (len, offset) = (data.len(), data.offset());
            let children = data.child_data();
            match data.data_type() {
                DataType::Null => {
                    exporter.node(len, len, 0, 0, false);
                    return Ok(());
                }
                // Neither has validity.
                DataType::Union(..) | DataType::RunEndEncoded(..) => {
                    exporter.node(len, 0, offset, children.len(), false);
                }
                DataType::Dictionary(..) => {
                    exporter.node(len, data.null_count(), offset, 0, true);
                    add_validity(data.nulls(), offset, exporter, kept);
                }
                _ => {
                    exporter.node(len, data.null_count(), offset, children.len(), false);
                    add_validity(data.nulls(), offset, exporter, kept);
                }
            }
            for buffer in data.buffers() {
                exporter.buffer(buffer.as_ptr());
            }
            if matches!(data.data_type(), DataType::Utf8View | DataType::BinaryView) {
                let variadic = data.buffers().iter().skip(1);
                let sizes: Vec<i64> =
                    variadic.map(|buffer| buffer.len() as i64).collect();
                exporter.buffer(sizes.as_ptr());
                kept.sizes.push(sizes);
            }
            for child in children {
                add_data(child, exporter, kept)?;
            }
            Ok(())
        }
    };
}
