// SPDX-License-Identifier: MIT
//! The edge to C: panics end here and become errors.

use std::any::{Any, TypeId};
use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind, set_hook, take_hook};
use std::sync::Once;

use crate::error::{Code, Error};
use crate::memory::Exhausted;
use crate::scope::Scope;

thread_local! {
    // How many entries of this library are on the stack of this thread.
    static DEPTH: Cell<u32> = const { Cell::new(0) };
    // Whether PANIC is set: so an entry without a panic need not look there.
    static HELD: Cell<bool> = const { Cell::new(false) };
    static PANIC: RefCell<Option<Panic>> = const { RefCell::new(None) };
}

// The last panic that began inside an entry, as the hook saw it. The author may have caught
// it since; and resume_unwind starts another one without the hook.
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

/// Record panics inside entries instead of printing them to the host's stderr. Other panics
/// go to the previous hook.
///
/// The hook belongs to the standard library that is linked into this backend. So it affects
/// neither the host nor another backend.
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

// A thread that is ending may enter once more after PANIC was dropped. The place of the
// panic is lost then.
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

// The error text for a panic that reached the edge.
fn describe(payload: &(dyn Any + Send)) -> String {
    let text = text_of(payload).unwrap_or("its payload is not a text");
    match held().filter(|panic| panic.is_of(payload)) {
        Some(Panic { place, .. }) => format!("panic at {place}: {text}"),
        None => format!("panic: {text}"),
    }
}

// An entry may run inside another one, during the unwinding of the other's panic.
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

/// Run an entry. Returns its value, or the code for the engine.
pub(crate) fn enter<R>(
    scope: Scope<'_>,
    entry: impl FnOnce() -> Result<R, Error>,
) -> Result<R, i32> {
    guard(entry).map_err(|error| scope.fail(&error))
}

/// Run code that may panic. Returns its value, or an error with the panic's text and place.
pub(crate) fn guard<R>(entry: impl FnOnce() -> Result<R, Error>) -> Result<R, Error> {
    let entered = Entered::new();
    // A panic may leave the author's state half changed. That is still sound, as after any
    // unwinding, and the state is used again: one bad batch must not end a bridge.
    let result = catch_unwind(AssertUnwindSafe(entry));
    match result {
        Ok(result) => result,
        Err(payload) if payload.is::<Exhausted>() => {
            drop(entered);
            let text = "not enough memory for the result";
            Err(Error::new(Code::Exhausted, text))
        }
        Err(payload) => {
            let text = describe(payload.as_ref());
            // The drop of a payload may panic as well: catch that too, but only once.
            if let Err(second) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
                // Dropping a text is safe. Leak any other payload, which could panic again.
                let other = second.downcast::<&'static str>().map(drop);
                let other = other.or_else(|other| other.downcast::<String>().map(drop));
                let _ = other.map_err(std::mem::forget);
            }
            drop(entered);
            Err(Error::failed(text))
        }
    }
}
