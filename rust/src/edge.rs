// SPDX-License-Identifier: MIT
//! The edge that nothing but a code crosses: panics end here, as errors.

use std::any::{Any, TypeId};
use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind, set_hook, take_hook};
use std::sync::Once;

use crate::error::Error;
use crate::scope::Scope;

thread_local! {
    // How many entries of this library are on the stack of the thread.
    static DEPTH: Cell<u32> = const { Cell::new(0) };
    // Whether PANIC holds one: spares an entry without a panic the look at it.
    static HELD: Cell<bool> = const { Cell::new(false) };
    static PANIC: RefCell<Option<Panic>> = const { RefCell::new(None) };
}

// The last panic that began inside of an entry. The author may have caught it, and
// another may arrive without the hook, by resume_unwind.
struct Panic {
    payload: TypeId,
    text: Option<String>,
    place: String,
}

impl Panic {
    fn new(info: &PanicHookInfo<'_>) -> Self {
        let payload = info.payload();
        let place = info.location().map_or_else(String::new, |place| {
            format!("{}:{}", place.file(), place.line())
        });
        Self {
            payload: payload.type_id(),
            text: text_of(payload).map(str::to_owned),
            place,
        }
    }

    fn is_of(&self, payload: &(dyn Any + Send)) -> bool {
        self.payload == payload.type_id() && self.text.as_deref() == text_of(payload)
    }
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
                hold(Some(Panic::new(info)));
            }
        }));
    });
}

// A thread that ends may enter once more when PANIC is gone: the place is lost then.
fn hold(panic: Option<Panic>) {
    HELD.set(panic.is_some());
    let _ = PANIC.try_with(|held| held.replace(panic));
}

fn held() -> Option<Panic> {
    if !HELD.replace(false) {
        return None;
    }
    PANIC.try_with(RefCell::take).ok().flatten()
}

fn text_of(payload: &(dyn Any + Send)) -> Option<&str> {
    let text = payload.downcast_ref::<&'static str>().copied();
    text.or_else(|| payload.downcast_ref::<String>().map(String::as_str))
}

// What the caller is told of a panic that reached the edge.
fn describe(payload: &(dyn Any + Send)) -> String {
    let text = text_of(payload).unwrap_or("a payload that is no text");
    match held().filter(|panic| panic.is_of(payload)) {
        Some(Panic { place, .. }) => format!("panic at {place}: {text}"),
        None => format!("panic: {text}"),
    }
}

// An entry may lie inside of another, whose panic may be on its way through.
struct Entered {
    before: Option<Panic>,
}

impl Entered {
    fn new() -> Self {
        DEPTH.set(DEPTH.get() + 1);
        Self { before: held() }
    }
}

impl Drop for Entered {
    fn drop(&mut self) {
        DEPTH.set(DEPTH.get() - 1);
        if self.before.is_some() || HELD.get() {
            hold(self.before.take());
        }
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
            let text = describe(payload.as_ref());
            // A payload may panic when it is dropped: still inside, and never twice.
            if let Err(second) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
                // Texts are dropped safely; of anything else a leak is the lesser evil.
                let other = second.downcast::<&'static str>().map(drop);
                let other = other.or_else(|other| other.downcast::<String>().map(drop));
                let _ = other.map_err(std::mem::forget);
            }
            drop(entered);
            Err(Error::failed(text))
        }
    }
}
