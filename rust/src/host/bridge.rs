// SPDX-License-Identifier: MIT
//! Hosts and bridges: the policy of a program, and an open backend.

use std::ffi::{CStr, CString, c_char, c_void};
use std::path::Path;
use std::ptr::{NonNull, null, null_mut};
use std::sync::Arc;
use std::time::Duration;

use super::error::{Code, Error, Result, c_text, outcome, room};
use super::sys::{self, RawBridge, RawBridgeOptions, RawHost, RawHostOptions, RawLine};
use crate::Level;

/// One line of the log.
#[derive(Clone, Copy, Debug)]
pub struct Line<'a> {
    /// Its level.
    pub level: Level,
    /// Its text, without time, label and line feed. It is safe to print.
    pub text: &'a str,
    /// The label: the language of the code that wrote it.
    pub language: &'a str,
    /// The backend, if the line is about one.
    pub backend: Option<&'a str>,
    /// The function, if the line is about one.
    pub function: Option<&'a str>,
}

/// Gets the lines of the log, on the thread that writes them; several at the same time.
pub type Log = Box<dyn Fn(&Line<'_>) + Send + Sync>;

/// The settings of a [`Host`]. The default refuses libraries without a certificate.
#[derive(Default)]
#[allow(missing_debug_implementations)]
pub struct HostOptions {
    /// Libraries may be loaded without a certificate.
    pub allow_unsigned: bool,
    /// The libraries that a backend may need besides the runtimes: SONAMEs, or absolute paths.
    pub may_need: Vec<String>,
    /// The absolute path of the worker program of the isolated mode. None: a program that has
    /// the engine compiled in starts itself again; else `alloy-worker` next to the engine.
    pub worker: Option<String>,
    /// Gets the log lines. None: they go to standard error. A panic in it is dropped.
    pub log: Option<Log>,
    /// Also write the host's own lines about each run, at [`Level::Debug`].
    pub log_always: bool,
}

/// Where the backend of a [`Bridge`] runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Isolated {
    /// In this process.
    #[default]
    No,
    /// In worker processes, which it cannot leave. Results are copied out of their memory.
    Yes,
}

/// How much of each input the engine checks, before a backend that checks values itself gets
/// it. A function that trusts values always gets inputs that are checked in full.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(u32)]
pub enum CheckInputs {
    /// The structs: the cost does not grow with the rows.
    #[default]
    Shape = 1,
    /// Also every value that the rows can reach.
    Safe = 2,
    /// Also UTF-8, null counts, and the parts that no row can reach.
    Full = 3,
}

/// The settings of a [`Bridge`]. In each field, the default is the engine's.
#[derive(Clone, Debug, Default)]
pub struct BridgeOptions {
    /// Where the backend runs. The fields from `max_workers` to `demand` are for
    /// workers only.
    pub isolated: Isolated,
    /// How much of each input is checked. Results are always checked in full.
    pub check_inputs: CheckInputs,
    /// Calls and streams at the same time, 1 to 64. 0: 16.
    pub max_workers: u32,
    /// How often an idempotent function is tried again after its worker was lost.
    pub retries: u32,
    /// Shared memory for inputs, in bytes. 0: 1 GiB.
    pub input_bytes: u64,
    /// Shared memory for results, in bytes. 0: 1 GiB.
    pub output_bytes: u64,
    /// The memory that one worker may use besides, in bytes. 0: 2 GiB.
    pub heap_bytes: u64,
    /// The time between a cancel or a deadline and the end of a worker. Zero: 0.5 s.
    pub grace: Duration,
    /// The time that a worker has to load, to bind, and to open a stream, each, in whole
    /// milliseconds. Zero: 60 s.
    pub setup: Duration,
    /// The restrictions without which a library is not loaded into a worker: the bits
    /// `ALLOY_RESTRICT_*` of `alloy/alloy.h`.
    pub demand: u32,
    /// The name that the backend and its signature file must have.
    pub name: Option<String>,
    /// The lowest sequence number of the signature file.
    pub min_sequence: u64,
    /// The signature file. None: `<library>.alloysig`.
    pub sidecar: Option<String>,
    /// The SHA-256 of the library, as 64 hexadecimal digits.
    pub sha256: Option<String>,
}

