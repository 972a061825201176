// SPDX-License-Identifier: MIT
//! Streams: the inputs of a call, made by the program, and the results that it reads.

use std::ffi::{CString, c_char};
use std::sync::{Arc, Mutex, PoisonError};

use super::bridge::Shared;
use super::call::Canceller;
use super::error::{Code, Error, Result, Source as Cause, outcome, room};
use super::sys::{self, RawCall};
use crate::abi::{ArrowArray, ArrowArrayStream, ArrowSchema};
use crate::own::{OwnedArray, OwnedSchema};

// The error object of an input that failed. Its stream and the result share the place.
type Failed = Arc<Mutex<Option<Cause>>>;

struct OwnedStream(ArrowArrayStream);

// SAFETY: alloy.h lets any thread use a stream, one at a time.
unsafe impl Send for OwnedStream {}

impl OwnedStream {
    fn into_raw(mut self) -> ArrowArrayStream {
        std::mem::replace(&mut self.0, ArrowArrayStream::released())
    }
}

impl Drop for OwnedStream {
    fn drop(&mut self) {
        if let Some(release) = self.0.release {
            // SAFETY: this owner has the struct, which was not released before.
            unsafe { release(&mut self.0) }
        }
    }
}

/// An input stream of a call.
#[allow(missing_debug_implementations)]
pub struct Source {
    raw: OwnedStream,
    failed: Vec<Failed>,
    // The calls and the logs of streams of Alloy that are handed on.
    keeps: Vec<Canceller>,
}

/// The batches of a [`Source`].
pub type Batches =
    Box<dyn Iterator<Item = std::result::Result<OwnedArray, Cause>> + Send>;

impl Source {
    /// A stream of the program. The engine pulls from `batches` on the thread that reads the
    /// result. An error or a panic fails the result; the error is its `source()`.
    ///
    /// # Safety
    ///
    /// Each batch is of the schema that `schema` returns, as for [`Call::run`](super::Call::run).
    pub unsafe fn new(
        schema: impl Fn() -> std::result::Result<OwnedSchema, crate::Error> + Send + 'static,
        batches: Batches,
    ) -> Self {
        let failed = Failed::default();
        let feed = Feed {
            schema: Box::new(schema),
            batches: Some(batches),
            failed: failed.clone(),
            text: CString::default(),
            errno: 0,
        };
        let raw = OwnedStream(ArrowArrayStream {
            get_schema: Some(get_schema),
            get_next: Some(get_next),
            get_last_error: Some(get_last_error),
            release: Some(release),
            private_data: Box::into_raw(Box::new(feed)).cast(),
        });
        Self { raw, failed: vec![failed], keeps: Vec::new() }
    }

    /// A stream of another library. It takes the struct.
    ///
    /// # Safety
    ///
    /// The struct is valid or released, nothing else releases it, and any thread may use it.
    /// Its batches are of its schema, as for [`Call::run`](super::Call::run).
    #[must_use]
    pub unsafe fn from_raw(raw: ArrowArrayStream) -> Self {
        Self { raw: OwnedStream(raw), failed: Vec::new(), keeps: Vec::new() }
    }
}

/// A result of a call: an iterator over checked batches. After an error it ends.
///
/// Any thread may use it, one at a time. Its drop releases the inputs.
#[allow(missing_debug_implementations)]
pub struct Stream {
    // Before what it uses: fields are dropped in this order.
    raw: OwnedStream,
    failed: Vec<Failed>,
    keeps: Vec<Canceller>,
    canceller: Canceller,
    is_over: bool,
}

impl Stream {
    pub(super) fn open(
        call: *mut RawCall,
        inputs: Vec<Source>,
        timeout_ns: i64,
        canceller: Canceller,
    ) -> Result<Self> {
        let n_inputs = i32::try_from(inputs.len())
            .map_err(|_| Error::caller(Code::Invalid, "too many inputs"))?;
        let (mut raws, mut failed, mut keeps) = (Vec::new(), Vec::new(), Vec::new());
        for input in inputs {
            raws.push(input.raw.into_raw());
            failed.extend(input.failed);
            keeps.extend(input.keeps);
        }
        let mut stream = Self {
            raw: OwnedStream(ArrowArrayStream::released()),
            failed,
            keeps,
            canceller,
            is_over: false,
        };
        let (ticket, mut error) = (stream.canceller.ticket, room());
        let (inputs, output) = (raws.as_mut_ptr(), &raw mut stream.raw.0);
        // SAFETY: the call is valid, and the inputs are as many as stated.
        let code = unsafe {
            sys::alloy_call_stream(
                call, inputs, n_inputs, output, timeout_ns, ticket, &mut error,
            )
        };
        if code == Code::Busy as i32 {
            raws.into_iter().for_each(|raw| drop(OwnedStream(raw)));
        }
        outcome(code, &error).map_err(|error| stream.with_source(error))?;
        Ok(stream)
    }

    fn with_source(&self, error: Error) -> Error {
        let lock = |failed: &Failed| {
            failed.lock().unwrap_or_else(PoisonError::into_inner).clone()
        };
        error.with_source(self.failed.iter().find_map(lock))
    }

