// SPDX-License-Identifier: MIT
//! What the macros make of a function: a constant table and its entries.

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

/// What a function says of itself; every pointer leads to constants.
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

/// A function as the engine sees it: the macros implement it, and so may authors who want
/// the C structs themselves.
///
/// A map function has `run`; one whose flags say [`STREAM`](crate::abi::STREAM) has `open`
/// instead.
///
/// # Safety
///
/// Every pointer of `SPEC` must lead to constants as backend.h wants them: texts end with
/// a NUL, lists with their terminator. What `bind`, `run` and the batches of `open` give
/// must be structs that any thread may read and release.
pub unsafe trait Function: 'static {
    /// What the table says.
    const SPEC: Spec;
    /// What bind leaves for the runs. It serves one after another, on any thread.
    type State: Send + 'static;

    /// Say what comes out for these inputs, without running.
    ///
    /// # Errors
    ///
    /// Whatever the function has against the schemas or the options.
    ///
    /// # Safety
    ///
    /// The schemas must be those of batches, and valid.
    unsafe fn bind(
        scope: Scope<'_>,
        inputs: &[ArrowSchema],
        options: Options,
    ) -> Result<(OwnedSchema, Self::State), Error>;

    /// Batches in, one batch out. What is not moved out of `inputs` the engine releases.
    ///
    /// # Errors
    ///
    /// Whatever goes wrong.
    fn run(
        _state: &mut Self::State,
        _scope: Scope<'_>,
        _inputs: &mut [Input],
    ) -> Result<OwnedArray, Error> {
        Err(Error::failed("the function has no run"))
    }

    /// Streams of batches in, one out. What is not taken of `inputs` the engine releases;
    /// what is given for `'s` lasts until it has released the output.
    ///
    /// # Errors
    ///
    /// Whatever goes wrong before the first batch is asked for.
    fn open<'s>(
        _state: &'s mut Self::State,
        _scope: Scope<'s>,
        _inputs: &mut InputStreams<'_, 's>,
    ) -> Result<OutputStream<'s>, Error> {
        Err(Error::failed("the function has no open"))
    }
}

/// The options of a call, by name.
#[derive(Clone, Debug, Default)]
pub struct Options(Vec<(String, String)>);

impl Options {
    // SAFETY (of the call): the table ends with a NULL name or is NULL, and there is a
    // value for each of it.
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

    /// The value of an option that the function declared; the engine filled the fallback.
    ///
    /// # Errors
    ///
    /// The function declared no option of this name.
    pub fn get(&self, name: &str) -> Result<&str, Error> {
        let option = self.0.iter().find(|(key, _)| key == name);
        let option =
            option.ok_or_else(|| Error::failed(format!("no option {name} is declared")));
        option.map(|(_, value)| value.as_str())
    }

    /// The value of an option, read as whatever is asked for.
    ///
    /// # Errors
    ///
    /// As [`Options::get`], or the value is none of the type.
    pub fn parse<T: std::str::FromStr>(&self, name: &str) -> Result<T, Error> {
        let value = self.get(name)?;
        value
            .parse()
            .map_err(|_| Error::invalid(format!("the option {name} cannot be {value:?}")))
    }
}

/// The table of a function.
#[derive(Debug)]
pub struct Table<F>(std::marker::PhantomData<F>);

impl<F: Function> Table<F> {
    /// Its place in the list of a backend.
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
    // SAFETY: the engine lends all of it for this call.
    let (scope, inputs) = unsafe {
        let n = usize::try_from(n_inputs).unwrap_or(0);
        let inputs = if n == 0 { &[] } else { std::slice::from_raw_parts(inputs, n) };
        (Scope::from_raw(scope), inputs)
    };
    let bound = enter(scope, || {
        // SAFETY: the schemas are the engine's, the values those of this function's table.
        unsafe { F::bind(scope, inputs, Options::read(F::SPEC.options, values)) }
    });
    match bound {
        Ok((schema, bound)) => {
            // SAFETY: both places are the engine's to be filled.
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
    // SAFETY: the engine lends all of it for this call, and the state to nobody else.
    let (scope, state, inputs) = unsafe {
        let n = usize::try_from(n_inputs).unwrap_or(0);
        let inputs = inputs.cast::<Input>();
        let inputs =
            if n == 0 { &mut [] } else { std::slice::from_raw_parts_mut(inputs, n) };
        (Scope::from_raw(scope), &mut *state.cast::<F::State>(), inputs)
    };
    match enter(scope, || F::run(state, scope, inputs)) {
        Ok(array) => {
            // SAFETY: the place is the engine's to be filled.
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
    // SAFETY: the engine lends the places for this call; what is in them, the scope and
    // the state until the output is released.
    let (scope, state, mut inputs) = unsafe {
        let n = usize::try_from(n_inputs).unwrap_or(0);
        let inputs =
            if n == 0 { &mut [] } else { std::slice::from_raw_parts_mut(inputs, n) };
        let inputs = InputStreams::new(inputs);
        (Scope::from_raw(scope), &mut *state.cast::<F::State>(), inputs)
    };
    match enter(scope, || F::open(state, scope, &mut inputs)) {
        Ok(stream) => {
            // SAFETY: the place is the engine's to be filled.
            unsafe { output.write(stream.into_raw(scope, inputs.failed())) };
            0
        }
        Err(code) => code,
    }
}

unsafe extern "C" fn unbind<F: Function>(state: *mut c_void) {
    // A panic of the state's own drop has nobody to go to.
    let _ = guard(|| {
        // SAFETY: the engine gives back what bind made, once.
        drop(unsafe { Box::from_raw(state.cast::<F::State>()) });
        Ok(())
    });
}

/// What `alloy_backend_init` of every backend does.
///
/// # Safety
///
/// The arguments must be those that the engine gave.
pub unsafe fn init(
    services: *const Services,
    scope: *mut RawScope,
    table: &'static RawBackend,
) -> *const RawBackend {
    // SAFETY: the first two fields are those of every version.
    let (size, abi) = unsafe { ((*services).struct_size as usize, (*services).abi) };
    if abi != ABI || size < size_of::<Services>() {
        // Without services that are known nothing can be called: NULL alone says it.
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
