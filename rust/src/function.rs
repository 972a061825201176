// SPDX-License-Identifier: MIT
//! The table and the entries that the macros make for each function.

use std::ffi::{CStr, c_char, c_void};
use std::mem::size_of;
use std::ptr;

use crate::abi::{
    ABI, ArrowArray, ArrowArrayStream, ArrowSchema, RawBackend, RawColumn, RawFunction,
    RawOption, RawScope, STREAM, Services,
};
use crate::edge::{enter, guard, install_hook};
use crate::error::Error;
use crate::own::{Input, OwnedArray, OwnedSchema};
use crate::scope::Scope;
use crate::stream::{InputStreams, OutputStream};

/// The description of a function. Every pointer points to constants.
#[derive(Debug)]
#[allow(missing_docs)]
pub struct Spec {
    pub name: *const c_char,
    pub summary: *const c_char,
    pub flags: u32,
    pub options: *const RawOption,
    pub min_inputs: i32,
    pub max_inputs: i32,
    pub columns: *const *const RawColumn,
}

/// A function as the engine sees it. The macros implement it. Authors who want to work with
/// the C structs can implement it by hand.
///
/// A map function has `run`. A function with the flag [`STREAM`](crate::abi::STREAM) has
/// `open` instead.
///
/// # Safety
///
/// Every pointer of `SPEC` must point to constants as backend.h describes them: texts end
/// with a NUL, lists end with their terminator. Any thread must be able to read and release
/// the structs that `bind`, `run` and the batches of `open` return.
pub unsafe trait Function: 'static {
    /// The description of the function.
    const SPEC: Spec;
    /// What bind keeps for the calls. It serves one call after another, on any thread.
    type State: Send + 'static;

    /// Return the schema of the output for these inputs, and the state of the calls.
    ///
    /// # Errors
    ///
    /// The function does not accept the schemas or the options.
    ///
    /// # Safety
    ///
    /// Each input must be the valid schema of a batch.
    unsafe fn bind(
        scope: Scope<'_>,
        inputs: &[ArrowSchema],
        options: Options,
    ) -> Result<(OwnedSchema, Self::State), Error>;

    /// Batches in, one batch out. The engine releases the inputs that `run` does not take.
    ///
    /// # Errors
    ///
    /// The function failed.
    fn run(
        _state: &mut Self::State,
        _scope: Scope<'_>,
        _inputs: &mut [Input],
    ) -> Result<OwnedArray, Error> {
        Err(Error::failed("the function does not implement run; a map function must"))
    }

    /// Streams of batches in, one stream out. The engine releases the inputs that `open`
    /// does not take. `'s` ends when the host releases the output.
    ///
    /// # Errors
    ///
    /// The function failed before the host asked for the first batch.
    fn open<'s>(
        _state: &'s mut Self::State,
        _scope: Scope<'s>,
        _inputs: &mut InputStreams<'_, 's>,
    ) -> Result<OutputStream<'s>, Error> {
        Err(Error::failed("the function does not implement open; a stream function must"))
    }
}

/// The options of a call, by name.
#[derive(Clone, Debug, Default)]
pub struct Options(Vec<(String, String)>);

impl Options {
    // SAFETY (of the call): the table is NULL or ends with a NULL name, and `values` has a
    // value for each option.
    unsafe fn read(table: *const RawOption, values: *const *const c_char) -> Self {
        let mut options = Vec::new();
        // SAFETY: see above.
        unsafe {
            let text = |text| CStr::from_ptr(text).to_string_lossy().into_owned();
            while !table.is_null() && !(*table.add(options.len())).name.is_null() {
                let index = options.len();
                options.push((text((*table.add(index)).name), text(*values.add(index))));
            }
        }
        Self(options)
    }

    /// The value of an option: the caller's, or the fallback of the declaration.
    ///
    /// # Errors
    ///
    /// The function does not declare this option.
    pub fn get(&self, name: &str) -> Result<&str, Error> {
        let option = self.0.iter().find(|(key, _)| key == name);
        let option = option.ok_or_else(|| {
            Error::failed(format!("the function does not declare the option {name}"))
        });
        option.map(|(_, value)| value.as_str())
    }

    /// The value of an option, parsed as a `T`.
    ///
    /// # Errors
    ///
    /// As [`Options::get`], or the value cannot be parsed.
    pub fn parse<T: std::str::FromStr>(&self, name: &str) -> Result<T, Error> {
        let value = self.get(name)?;
        value.parse().map_err(|_| {
            let wanted = std::any::type_name::<T>();
            Error::invalid(format!("option {name}: cannot read {value:?} as {wanted}"))
        })
    }
}

/// The table of a function.
#[derive(Debug)]
pub struct Table<F>(std::marker::PhantomData<F>);

