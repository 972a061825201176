// SPDX-License-Identifier: MIT

// A batch comes in: all its buffers share one owner. Only misaligned buffers are copied.
//
// The code relies on what the engine's gate has checked. These functions have the flag
// ALLOY_TRUSTS_VALUES, so this is everything: offsets, views, indices, UTF-8, null counts.
// Only a host that asks for ALLOY_CHECK_UNSAFE_SHAPE takes that on itself.
#[doc(hidden)]
#[macro_export]
macro_rules! __arrow_import {
    () => {
        use arrow::array::types::*;
        use arrow::array::{
            BooleanArray, GenericByteArray, PrimitiveArray, make_array,
        };
        use arrow::buffer::{
            ArrowNativeType, BooleanBuffer, Buffer, NullBuffer, OffsetBuffer, ScalarBuffer,
        };
        use arrow::data::ArrayData;
        use arrow::schema::{IntervalUnit, TimeUnit, UnionMode};
        use std::mem::{align_of, size_of};
        use std::ptr::NonNull;

        // Before arrow 55.1, RecordBatch has no new_unchecked. Then the call finds this one,
        // and the compiler reports only that the version is too old.
        #[allow(unused_imports)]
        use $crate::typed::Unchecked;

        fn import_batch(array: OwnedArray, schema: &SchemaRef) -> Result<RecordBatch, Error> {
            let import = Import(Arc::new(array));
            let root = import.0.raw();
            let rows = root.length as usize;
            let mut columns = Vec::with_capacity(schema.fields().len());
            for (index, field) in schema.fields().iter().enumerate() {
                // SAFETY: the gate passed the struct against this schema.
                let column = unsafe {
                    match root.child(index) {
                        Some(child) if child.length as usize >= rows => {
                            import.array(child, field.data_type(), child.offset as usize, rows)?
                        }
                        _ => {
                            let text = format!(
                                "column {}: the batch does not hold it in full",
                                field.name()
                            );
                            return Err(Error::bad_data(text));
                        }
                    }
                };
                columns.push(column);
            }
            // SAFETY: each column was made with the type of its field and with all the
            // rows.
            Ok(unsafe { RecordBatch::new_unchecked(schema.clone(), columns, rows) })
        }

        #[cold]
        fn bad(data_type: &DataType, text: &str) -> Error {
            Error::bad_data(format!("{data_type}: {text}"))
        }

        struct Import(Arc<OwnedArray>);

        // SAFETY (of every function below): `from` is a struct of the owner that the gate
        // has passed as `data_type`.
        impl Import {
            #[inline]
            unsafe fn array(
                &self,
                from: &ArrowArray,
                data_type: &DataType,
                offset: usize,
                len: usize,
            ) -> Result<ArrayRef, Error> {
                macro_rules! numbers {
                    ($type:ty) => {{
                        // SAFETY: see above.
                        let array = unsafe { self.numbers::<$type>(from, data_type, offset, len)? };
                        Ok(Arc::new(array))
                    }};
                }
                macro_rules! with_type {
                    ($type:ty) => {{
                        // SAFETY: see above.
                        let array = unsafe { self.numbers::<$type>(from, data_type, offset, len)? };
                        Ok(Arc::new(array.with_data_type(data_type.clone())))
                    }};
                }
                macro_rules! bytes {
                    ($type:ty) => {
                        // SAFETY: see above.
                        Ok(Arc::new(unsafe { self.bytes::<$type>(from, data_type, offset, len)? }))
                    };
                }
                $crate::__match_flat!(data_type, numbers, with_type, bytes,
                    DataType::Boolean => {
                        // SAFETY: see above.
                        let (bits, nulls) = unsafe {
                            let bits = from.buffer(1);
                            (
                                self.bits(bits, data_type, offset, len)?,
                                self.nulls(from, data_type, offset, len)?,
                            )
                        };
                        Ok(Arc::new(BooleanArray::new(bits, nulls)))
                    }
                    // SAFETY: see above.
                    _ => Ok(make_array(unsafe { self.data(from, data_type, offset, len)? })),
                )
            }

            #[inline]
            unsafe fn numbers<T: ArrowPrimitiveType>(
                &self,
                from: &ArrowArray,
                data_type: &DataType,
                offset: usize,
                len: usize,
            ) -> Result<PrimitiveArray<T>, Error> {
                // SAFETY: see above.
                let (values, nulls) = unsafe {
                    let start = from.buffer(1);
                    (
                        self.scalars::<T::Native>(start, data_type, offset, len)?,
                        self.nulls(from, data_type, offset, len)?,
                    )
                };
                Ok(PrimitiveArray::new(values, nulls))
            }

            unsafe fn bytes<T: ByteArrayType>(
                &self,
                from: &ArrowArray,
                data_type: &DataType,
                offset: usize,
                len: usize,
            ) -> Result<GenericByteArray<T>, Error> {
                // An empty array may have no offsets at all.
                if len == 0 {
                    return Ok(GenericByteArray::<T>::from_iter_values(
                        std::iter::empty::<&T::Native>(),
                    ));
                }
                // SAFETY: see above. The gate has checked the offsets and the text. The
                // last offset gives the size of the data.
                unsafe {
                    let offsets =
                        self.scalars::<T::Offset>(from.buffer(1), data_type, offset, len + 1)?;
                    let end = offsets[len].to_usize();
                    let end = end.ok_or_else(|| bad(data_type, "the last offset is negative"))?;
                    let data = self.buffer(from.buffer(2), data_type, end)?;
                    let nulls = self.nulls(from, data_type, offset, len)?;
                    let offsets = OffsetBuffer::new_unchecked(offsets);
                    Ok(GenericByteArray::new_unchecked(offsets, data, nulls))
                }
            }

            unsafe fn nulls(
                &self,
                from: &ArrowArray,
                data_type: &DataType,
                offset: usize,
                len: usize,
            ) -> Result<Option<NullBuffer>, Error> {
                // SAFETY: see above. Types without validity are excluded first.
                unsafe {
                    if from.null_count == 0
                        || matches!(
                            data_type,
                            DataType::Null | DataType::Union(..) | DataType::RunEndEncoded(..)
                        )
                    {
                        return Ok(None);
                    }
                    let bits = from.buffer(0);
                    if bits.is_null() {
                        return Ok(None);
                    }
                    let bits = self.bits(bits, data_type, offset, len)?;
                    Ok(Some(if from.null_count > 0 && from.length as usize == len {
                        NullBuffer::new_unchecked(bits, from.null_count as usize)
                    } else {
                        NullBuffer::new(bits)
                    }))
                }
            }

            unsafe fn bits(
                &self,
                start: *const u8,
                data_type: &DataType,
                offset: usize,
                len: usize,
            ) -> Result<BooleanBuffer, Error> {
                // SAFETY: see above.
                let buffer =
                    unsafe { self.buffer(start, data_type, (offset + len).div_ceil(8))? };
                Ok(BooleanBuffer::new(buffer, offset, len))
            }

            #[inline]
            unsafe fn scalars<N: ArrowNativeType>(
                &self,
                start: *const u8,
                data_type: &DataType,
                offset: usize,
                len: usize,
            ) -> Result<ScalarBuffer<N>, Error> {
                // SAFETY: see above.
                Ok(ScalarBuffer::from(unsafe {
                    let (width, align) = (size_of::<N>(), align_of::<N>());
                    self.aligned(start, data_type, width, align, offset, len)?
                }))
            }

            // `len` slots from `offset` on: the memory itself, or a copy of only this part
            // if the memory is misaligned.
            #[inline]
            unsafe fn aligned(
                &self,
                start: *const u8,
                data_type: &DataType,
                width: usize,
                align: usize,
                offset: usize,
                len: usize,
            ) -> Result<Buffer, Error> {
                // Of length 0, the pointer may be NULL.
                if len == 0 {
                    return Ok(Buffer::from_slice_ref::<u8, _>([]));
                }
                let (first, bytes) = (offset * width, len * width);
                if start as usize % align != 0 {
                    // SAFETY: the memory is as long as the struct says.
                    return Ok(Buffer::from_slice_ref(unsafe {
                        std::slice::from_raw_parts(start.add(first), bytes)
                    }));
                }
                // SAFETY: see above.
                let all = unsafe { self.buffer(start, data_type, first + bytes)? };
                Ok(if first == 0 { all } else { all.slice_with_length(first, bytes) })
            }

            // `bytes` bytes, in place.
            #[inline]
            unsafe fn buffer(
                &self,
                start: *const u8,
                data_type: &DataType,
                bytes: usize,
            ) -> Result<Buffer, Error> {
                match NonNull::new(start.cast_mut()) {
                    // SAFETY: the memory is as long as the struct says, and the owner's.
                    Some(start) => Ok(unsafe {
                        Buffer::from_custom_allocation(start, bytes, self.0.clone())
                    }),
                    None if bytes == 0 => Ok(Buffer::from_slice_ref::<u8, _>([])),
                    None => Err(bad(data_type, "a buffer is missing")),
                }
            }
        }
    };
}
