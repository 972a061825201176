// SPDX-License-Identifier: MIT
//! Arrays of every type and nesting from a seed: with nulls, with offsets, and with children
//! that are longer than necessary.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_array::Array;
use arrow_array::builder::{BinaryViewBuilder, StringViewBuilder};
use arrow_buffer::{BooleanBuffer, Buffer, NullBuffer, i256};
use arrow_data::ArrayData;
use arrow_schema::ffi::FFI_ArrowSchema;
use arrow_schema::{
    DataType, Field, Fields, IntervalUnit, TimeUnit, UnionFields, UnionMode,
};

const UNITS: [TimeUnit; 4] = [
    TimeUnit::Second,
    TimeUnit::Millisecond,
    TimeUnit::Microsecond,
    TimeUnit::Nanosecond,
];

/// The number of kinds of types that it makes.
pub const KINDS: usize = 39;

/// Makes the same arrays from the same seed.
pub struct Maker {
    state: u64,
    sorted_maps: bool,
}

impl Maker {
    /// A maker with this seed.
    pub fn new(state: u64) -> Self {
        // Up to arrow 59, the export of a field loses the flag that keys are sorted.
        let mut maker = Self { state, sorted_maps: true };
        let map = Field::new("", maker.sorted_map(), true);
        let map = FFI_ArrowSchema::try_from(&map).expect("a schema");
        Self { state, sorted_maps: map.map_keys_sorted() }
    }

