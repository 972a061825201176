// SPDX-License-Identifier: MIT
//! Streams of batches: the inputs of a function, and its output.
//!
//! Everything here lives for `'s`, which ends when the host releases the output. The scope,
//! the inputs and the state of the function are valid until then, and not longer.

use std::ffi::{CStr, CString, c_char};
use std::marker::PhantomData;
use std::ptr;
use std::sync::{Arc, OnceLock};

use crate::abi::{ArrowArray, ArrowArrayStream, ArrowSchema};
use crate::edge::guard;
use crate::error::Error;
use crate::own::{OwnedArray, OwnedSchema};
use crate::scope::Scope;

impl ArrowArrayStream {
    /// A released struct, which owns nothing.
    #[must_use]
    pub const fn released() -> Self {
        Self {
            get_schema: None,
            get_next: None,
            get_last_error: None,
            release: None,
            private_data: ptr::null_mut(),
        }
    }
}

// The error of the first input that failed, for the output of the same call.
type Failed = Arc<OnceLock<Error>>;

/// An input stream. Its drop releases the host's stream.
///
/// It reads a batch only when it is asked for one. It returns an error once, and then ends.
/// Pass that error on with `?`: it reaches the host unchanged.
#[derive(Debug)]
pub struct InputStream<'s> {
    raw: ArrowArrayStream,
    is_over: bool,
    failed: Failed,
    life: PhantomData<&'s ()>,
}

// SAFETY: backend.h lets any thread use a stream, one at a time.
unsafe impl Send for InputStream<'_> {}

impl InputStream<'_> {
    fn read(&mut self) -> Result<Option<OwnedArray>, Error> {
        let mut array = ArrowArray::released();
        let Some(get_next) = self.raw.get_next else {
            return Err(Error::failed("the input stream is already released"));
        };
        // SAFETY: the stream is valid, and only this code uses it. What it writes to the
        // place is ours, also after a failure.
        let (errno, array) = unsafe {
            let errno = get_next(&mut self.raw, &mut array);
            (errno, OwnedArray::take(&mut array))
        };
        if errno != 0 {
            return Err(Error::of_input(errno, self.last_error()));
        }
        Ok(array.raw().release.is_some().then_some(array))
    }

    fn last_error(&mut self) -> Option<String> {
        // SAFETY: the text is valid until the next call.
        unsafe {
            let text = self.raw.get_last_error?(&mut self.raw);
            (!text.is_null()).then(|| CStr::from_ptr(text).to_string_lossy().into_owned())
        }
    }
}

impl Iterator for InputStream<'_> {
    type Item = Result<OwnedArray, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.is_over {
            return None;
        }
        let next = self.read().transpose();
        self.is_over = !matches!(next, Some(Ok(_)));
        if let Some(Err(error)) = &next {
            // If another input failed before, the host gets that error.
            let _ = self.failed.set(error.clone());
        }
        next
    }
}

impl std::iter::FusedIterator for InputStream<'_> {}

impl Drop for InputStream<'_> {
    fn drop(&mut self) {
        if let Some(release) = self.raw.release {
            // SAFETY: this owner has the struct, which was not released before.
            unsafe { release(&mut self.raw) }
        }
    }
}

/// The inputs of a call: an iterator over streams. The engine releases the streams that the
/// function does not take.
#[derive(Debug)]
pub struct InputStreams<'a, 's> {
    places: std::slice::IterMut<'a, ArrowArrayStream>,
    failed: Failed,
    life: PhantomData<&'s ()>,
}

impl<'a, 's> InputStreams<'a, 's> {
    // SAFETY (of the call): the engine lends the places for 'a, and the streams in them for
    // 's.
    pub(crate) unsafe fn new(places: &'a mut [ArrowArrayStream]) -> Self {
        Self { places: places.iter_mut(), failed: Failed::default(), life: PhantomData }
    }
}

impl<'s> Iterator for InputStreams<'_, 's> {
    type Item = InputStream<'s>;

    fn next(&mut self) -> Option<Self::Item> {
        let place = self.places.next()?;
        Some(InputStream {
            raw: std::mem::replace(place, ArrowArrayStream::released()),
            is_over: false,
            failed: self.failed.clone(),
            life: PhantomData,
        })
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.places.size_hint()
    }
}

impl ExactSizeIterator for InputStreams<'_, '_> {}

/// The batches of an output. The host asks for one at a time.
pub type Batches<'s> = Box<dyn Iterator<Item = Result<OwnedArray, Error>> + Send + 's>;

/// Returns the schema of the batches, at each call.
pub type MakeSchema<'s> = Box<dyn Fn() -> Result<OwnedSchema, Error> + Send + 's>;

/// The output of a stream function.
pub struct OutputStream<'s> {
    batches: Batches<'s>,
    schema: MakeSchema<'s>,
}

