// SPDX-License-Identifier: MIT
//! A batch of columns that were exported one by one: each has its own release.

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
    /// Make a batch of `rows` rows that owns the columns.
    #[must_use]
    pub fn from_columns(rows: usize, columns: Vec<OwnedArray>) -> Self {
        let columns: Box<[ArrowArray]> =
            columns.into_iter().map(OwnedArray::into_raw).collect();
        let n_children = columns.len();
        let pointers = vec![ptr::null_mut(); n_children].into_boxed_slice();
        let parts = Box::new(Parts { columns, pointers, buffers: [ptr::null()] });
        // A move of a Box invalidates pointers into it, so take them from the raw box.
        let parts = Box::into_raw(parts);
        // SAFETY: the box is complete, and stays in place until release takes it back.
        let (children, buffers) = unsafe {
            let first = (*parts).columns.as_mut_ptr();
            let children = (*parts).pointers.as_mut_ptr();
            for index in 0..n_children {
                children.add(index).write(first.add(index));
            }
            (children, (&raw mut (*parts).buffers).cast())
        };
        Self(ArrowArray {
            length: rows as i64,
            n_buffers: 1,
            n_children: n_children as i64,
            buffers,
            children,
            release: Some(release),
            private_data: parts.cast(),
            ..ArrowArray::released()
        })
    }
}

unsafe extern "C" fn release(array: *mut ArrowArray) {
    // SAFETY: from_columns made private_data; the struct is released once.
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
