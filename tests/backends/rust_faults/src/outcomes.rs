// SPDX-License-Identifier: MIT
//! The ways in which a call can end; all are allowed.

use std::time::{Duration, Instant};

use arrowalloy::abi::{ArrowSchema, c_text};
use arrowalloy::{
    Code, ColumnSchema, Error, Exporter, Function, Input, Options, OwnedArray,
    OwnedSchema, Scope, Spec,
};

use crate::{spec, value_schema};

type Bound<S> = Result<(OwnedSchema, S), Error>;

macro_rules! outcome {
    ($name:ident, $summary:literal, $state:ty, bind $bind:expr, run $run:expr) => {
        #[allow(non_camel_case_types, missing_docs)]
        pub enum $name {}

        // SAFETY: the texts are constants, and there is no list.
        unsafe impl Function for $name {
            const SPEC: Spec =
                spec(c_text(concat!(stringify!($name), "\0")), concat!($summary, "\0"));
            type State = $state;

            unsafe fn bind(
                _: Scope<'_>,
                inputs: &[ArrowSchema],
                _: Options,
            ) -> Bound<$state> {
                let bind: fn(&ArrowSchema) -> Bound<$state> = $bind;
                bind(&inputs[0])
            }

            fn run(
                state: &mut $state,
                scope: Scope<'_>,
                inputs: &mut [Input],
            ) -> Result<OwnedArray, Error> {
                let run: fn(
                    &mut $state,
                    Scope<'_>,
                    &mut Input,
                ) -> Result<OwnedArray, Error> = $run;
                run(state, scope, &mut inputs[0])
            }
        }
    };
}

fn value<S: Default>(_: &ArrowSchema) -> Bound<S> {
    Ok((value_schema()?, S::default()))
}

/// A batch of one int64 column.
pub(crate) fn values(values: Vec<i64>) -> OwnedArray {
    let mut exporter = Exporter::default();
    exporter.start();
    exporter.node(values.len(), 0, 0, 1, false);
    exporter.buffer(std::ptr::null::<u8>());
    exporter.node(values.len(), 0, 0, 0, false);
    exporter.buffer(std::ptr::null::<u8>());
    exporter.buffer(values.as_ptr());
    // SAFETY: the buffers are those of the vector, which becomes the owner.
    unsafe { exporter.finish(values) }
}

outcome!(error, "Fails with a text.", (), bind value, run |(), _, _| {
    Err(Error::failed("the wrong thing happened"))
});

outcome!(retry, "Fails with an error that is worth repeating.", (), bind value, run |(), _, _| {
    Err(Error::retry("come again"))
});

outcome!(
    refuse,
    "Does not apply to any schema.",
    (),
    bind | _ | { Err(Error::no_match("no schema is good enough")) },
    run | (),
    _,
    _ | Ok(values(vec![]))
);

outcome!(panic_in_run, "Panics when it runs.", (), bind value, run |(), _, _| {
    panic!("the run went wrong: {}", 42)
});

outcome!(use_up_heap, "Allocates until the memory is used up.", (), bind value, run |(), _, _| {
    let mut pieces = Vec::new();
    loop {
        pieces.push(std::hint::black_box(vec![1_u8; 1 << 20]));
    }
});

outcome!(panic_of_another_thread, "Hands a panic of another thread on.", (), bind value,
    run |(), _, _| {
        let thread = std::thread::spawn(|| {
            // This panics without the hook, which would write to stderr.
            std::panic::resume_unwind(Box::new("the thread went wrong".to_owned()))
        });
        match thread.join() {
            Ok(()) => Err(Error::failed("the thread did not panic")),
            Err(payload) => std::panic::resume_unwind(payload),
        }
    }
);

outcome!(panic_after_a_caught_one, "Catches a panic of its own, then hands another on.", (),
    bind value,
    run |(), _, _| {
        drop(std::panic::catch_unwind(|| panic!("nobody is to hear this")));
        std::panic::resume_unwind(Box::new("the second went wrong"))
    }
);

