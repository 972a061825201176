// SPDX-License-Identifier: MIT
//! The edge that nothing but a code crosses: panics end here, as errors.

use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind, set_hook, take_hook};
use std::sync::Once;

use crate::error::Error;
use crate::scope::Scope;

thread_local! {
    // How many entries of this library are on the stack of the thread.
    static DEPTH: Cell<u32> = const { Cell::new(0) };
    static PANIC: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Keep the panics inside of entries off the host's stderr; others go where they went.
///
/// The hook belongs to the standard library that is linked into this backend, so neither
/// the host nor another backend notices.
pub fn install_hook() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let previous = take_hook();
        set_hook(Box::new(move |info| {
            if DEPTH.get() == 0 {
                previous(info);
            } else {
                PANIC.set(Some(describe(info)));
            }
        }));
    });
}

fn describe(info: &PanicHookInfo<'_>) -> String {
    let payload = info.payload();
    let text = match (payload.downcast_ref::<&str>(), payload.downcast_ref::<String>()) {
        (Some(text), _) => text,
        (_, Some(text)) => text.as_str(),
        _ => "a payload that is no text",
    };
    match info.location() {
        Some(place) => format!("panic at {}:{}: {text}", place.file(), place.line()),
        None => format!("panic: {text}"),
    }
}

struct Entered;

impl Entered {
    fn new() -> Self {
        DEPTH.set(DEPTH.get() + 1);
        Self
    }
}

impl Drop for Entered {
    fn drop(&mut self) {
        DEPTH.set(DEPTH.get() - 1);
    }
}

/// Run an entry: its value, or the code that the engine is to be told.
pub(crate) fn enter<R>(
    scope: Scope<'_>,
    entry: impl FnOnce() -> Result<R, Error>,
) -> Result<R, i32> {
    guard(entry).map_err(|error| scope.fail(&error))
}

/// Run what may panic: its value, or an error that carries the panic's text and place.
pub(crate) fn guard<R>(entry: impl FnOnce() -> Result<R, Error>) -> Result<R, Error> {
    let entered = Entered::new();
    // What a panic leaves half done is the author's own state: sound, as after any
    // unwinding, and served again, since one bad batch must not end a bridge.
    let result = catch_unwind(AssertUnwindSafe(entry));
    match result {
        Ok(result) => result,
        Err(payload) => {
            // A payload may panic when it is dropped: still inside, and never twice.
            if let Err(second) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
                // Texts are dropped safely; of anything else a leak is the lesser evil.
                let other = second.downcast::<&'static str>().map(drop);
                let other = other.or_else(|other| other.downcast::<String>().map(drop));
                let _ = other.map_err(std::mem::forget);
            }
            drop(entered);
            let text = PANIC.take();
            Err(Error::failed(text.unwrap_or_else(|| "panic".to_owned())))
        }
    }
}
