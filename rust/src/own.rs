// SPDX-License-Identifier: MIT
//! Owners of the structs that cross.

use std::ptr;

use crate::abi::{ArrowArray, ArrowSchema};

impl ArrowArray {
    /// A struct that owns nothing.
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

    /// The buffer at `index`; NULL also where there are fewer.
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

    /// The child at `index`, or None where there are fewer.
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
    /// A struct that owns nothing.
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

/// An array that is released when it goes, exactly once, on whatever thread that is.
#[derive(Debug)]
pub struct OwnedArray(pub(crate) ArrowArray);

// SAFETY: backend.h lets every thread read and release a batch.
unsafe impl Send for OwnedArray {}
// SAFETY: as above; the struct is only read until it is dropped.
unsafe impl Sync for OwnedArray {}

impl OwnedArray {
    /// Move an array out of its place, which is left released.
    ///
    /// # Safety
    ///
    /// It must be valid or released, nobody else may release it, and it must be fit for
    /// every thread.
    #[inline]
    #[must_use]
    pub unsafe fn take(place: &mut ArrowArray) -> Self {
        Self(std::mem::replace(place, ArrowArray::released()))
    }

    /// Give the struct away, with its duty to release.
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
            // SAFETY: the struct is the owner's, and was not released before.
            unsafe { release(&mut self.0) }
        }
    }
}

/// A batch that the engine passed, in its place: what is not taken out of it the engine
/// releases.
///
/// Only the engine's own places are inputs, so that taking one is safe.
#[derive(Debug)]
#[repr(transparent)]
pub struct Input(ArrowArray);

impl Input {
    /// Move the batch out, which leaves the place released.
    #[inline]
    #[must_use]
    pub fn take(&mut self) -> OwnedArray {
        // SAFETY: the engine gives its inputs away, each once.
        unsafe { OwnedArray::take(&mut self.0) }
    }

    /// The struct, for reading.
    #[inline]
    #[must_use]
    pub fn raw(&self) -> &ArrowArray {
        &self.0
    }
}

/// A schema that is released when it goes, exactly once.
#[derive(Debug)]
pub struct OwnedSchema(ArrowSchema);

// SAFETY: nothing in the C data interface ties a schema to a thread.
unsafe impl Send for OwnedSchema {}

impl OwnedSchema {
    /// Own a struct that someone else made.
    ///
    /// # Safety
    ///
    /// It must be valid or released, and nobody else may release it.
    #[must_use]
    pub unsafe fn from_raw(schema: ArrowSchema) -> Self {
        Self(schema)
    }

    /// Give the struct away, with its duty to release.
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
            // SAFETY: the struct is the owner's, and was not released before.
            unsafe { release(&mut self.0) }
        }
    }
}