/// What a backend reports about one of its functions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FunctionInfo {
    /// Its name.
    pub name: String,
    /// One line about it.
    pub summary: String,
    /// The fewest inputs that it takes.
    pub min_inputs: usize,
    /// The most inputs that it takes. None: any number.
    pub max_inputs: Option<usize>,
    /// Whether it works on streams.
    pub is_stream: bool,
    /// Whether each row of the output depends on the same row of the input only.
    pub is_rowwise: bool,
    /// Whether it may be run again after a failure.
    pub is_idempotent: bool,
}

// The engine's host, and what it calls back. Everything that can cause a log line keeps it.
pub(super) struct Shared {
    host: NonNull<RawHost>,
    log: Option<Box<Log>>,
}

// SAFETY: alloy.h lets any number of threads use a host; Log is Send and Sync.
unsafe impl Send for Shared {}
// SAFETY: as above.
unsafe impl Sync for Shared {}

impl Shared {
    // Keep the log for ever, if there is one: C code may hold something that writes lines.
    pub(super) fn keep_for_ever(shared: Arc<Self>) {
        if shared.log.is_some() {
            std::mem::forget(shared);
        }
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        // SAFETY: it is freed once. The log is dropped after it.
        unsafe { sys::alloy_host_free(self.host.as_ptr()) }
    }
}

/// The policy of a program: which libraries may be loaded, and where log lines go.
///
/// Most programs make one. Clones share it. Any thread may use it.
#[derive(Clone)]
#[allow(missing_debug_implementations)]
pub struct Host(Arc<Shared>);

impl Host {
    /// Make a host.
    ///
    /// # Errors
    ///
    /// [`Code::Invalid`]: an entry of `may_need` is neither a SONAME nor an absolute path.
    pub fn new(options: HostOptions) -> Result<Self> {
        let worker = optional("the path of the worker", options.worker.as_deref())?;
        let needed = options.may_need.iter().map(|text| c_text("may_need", text));
        let needed = needed.collect::<Result<Vec<CString>>>()?;
        let mut pointers: Vec<_> = needed.iter().map(|text| text.as_ptr()).collect();
        pointers.push(null());
        // In a box, because the engine keeps its address.
        let log = options.log.map(Box::new);
        let raw = RawHostOptions {
            struct_size: size_of::<RawHostOptions>() as u32,
            flags: u32::from(options.allow_unsigned),
            worker: pointer(worker.as_deref()),
            may_need: pointers.as_ptr(),
            language: c"Rust".as_ptr(),
            log_mode: i32::from(options.log_always),
            log_fd: 0,
            log: None,
            log_context: log
                .as_deref()
                .map_or(null_mut(), |log| (&raw const *log).cast_mut().cast()),
            log_line: log.as_ref().map(|_| log_line as _),
        };
        let (mut host, mut error) = (null_mut(), room());
        // SAFETY: all that the options point to lives for the call; Shared keeps the log.
        outcome(unsafe { sys::alloy_host_new(&raw, &mut host, &mut error) }, &error)?;
        let host = made(host)?;
        Ok(Self(Arc::new(Shared { host, log })))
    }

    /// Verify and load a library. `certificate` is strict base64 of one DER X.509
    /// certificate; None: no certificate, if the host allows unsigned libraries.
    ///
    /// # Errors
    ///
    /// [`Code::Refused`]: the reason says why. [`Code::Unsupported`]: this engine lacks the
    /// mode that the options ask for.
    pub fn open(
        &self,
        library: impl AsRef<Path>,
        certificate: Option<&str>,
        options: &BridgeOptions,
    ) -> Result<Bridge> {
        let bridge = self.echo(options)?;
        bridge.load(library, certificate)?;
        Ok(bridge)
    }

