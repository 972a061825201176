// SPDX-License-Identifier: MIT
//! A host for tests of backends in Rust. It calls the C table in the same way as the engine,
//! and records errors and log lines. It does not check Arrow structs.

mod stream;

use std::ffi::{CStr, CString, c_char, c_void};
use std::ptr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use arrowalloy::abi::{
    ABI, ArrowArray, ArrowSchema, RawBackend, RawFunction, RawScope, Services,
};
use arrowalloy::{OwnedArray, OwnedSchema};

pub use stream::{Events, Feed, Output, StreamFailure};

/// `alloy_backend_init` of a backend.
pub type Init = unsafe extern "C" fn(*const Services, *mut RawScope) -> *const RawBackend;

/// The error of a backend: its code and its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The code of backend.h.
    pub code: i32,
    /// The text of `fail`.
    pub text: String,
}

/// One call, and what the backend reported during it.
#[repr(C)]
#[derive(Debug)]
pub struct Entry {
    raw: RawScope,
    said: Mutex<Option<Failure>>,
    lines: Mutex<Vec<String>>,
    /// Whether the host has cancelled.
    pub cancelled: AtomicBool,
    /// Whether the host takes log lines.
    pub logging: AtomicBool,
    /// The progress that the backend reported.
    pub done: AtomicI64,
}

impl Default for Entry {
    fn default() -> Self {
        Self {
            raw: RawScope { services: &raw const SERVICES },
            said: Mutex::default(),
            lines: Mutex::default(),
            cancelled: AtomicBool::new(false),
            logging: AtomicBool::new(true),
            done: AtomicI64::new(0),
        }
    }
}

impl Entry {
    /// The lines that were logged.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        self.lines.lock().expect("no test panics while it holds the lock").clone()
    }

    fn raw(&self) -> *mut RawScope {
        ptr::from_ref(self).cast_mut().cast()
    }

    // The error that the backend reported by `fail` since the last call of this function.
    fn said(&self) -> Option<Failure> {
        self.said.lock().expect("as above").take()
    }

    fn answer(&self, code: i32) -> Result<(), Failure> {
        let text = self.said().map_or_else(String::new, |said| said.text);
        if code == 0 { Ok(()) } else { Err(Failure { code, text }) }
    }

    unsafe fn of<'a>(scope: *mut RawScope) -> &'a Self {
        // SAFETY: every scope that this host hands out is an Entry.
        unsafe { &*scope.cast::<Self>() }
    }
}

unsafe fn text(start: *const c_char, length: i64) -> String {
    // SAFETY: what the backend lends for the call.
    let bytes = unsafe {
        match usize::try_from(length) {
            Ok(length) => std::slice::from_raw_parts(start.cast::<u8>(), length),
            Err(_) => CStr::from_ptr(start).to_bytes(),
        }
    };
    String::from_utf8_lossy(bytes).into_owned()
}

unsafe extern "C" fn fail(
    scope: *mut RawScope,
    code: i32,
    start: *const c_char,
    len: i64,
) -> i32 {
    // SAFETY: the arguments are the backend's, for this call.
    let (entry, text) = unsafe { (Entry::of(scope), text(start, len)) };
    *entry.said.lock().expect("as above") = Some(Failure { code, text });
    code
}

unsafe extern "C" fn cancelled(scope: *mut RawScope) -> i32 {
    // SAFETY: as above.
    i32::from(unsafe { Entry::of(scope) }.cancelled.load(Ordering::Acquire))
}

unsafe extern "C" fn progress(scope: *mut RawScope, done: i64, _total: i64) {
    // SAFETY: as above.
    unsafe { Entry::of(scope) }.done.store(done, Ordering::Release);
}

unsafe extern "C" fn resize(_: *mut c_void, _: i64, _: i64) -> *mut c_void {
    ptr::null_mut()
}

unsafe extern "C" fn log(
    scope: *mut RawScope,
    _level: i32,
    start: *const c_char,
    len: i64,
) {
    // SAFETY: as above.
    unsafe { Entry::of(scope).lines.lock().expect("as above").push(text(start, len)) };
}

unsafe extern "C" fn logging(scope: *mut RawScope, _level: i32) -> i32 {
    // SAFETY: as above.
    i32::from(unsafe { Entry::of(scope) }.logging.load(Ordering::Acquire))
}

// `format[n rows]`: enough to recognise the structs.
unsafe extern "C" fn describe(
    schema: *const ArrowSchema,
    array: *const ArrowArray,
    out: *mut c_char,
    capacity: i64,
) -> i64 {
    // SAFETY: as above.
    unsafe {
        let format = text((*schema).format, -1);
        let text = format!("{format}[{} rows]", (*array).length);
        let room = usize::try_from(capacity).unwrap_or(0);
        if room > 0 {
            let len = text.len().min(room - 1);
            ptr::copy_nonoverlapping(text.as_ptr(), out.cast(), len);
            out.add(len).write(0);
        }
        text.len() as i64
    }
}

