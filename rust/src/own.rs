// SPDX-License-Identifier: MIT
//! Owners of Arrow structs: each releases its struct exactly once.

use std::ptr;

use crate::abi::{ArrowArray, ArrowSchema};

impl ArrowArray {
    /// A released struct, which owns nothing.
    #[must_use]
    pub const fn released() -> Self {
        Self {
            length: 0,
            null_count: 0,
            offset: 0,
            n_buffers: 0,
            n_children: 0,
            buffers: ptr::null_mut(),
            children: ptr::null_mut(),
            dictionary: ptr::null_mut(),
            release: None,
            private_data: ptr::null_mut(),
        }
    }

    /// The buffer at `index`; NULL if there are fewer.
    ///
    /// # Safety
    ///
    /// The struct must be valid.
    #[inline]
    #[must_use]
    pub unsafe fn buffer(&self, index: usize) -> *const u8 {
        if index < self.n_buffers as usize && !self.buffers.is_null() {
            // SAFETY: the index was checked against the count of a valid struct.
            unsafe { *self.buffers.add(index) }.cast()
        } else {
            ptr::null()
        }
    }

    /// The child at `index`; None if there are fewer.
    ///
    /// # Safety
    ///
    /// The struct must be valid.
    #[inline]
    #[must_use]
    pub unsafe fn child(&self, index: usize) -> Option<&ArrowArray> {
        if index < self.n_children as usize && !self.children.is_null() {
            // SAFETY: the index was checked against the count of a valid struct.
            unsafe { (*self.children.add(index)).as_ref() }
        } else {
            None
        }
    }
}

impl ArrowSchema {
    /// A released struct, which owns nothing.
    #[must_use]
    pub const fn released() -> Self {
        Self {
            format: ptr::null(),
            name: ptr::null(),
            metadata: ptr::null(),
            flags: 0,
            n_children: 0,
            children: ptr::null_mut(),
            dictionary: ptr::null_mut(),
            release: None,
            private_data: ptr::null_mut(),
        }
    }
}

/// An owned array. Its drop releases it, once, on any thread.
#[derive(Debug)]
#[repr(transparent)]
pub struct OwnedArray(pub(crate) ArrowArray);

// SAFETY: backend.h lets every thread read and release a batch.
unsafe impl Send for OwnedArray {}
// SAFETY: as above; until the drop, the struct is only read.
unsafe impl Sync for OwnedArray {}

impl OwnedArray {
    /// Move an array out of `place`, which becomes released.
    ///
    /// # Safety
    ///
    /// The array must be valid or released. Nothing else may release it. Any thread must be
    /// able to read and release it.
    #[inline]
    #[must_use]
    pub unsafe fn take(place: &mut ArrowArray) -> Self {
        Self(std::mem::replace(place, ArrowArray::released()))
    }

    /// Give the struct away. The receiver must release it.
    #[must_use]
    pub fn into_raw(mut self) -> ArrowArray {
        std::mem::replace(&mut self.0, ArrowArray::released())
    }

    /// The struct, for reading.
    #[inline]
    #[must_use]
    pub fn raw(&self) -> &ArrowArray {
        &self.0
    }
}

impl Drop for OwnedArray {
    fn drop(&mut self) {
        if let Some(release) = self.0.release {
            // SAFETY: this owner has the struct, which was not released before.
            unsafe { release(&mut self.0) }
        }
    }
}

/// A batch that the engine passed. The engine releases it unless the function takes it.
///
/// Only the engine makes inputs, so that `take` is safe.
#[derive(Debug)]
#[repr(transparent)]
pub struct Input(ArrowArray);

impl Input {
    /// Move the batch out. The place becomes released.
    #[inline]
    #[must_use]
    pub fn take(&mut self) -> OwnedArray {
        // SAFETY: the engine gives each of its inputs away, once.
        unsafe { OwnedArray::take(&mut self.0) }
    }

    /// The struct, for reading.
    #[inline]
    #[must_use]
    pub fn raw(&self) -> &ArrowArray {
        &self.0
    }
}

/// An owned schema. Its drop releases it, once.
#[derive(Debug)]
pub struct OwnedSchema(ArrowSchema);

// SAFETY: the C data interface does not tie a schema to a thread.
unsafe impl Send for OwnedSchema {}

impl OwnedSchema {
    /// Own a struct.
    ///
    /// # Safety
    ///
    /// It must be valid or released. Nothing else may release it.
    #[must_use]
    pub unsafe fn from_raw(schema: ArrowSchema) -> Self {
        Self(schema)
    }

    /// Give the struct away. The receiver must release it.
    #[must_use]
    pub fn into_raw(mut self) -> ArrowSchema {
        std::mem::replace(&mut self.0, ArrowSchema::released())
    }

    /// The struct, for reading.
    #[must_use]
    pub fn raw(&self) -> &ArrowSchema {
        &self.0
    }
}

impl Drop for OwnedSchema {
    fn drop(&mut self) {
        if let Some(release) = self.0.release {
            // SAFETY: this owner has the struct, which was not released before.
            unsafe { release(&mut self.0) }
        }
    }
}
