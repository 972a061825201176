// SPDX-License-Identifier: MIT

// A batch comes in: one owner, shared by every buffer, and no copy but of misaligned ones.
//
// What the engine's gate has checked (pointers, counts, lengths, first and last offsets) is
// relied on; what lies behind it is trusted as far as the level that the host chose says,
// which is what arrow-rs's own from_ffi does.
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
                        _ => return Err(bad(field.data_type(), "a column is missing or short")),
                    }
                };
                columns.push(column);
            }
            // SAFETY: each column was made with the type of its field and with all the rows.
            Ok(unsafe { RecordBatch::new_unchecked(schema.clone(), columns, rows) })
        }

        #[cold]
        fn bad(data_type: &DataType, text: &str) -> Error {
            Error::bad_data(format!("{data_type}: {text}"))
        }

        struct Import(Arc<OwnedArray>);

        // SAFETY (of every function below): `from` is a struct of the owner that the gate has
        // passed as `data_type`.
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
                    ($type:ty, as $of:expr) => {{
                        // SAFETY: see above.
                        let array = unsafe { self.numbers::<$type>(from, data_type, offset, len)? };
                        Ok(Arc::new(array.with_data_type($of.clone())))
                    }};
                }
                macro_rules! bytes {
                    ($type:ty) => {
                        // SAFETY: see above.
                        Ok(Arc::new(unsafe { self.bytes::<$type>(from, data_type, offset, len)? }))
                    };
                }
                match data_type {
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
                    DataType::Timestamp(TimeUnit::Second, _) => {
                        numbers!(TimestampSecondType, as data_type)
                    }
                    DataType::Timestamp(TimeUnit::Millisecond, _) => {
                        numbers!(TimestampMillisecondType, as data_type)
                    }
                    DataType::Timestamp(TimeUnit::Microsecond, _) => {
                        numbers!(TimestampMicrosecondType, as data_type)
                    }
                    DataType::Timestamp(TimeUnit::Nanosecond, _) => {
                        numbers!(TimestampNanosecondType, as data_type)
                    }
                    DataType::Decimal128(..) => numbers!(Decimal128Type, as data_type),
                    DataType::Utf8 => bytes!(Utf8Type),
                    DataType::LargeUtf8 => bytes!(LargeUtf8Type),
                    DataType::Binary => bytes!(BinaryType),
                    DataType::LargeBinary => bytes!(LargeBinaryType),
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
                }
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
                // An empty array may come without any offsets.
                if len == 0 {
                    return Ok(GenericByteArray::<T>::from_iter_values(
                        std::iter::empty::<&T::Native>(),
                    ));
                }
                // SAFETY: see above. What the offsets and the bytes say is the host's word, at
                // the level it chose; the last offset, which sizes the data, is checked.
                unsafe {
                    let offsets =
                        self.scalars::<T::Offset>(from.buffer(1), data_type, offset, len + 1)?;
                    let end = offsets[len].to_usize();
                    let end = end.ok_or_else(|| bad(data_type, "the last offset is negative"))?;
                    let data = self.buffer(from.buffer(2), data_type, end, 1)?;
                    let nulls = self.nulls(from, data_type, offset, len)?;
                    let offsets = OffsetBuffer::new_unchecked(offsets);
                    Ok(GenericByteArray::new_unchecked(offsets, data, nulls))
                }
            }

            // Every other type, and whatever lies inside of one. Offsets are applied here, so
            // that only booleans and run ends carry one on.
            unsafe fn data(
                &self,
                from: &ArrowArray,
                data_type: &DataType,
                offset: usize,
                len: usize,
            ) -> Result<ArrayData, Error> {
                // SAFETY: see above.
                unsafe {
                    let mut buffers = Vec::new();
                    let mut children = Vec::new();
                    let mut nulls = self.nulls(from, data_type, offset, len)?;
                    let mut kept_offset = 0;
                    match data_type {
                        DataType::Null => {}
                        DataType::Boolean => {
                            let bits = self.bits(from.buffer(1), data_type, offset, len)?;
                            buffers.push(bits.inner().clone());
                            kept_offset = offset;
                        }
                        DataType::Utf8 | DataType::Binary => {
                            return Ok(self
                                .bytes::<BinaryType>(from, data_type, offset, len)?
                                .into_data()
                                .into_builder()
                                .data_type(data_type.clone())
                                .build_unchecked());
                        }
                        DataType::LargeUtf8 | DataType::LargeBinary => {
                            return Ok(self
                                .bytes::<LargeBinaryType>(from, data_type, offset, len)?
                                .into_data()
                                .into_builder()
                                .data_type(data_type.clone())
                                .build_unchecked());
                        }
                        DataType::Utf8View | DataType::BinaryView => {
                            let views = from.buffer(1);
                            buffers.push(self.slots(views, data_type, 16, offset, len)?);
                            self.variadic(from, data_type, &mut buffers)?;
                        }
                        DataType::List(child) | DataType::Map(child, _) => {
                            buffers.push(self.offsets::<i32>(from, data_type, offset, len)?);
                            children.push(self.child(from, 0, child.data_type())?);
                        }
                        DataType::LargeList(child) => {
                            buffers.push(self.offsets::<i64>(from, data_type, offset, len)?);
                            children.push(self.child(from, 0, child.data_type())?);
                        }
                        DataType::ListView(child) => {
                            buffers.push(self.slots(from.buffer(1), data_type, 4, offset, len)?);
                            buffers.push(self.slots(from.buffer(2), data_type, 4, offset, len)?);
                            children.push(self.child(from, 0, child.data_type())?);
                        }
                        DataType::LargeListView(child) => {
                            buffers.push(self.slots(from.buffer(1), data_type, 8, offset, len)?);
                            buffers.push(self.slots(from.buffer(2), data_type, 8, offset, len)?);
                            children.push(self.child(from, 0, child.data_type())?);
                        }
                        DataType::FixedSizeList(child, size) => {
                            let size = *size as usize;
                            let child = self.child(from, 0, child.data_type())?;
                            children.push(part(child, data_type, offset * size, len * size)?);
                        }
                        DataType::Struct(fields) => {
                            for (index, field) in fields.iter().enumerate() {
                                let child = self.child(from, index, field.data_type())?;
                                children.push(part(child, data_type, offset, len)?);
                            }
                        }
                        DataType::Union(fields, mode) => {
                            nulls = None;
                            let ids = from.buffer(0);
                            buffers.push(self.slots(ids, data_type, 1, offset, len)?);
                            let dense = matches!(mode, UnionMode::Dense);
                            if dense {
                                let offsets = from.buffer(1);
                                buffers.push(self.slots(offsets, data_type, 4, offset, len)?);
                            }
                            for (index, (_, field)) in fields.iter().enumerate() {
                                let child = self.child(from, index, field.data_type())?;
                                children.push(if dense {
                                    child
                                } else {
                                    part(child, data_type, offset, len)?
                                });
                            }
                        }
                        DataType::Dictionary(keys, values) => {
                            let width = keys.primitive_width().unwrap_or(1);
                            buffers.push(self.slots(
                                from.buffer(1),
                                data_type,
                                width,
                                offset,
                                len,
                            )?);
                            let dictionary = from.dictionary.as_ref();
                            let dictionary =
                                dictionary.ok_or_else(|| bad(data_type, "no dictionary"))?;
                            children.push(self.data(
                                dictionary,
                                values,
                                dictionary.offset as usize,
                                dictionary.length as usize,
                            )?);
                        }
                        DataType::RunEndEncoded(ends, values) => {
                            nulls = None;
                            kept_offset = offset;
                            children.push(self.child(from, 0, ends.data_type())?);
                            children.push(self.child(from, 1, values.data_type())?);
                        }
                        other => {
                            let width = match other {
                                DataType::FixedSizeBinary(width) => *width as usize,
                                other => other
                                    .primitive_width()
                                    .ok_or_else(|| bad(other, "no type that can cross"))?,
                            };
                            let values = from.buffer(1);
                            buffers.push(self.slots(values, data_type, width, offset, len)?);
                        }
                    }
                    Ok(ArrayData::builder(data_type.clone())
                        .len(len)
                        .offset(kept_offset)
                        .nulls(nulls)
                        .buffers(buffers)
                        .child_data(children)
                        .build_unchecked())
                }
            }

            unsafe fn child(
                &self,
                from: &ArrowArray,
                index: usize,
                data_type: &DataType,
            ) -> Result<ArrayData, Error> {
                // SAFETY: see above.
                unsafe {
                    let child = from.child(index);
                    let child = child.ok_or_else(|| bad(data_type, "a child is missing"))?;
                    self.data(child, data_type, child.offset as usize, child.length as usize)
                }
            }

            unsafe fn nulls(
                &self,
                from: &ArrowArray,
                data_type: &DataType,
                offset: usize,
                len: usize,
            ) -> Result<Option<NullBuffer>, Error> {
                // SAFETY: see above. Types without validity have null_count 0, or are asked
                // for theirs by nobody.
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
                    unsafe { self.buffer(start, data_type, (offset + len).div_ceil(8), 1)? };
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
                let bytes = (offset + len) * size_of::<N>();
                // SAFETY: see above.
                let buffer = unsafe { self.buffer(start, data_type, bytes, align_of::<N>())? };
                Ok(if offset == 0 {
                    ScalarBuffer::from(buffer)
                } else {
                    ScalarBuffer::new(buffer, offset, len)
                })
            }

            unsafe fn offsets<N: ArrowNativeType + Default>(
                &self,
                from: &ArrowArray,
                data_type: &DataType,
                offset: usize,
                len: usize,
            ) -> Result<Buffer, Error> {
                // An empty list may come without any offsets.
                if len == 0 {
                    return Ok(Buffer::from_vec(vec![N::default()]));
                }
                // SAFETY: see above.
                let offsets =
                    unsafe { self.scalars::<N>(from.buffer(1), data_type, offset, len + 1)? };
                Ok(offsets.into_inner())
            }

            unsafe fn slots(
                &self,
                start: *const u8,
                data_type: &DataType,
                width: usize,
                offset: usize,
                len: usize,
            ) -> Result<Buffer, Error> {
                // Decimals want 16 bytes in Rust, so do views; 256 bits are two of 128.
                let align = match data_type {
                    DataType::FixedSizeBinary(_) => 1,
                    DataType::Interval(IntervalUnit::DayTime) => 4,
                    DataType::Interval(IntervalUnit::MonthDayNano) => 8,
                    _ => width.next_power_of_two().min(16),
                };
                // SAFETY: see above.
                let all = unsafe { self.buffer(start, data_type, (offset + len) * width, align)? };
                Ok(all.slice_with_length(offset * width, len * width))
            }

            unsafe fn variadic(
                &self,
                from: &ArrowArray,
                data_type: &DataType,
                buffers: &mut Vec<Buffer>,
            ) -> Result<(), Error> {
                let count = (from.n_buffers as usize).saturating_sub(3);
                // SAFETY: see above; the last buffer holds the sizes.
                unsafe {
                    let sizes = from.buffer(from.n_buffers as usize - 1).cast::<i64>();
                    for index in 0..count {
                        let size = sizes.add(index).read_unaligned() as usize;
                        buffers.push(self.buffer(from.buffer(2 + index), data_type, size, 1)?);
                    }
                }
                Ok(())
            }

            #[inline]
            unsafe fn buffer(
                &self,
                start: *const u8,
                data_type: &DataType,
                bytes: usize,
                align: usize,
            ) -> Result<Buffer, Error> {
                match NonNull::new(start.cast_mut()) {
                    // SAFETY: the memory is as long as the struct says, and the owner's.
                    Some(start) if start.as_ptr() as usize % align == 0 => Ok(unsafe {
                        Buffer::from_custom_allocation(start, bytes, self.0.clone())
                    }),
                    // SAFETY: as above.
                    Some(start) => Ok(Buffer::from_slice_ref(unsafe {
                        std::slice::from_raw_parts(start.as_ptr(), bytes)
                    })),
                    None if bytes == 0 => Ok(Buffer::from_slice_ref::<u8, _>([])),
                    None => Err(bad(data_type, "a buffer is missing")),
                }
            }
        }

        // The part of a child that its parent reads. Structs are cut here, since up to
        // arrow 59 their slices count the offset twice.
        fn part(
            child: ArrayData,
            data_type: &DataType,
            offset: usize,
            len: usize,
        ) -> Result<ArrayData, Error> {
            match offset.checked_add(len) {
                Some(end) if end <= child.len() => {}
                _ => return Err(bad(data_type, "a child is too short")),
            }
            if len == child.len() {
                return Ok(child);
            }
            if !matches!(child.data_type(), DataType::Struct(_)) {
                return Ok(child.slice(offset, len));
            }
            let children = child.child_data().iter();
            let children = children.map(|inner| part(inner.clone(), data_type, offset, len));
            let children = children.collect::<Result<Vec<_>, _>>()?;
            let nulls = child.nulls().map(|nulls| nulls.slice(offset, len));
            let builder = ArrayData::builder(child.data_type().clone()).len(len);
            // SAFETY: a part of what is as trusted as the whole.
            Ok(unsafe { builder.nulls(nulls).child_data(children).build_unchecked() })
        }
    };
}
