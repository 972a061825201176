// SPDX-License-Identifier: MIT
//! Arrow structs made by hand: valid ones, and some that point outside their buffers.

use std::ffi::{CStr, CString};
use std::ptr;

use arrowalloy::abi::{ArrowArray, ArrowSchema};
use arrowalloy::{Exporter, OwnedArray, OwnedSchema};

// The exporter writes this as -1: not counted.
const UNCOUNTED: usize = usize::MAX;

/// A column to be built.
pub struct Made {
    format: String,
    rows: usize,
    offset: usize,
    nulls: usize,
    buffers: Vec<Option<Vec<u8>>>,
    dictionary: Option<Box<Made>>,
    children: Vec<Made>,
    // The distance of the values from an aligned address, in bytes.
    misaligned: usize,
}

impl Made {
    fn new(format: &str, rows: usize, buffers: Vec<Option<Vec<u8>>>) -> Self {
        let format = format.to_owned();
        let (offset, nulls, dictionary, misaligned, children) = (0, 0, None, 0, vec![]);
        Self { format, rows, offset, nulls, buffers, dictionary, children, misaligned }
    }

    /// Without the first rows.
    pub fn from(mut self, offset: usize) -> Self {
        self.offset += offset;
        self.rows -= offset;
        self.nulls = if self.nulls == 0 { 0 } else { UNCOUNTED };
        self
    }

    pub fn nulls(mut self, valid: &[bool]) -> Self {
        self.nulls = valid.iter().filter(|valid| !**valid).count();
        self.buffers[0] = (self.nulls > 0).then(|| bits(valid));
        self
    }

    pub fn format(&self) -> &str {
        &self.format
    }

    pub fn called(mut self, format: &str) -> Self {
        self.format = format.to_owned();
        self
    }

    pub fn misaligned(mut self) -> Self {
        let values = self.buffers[1].take().expect("values");
        self.buffers[1] = Some([&[0], values.as_slice()].concat());
        self.misaligned = 1;
        self
    }

    pub fn without_buffers(mut self) -> Self {
        self.buffers.fill(None);
        self
    }

    pub fn with_index(mut self, row: usize, index: u8) -> Self {
        self.buffers[1].as_mut().expect("indices")[row] = index;
        self
    }

    pub fn with_view_offset(mut self, offset: i32) -> Self {
        let views = self.buffers[1].as_mut().expect("views");
        views[12..16].copy_from_slice(&offset.to_ne_bytes());
        self
    }

    fn export(&self, exporter: &mut Exporter) {
        let has_dictionary = self.dictionary.is_some();
        let n_children = self.children.len();
        exporter.node(self.rows, self.nulls, self.offset, n_children, has_dictionary);
        for (index, buffer) in self.buffers.iter().enumerate() {
            let skip = if index == 1 { self.misaligned } else { 0 };
            let start = buffer.as_ref().map(|buffer| buffer[skip..].as_ptr());
            exporter.buffer(start.unwrap_or(ptr::null()));
        }
        self.children.iter().for_each(|child| child.export(exporter));
        if let Some(dictionary) = &self.dictionary {
            dictionary.export(exporter);
        }
    }
}

fn bits(values: &[bool]) -> Vec<u8> {
    let mut bytes = vec![0u8; values.len().div_ceil(8)];
    for (index, _) in values.iter().enumerate().filter(|(_, value)| **value) {
        bytes[index / 8] |= 1 << (index % 8);
    }
    bytes
}

fn valid<T>(values: &[Option<T>]) -> Vec<bool> {
    values.iter().map(Option::is_some).collect()
}

/// Values of one width.
pub fn flat<T: arrowalloy::Fixed>(format: &str, values: &[Option<T>]) -> Made {
    let numbers: Vec<T> = values.iter().map(|value| value.unwrap_or(T::ZERO)).collect();
    let (start, len) = (numbers.as_ptr().cast::<u8>(), size_of_val(numbers.as_slice()));
    // SAFETY: the bytes of the numbers.
    let bytes = unsafe { std::slice::from_raw_parts(start, len) }.to_vec();
    Made::new(format, values.len(), vec![None, Some(bytes)]).nulls(&valid(values))
}

