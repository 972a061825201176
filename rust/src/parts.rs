// SPDX-License-Identifier: MIT
//! A batch of columns that were exported one by one, each with a release of its own.

use std::ffi::c_void;
use std::ptr;

use crate::abi::ArrowArray;
use crate::own::OwnedArray;

struct Parts {
    columns: Box<[ArrowArray]>,
    pointers: Box<[*mut ArrowArray]>,
    buffers: [*const c_void; 1],
}

impl OwnedArray {
    /// Put columns of `rows` rows into a batch, which owns them.
    #[must_use]
    pub fn from_columns(rows: usize, columns: Vec<OwnedArray>) -> Self {
        let mut columns: Box<[ArrowArray]> =
            columns.into_iter().map(OwnedArray::into_raw).collect();
        let pointers = columns.iter_mut().map(ptr::from_mut).collect();
        let mut root = ArrowArray::released();
        root.n_children = columns.len() as i64;
        let parts = Box::new(Parts { columns, pointers, buffers: [ptr::null()] });
        let parts = Box::into_raw(parts);
        root.length = rows as i64;
        root.n_buffers = 1;
        root.release = Some(release);
        root.private_data = parts.cast();
        // SAFETY: the box is whole, and stays in its place until release takes it back.
        let parts = unsafe { &mut *parts };
        root.buffers = parts.buffers.as_mut_ptr();
        root.children = parts.pointers.as_mut_ptr();
        Self::take(&mut root)
    }
}

unsafe extern "C" fn release(array: *mut ArrowArray) {
    // SAFETY: private_data is what from_columns made; the struct is released once.
    unsafe {
        (*array).release = None;
        let mut parts = Box::from_raw((*array).private_data.cast::<Parts>());
        for column in &mut parts.columns {
            if let Some(release) = column.release {
                release(column);
            }
        }
    }
}
