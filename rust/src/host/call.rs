// SPDX-License-Identifier: MIT
//! A function that is bound to the schemas of its inputs and to options.

use std::ffi::c_char;
use std::ptr::{NonNull, null, null_mut};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::bridge::{Bridge, Shared, made, nanoseconds};
use super::error::{Code, Error, Result, c_text, outcome, room};
use super::stream::{Source, Stream};
use super::sys::{self, RawCall};
use crate::abi::{ArrowArray, ArrowSchema};
use crate::own::{OwnedArray, OwnedSchema};

pub(super) struct Bound {
    raw: NonNull<RawCall>,
    // The ticket of the next run. Each run has a larger one than the run before.
    next: AtomicU64,
    pub(super) host: Arc<Shared>,
}

// SAFETY: alloy.h lets any thread use a call. Only `Call` runs it, by `&mut`; to cancel and
// to read the progress are for any thread at any time.
unsafe impl Send for Bound {}
// SAFETY: as above.
unsafe impl Sync for Bound {}

impl Bound {
    fn next_ticket(&self) -> u64 {
        self.next.load(Ordering::Acquire)
    }

    fn progress(&self) -> (u64, u64) {
        let (mut done, mut total) = (0, 0);
        // SAFETY: the call is valid.
        unsafe { sys::alloy_call_progress(self.raw.as_ptr(), &mut done, &mut total) };
        let count = |number| u64::try_from(number).unwrap_or(0);
        (count(done), count(total))
    }
}

impl Drop for Bound {
    fn drop(&mut self) {
        // SAFETY: it is freed once, and no run borrows it. An open stream keeps what it needs.
        unsafe { sys::alloy_call_free(self.raw.as_ptr()) }
    }
}

/// A function that is bound to the schemas of its inputs and to options.
///
/// Any thread may use it, one run at a time: bind once for each thread. To bind the same
/// function to the same schemas again is cheap.
#[allow(missing_debug_implementations)]
pub struct Call {
    bound: Arc<Bound>,
    n_inputs: usize,
    timeout: Duration,
}

impl Call {
    /// Bind a function. The schemas are borrowed; they are schemas of batches.
    ///
    /// # Errors
    ///
    /// [`Code::NotFound`], [`Code::Invalid`], [`Code::NoMatch`], [`Code::BadData`]; the error
    /// of the backend, or of a failed load.
    pub fn bind(
        bridge: &Bridge,
        function: &str,
        inputs: &[&OwnedSchema],
        options: &[(&str, &str)],
    ) -> Result<Self> {
        let function = c_text("the name of the function", function)?;
        let texts = options.iter().flat_map(|(key, value)| [key, value]);
        let texts: Vec<_> =
            texts.map(|text| c_text("an option", text)).collect::<Result<_>>()?;
        let mut options: Vec<*const c_char> =
            texts.iter().map(|text| text.as_ptr()).collect();
        options.push(null());
        // SAFETY: copies that are only read, while their owners are borrowed.
        let schemas: Vec<ArrowSchema> =
            inputs.iter().map(|schema| unsafe { std::ptr::read(schema.raw()) }).collect();
        let n_inputs = i32::try_from(schemas.len())
            .map_err(|_| Error::caller(Code::Invalid, "too many inputs"))?;
        let (mut call, mut error) = (null_mut(), room());
        // SAFETY: the bridge is valid, and all others live for the call.
        let code = unsafe {
            sys::alloy_call_bind(
                bridge.raw(),
                function.as_ptr(),
                schemas.as_ptr(),
                n_inputs,
                options.as_ptr(),
                &mut call,
                &mut error,
            )
        };
        outcome(code, &error)?;
        let (raw, host) = (made(call)?, bridge.host().clone());
        let bound = Arc::new(Bound { raw, next: AtomicU64::new(1), host });
        Ok(Self { bound, n_inputs: inputs.len(), timeout: Duration::ZERO })
    }

    /// The schema of the output.
    #[must_use]
    pub fn schema(&self) -> &ArrowSchema {
        // SAFETY: it lives as long as the call.
        unsafe { &*sys::alloy_call_schema(self.bound.raw.as_ptr()) }
    }