    fn read(&mut self) -> Result<Option<OwnedArray>> {
        let Some(get_next) = self.raw.0.get_next else { return Ok(None) };
        let mut array = ArrowArray::released();
        // SAFETY: the stream is from the engine, and only this code uses it. What it writes to
        // the place is ours.
        let (errno, array) = unsafe {
            let errno = get_next(&mut self.raw.0, &mut array);
            (errno, OwnedArray::take(&mut array))
        };
        if errno == 0 {
            return Ok(array.raw().release.is_some().then_some(array));
        }
        let mut error = room();
        // SAFETY: the stream is valid.
        let code = unsafe { sys::alloy_stream_error(&self.raw.0, &mut error) };
        // A failure of the stream is never an end, also if the engine has no text for it.
        let code = if code == 0 { Code::Internal as i32 } else { code };
        outcome(code, &error).map_err(|error| self.with_source(error))?;
        Ok(None)
    }

    /// Cancels this stream, from any thread.
    #[must_use]
    pub fn canceller(&self) -> Canceller {
        self.canceller.clone()
    }

    /// Hand the stream on as an input of another call. C code then pulls from it directly.
    #[must_use]
    pub fn into_source(self) -> Source {
        let Self { raw, failed, mut keeps, canceller, .. } = self;
        keeps.push(canceller);
        Source { raw, failed, keeps }
    }

    /// Give the C struct away. The receiver must release it. If the host has a log callback,
    /// the callback then lives as long as the process.
    #[must_use]
    pub fn into_raw(self) -> ArrowArrayStream {
        let Self { raw, keeps, canceller, .. } = self;
        for keep in keeps.iter().chain([&canceller]) {
            Shared::keep_for_ever(keep.bound.host.clone());
        }
        raw.into_raw()
    }
}

impl Iterator for Stream {
    type Item = Result<OwnedArray>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.is_over {
            return None;
        }
        let next = self.read().transpose();
        self.is_over = !matches!(next, Some(Ok(_)));
        next
    }
}

impl std::iter::FusedIterator for Stream {}

type MakeSchema = Box<dyn Fn() -> std::result::Result<OwnedSchema, crate::Error> + Send>;

// The program's end of an input stream.
struct Feed {
    schema: MakeSchema,
    batches: Option<Batches>,
    failed: Failed,
    text: CString,
    errno: i32,
}

// EIO and EINVAL, which Linux numbers alike everywhere.
const EIO: i32 = 5;
const EINVAL: i32 = 22;

impl Feed {
    fn report(&mut self, text: &str, errno: i32) -> i32 {
        self.text = CString::new(text.replace('\0', " ")).unwrap_or_default();
        errno
    }

    fn next(&mut self) -> std::result::Result<ArrowArray, i32> {
        if self.errno != 0 {
            return Err(self.errno);
        }
        let batches = &mut self.batches;
        let next = crate::edge::guard(|| Ok(batches.as_mut().and_then(Iterator::next)));
        let text = match next {
            Ok(Some(Ok(batch))) => return Ok(batch.into_raw()),
            Ok(None) => {
                self.close();
                return Ok(ArrowArray::released());
            }
            Ok(Some(Err(cause))) => {
                let text = crate::edge::guard(|| Ok(cause.to_string()));
                *self.failed.lock().unwrap_or_else(PoisonError::into_inner) = Some(cause);
                text.unwrap_or_else(|error| error.text().to_owned())
            }
            Err(panic) => panic.text().to_owned(),
        };
        self.close();
        self.errno = self.report(&text, EIO);
        Err(self.errno)
    }

    fn close(&mut self) {
        let batches = self.batches.take();
        // A panic in this drop cannot be reported any more.
        let _ = crate::edge::guard(|| {
            drop(batches);
            Ok(())
        });
    }
}

// SAFETY (of the calls): Source::new made the stream, and it was not released.
unsafe fn feed<'a>(stream: *mut ArrowArrayStream) -> &'a mut Feed {
    // SAFETY: see above; a stream has one user at a time.
    unsafe { &mut *(*stream).private_data.cast() }
}

unsafe extern "C" fn get_schema(
    stream: *mut ArrowArrayStream,
    out: *mut ArrowSchema,
) -> i32 {
    // SAFETY: the engine owns the stream, and the place is to be filled.
    let feed = unsafe { feed(stream) };
    match crate::edge::guard(|| (feed.schema)()) {
        Ok(schema) => {
            // SAFETY: as above.
            unsafe { out.write(schema.into_raw()) };
            0
        }
        Err(error) => feed.report(error.text(), EINVAL),
    }
}

unsafe extern "C" fn get_next(
    stream: *mut ArrowArrayStream,
    out: *mut ArrowArray,
) -> i32 {
    // SAFETY: the engine owns the stream.
    match unsafe { feed(stream) }.next() {
        Ok(array) => {
            // SAFETY: the place is to be filled.
            unsafe { out.write(array) };
            0
        }
        Err(errno) => errno,
    }
}

unsafe extern "C" fn get_last_error(stream: *mut ArrowArrayStream) -> *const c_char {
    // SAFETY: the engine owns the stream.
    unsafe { feed(stream) }.text.as_ptr()
}

unsafe extern "C" fn release(stream: *mut ArrowArrayStream) {
    // SAFETY: Source::new made private_data; the struct is released once.
    let mut feed = unsafe {
        (*stream).release = None;
        Box::from_raw((*stream).private_data.cast::<Feed>())
    };
    feed.close();
    let _ = crate::edge::guard(|| {
        drop(feed);
        Ok(())
    });
}
