// SPDX-License-Identifier: MIT

// All other types, and all arrays nested in them: these are made from arrow-rs's untyped
// ArrayData.
#[doc(hidden)]
#[macro_export]
macro_rules! __arrow_import_nested {
    () => {
        // SAFETY (of every function below): as in __arrow_import.
        impl Import {
            // The offset is applied here. Only booleans and run ends keep theirs.
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
                            let bits =
                                self.bits(from.buffer(1), data_type, offset, len)?;
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
                            buffers
                                .push(self.offsets::<i32>(from, data_type, offset, len)?);
                            children.push(self.child(from, 0, child.data_type())?);
                        }
                        DataType::LargeList(child) => {
                            buffers
                                .push(self.offsets::<i64>(from, data_type, offset, len)?);
                            children.push(self.child(from, 0, child.data_type())?);
                        }
                        DataType::ListView(child) | DataType::LargeListView(child) => {
                            let is_large =
                                matches!(data_type, DataType::LargeListView(_));
                            let width = if is_large { 8 } else { 4 };
                            for index in [1, 2] {
                                let slots = from.buffer(index);
                                buffers.push(
                                    self.slots(slots, data_type, width, offset, len)?,
                                );
                            }
                            children.push(self.child(from, 0, child.data_type())?);
                        }
                        DataType::FixedSizeList(child, size) => {
                            let size = *size as usize;
                            let child = self.child(from, 0, child.data_type())?;
                            children.push(part(
                                child,
                                data_type,
                                offset * size,
                                len * size,
                            )?);
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
                                buffers.push(
                                    self.slots(offsets, data_type, 4, offset, len)?,
                                );
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
                            let dictionary = dictionary.ok_or_else(|| {
                                bad(data_type, "the dictionary is missing")
                            })?;
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
                            // Other producers may send more values than runs.
                            let ends = self.child(from, 0, ends.data_type())?;
                            let values = self.child(from, 1, values.data_type())?;
                            let values = part(values, data_type, 0, ends.len())?;
                            children.extend([ends, values]);
                        }
                        other => {
                            let width = match other {
                                DataType::FixedSizeBinary(width) => *width as usize,
                                other => other.primitive_width().ok_or_else(|| {
                                    bad(other, "this type cannot cross")
                                })?,
                            };
                            let values = from.buffer(1);
                            buffers
                                .push(self.slots(values, data_type, width, offset, len)?);
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
                    let child =
                        child.ok_or_else(|| bad(data_type, "a child is missing"))?;
                    self.data(
                        child,
                        data_type,
                        child.offset as usize,
                        child.length as usize,
                    )
                }
            }

            unsafe fn offsets<N: ArrowNativeType + Default>(
                &self,
                from: &ArrowArray,
                data_type: &DataType,
                offset: usize,
                len: usize,
            ) -> Result<Buffer, Error> {
                // An empty list may have no offsets at all.
                if len == 0 {
                    return Ok(Buffer::from_vec(vec![N::default()]));
                }
                // SAFETY: see above.
                let offsets = unsafe {
                    self.scalars::<N>(from.buffer(1), data_type, offset, len + 1)?
                };
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
                // In Rust, decimals and views need an alignment of 16. 256 bits are two of 128.
                let align = match data_type {
                    DataType::FixedSizeBinary(_) => 1,
                    DataType::Interval(IntervalUnit::DayTime) => 4,
                    DataType::Interval(IntervalUnit::MonthDayNano) => 8,
                    _ => width.next_power_of_two().min(16),
                };
                // SAFETY: see above.
                unsafe { self.aligned(start, data_type, width, align, offset, len) }
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
                        let bytes = from.buffer(2 + index);
                        buffers.push(self.buffer(bytes, data_type, size)?);
                    }
                }
                Ok(())
            }
        }

        // The part of a child that its parent reads. For structs, fixed-size lists and sparse
        // unions, this also cuts their children: up to arrow 59, a slice of a struct counts
        // its offset twice.
        fn part(
            child: ArrayData,
            data_type: &DataType,
            offset: usize,
            len: usize,
        ) -> Result<ArrayData, Error> {
            match offset.checked_add(len) {
                Some(end) if end <= child.len() => {}
                _ => {
                    return Err(bad(
                        data_type,
                        "a child has fewer rows than its parent needs",
                    ))
                }
            }
            if len == child.len() {
                return Ok(child);
            }
            let (each, buffers) = match child.data_type() {
                // Some readers expect the first offset to be 0, also in an empty array.
                DataType::Utf8
                | DataType::LargeUtf8
                | DataType::Binary
                | DataType::LargeBinary
                    if len == 0 =>
                {
                    return Ok(ArrayData::new_empty(child.data_type()));
                }
                DataType::Struct(_) => (1, vec![]),
                DataType::FixedSizeList(_, size) => (*size as usize, vec![]),
                DataType::Union(_, UnionMode::Sparse) => {
                    (1, vec![child.buffers()[0].slice_with_length(offset, len)])
                }
                _ => return Ok(child.slice(offset, len)),
            };
            let children = child.child_data().iter().map(|inner| {
                part(inner.clone(), child.data_type(), offset * each, len * each)
            });
            let children = children.collect::<Result<Vec<_>, _>>()?;
            let nulls = child.nulls().map(|nulls| nulls.slice(offset, len));
            let builder = ArrayData::builder(child.data_type().clone()).len(len);
            let builder = builder.nulls(nulls).buffers(buffers).child_data(children);
            // SAFETY: a part of valid data.
            Ok(unsafe { builder.build_unchecked() })
        }
    };
}
