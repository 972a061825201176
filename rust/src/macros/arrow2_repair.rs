// SPDX-License-Identifier: MIT

// arrow2's import misreads some valid arrays: unknown null counts (-1), offsets of
// structs, fixed-size lists and unions, and children that are longer than these need.
// `repair` writes new structs for such a column, over the same buffers.
#[doc(hidden)]
#[macro_export]
macro_rules! __arrow2_repair {
    () => {
        // SAFETY (of the call): the gate passed the struct as this type.
        unsafe fn repair(column: OwnedArray, data_type: &DataType) -> OwnedArray {
            // SAFETY: as above.
            if unsafe { is_fit(column.raw(), data_type) } {
                return column;
            }
            let mut repairer = Repairer::default();
            repairer.exporter.start();
            let len = column.raw().length as usize;
            // SAFETY: the buffers belong to the column and to `kept`.
            unsafe {
                repairer.add(column.raw(), data_type, 0, len);
                repairer.exporter.finish((column, repairer.kept))
            }
        }

        unsafe fn is_fit(array: &ArrowArray, data_type: &DataType) -> bool {
            // SAFETY: see above.
            unsafe {
                let child = |index, field: &Field, len: Option<usize>| {
                    let child: &ArrowArray = array.child(index).expect("a child");
                    len.is_none_or(|len| len as i64 == child.length && array.offset == 0)
                        && is_fit(child, &field.data_type)
                };
                let len = array.length as usize;
                if array.null_count < 0 {
                    return false;
                }
                match data_type.to_logical_type() {
                    DataType::List(field)
                    | DataType::LargeList(field)
                    | DataType::Map(field, _) => child(0, field, None),
                    DataType::FixedSizeList(field, size) => {
                        child(0, field, Some(len * size))
                    }
                    DataType::Struct(fields) => fields
                        .iter()
                        .enumerate()
                        .all(|(i, field)| child(i, field, Some(len))),
                    DataType::Union(fields, _, mode) => {
                        let len = mode.is_sparse().then_some(len);
                        array.offset == 0
                            && fields
                                .iter()
                                .enumerate()
                                .all(|(i, field)| child(i, field, len))
                    }
                    DataType::Dictionary(_, values, _) => array
                        .dictionary
                        .as_ref()
                        .is_none_or(|array| is_fit(array, values)),
                    _ => true,
                }
            }
        }

        #[derive(Default)]
        struct Repairer {
            exporter: $crate::Exporter,
            kept: Vec<Vec<u8>>,
        }

        impl Repairer {
            // Add `len` rows from `skip` on, as a node of their own.
            //
            // SAFETY (of the call): the gate passed the struct as this type.
            unsafe fn add(
                &mut self,
                from: &ArrowArray,
                data_type: &DataType,
                skip: usize,
                len: usize,
            ) {
                let offset = from.offset as usize + skip;
                // SAFETY: see above.
                unsafe {
                    match data_type.to_logical_type() {
                        DataType::Null => self.exporter.node(len, len, 0, 0, false),
                        DataType::Struct(fields) => {
                            self.add_validity(from, offset, len, fields.len());
                            for (index, field) in fields.iter().enumerate() {
                                self.add_child(from, index, field, offset, Some(len));
                            }
                        }
                        DataType::FixedSizeList(field, size) => {
                            self.add_validity(from, offset, len, 1);
                            self.add_child(
                                from,
                                0,
                                field,
                                offset * size,
                                Some(len * size),
                            );
                        }
                        DataType::Union(fields, _, mode) => {
                            self.exporter.node(len, 0, 0, fields.len(), false);
                            self.exporter.buffer(from.buffer(0).wrapping_add(offset));
                            let sparse = mode.is_sparse();
                            if !sparse {
                                self.exporter
                                    .buffer(from.buffer(1).wrapping_add(4 * offset));
                            }
                            for (index, field) in fields.iter().enumerate() {
                                let skip = if sparse { offset } else { 0 };
                                self.add_child(
                                    from,
                                    index,
                                    field,
                                    skip,
                                    sparse.then_some(len),
                                );
                            }
                        }
                        DataType::List(field)
                        | DataType::LargeList(field)
                        | DataType::Map(field, _) => {
                            self.add_buffers(from, offset, len, 1, false);
                            self.add_child(from, 0, field, 0, None);
                        }
                        DataType::Dictionary(_, values, _) => {
                            self.add_buffers(from, offset, len, 0, true);
                            let dictionary = &*from.dictionary;
                            self.add(dictionary, values, 0, dictionary.length as usize);
                        }
                        _ => self.add_buffers(from, offset, len, 0, false),
                    }
                }
            }

            // Add `len` rows of a child; None means all its rows.
            unsafe fn add_child(
                &mut self,
                from: &ArrowArray,
                index: usize,
                field: &Field,
                skip: usize,
                len: Option<usize>,
            ) {
                // SAFETY: see above.
                unsafe {
                    let child: &ArrowArray = from.child(index).expect("a child");
                    let len = len.unwrap_or(child.length as usize);
                    self.add(child, &field.data_type, skip, len);
                }
            }

            unsafe fn add_buffers(
                &mut self,
                from: &ArrowArray,
                offset: usize,
                len: usize,
                n_children: usize,
                has_dictionary: bool,
            ) {
                // SAFETY: see above.
                unsafe {
                    let nulls = nulls_of(from, offset, len);
                    self.exporter.node(len, nulls, offset, n_children, has_dictionary);
                    for index in 0..from.n_buffers as usize {
                        self.exporter.buffer(from.buffer(index));
                    }
                }
            }

            // A node with offset 0: arrow2 would apply an offset of the validity to the
            // children as well.
            unsafe fn add_validity(
                &mut self,
                from: &ArrowArray,
                offset: usize,
                len: usize,
                n_children: usize,
            ) {
                // SAFETY: see above.
                unsafe {
                    let nulls = nulls_of(from, offset, len);
                    self.exporter.node(len, nulls, 0, n_children, false);
                    let start = from.buffer(0);
                    if nulls == 0 || offset % 8 == 0 {
                        self.exporter.buffer(start.wrapping_add(offset / 8));
                        return;
                    }
                    let mut bits = vec![0u8; len.div_ceil(8)];
                    for row in (0..len).filter(|row| is_valid(start, offset + row)) {
                        bits[row / 8] |= 1 << (row % 8);
                    }
                    self.exporter.buffer(bits.as_ptr());
                    self.kept.push(bits);
                }
            }
        }

        unsafe fn is_valid(bits: *const u8, row: usize) -> bool {
            // SAFETY: the bitmap has a bit for each row.
            unsafe { bits.add(row / 8).read() >> (row % 8) & 1 == 1 }
        }

        unsafe fn nulls_of(from: &ArrowArray, offset: usize, len: usize) -> usize {
            // SAFETY: see above.
            unsafe {
                let bits = from.buffer(0);
                if from.null_count == 0 || bits.is_null() {
                    return 0;
                }
                (0..len).filter(|row| !is_valid(bits, offset + row)).count()
            }
        }
    };
}