static SERVICES: Services = Services {
    struct_size: size_of::<Services>() as u32,
    abi: ABI,
    fail,
    cancelled,
    progress,
    resize,
    log,
    logging,
    describe,
};

/// A loaded backend.
#[derive(Clone, Copy, Debug)]
pub struct Backend(&'static RawBackend);

impl Backend {
    /// Load it.
    ///
    /// # Panics
    ///
    /// It returns no table.
    #[must_use]
    pub fn load(init: Init) -> Self {
        let entry = Entry::default();
        // SAFETY: services and scope are valid; the table lives as long as the process.
        Self(unsafe { init(&SERVICES, entry.raw()).as_ref() }.expect("a table"))
    }

    /// Its table.
    #[must_use]
    pub fn table(&self) -> &'static RawBackend {
        self.0
    }

    /// The table of a function.
    ///
    /// # Panics
    ///
    /// There is no function of this name.
    #[must_use]
    pub fn function(&self, name: &str) -> &'static RawFunction {
        let mut place = self.0.functions;
        // SAFETY: the list ends with NULL.
        unsafe {
            while let Some(function) = (*place).as_ref() {
                if CStr::from_ptr(function.name).to_bytes() == name.as_bytes() {
                    return function;
                }
                place = place.add(1);
            }
        }
        panic!("no function {name}");
    }

    /// Bind a function. `values` are the values of its options, in the order of the table.
    ///
    /// # Errors
    ///
    /// The error of the backend.
    ///
    /// # Panics
    ///
    /// A value holds a NUL.
    pub fn bind(
        &self,
        name: &str,
        schemas: &[OwnedSchema],
        values: &[&str],
    ) -> Result<Call, Failure> {
        let function = self.function(name);
        let entry = Entry::default();
        // SAFETY: views of schemas that outlive the call.
        let inputs: Vec<ArrowSchema> =
            schemas.iter().map(|s| unsafe { ptr::read(s.raw()) }).collect();
        let values: Vec<CString> =
            values.iter().map(|v| CString::new(*v).expect("no NUL")).collect();
        let values: Vec<*const c_char> = values.iter().map(|v| v.as_ptr()).collect();
        let mut output = ArrowSchema::released();
        let mut state = ptr::null_mut();
        // SAFETY: everything is as backend.h wants it.
        let code = unsafe {
            function.bind.expect("bind")(
                function.self_,
                entry.raw(),
                inputs.as_ptr(),
                inputs.len() as i32,
                values.as_ptr(),
                &mut output,
                &mut state,
            )
        };
        // SAFETY: what bind gave, or released.
        let schema = unsafe { OwnedSchema::from_raw(output) };
        entry.answer(code)?;
        Ok(Call { function, schema, state, entry })
    }
}

/// A bound function.
#[derive(Debug)]
pub struct Call {
    function: &'static RawFunction,
    schema: OwnedSchema,
    state: *mut c_void,
    /// The services of every run.
    pub entry: Entry,
}

// SAFETY: a state may be used by any thread, by one at a time.
unsafe impl Send for Call {}
// SAFETY: only the entry can be reached by reference, and it is shared.
unsafe impl Sync for Call {}

impl Call {
    /// The schema of the output.
    #[must_use]
    pub fn schema(&self) -> &ArrowSchema {
        self.schema.raw()
    }

    /// Run it. Inputs that the backend did not take are released, as in the engine.
    ///
    /// # Errors
    ///
    /// The error of the backend.
    ///
    /// # Panics
    ///
    /// The function has no run.
    pub fn run(&self, inputs: Vec<OwnedArray>) -> Result<OwnedArray, Failure> {
        let mut inputs: Vec<ArrowArray> =
            inputs.into_iter().map(OwnedArray::into_raw).collect();
        let mut output = ArrowArray::released();
        // SAFETY: everything is as backend.h wants it.
        let code = unsafe {
            self.function.run.expect("run")(
                self.state,
                self.entry.raw(),
                inputs.as_mut_ptr(),
                inputs.len() as i32,
                &mut output,
            )
        };
        // SAFETY: what is left of the inputs, and what the backend gave.
        let output = unsafe {
            inputs.iter_mut().for_each(|input| drop(OwnedArray::take(input)));
            OwnedArray::take(&mut output)
        };
        self.entry.answer(code)?;
        Ok(output)
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        if let Some(unbind) = self.function.unbind {
            // SAFETY: the state is given back once.
            unsafe { unbind(self.state) };
        }
    }
}
