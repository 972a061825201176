// SPDX-License-Identifier: MIT

// A batch goes out as one block that owns the batch itself. Only one thing is ever copied:
// validity bits whose place within a byte differs from that of their values.
#[doc(hidden)]
#[macro_export]
macro_rules! __arrow_export {
    () => {
        use std::ptr::null;

        // What a block owns in addition to the arrays.
        #[derive(Default)]
        struct Kept {
            buffers: Vec<Buffer>,
            sizes: Vec<Vec<i64>>,
            data: Vec<ArrayData>,
        }

        fn export_batch(
            batch: RecordBatch,
            declared: &SchemaRef,
            exporter: &mut Exporter,
        ) -> Result<OwnedArray, Error> {
            check_schema(&batch, declared)?;
            let mut kept = Kept::default();
            exporter.start();
            exporter.node(batch.num_rows(), 0, 0, batch.num_columns(), false);
            exporter.buffer(null::<u8>());
            for column in batch.columns() {
                add_array(column.as_ref(), exporter, &mut kept)?;
            }
            // SAFETY: the buffers belong to the batch and to `kept`.
            Ok(unsafe { exporter.finish((batch, kept)) })
        }

        // The engine made its layouts at bind, from the declared schema.
        #[inline]
        fn check_schema(batch: &RecordBatch, declared: &SchemaRef) -> Result<(), Error> {
            let schema = batch.schema_ref();
            if Arc::ptr_eq(schema, declared) {
                return Ok(());
            }
            $crate::typed::check_columns(
                declared.fields().iter().map(|field| (field.name(), field.data_type())),
                schema.fields().iter().map(|field| field.data_type()),
                DataType::to_string,
            )
        }

        fn export_array(array: ArrayRef) -> Result<OwnedArray, Error> {
            let mut kept = Kept::default();
            let mut exporter = Exporter::default();
            exporter.start();
            add_array(array.as_ref(), &mut exporter, &mut kept)?;
            // SAFETY: the buffers belong to the array and to `kept`.
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
            $crate::__match_flat!(array.data_type(), numbers, numbers, bytes, _ => {});
            let data = array.to_data();
            add_data(&data, exporter, kept)?;
            kept.data.push(data);
            Ok(())
        }

        // An empty string column. The only offset of an empty slice need not be 0, and some
        // readers expect 0.
        #[cold]
        fn add_nothing(exporter: &mut Exporter) {
            static ZERO: i64 = 0;
            exporter.node(0, 0, 0, 0, false);
            exporter.buffer(null::<u8>());
            exporter.buffer(&raw const ZERO);
            exporter.buffer(&raw const ZERO);
        }

        // A node whose validity and slots of `width` bytes share one offset. If the first
        // bit is not the first of its byte, the pointer to the values moves back by the
        // same number of slots.
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

        // Validity whose first bit is at `offset`.
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
                // These two have no validity.
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