/// Booleans.
pub fn bits_of(values: &[Option<bool>]) -> Made {
    let set: Vec<bool> = values.iter().map(|value| value.unwrap_or_default()).collect();
    Made::new("b", values.len(), vec![None, Some(bits(&set))]).nulls(&valid(values))
}

/// Strings with these offsets, also invalid ones.
pub fn offsets_of(offsets: &[i32], data: &[u8]) -> Made {
    let bytes = offsets.iter().flat_map(|offset| offset.to_ne_bytes()).collect();
    Made::new("u", offsets.len() - 1, vec![None, Some(bytes), Some(data.to_vec())])
}

/// Strings in any layout; `c:u` is a dictionary with indices of format `c`.
pub fn list_of(format: &str, values: &[Option<&str>]) -> Made {
    let bytes: Vec<Option<&[u8]>> =
        values.iter().map(|value| value.map(str::as_bytes)).collect();
    bytes_of(format, &bytes)
}

/// Strings or bytes in any layout, as list_of.
pub fn bytes_of(format: &str, values: &[Option<&[u8]>]) -> Made {
    let made = match format.split_once(':') {
        Some((index, of)) => dictionary_of(index, of, values),
        None => Made::new(format, values.len(), plain_buffers(format, values)),
    };
    made.nulls(&valid(values))
}

fn dictionary_of(index: &str, of: &str, values: &[Option<&[u8]>]) -> Made {
    // The values in reverse order, so that an index differs from its row.
    let there: Vec<_> = values.iter().flatten().rev().map(|value| Some(*value)).collect();
    let width = match index {
        "c" | "C" => 1,
        "s" | "S" => 2,
        "i" | "I" => 4,
        _ => 8,
    };
    let mut next = there.len() as u64;
    let indices = values.iter().flat_map(|value| {
        next -= u64::from(value.is_some());
        // The index of a null points outside the dictionary.
        let index = if value.is_some() { next } else { 77 };
        index.to_ne_bytes()[..width].to_vec()
    });
    let mut made = Made::new(index, values.len(), vec![None, Some(indices.collect())]);
    made.dictionary = Some(Box::new(bytes_of(of, &there)));
    made
}

fn plain_buffers(format: &str, values: &[Option<&[u8]>]) -> Vec<Option<Vec<u8>>> {
    let data: Vec<u8> = values.iter().flatten().copied().flatten().copied().collect();
    let mut ends = vec![0usize];
    for value in values {
        ends.push(ends[ends.len() - 1] + value.map_or(0, <[u8]>::len));
    }
    match format {
        "u" | "z" => {
            let offsets = ends.iter().flat_map(|end| (*end as i32).to_ne_bytes());
            vec![None, Some(offsets.collect()), Some(data)]
        }
        "U" | "Z" => {
            let offsets = ends.iter().flat_map(|end| (*end as i64).to_ne_bytes());
            vec![None, Some(offsets.collect()), Some(data)]
        }
        _ => {
            let views = values.iter().zip(&ends).flat_map(|(value, first)| {
                let value = value.unwrap_or_default();
                let mut view = [0u8; 16];
                view[..4].copy_from_slice(&(value.len() as i32).to_ne_bytes());
                if value.len() <= 12 {
                    view[4..4 + value.len()].copy_from_slice(value);
                } else {
                    view[4..8].copy_from_slice(&value[..4]);
                    view[12..].copy_from_slice(&(*first as i32).to_ne_bytes());
                }
                view
            });
            let sizes = (data.len() as i64).to_ne_bytes().to_vec();
            vec![None, Some(views.collect()), Some(data), Some(sizes)]
        }
    }
}

/// A batch to be built.
pub struct Batch {
    rows: usize,
    columns: Vec<(String, Made)>,
}