outcome!(panic_after_a_caught_run, "Catches a panic in its first run, hands one on after it.",
    bool,
    bind value,
    run |caught, _, _| {
        if std::mem::replace(caught, true) {
            std::panic::resume_unwind(Box::new(7u8))
        }
        drop(std::panic::catch_unwind(|| std::panic::panic_any(7u8)));
        Ok(values(vec![1]))
    }
);

outcome!(panic_around_another, "Panics, and on its way out a release panics as well.", (),
    bind value,
    run |(), _, _| {
        let mut exporter = Exporter::default();
        exporter.node(0, 0, 0, 0, false);
        // SAFETY: there is no buffer.
        let _batch = unsafe { exporter.finish(PanicsInDrop) };
        panic!("the outer one");
    }
);

outcome!(
    panic_in_bind,
    "Panics when it is bound.",
    (),
    bind | _ | { panic!("the bind went wrong") },
    run | (),
    _,
    _ | Ok(values(vec![]))
);

struct PanicsInDrop;

impl Drop for PanicsInDrop {
    fn drop(&mut self) {
        panic!("a payload that panics in its turn");
    }
}

outcome!(panic_with_payload, "Panics with a payload that is no text and panics when dropped.", (),
    bind value,
    run |(), _, _| std::panic::panic_any(PanicsInDrop)
);

/// A state whose drop panics.
#[derive(Default)]
pub struct BadState;

impl Drop for BadState {
    fn drop(&mut self) {
        panic!("the unbind went wrong");
    }
}

outcome!(panic_in_unbind, "Panics when its state is given back.", BadState, bind value,
    run |_, _, _| Ok(values(vec![1]))
);

outcome!(slow, "Works until it is cancelled, 60 seconds at most, and says how far it is.", (),
    bind value,
    run |(), scope, _| {
        let end = Instant::now() + Duration::from_secs(60);
        let mut done = 0;
        while Instant::now() < end {
            scope.check()?;
            done += 1;
            scope.progress(done, 60_000);
            std::thread::park_timeout(Duration::from_millis(1));
        }
        Err(Error::new(Code::Failed, "nobody cancelled"))
    }
);

outcome!(keep, "Keeps its input until the next run or the unbind, and gives the rows kept before.",
    Option<OwnedArray>,
    bind value,
    run |kept, _, input| {
        let rows = kept.as_ref().map_or(-1, |kept| kept.raw().length);
        *kept = Some(input.take());
        Ok(values(vec![rows]))
    }
);

outcome!(
    delay,
    "Gives the batch of the run before, of one int64 column; at first an empty one.",
    Option<OwnedArray>,
    bind | schema | {
        // SAFETY: the engine passed the schema of a batch.
        let is_value = unsafe {
            schema.n_children == 1
                && std::ffi::CStr::from_ptr((**schema.children).format) == c"l"
        };
        if !is_value {
            return Err(Error::no_match("wanted one int64 column"));
        }
        Ok((value_schema()?, None))
    },
    run | kept,
    _,
    input | {
        let before = kept.replace(input.take());
        Ok(before.unwrap_or_else(|| values(vec![])))
    }
);

outcome!(release_input, "Releases its input by itself, before it answers.", (), bind value,
    run |(), _, input| {
        drop(input.take());
        Ok(values(vec![1]))
    }
);

outcome!(release_on_thread, "Releases its input on another thread, perhaps after it answered.", (),
    bind value,
    run |(), _, input| {
        let input = input.take();
        std::thread::spawn(move || drop(input));
        Ok(values(vec![1]))
    }
);

outcome!(empty, "Gives no rows.", (), bind value, run |(), _, _| Ok(values(vec![])));

outcome!(
    no_columns,
    "Gives rows without columns.",
    (),
    bind | _ | Ok((OwnedSchema::batch(&[] as &[ColumnSchema<'_>])?, ())),
    run | (),
    _,
    input | {
        let mut exporter = Exporter::default();
        exporter.start();
        exporter.node(input.raw().length as usize, 0, 0, 0, false);
        exporter.buffer(std::ptr::null::<u8>());
        // SAFETY: there is no buffer.
        Ok(unsafe { exporter.finish(()) })
    }
);