    /// A bridge that runs the echo, the small backend that is built in.
    ///
    /// # Errors
    ///
    /// [`Code::Invalid`]: an option has no valid value. [`Code::Unsupported`]: as for `open`.
    pub fn echo(&self, options: &BridgeOptions) -> Result<Bridge> {
        let bytes = |size: u64| i64::try_from(size).unwrap_or(i64::MAX);
        let name = optional("the name of the backend", options.name.as_deref())?;
        let sidecar = optional("the path of the signature", options.sidecar.as_deref())?;
        let sha256 = optional("sha256", options.sha256.as_deref())?;
        let raw = RawBridgeOptions {
            struct_size: size_of::<RawBridgeOptions>() as u32,
            isolated: if options.isolated == Isolated::No { 0 } else { COPIED },
            check_inputs: options.check_inputs as u32,
            // Arrow libraries of Rust trust the values of an array.
            check_results: CHECK_FULL,
            max_workers: options.max_workers,
            retries: options.retries,
            input_bytes: bytes(options.input_bytes),
            output_bytes: bytes(options.output_bytes),
            heap_bytes: bytes(options.heap_bytes),
            grace_ns: nanoseconds(options.grace),
            name: pointer(name.as_deref()),
            min_sequence: options.min_sequence,
            sidecar: pointer(sidecar.as_deref()),
            sha256: pointer(sha256.as_deref()),
            demand: options.demand,
            setup_ms: milliseconds(options.setup),
        };
        let (mut bridge, mut error) = (null_mut(), room());
        let host = self.0.host.as_ptr();
        // SAFETY: all that the options point to lives for the call.
        let code = unsafe { sys::alloy_bridge_new(host, &raw, &mut bridge, &mut error) };
        outcome(code, &error)?;
        Ok(Bridge { raw: made(bridge)?, host: self.0.clone() })
    }
}

// ALLOY_CHECK_FULL.
const CHECK_FULL: u32 = 3;
// alloy_bridge_options.isolated: safe references of Rust must not change under their reader.
const COPIED: u32 = 2;

/// An open backend. Any number of threads may use it at the same time.
///
/// Its drop does not end calls and results: they keep what they need.
#[allow(missing_debug_implementations)]
pub struct Bridge {
    raw: NonNull<RawBridge>,
    host: Arc<Shared>,
}

// SAFETY: alloy.h lets any number of threads use a bridge.
unsafe impl Send for Bridge {}
// SAFETY: as above.
unsafe impl Sync for Bridge {}

impl Bridge {
    /// Replace the backend by a library, in one step. Calls that were bound keep theirs. After
    /// a failure, each use of the bridge returns the error until a load succeeds.
    ///
    /// # Errors
    ///
    /// As [`Host::open`].
    pub fn load(
        &self,
        library: impl AsRef<Path>,
        certificate: Option<&str>,
    ) -> Result<()> {
        let path = library.as_ref().as_os_str().as_encoded_bytes();
        let path = CString::new(path).map_err(|_| {
            let text = "the path of the library contains a NUL character; remove it";
            Error::caller(Code::Invalid, text)
        })?;
        let certificate = optional("the certificate", certificate)?;
        let certificate = pointer(certificate.as_deref());
        let mut error = room();
        let bridge = self.raw.as_ptr();
        // SAFETY: the bridge is valid, and the texts live for the call.
        let code = unsafe {
            sys::alloy_bridge_load(bridge, path.as_ptr(), certificate, &mut error)
        };
        outcome(code, &error)
    }

    /// Describe each function of the backend.
    ///
    /// # Errors
    ///
    /// [`Code::Closed`], or the error of the failed load.
    pub fn functions(&self) -> Result<Vec<FunctionInfo>> {
        let (mut list, mut error) = (null(), room());
        // SAFETY: the bridge is valid. The list ends with NULL and lives as long as it.
        unsafe {
            let code =
                sys::alloy_bridge_functions(self.raw.as_ptr(), &mut list, &mut error);
            outcome(code, &error)?;
            let mut found = Vec::new();
            while let Some(function) = (*list).as_ref() {
                found.push(FunctionInfo {
                    name: lossy(function.name),
                    summary: lossy(function.summary),
                    min_inputs: usize::try_from(function.min_inputs).unwrap_or(0),
                    max_inputs: usize::try_from(function.max_inputs).ok(),
                    is_stream: function.flags & crate::abi::STREAM != 0,
                    is_rowwise: function.flags & crate::abi::ROWWISE != 0,
                    is_idempotent: function.flags & crate::abi::IDEMPOTENT != 0,
                });
                list = list.add(1);
            }
            Ok(found)
        }
    }