impl<'s> OutputStream<'s> {
    /// An output of `batches`. It is dropped, with the inputs that it holds, at its end, at
    /// its first error, or when the host releases the output.
    pub fn new(
        batches: impl Iterator<Item = Result<OwnedArray, Error>> + Send + 's,
        schema: impl Fn() -> Result<OwnedSchema, Error> + Send + 's,
    ) -> Self {
        Self { batches: Box::new(batches), schema: Box::new(schema) }
    }
}

impl std::fmt::Debug for OutputStream<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OutputStream").finish_non_exhaustive()
    }
}

// The backend's end of an output. The order of the fields is the order of their drops.
struct Producer<'s> {
    batches: Option<Batches<'s>>,
    schema: MakeSchema<'s>,
    scope: Scope<'s>,
    failed: Failed,
    failure: Option<Error>,
    text: CString,
}

impl Producer<'_> {
    fn next(&mut self) -> Result<ArrowArray, i32> {
        let batches = &mut self.batches;
        let next = match (self.failure.take(), batches) {
            (Some(failure), _) => Err(failure),
            (None, None) => Ok(None),
            (None, Some(batches)) => guard(|| batches.next().transpose()),
        };
        // If an input failed, the output fails as well, even if the function ended normally.
        let next = match (next, self.failed.get()) {
            (Ok(None), Some(error)) => Err(error.clone()),
            (next, _) => next,
        };
        match next {
            Ok(Some(batch)) => Ok(batch.into_raw()),
            Ok(None) => {
                self.close();
                Ok(ArrowArray::released())
            }
            Err(error) => {
                self.close();
                let errno = self.report(&error);
                self.failure = Some(error);
                Err(errno)
            }
        }
    }

    // The function is not asked again. Drop what it holds now, not at the release.
    fn close(&mut self) {
        let batches = self.batches.take();
        // A panic in this drop cannot be reported any more.
        let _ = guard(|| {
            drop(batches);
            Ok(())
        });
    }

    fn report(&mut self, error: &Error) -> i32 {
        self.text = CString::new(error.text().replace('\0', " ")).unwrap_or_default();
        if !error.is_of_input() {
            self.scope.fail(error);
        }
        error.errno()
    }
}

impl OutputStream<'_> {
    // Give the stream away. SAFETY (of the call): the scope, and everything that the
    // function received for 's, is valid until its release.
    pub(crate) unsafe fn into_raw(
        self,
        scope: Scope<'_>,
        failed: Failed,
    ) -> ArrowArrayStream {
        let Self { batches, schema } = self;
        let text = CString::default();
        let batches = Some(batches);
        let producer = Producer { batches, schema, scope, failed, failure: None, text };
        ArrowArrayStream {
            get_schema: Some(get_schema),
            get_next: Some(get_next),
            get_last_error: Some(get_last_error),
            release: Some(release),
            private_data: Box::into_raw(Box::new(producer)).cast(),
        }
    }
}

impl InputStreams<'_, '_> {
    pub(crate) fn failed(&self) -> Failed {
        self.failed.clone()
    }
}

// SAFETY (of the calls): into_raw made the stream, and it was not released.
unsafe fn producer<'a>(stream: *mut ArrowArrayStream) -> &'a mut Producer<'a> {
    // SAFETY: see above; a stream has one user at a time.
    unsafe { &mut *(*stream).private_data.cast() }
}

unsafe extern "C" fn get_schema(
    stream: *mut ArrowArrayStream,
    out: *mut ArrowSchema,
) -> i32 {
    // SAFETY: the consumer owns the stream, and the place is to be filled.
    let producer = unsafe { producer(stream) };
    match guard(|| (producer.schema)()) {
        Ok(schema) => {
            // SAFETY: as above.
            unsafe { out.write(schema.into_raw()) };
            0
        }
        Err(error) => producer.report(&error),
    }
}

unsafe extern "C" fn get_next(
    stream: *mut ArrowArrayStream,
    out: *mut ArrowArray,
) -> i32 {
    // SAFETY: the consumer owns the stream.
    match unsafe { producer(stream) }.next() {
        Ok(array) => {
            // SAFETY: the place is to be filled.
            unsafe { out.write(array) };
            0
        }
        Err(errno) => errno,
    }
}

unsafe extern "C" fn get_last_error(stream: *mut ArrowArrayStream) -> *const c_char {
    // SAFETY: the consumer owns the stream.
    unsafe { producer(stream) }.text.as_ptr()
}

unsafe extern "C" fn release(stream: *mut ArrowArrayStream) {
    // SAFETY: into_raw made private_data; the struct is released once.
    let mut producer = unsafe {
        (*stream).release = None;
        Box::from_raw((*stream).private_data.cast::<Producer<'_>>())
    };
    producer.close();
    let _ = guard(|| {
        drop(producer);
        Ok(())
    });
}