impl Batch {
    pub fn new(rows: usize) -> Self {
        Self { rows, columns: Vec::new() }
    }

    pub fn add(mut self, name: &str, column: Made) -> Self {
        self.columns.push((name.to_owned(), column));
        self
    }

    pub fn array(self) -> OwnedArray {
        let mut exporter = Exporter::default();
        exporter.start();
        exporter.node(self.rows, 0, 0, self.columns.len(), false);
        exporter.buffer(ptr::null::<u8>());
        self.columns.iter().for_each(|(_, column)| column.export(&mut exporter));
        // SAFETY: the buffers are those of the columns, which become the owner.
        unsafe { exporter.finish(self) }
    }

    pub fn schema(&self) -> OwnedSchema {
        let columns = self.columns.iter().map(|(name, made)| schema(name, made));
        node("+s", "", columns.collect(), ptr::null_mut())
    }
}

fn schema(name: &str, made: &Made) -> *mut ArrowSchema {
    let dictionary = made.dictionary.as_ref();
    let dictionary = dictionary.map_or(ptr::null_mut(), |made| schema("", made));
    let children = made.children.iter().map(|child| schema("item", child)).collect();
    Box::into_raw(Box::new(node(&made.format, name, children, dictionary).into_raw()))
}

fn node(
    format: &str,
    name: &str,
    children: Vec<*mut ArrowSchema>,
    dictionary: *mut ArrowSchema,
) -> OwnedSchema {
    let text = |text: &str| CString::new(text).expect("no NUL").into_raw().cast_const();
    let children = Box::leak(Box::new(children));
    let schema = ArrowSchema {
        format: text(format),
        name: text(name),
        flags: 2,
        n_children: children.len() as i64,
        children: children.as_mut_ptr(),
        dictionary,
        release: Some(release),
        private_data: ptr::from_mut(children).cast(),
        ..ArrowSchema::released()
    };
    // SAFETY: the struct is complete, and nobody else has it.
    unsafe { OwnedSchema::from_raw(schema) }
}

unsafe extern "C" fn release(schema: *mut ArrowSchema) {
    // SAFETY: what node made; the struct is released once.
    unsafe {
        (*schema).release = None;
        drop(CString::from_raw((*schema).format.cast_mut()));
        drop(CString::from_raw((*schema).name.cast_mut()));
        let children =
            Box::from_raw((*schema).private_data.cast::<Vec<*mut ArrowSchema>>());
        let dictionary = Some((*schema).dictionary).filter(|place| !place.is_null());
        for child in children.into_iter().chain(dictionary) {
            drop(OwnedSchema::from_raw(*Box::from_raw(child)));
        }
    }
}

/// Lists in any layout: `lengths` of the rows, over the items. A null row has a length too.
pub fn lists_of(
    format: &str,
    lengths: &[Option<usize>],
    sizes: &[usize],
    items: Made,
) -> Made {
    let mut ends = vec![0usize];
    for size in sizes {
        ends.push(ends[ends.len() - 1] + size);
    }
    let wide = format.ends_with('L');
    let bytes = |numbers: &[usize]| -> Option<Vec<u8>> {
        let numbers = numbers.iter().map(|number| *number as u64);
        let width = if wide { 8 } else { 4 };
        Some(numbers.flat_map(|number| number.to_ne_bytes()[..width].to_vec()).collect())
    };
    let buffers = match format {
        "+l" | "+L" => vec![None, bytes(&ends)],
        "+vl" | "+vL" => vec![None, bytes(&ends[..sizes.len()]), bytes(sizes)],
        _ => vec![None],
    };
    let mut made = Made::new(format, sizes.len(), buffers).nulls(&valid(lengths));
    made.children.push(items);
    made
}

/// The number of a buffer of 32-bit numbers, such as an offset.
pub fn with_number(mut made: Made, buffer: usize, at: usize, number: i32) -> Made {
    let bytes = made.buffers[buffer].as_mut().expect("a buffer");
    bytes[4 * at..4 * at + 4].copy_from_slice(&number.to_ne_bytes());
    made
}

