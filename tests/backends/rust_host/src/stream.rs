// SPDX-License-Identifier: MIT
//! Streams of the host: the inputs of a function, and its output.

use std::collections::VecDeque;
use std::ffi::{CStr, CString, c_char};
use std::sync::{Arc, Mutex};

use arrowalloy::abi::{ArrowArray, ArrowArrayStream, ArrowSchema};
use arrowalloy::{OwnedArray, OwnedSchema};

use crate::{Call, Failure};

/// The events of all inputs, in order.
pub type Events = Arc<Mutex<Vec<String>>>;

/// An input: batches, then perhaps an error, which is repeated.
#[derive(Debug)]
pub struct Feed {
    name: String,
    batches: VecDeque<Result<OwnedArray, (i32, CString)>>,
    text: CString,
    events: Events,
}

impl Feed {
    /// An input with these batches.
    #[must_use]
    pub fn new(name: &str, batches: Vec<OwnedArray>, events: &Events) -> Self {
        Self {
            name: name.to_owned(),
            batches: batches.into_iter().map(Ok).collect(),
            text: CString::default(),
            events: events.clone(),
        }
    }

    /// Fail after the last batch.
    ///
    /// # Panics
    ///
    /// The text holds a NUL.
    #[must_use]
    pub fn fail(mut self, errno: i32, text: &str) -> Self {
        self.batches.push_back(Err((errno, CString::new(text).expect("no NUL"))));
        self
    }

    fn tell(&self, event: &str) {
        let event = format!("{} {event}", self.name);
        self.events.lock().expect("no test panics while it holds the lock").push(event);
    }

    fn into_raw(self) -> ArrowArrayStream {
        ArrowArrayStream {
            get_schema: None,
            get_next: Some(next_of_feed),
            get_last_error: Some(text_of_feed),
            release: Some(release_feed),
            private_data: Box::into_raw(Box::new(self)).cast(),
        }
    }
}

unsafe extern "C" fn next_of_feed(
    stream: *mut ArrowArrayStream,
    out: *mut ArrowArray,
) -> i32 {
    // SAFETY: the stream is a Feed, with one user at a time.
    let feed = unsafe { &mut *(*stream).private_data.cast::<Feed>() };
    feed.tell("read");
    let next = match feed.batches.front() {
        Some(Err(failure)) => Err(failure.clone()),
        _ => Ok(feed.batches.pop_front().and_then(Result::ok)),
    };
    match next {
        Ok(batch) => {
            let batch = batch.map_or(ArrowArray::released(), OwnedArray::into_raw);
            // SAFETY: the place is the consumer's.
            unsafe { out.write(batch) };
            0
        }
        Err((errno, text)) => {
            feed.text = text;
            errno
        }
    }
}

unsafe extern "C" fn text_of_feed(stream: *mut ArrowArrayStream) -> *const c_char {
    // SAFETY: as above.
    unsafe { &*(*stream).private_data.cast::<Feed>() }.text.as_ptr()
}

unsafe extern "C" fn release_feed(stream: *mut ArrowArrayStream) {
    // SAFETY: as above; it is released once.
    unsafe {
        (*stream).release = None;
        Box::from_raw((*stream).private_data.cast::<Feed>()).tell("released");
    }
}

/// The error of a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamFailure {
    /// What `get_next` returned.
    pub errno: i32,
    /// What `get_last_error` returned.
    pub text: String,
    /// The error that the backend reported by `fail` meanwhile.
    pub said: Option<Failure>,
}

/// The output of a function.
#[derive(Debug)]
pub struct Output<'c> {
    raw: ArrowArrayStream,
    call: &'c Call,
}

// SAFETY: a stream is tied to no thread.
unsafe impl Send for Output<'_> {}

impl Output<'_> {
    /// Its call.
    #[must_use]
    pub fn call(&self) -> &Call {
        self.call
    }

    /// The next batch.
    ///
    /// # Errors
    ///
    /// The error of the stream.
    ///
    /// # Panics
    ///
    /// It lacks a callback.
    pub fn next_batch(&mut self) -> Result<Option<OwnedArray>, StreamFailure> {
        let mut array = ArrowArray::released();
        // SAFETY: the stream is ours.
        let (errno, array) = unsafe {
            let errno = self.raw.get_next.expect("get_next")(&mut self.raw, &mut array);
            (errno, OwnedArray::take(&mut array))
        };
        self.answer(errno)?;
        Ok(array.raw().release.is_some().then_some(array))
    }

    /// The schema of the batches.
    ///
    /// # Errors
    ///
    /// The error of the stream.
    ///
    /// # Panics
    ///
    /// It lacks a callback.
    pub fn schema(&mut self) -> Result<OwnedSchema, StreamFailure> {
        let mut schema = ArrowSchema::released();
        // SAFETY: as above.
        let errno = unsafe {
            self.raw.get_schema.expect("get_schema")(&mut self.raw, &mut schema)
        };
        // SAFETY: what the stream gave, or released.
        let schema = unsafe { OwnedSchema::from_raw(schema) };
        self.answer(errno)?;
        Ok(schema)
    }

    fn answer(&mut self, errno: i32) -> Result<(), StreamFailure> {
        let said = self.call.entry.said();
        if errno == 0 {
            return Ok(());
        }
        // SAFETY: as above; the text is copied before the next call.
        let text = unsafe {
            let text = self.raw.get_last_error.expect("get_last_error")(&mut self.raw);
            CStr::from_ptr(text).to_string_lossy().into_owned()
        };
        Err(StreamFailure { errno, text, said })
    }
}

impl Iterator for Output<'_> {
    type Item = Result<OwnedArray, StreamFailure>;

    fn next(&mut self) -> Option<Self::Item> {
        self.next_batch().transpose()
    }
}

impl Drop for Output<'_> {
    fn drop(&mut self) {
        if let Some(release) = self.raw.release {
            // SAFETY: it is released once.
            unsafe { release(&mut self.raw) }
            assert!(self.raw.release.is_none(), "a release marks its struct");
        }
    }
}

impl Call {
    /// Open it. Inputs that the backend did not take are released, as in the engine.
    ///
    /// # Errors
    ///
    /// The error of the backend.
    ///
    /// # Panics
    ///
    /// The function has no open.
    pub fn open(&mut self, inputs: Vec<Feed>) -> Result<Output<'_>, Failure> {
        let mut inputs: Vec<ArrowArrayStream> =
            inputs.into_iter().map(Feed::into_raw).collect();
        let mut raw = ArrowArrayStream::released();
        // SAFETY: everything is as backend.h wants it.
        let code = unsafe {
            self.function.open.expect("open")(
                self.state,
                self.entry.raw(),
                inputs.as_mut_ptr(),
                inputs.len() as i32,
                &mut raw,
            )
        };
        for input in &mut inputs {
            if let Some(release) = input.release {
                // SAFETY: what is left of the inputs.
                unsafe { release(input) };
            }
        }
        let output = Output { raw, call: self };
        output.call.entry.answer(code)?;
        Ok(output)
    }
}