    /// Limit the time of each run, and of each batch of a stream. Zero: no limit.
    pub fn set_timeout(&mut self, timeout: Duration) {
        self.timeout = timeout;
    }

    /// Cancels the next run or stream of this call, from any thread.
    #[must_use]
    pub fn canceller(&self) -> Canceller {
        Canceller { bound: self.bound.clone(), ticket: self.bound.next_ticket() }
    }

    /// What the backend reported last in the current or last run: done, and the total (0:
    /// unknown).
    #[must_use]
    pub fn progress(&self) -> (u64, u64) {
        self.bound.progress()
    }

    fn take_ticket(&mut self) -> u64 {
        self.bound.next.fetch_add(1, Ordering::AcqRel)
    }

    fn check_count(&self, count: usize) -> Result<()> {
        if count == self.n_inputs {
            return Ok(());
        }
        let text = format!("the call is bound to {} inputs, not {count}", self.n_inputs);
        Err(Error::caller(Code::Invalid, text))
    }

    /// Run a map function on one batch for each bound schema.
    ///
    /// It takes the inputs, whose places become released. After [`Code::Busy`] they still hold
    /// the batches: nothing was run. The output is valid for [`Call::schema`], and outlives
    /// call and bridge.
    ///
    /// # Errors
    ///
    /// [`Code::BadData`]: the gate found a fault; the side says where. [`Code::Timeout`],
    /// [`Code::Cancelled`], [`Code::Busy`], [`Code::Closed`], or the error of the backend.
    ///
    /// # Safety
    ///
    /// No buffer of an input is shorter than the bound schema and the struct imply: the C data
    /// interface does not carry sizes. The engine checks everything else.
    pub unsafe fn run(&mut self, inputs: &mut [OwnedArray]) -> Result<OwnedArray> {
        self.check_count(inputs.len())?;
        let ticket = self.take_ticket();
        let (mut output, mut error) = (ArrowArray::released(), room());
        // SAFETY: OwnedArray is transparent. The count is the bound one.
        let code = unsafe {
            sys::alloy_call_run(
                self.bound.raw.as_ptr(),
                inputs.as_mut_ptr().cast(),
                &mut output,
                nanoseconds(self.timeout),
                ticket,
                &mut error,
            )
        };
        if code != Code::Busy as i32 {
            // They belong to the engine now, whatever it left in their places.
            for input in inputs {
                std::mem::forget(std::mem::replace(
                    input,
                    OwnedArray(ArrowArray::released()),
                ));
            }
        }
        outcome(code, &error)?;
        // SAFETY: the engine gives the output, and any thread may release it.
        Ok(unsafe { OwnedArray::take(&mut output) })
    }

    /// Run a function on streams. Nothing is read before the result asks for it. The stream
    /// uses the call until it is dropped; meanwhile other runs return [`Code::Busy`].
    ///
    /// # Errors
    ///
    /// [`Code::BadData`]: an input has another schema than was bound; and as [`Call::run`].
    pub fn stream(&mut self, inputs: Vec<Source>) -> Result<Stream> {
        self.check_count(inputs.len())?;
        let ticket = self.take_ticket();
        let canceller = Canceller { bound: self.bound.clone(), ticket };
        Stream::open(
            self.bound.raw.as_ptr(),
            inputs,
            nanoseconds(self.timeout),
            canceller,
        )
    }
}

/// Cancels one run or stream, from any thread, also before it begins. It never affects a
/// later run of the same call.
#[derive(Clone)]
#[allow(missing_debug_implementations)]
pub struct Canceller {
    pub(super) bound: Arc<Bound>,
    pub(super) ticket: u64,
}

impl Canceller {
    /// Cancel it, if it still runs. The run returns [`Code::Cancelled`] when the backend stops.
    pub fn cancel(&self) {
        // SAFETY: the call is valid.
        unsafe { sys::alloy_call_cancel(self.bound.raw.as_ptr(), self.ticket) }
    }

    /// The progress of the call, as [`Call::progress`].
    #[must_use]
    pub fn progress(&self) -> (u64, u64) {
        self.bound.progress()
    }
}