    // SplitMix64.
    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `end`.
    pub fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }

    fn pick<T: Clone>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())].clone()
    }

    fn bytes(&mut self, len: usize) -> Vec<u8> {
        (0..len).map(|_| self.next() as u8).collect()
    }

    /// Any type, with at most `depth` levels of nesting.
    pub fn data_type(&mut self, depth: usize) -> DataType {
        let kind = if depth == 0 { self.below(27) } else { self.below(KINDS) };
        self.kind(kind, depth.saturating_sub(1))
    }

    /// A type of one of the kinds.
    pub fn kind(&mut self, kind: usize, depth: usize) -> DataType {
        match kind {
            0 => DataType::Null,
            1 => DataType::Boolean,
            2 => self.pick(&[DataType::Int8, DataType::UInt8]),
            3 => self.pick(&[DataType::Int16, DataType::UInt16]),
            4 => self.pick(&[DataType::Int32, DataType::UInt32]),
            5 => self.pick(&[DataType::Int64, DataType::UInt64]),
            6 => DataType::Float16,
            7 => DataType::Float32,
            8 => DataType::Float64,
            9 => self.pick(&[DataType::Date32, DataType::Date64]),
            10 => DataType::Time32(self.pick(&UNITS[..2])),
            11 => DataType::Time64(self.pick(&UNITS[2..])),
            12 => {
                let zone = self.pick(&[None, Some("UTC".into()), Some("+01:00".into())]);
                DataType::Timestamp(self.pick(&UNITS), zone)
            }
            13 => DataType::Duration(self.pick(&UNITS)),
            14 => DataType::Interval(IntervalUnit::YearMonth),
            15 => DataType::Interval(IntervalUnit::DayTime),
            16 => DataType::Interval(IntervalUnit::MonthDayNano),
            17 => DataType::Decimal32(9, self.scale()),
            18 => DataType::Decimal64(18, self.scale()),
            19 => DataType::Decimal128(38, self.scale()),
            20 => DataType::Decimal256(76, self.scale()),
            21 => DataType::FixedSizeBinary(self.below(20) as i32),
            22 => self.pick(&[DataType::Utf8, DataType::LargeUtf8]),
            23 => self.pick(&[DataType::Binary, DataType::LargeBinary]),
            24 => DataType::Utf8View,
            25 => DataType::BinaryView,
            26 => DataType::Int64,
            27 => DataType::List(self.item(depth)),
            28 => DataType::LargeList(self.item(depth)),
            29 => DataType::ListView(self.item(depth)),
            30 => DataType::LargeListView(self.item(depth)),
            31 => DataType::FixedSizeList(self.item(depth), self.below(4) as i32),
            32 => {
                let count = self.below(4);
                DataType::Struct(self.fields(count, depth))
            }
            33 => self.map(depth),
            34 => self.union(depth, UnionMode::Sparse),
            35 => self.union(depth, UnionMode::Dense),
            36 | 37 => {
                let key = self.below(4) + 2;
                let key = self.kind(key, 0);
                DataType::Dictionary(Box::new(key), Box::new(self.data_type(depth)))
            }
            _ => {
                let ends =
                    self.pick(&[DataType::Int16, DataType::Int32, DataType::Int64]);
                let values = Field::new("values", self.data_type(depth), true);
                let ends = Field::new("run_ends", ends, false);
                DataType::RunEndEncoded(Arc::new(ends), Arc::new(values))
            }
        }
    }

    fn scale(&mut self) -> i8 {
        self.below(9) as i8 - 4
    }

    fn item(&mut self, depth: usize) -> Arc<Field> {
        let name = self.pick(&["item", "", "ö"]);
        let field = Field::new(name, self.data_type(depth), true);
        Arc::new(match self.below(3) {
            0 => field.with_metadata(HashMap::from(
                [("b", "1"), ("a", ""), ("", "ö\0")].map(|(k, v)| (k.into(), v.into())),
            )),
            _ => field,
        })
    }

    fn fields(&mut self, count: usize, depth: usize) -> Fields {
        (0..count).map(|_| self.item(depth)).collect()
    }

    fn sorted_map(&mut self) -> DataType {
        match self.map(0) {
            DataType::Map(entries, _) => DataType::Map(entries, true),
            other => other,
        }
    }

    fn map(&mut self, depth: usize) -> DataType {
        let key = self.below(20) + 1;
        let key = Field::new("keys", self.kind(key, 0), false);
        let value = Field::new("values", self.data_type(depth), true);
        let entries =
            Field::new("entries", DataType::Struct(vec![key, value].into()), false);
        DataType::Map(Arc::new(entries), self.sorted_maps && self.below(4) > 0)
    }

    fn union(&mut self, depth: usize, mode: UnionMode) -> DataType {
        let count = self.below(3) + 1;
        let ids = [5i8, 127, 0];
        let fields = self.fields(count, depth);
        let fields = UnionFields::try_new(ids[..count].to_vec(), fields.iter().cloned());
        DataType::Union(fields.expect("fields"), mode)
    }

    /// An array of `len` values.
    pub fn data(&mut self, data_type: &DataType, len: usize) -> ArrayData {
        self.data_with(data_type, len, true)
    }

    fn data_with(
        &mut self,
        data_type: &DataType,
        len: usize,
        nullable: bool,
    ) -> ArrayData {
        let mut buffers = Vec::new();
        let mut children = Vec::new();
        let mut nullable = nullable;
        match data_type {
            DataType::Null => nullable = false,
            DataType::Boolean => buffers.push(self.bytes(len.div_ceil(8))),
            DataType::Utf8 | DataType::Binary => self.text(len, 4, &mut buffers),
            DataType::LargeUtf8 | DataType::LargeBinary => {
                self.text(len, 8, &mut buffers)
            }
            DataType::Utf8View | DataType::BinaryView => {
                return self.views(data_type, len);
            }
            DataType::List(item) => {
                let end = self.offsets(len, 4, &mut buffers);
                children.push(self.child(item.data_type(), end));
            }
            DataType::Map(entries, _) => {
                let end = self.offsets(len, 4, &mut buffers);
                children.push(self.entries(entries.data_type(), end));
            }
            DataType::LargeList(item) => {
                let end = self.offsets(len, 8, &mut buffers);
                children.push(self.child(item.data_type(), end));
            }
            DataType::ListView(item) => {
                self.spans(len, 4, &mut buffers);
                children.push(self.child(item.data_type(), 12));
            }
            DataType::LargeListView(item) => {
                self.spans(len, 8, &mut buffers);
                children.push(self.child(item.data_type(), 12));
            }
            DataType::FixedSizeList(item, size) => {
                children.push(self.child(item.data_type(), len * *size as usize));
            }
            DataType::Struct(fields) => {
                for field in fields {
                    children.push(self.child(field.data_type(), len));
                }
            }
            DataType::Union(fields, mode) => {
                nullable = false;
                let ids: Vec<i8> = fields.iter().map(|(id, _)| id).collect();
                let ids: Vec<i8> = (0..len).map(|_| self.pick(&ids)).collect();
                buffers.push(ids.iter().map(|id| *id as u8).collect());
                if matches!(mode, UnionMode::Dense) {
                    // The offsets into one child must not decrease.
                    let (mut next, mut offsets) = (HashMap::new(), Vec::new());
                    for id in &ids {
                        let offset = next.entry(id).or_insert(0);
                        offsets.extend(number(4, *offset));
                        *offset += self.below(2);
                    }
                    buffers.push(offsets);
                }
                for (_, field) in fields.iter() {
                    children.push(self.child(field.data_type(), len));
                }
            }
            DataType::Dictionary(key, values) => {
                let count = self.below(9) + 1;
                let width = key.primitive_width().expect("a number");
                let key = |maker: &mut Self| number(width, maker.below(count));
                buffers.push((0..len).flat_map(|_| key(self)).collect());
                children.push(self.data(values, count));
            }
            DataType::RunEndEncoded(ends, values) => {
                nullable = false;
                let width = ends.data_type().primitive_width().expect("a number");
                let (mut end, mut runs, mut bytes) = (0, 0, Vec::new());
                while end < len || runs == 0 {
                    end += self.below(4) + 1;
                    runs += 1;
                    bytes.extend(number(width, end));
                }
                let ends = ArrayData::builder(ends.data_type().clone()).len(runs);
                // SAFETY: a number for each run.
                children.push(unsafe { ends.add_buffer(bytes.into()).build_unchecked() });
                children.push(self.child(values.data_type(), runs));
            }
            other => buffers.push(self.fixed(other, len)),
        }
        let nulls = if nullable { self.nulls(len) } else { None };
        // Aligned for numbers of 16 bytes.
        let buffers = buffers.iter().map(Buffer::from_slice_ref).collect();
        let data = ArrayData::builder(data_type.clone()).len(len).nulls(nulls);
        // SAFETY: everything is as the type wants it.
        unsafe { data.buffers(buffers).child_data(children).build_unchecked() }
    }

    fn nulls(&mut self, len: usize) -> Option<NullBuffer> {
        let one_in = self.pick(&[0, 1, 2, 4]);
        let bits = (one_in > 0)
            .then(|| (0..len).map(|_| self.below(one_in) > 0).collect::<BooleanBuffer>());
        bits.map(NullBuffer::new)
    }

    fn fixed(&mut self, data_type: &DataType, len: usize) -> Vec<u8> {
        let small = |maker: &mut Self| maker.below(19) as i32 - 9; // fits every precision
        let mut bytes = Vec::new();
        for _ in 0..len {
            match data_type {
                DataType::Decimal32(..) => bytes.extend(small(self).to_ne_bytes()),
                DataType::Decimal64(..) => {
                    bytes.extend(i64::from(small(self)).to_ne_bytes())
                }
                DataType::Decimal128(..) => {
                    bytes.extend(i128::from(small(self)).to_ne_bytes())
                }
                DataType::Decimal256(..) => {
                    bytes.extend(i256::from_i128(i128::from(small(self))).to_le_bytes());
                }
                DataType::FixedSizeBinary(width) => {
                    bytes.extend(self.bytes(*width as usize))
                }
                other => {
                    bytes.extend(self.bytes(other.primitive_width().expect("a number")))
                }
            }
        }
        bytes
    }

    // Offsets need not begin at 0.
    fn offsets(&mut self, len: usize, width: usize, buffers: &mut Vec<Vec<u8>>) -> usize {
        let mut end = self.below(4);
        let mut bytes = number(width, end);
        for _ in 0..len {
            end += self.below(7).saturating_sub(2);
            bytes.extend(number(width, end));
        }
        buffers.push(bytes);
        end
    }

    fn text(&mut self, len: usize, width: usize, buffers: &mut Vec<Vec<u8>>) {
        let end = self.offsets(len, width, buffers);
        buffers.push((0..end).map(|_| b'a' + self.below(26) as u8).collect());
    }

    // Offsets and sizes within twelve values, in any order.
    fn spans(&mut self, len: usize, width: usize, buffers: &mut Vec<Vec<u8>>) {
        let (mut offsets, mut sizes) = (Vec::new(), Vec::new());
        for _ in 0..len {
            let offset = self.below(13);
            offsets.extend(number(width, offset));
            sizes.extend(number(width, self.below(13 - offset)));
        }
        buffers.extend([offsets, sizes]);
    }

    // As many rows as the parent needs or more; sometimes a slice of a longer array.
    fn child(&mut self, data_type: &DataType, rows: usize) -> ArrayData {
        let rows = rows + self.below(6).saturating_sub(3);
        let before = self.below(2) * self.below(18);
        let whole = self.data(data_type, before + rows);
        super::cut(&whole, before, rows)
    }

    fn entries(&mut self, data_type: &DataType, rows: usize) -> ArrayData {
        let DataType::Struct(fields) = data_type else {
            unreachable!("the entries of a map")
        };
        let keys = self.data_with(fields[0].data_type(), rows, false);
        let values = self.data(fields[1].data_type(), rows);
        let entries = ArrayData::builder(data_type.clone()).len(rows);
        // SAFETY: keys and values are of one length.
        unsafe { entries.child_data(vec![keys, values]).build_unchecked() }
    }

    fn views(&mut self, data_type: &DataType, len: usize) -> ArrayData {
        let mut texts = StringViewBuilder::new().with_fixed_block_size(64);
        let mut binaries = BinaryViewBuilder::new().with_fixed_block_size(64);
        for _ in 0..len {
            let size = self.pick(&[0, 3, 12, 13, 40]);
            let text: String =
                (0..size).map(|_| (b'a' + self.below(26) as u8) as char).collect();
            let text = (self.below(4) > 0).then_some(text);
            texts.append_option(text.as_deref());
            binaries.append_option(text.as_deref());
        }
        match data_type {
            DataType::Utf8View => texts.finish().to_data(),
            _ => binaries.finish().to_data(),
        }
    }
}

fn number(width: usize, value: usize) -> Vec<u8> {
    (value as u64).to_le_bytes()[..width].to_vec()
}