/// The types of a batch, column by column: formats, with those inside in parentheses.
pub fn formats(schema: &ArrowSchema) -> Vec<String> {
    // SAFETY: what a backend of these tests gave.
    let child = |index| unsafe { format_of(&**schema.children.add(index)) };
    (0..schema.n_children as usize).map(child).collect()
}

unsafe fn format_of(schema: &ArrowSchema) -> String {
    // SAFETY: see formats.
    unsafe {
        let text = |text| CStr::from_ptr(text).to_str().expect("UTF-8").to_owned();
        let mut format = text(schema.format);
        if let Some(values) = schema.dictionary.as_ref() {
            format += &format!("<{}>", format_of(values));
        }
        let children = (0..schema.n_children as usize).map(|index| {
            let child = &**schema.children.add(index);
            format!("{} {}", text(child.name), format_of(child))
        });
        let children: Vec<_> = children.collect();
        if children.is_empty() {
            format
        } else {
            format!("{format}({})", children.join(", "))
        }
    }
}

/// The values of a batch, column by column, as texts.
pub fn read(schema: &ArrowSchema, array: &ArrowArray) -> Vec<Vec<String>> {
    let columns = 0..array.n_children as usize;
    // SAFETY: what a backend of these tests gave.
    columns
        .map(|index| unsafe {
            let column = array.child(index).expect("a column");
            let schema = &**schema.children.add(index);
            (0..column.length as usize).map(|row| value(schema, column, row)).collect()
        })
        .collect()
}

unsafe fn value(schema: &ArrowSchema, array: &ArrowArray, row: usize) -> String {
    // SAFETY: the caller's struct, of the caller's schema.
    unsafe {
        let at = row + array.offset as usize;
        let bit = |buffer: *const u8| *buffer.add(at / 8) >> (at % 8) & 1 == 1;
        if !array.buffer(0).is_null() && !bit(array.buffer(0)) {
            return "null".to_owned();
        }
        let format = CStr::from_ptr(schema.format).to_str().expect("UTF-8");
        let values = array.buffer(1);
        let int32 = |at: usize| values.cast::<i32>().add(at).read_unaligned();
        if let Some(dictionary) = schema.dictionary.as_ref() {
            let index =
                if format == "c" { i32::from(*values.add(at)) } else { int32(at) };
            let values = array.dictionary.as_ref().expect("a dictionary");
            return value(dictionary, values, index as usize);
        }
        let items = |rows: std::ops::Range<usize>| -> Vec<String> {
            let schema = &**schema.children;
            rows.map(|row| value(schema, array.child(0).expect("items"), row)).collect()
        };
        match format {
            "g" => values.cast::<f64>().add(at).read().to_string(),
            "b" => bit(values).to_string(),
            "u" => {
                let (first, end) = (int32(at) as usize, int32(at + 1) as usize);
                let bytes =
                    std::slice::from_raw_parts(array.buffer(2).add(first), end - first);
                String::from_utf8_lossy(bytes).into_owned()
            }
            "+l" => format!(
                "[{}]",
                items(int32(at) as usize..int32(at + 1) as usize).join(" ")
            ),
            "+s" => {
                let fields = (0..schema.n_children as usize).map(|index| {
                    let child = array.child(index).expect("a field");
                    value(&**schema.children.add(index), child, row)
                });
                format!("{{{}}}", fields.collect::<Vec<_>>().join(" "))
            }
            "i" | "tdD" | "tts" | "ttm" => int32(at).to_string(),
            _ if format.starts_with("d:") => {
                values.cast::<i128>().add(at).read_unaligned().to_string()
            }
            _ if format.starts_with("w:") => {
                let width = format[2..].parse::<usize>().expect("a width");
                let bytes = std::slice::from_raw_parts(values.add(at * width), width);
                format!("{bytes:?}")
            }
            _ => values.cast::<i64>().add(at).read_unaligned().to_string(),
        }
    }
}