    /// The name and the version of the backend.
    ///
    /// # Errors
    ///
    /// [`Code::Closed`], or the error of the failed load.
    pub fn backend(&self) -> Result<(String, String)> {
        let (mut backend, mut error) = (null(), room());
        // SAFETY: the bridge is valid; the table lives as long as it.
        unsafe {
            let code =
                sys::alloy_bridge_backend(self.raw.as_ptr(), &mut backend, &mut error);
            outcome(code, &error)?;
            Ok((lossy((*backend).name), lossy((*backend).version)))
        }
    }

    /// Describe the bytes that run, as one JSON object; see `alloy_bridge_identity`.
    ///
    /// # Errors
    ///
    /// [`Code::Closed`], or the error of the failed load.
    pub fn identity(&self) -> Result<String> {
        let mut json = vec![0u8; 2048];
        loop {
            let (mut length, mut error) = (0, room());
            let (start, capacity) = (json.as_mut_ptr().cast(), json.len() as i64);
            let bridge = self.raw.as_ptr();
            // SAFETY: the buffer has the stated capacity.
            let code = unsafe {
                sys::alloy_bridge_identity(
                    bridge,
                    start,
                    capacity,
                    &mut length,
                    &mut error,
                )
            };
            outcome(code, &error)?;
            let length = usize::try_from(length).unwrap_or(0);
            if length < json.len() {
                json.truncate(length);
                return Ok(String::from_utf8_lossy(&json).into_owned());
            }
            json.resize(length + 1, 0);
        }
    }

    /// Close the bridge: its calls return [`Code::Closed`] from now on. Results stay valid.
    pub fn close(&self) {
        // SAFETY: the bridge is valid.
        unsafe { sys::alloy_bridge_close(self.raw.as_ptr()) }
    }

    pub(super) fn raw(&self) -> *mut RawBridge {
        self.raw.as_ptr()
    }

    pub(super) fn host(&self) -> &Arc<Shared> {
        &self.host
    }
}

impl Drop for Bridge {
    fn drop(&mut self) {
        // SAFETY: it is freed once.
        unsafe { sys::alloy_bridge_free(self.raw.as_ptr()) }
    }
}

/// The version of the engine.
#[must_use]
pub fn version() -> String {
    // SAFETY: the text is constant.
    unsafe { lossy(sys::alloy_version()) }
}

pub(super) fn nanoseconds(time: Duration) -> i64 {
    i64::try_from(time.as_nanos()).unwrap_or(i64::MAX)
}

// 0 is the default, so less than a millisecond is one.
fn milliseconds(time: Duration) -> u32 {
    let whole = u32::try_from(time.as_millis()).unwrap_or(u32::MAX);
    if whole == 0 && !time.is_zero() { 1 } else { whole }
}

pub(super) fn made<T>(pointer: *mut T) -> Result<NonNull<T>> {
    NonNull::new(pointer).ok_or_else(|| {
        Error::caller(
            Code::Internal,
            "the engine returned no object and no error; report it",
        )
    })
}

fn optional(what: &str, text: Option<&str>) -> Result<Option<CString>> {
    text.map(|text| c_text(what, text)).transpose()
}

fn pointer(text: Option<&CStr>) -> *const c_char {
    text.map_or(null(), CStr::as_ptr)
}

// SAFETY (of the calls): NULL, or a text with a NUL that lives for the call.
unsafe fn lossy(text: *const c_char) -> String {
    if text.is_null() {
        return String::new();
    }
    // SAFETY: see above.
    unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned()
}

unsafe extern "C" fn log_line(context: *mut c_void, line: *const RawLine) {
    // SAFETY: Host::new passed a Log, which Shared keeps; the engine lends the line.
    let (log, line) = unsafe { (&*context.cast::<Log>(), &*line) };
    // A panic must not enter the engine.
    let _ = crate::edge::guard(|| {
        // SAFETY: the texts are lent with the line.
        let (text, language, backend, function) = unsafe {
            (
                lossy(line.text),
                lossy(line.language),
                lossy(line.backend),
                lossy(line.function),
            )
        };
        let named = |text: &'_ str| !text.is_empty();
        log(&Line {
            level: match line.level {
                0 => Level::Debug,
                1 => Level::Info,
                2 => Level::Warn,
                _ => Level::Error,
            },
            text: &text,
            language: &language,
            backend: Some(backend.as_str()).filter(|text| named(text)),
            function: Some(function.as_str()).filter(|text| named(text)),
        });
        Ok(())
    });
}