impl<F: Function> Table<F> {
    /// The table, for the list of a backend.
    pub const TABLE: &'static RawFunction = &RawFunction {
        struct_size: size_of::<RawFunction>() as u32,
        flags: F::SPEC.flags,
        name: F::SPEC.name,
        summary: F::SPEC.summary,
        options: F::SPEC.options,
        self_: ptr::null_mut(),
        min_inputs: F::SPEC.min_inputs,
        max_inputs: F::SPEC.max_inputs,
        columns: F::SPEC.columns,
        bind: Some(bind::<F>),
        run: if F::SPEC.flags & STREAM == 0 { Some(run::<F>) } else { None },
        open: if F::SPEC.flags & STREAM == 0 { None } else { Some(open::<F>) },
        unbind: Some(unbind::<F>),
    };
}

const OK: i32 = 0;

unsafe extern "C" fn bind<F: Function>(
    _self: *mut c_void,
    scope: *mut RawScope,
    inputs: *const ArrowSchema,
    n_inputs: i32,
    values: *const *const c_char,
    output: *mut ArrowSchema,
    state: *mut *mut c_void,
) -> i32 {
    // SAFETY: the engine lends all arguments for this call.
    let (scope, inputs) = unsafe {
        let n = usize::try_from(n_inputs).unwrap_or(0);
        let inputs = if n == 0 { &[] } else { std::slice::from_raw_parts(inputs, n) };
        (Scope::from_raw(scope), inputs)
    };
    let bound = enter(scope, || {
        // SAFETY: the schemas are the engine's; the values belong to the options of SPEC.
        unsafe { F::bind(scope, inputs, Options::read(F::SPEC.options, values)) }
    });
    match bound {
        Ok((schema, bound)) => {
            // SAFETY: the engine expects both places to be filled.
            unsafe {
                output.write(schema.into_raw());
                state.write(Box::into_raw(Box::new(bound)).cast());
            }
            OK
        }
        Err(code) => code,
    }
}

unsafe extern "C" fn run<F: Function>(
    state: *mut c_void,
    scope: *mut RawScope,
    inputs: *mut ArrowArray,
    n_inputs: i32,
    output: *mut ArrowArray,
) -> i32 {
    // SAFETY: the engine lends all arguments for this call, and the state to no other call.
    let (scope, state, inputs) = unsafe {
        let n = usize::try_from(n_inputs).unwrap_or(0);
        let inputs = inputs.cast::<Input>();
        let inputs =
            if n == 0 { &mut [] } else { std::slice::from_raw_parts_mut(inputs, n) };
        (Scope::from_raw(scope), &mut *state.cast::<F::State>(), inputs)
    };
    match enter(scope, || F::run(state, scope, inputs)) {
        Ok(array) => {
            // SAFETY: the engine expects the place to be filled.
            unsafe { output.write(array.into_raw()) };
            OK
        }
        Err(code) => code,
    }
}

unsafe extern "C" fn open<F: Function>(
    state: *mut c_void,
    scope: *mut RawScope,
    inputs: *mut ArrowArrayStream,
    n_inputs: i32,
    output: *mut ArrowArrayStream,
) -> i32 {
    // SAFETY: the engine lends the places for this call. It lends the streams in them, the
    // scope and the state until the output is released.
    let (scope, state, mut inputs) = unsafe {
        let n = usize::try_from(n_inputs).unwrap_or(0);
        let inputs =
            if n == 0 { &mut [] } else { std::slice::from_raw_parts_mut(inputs, n) };
        let inputs = InputStreams::new(inputs);
        (Scope::from_raw(scope), &mut *state.cast::<F::State>(), inputs)
    };
    match enter(scope, || F::open(state, scope, &mut inputs)) {
        Ok(stream) => {
            // SAFETY: the engine expects the place to be filled.
            unsafe { output.write(stream.into_raw(scope, inputs.failed())) };
            0
        }
        Err(code) => code,
    }
}

unsafe extern "C" fn unbind<F: Function>(state: *mut c_void) {
    // unbind cannot report a panic of the state's drop.
    let _ = guard(|| {
        // SAFETY: bind made the state, and the engine gives it back once.
        drop(unsafe { Box::from_raw(state.cast::<F::State>()) });
        Ok(())
    });
}

/// The body of `alloy_backend_init` of every backend.
///
/// # Safety
///
/// The arguments must be those of the engine.
pub unsafe fn init(
    services: *const Services,
    scope: *mut RawScope,
    table: &'static RawBackend,
) -> *const RawBackend {
    // SAFETY: every version begins with these two fields.
    let (size, abi) = unsafe { ((*services).struct_size as usize, (*services).abi) };
    if abi != ABI || size < size_of::<Services>() {
        // Unknown services cannot be called, not even to report this. NULL is the report.
        return ptr::null();
    }
    // SAFETY: the scope is the engine's, for this call.
    let scope = unsafe { Scope::from_raw(scope) };
    match enter(scope, || {
        install_hook();
        Ok(())
    }) {
        Ok(()) => table,
        Err(_) => ptr::null(),
    }
}
