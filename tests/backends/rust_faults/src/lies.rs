// SPDX-License-Identifier: MIT
//! Malformed results: each is a valid result with one wrong field.
//!
//! The release callback does not read the wrong fields, so any leak is the engine's fault.

use std::ffi::c_void;
use std::ptr;

use arrowalloy::abi::{ArrowArray, ArrowSchema, RawOption, c_text};
use arrowalloy::{Error, Function, Input, Options, OwnedArray, OwnedSchema, Scope, Spec};

use crate::{spec, value_schema};

macro_rules! lie {
    ($name:ident, $summary:literal, $lie:expr) => {
        #[allow(non_camel_case_types, missing_docs)]
        pub enum $name {}

        // SAFETY: the texts are constants, and there is no list; the rest is wrong on purpose.
        unsafe impl Function for $name {
            const SPEC: Spec =
                spec(c_text(concat!(stringify!($name), "\0")), concat!($summary, "\0"));
            type State = ();

            unsafe fn bind(
                _: Scope<'_>,
                _: &[ArrowSchema],
                _: Options,
            ) -> Result<(OwnedSchema, ()), Error> {
                Ok((value_schema()?, ()))
            }

            fn run(
                (): &mut (),
                _: Scope<'_>,
                inputs: &mut [Input],
            ) -> Result<OwnedArray, Error> {
                let lie: fn(&mut ArrowArray, &mut Parts, &mut Input) = $lie;
                Ok(tell(lie, &mut inputs[0]))
            }
        }
    };
}

/// The parts of a batch with one int64 column of the values 1, 2 and 3.
struct Parts {
    column: ArrowArray,
    children: [*mut ArrowArray; 2],
    root_buffers: [*const c_void; 1],
    buffers: [*const c_void; 3],
    values: [i64; 3],
}

fn tell(
    lie: fn(&mut ArrowArray, &mut Parts, &mut Input),
    input: &mut Input,
) -> OwnedArray {
    let parts = Box::leak(Box::new(Parts {
        column: ArrowArray::released(),
        children: [ptr::null_mut(); 2],
        root_buffers: [ptr::null()],
        buffers: [ptr::null(); 3],
        values: [1, 2, 3],
    }));
    parts.buffers[1] = parts.values.as_ptr().cast();
    parts.column = ArrowArray {
        length: 3,
        n_buffers: 2,
        buffers: parts.buffers.as_mut_ptr(),
        release: Some(release_column),
        ..ArrowArray::released()
    };
    parts.children = [&raw mut parts.column; 2];
    let mut root = ArrowArray {
        length: 3,
        n_buffers: 1,
        buffers: parts.root_buffers.as_mut_ptr(),
        n_children: 1,
        children: parts.children.as_mut_ptr(),
        release: Some(release_root),
        private_data: ptr::from_mut(parts).cast(),
        ..ArrowArray::released()
    };
    lie(&mut root, parts, input);
    // SAFETY: none, where it lies.
    unsafe { OwnedArray::take(&mut root) }
}

unsafe extern "C" fn release_column(array: *mut ArrowArray) {
    // SAFETY: the caller's struct; what it points to is the root's.
    unsafe { (*array).release = None };
}

unsafe extern "C" fn release_root(array: *mut ArrowArray) {
    // SAFETY: private_data is what tell made; the struct is released once.
    unsafe {
        (*array).release = None;
        drop(Box::from_raw((*array).private_data.cast::<Parts>()));
    }
}

lie!(released_output, "Says that all is well, and gives nothing.", |root, _, _| {
    // SAFETY: the struct is whole, and is left released.
    drop(unsafe { OwnedArray::take(root) });
});

lie!(released_column, "Gives a batch whose column is released.", |_, parts, _| {
    parts.column.release = None;
});

lie!(
    double_release,
    "Gives its input back and leaves it in its place as well: two structs, one release.",
    |root, _, input| {
        // SAFETY: the struct is whole; the copy is wrong on purpose.
        *root = unsafe {
            drop(OwnedArray::take(root));
            ptr::read(input.raw())
        };
    }
);

lie!(too_few_children, "Gives a batch without its column.", |root, _, _| {
    root.n_children = 0;
});

lie!(too_many_children, "Gives a batch of two columns.", |root, _, _| {
    root.n_children = 2;
});

lie!(null_children, "Gives a batch whose children are NULL.", |root, _, _| {
    root.children = ptr::null_mut();
});

lie!(null_child, "Gives a batch whose only child is NULL.", |_, parts, _| {
    parts.children[0] = ptr::null_mut();
});

lie!(too_few_buffers, "Gives a column with one buffer.", |_, parts, _| {
    parts.column.n_buffers = 1;
});

lie!(too_many_buffers, "Gives a column with three buffers.", |_, parts, _| {
    parts.column.n_buffers = 3;
});

lie!(null_buffers, "Gives a column whose buffers are NULL.", |_, parts, _| {
    parts.column.buffers = ptr::null_mut();
});

lie!(null_values, "Gives a column whose values are NULL.", |_, parts, _| {
    parts.buffers[1] = ptr::null();
});

lie!(negative_length, "Gives a batch of -1 rows.", |root, _, _| {
    root.length = -1;
});

lie!(negative_offset, "Gives a column at offset -1.", |_, parts, _| {
    parts.column.offset = -1;
});

lie!(
    huge_length,
    "Gives a column whose length and offset overflow.",
    |root, parts, _| {
        root.length = i64::MAX;
        parts.column.length = i64::MAX;
        parts.column.offset = 1;
    }
);

lie!(short_column, "Gives a column that is shorter than its batch.", |_, parts, _| {
    parts.column.length = 2;
});

lie!(null_count_too_high, "Gives three values, four of them null.", |_, parts, _| {
    parts.buffers[0] = ptr::from_ref(&parts.values).cast();
    parts.column.null_count = 4;
});

lie!(nulls_without_bitmap, "Gives a null count of 1 and no validity.", |_, parts, _| {
    parts.column.null_count = 1;
});

lie!(batch_nulls, "Gives a batch with a null row.", |root, parts, _| {
    parts.root_buffers[0] = ptr::from_ref(&parts.values).cast();
    root.null_count = 1;
});

/// Declares a schema whose column has no format.
#[allow(non_camel_case_types)]
pub enum format_null {}

/// Declares a schema that is not a struct.
#[allow(non_camel_case_types)]
pub enum no_struct {}

macro_rules! lie_in_bind {
    ($name:ident, $summary:literal, $lie:expr) => {
        // SAFETY: the texts are constants, and there is no list; the rest is wrong on purpose.
        unsafe impl Function for $name {
            const SPEC: Spec =
                spec(c_text(concat!(stringify!($name), "\0")), concat!($summary, "\0"));
            type State = ();

            unsafe fn bind(
                _: Scope<'_>,
                _: &[ArrowSchema],
                _: Options,
            ) -> Result<(OwnedSchema, ()), Error> {
                let lie: unsafe fn(&mut ArrowSchema) = $lie;
                let mut schema = value_schema()?.into_raw();
                // SAFETY: the schema is whole until the lie; its release follows no
                // format.
                unsafe {
                    lie(&mut schema);
                    Ok((OwnedSchema::from_raw(schema), ()))
                }
            }

            fn run(
                (): &mut (),
                _: Scope<'_>,
                _: &mut [Input],
            ) -> Result<OwnedArray, Error> {
                Err(Error::failed("bound on a lie"))
            }
        }
    };
}

lie_in_bind!(format_null, "Declares a schema whose column has no format.", |schema| {
    // SAFETY: the schema of a batch has its one child.
    unsafe { (**schema.children).format = ptr::null() };
});

lie_in_bind!(no_struct, "Declares a schema that is not a struct.", |schema| {
    schema.format = c"l".as_ptr();
});

/// Returns the structs at two addresses of this process, without a check.
#[allow(non_camel_case_types)]
pub enum hand_over {}

const fn option(name: &'static str) -> RawOption {
    RawOption { name: c_text(name), summary: ptr::null(), fallback: ptr::null() }
}

const HAND_OVER: &[RawOption] = &[
    option("schema\0"),
    option("array\0"),
    RawOption { name: ptr::null(), summary: ptr::null(), fallback: ptr::null() },
];

// SAFETY: the texts are constants, and the list ends with a NULL name; what it gives is
// the caller's business.
unsafe impl Function for hand_over {
    const SPEC: Spec = Spec {
        options: HAND_OVER.as_ptr(),
        ..spec(c_text("hand_over\0"), "Gives the structs at two addresses.\0")
    };
    type State = usize;

    unsafe fn bind(
        _: Scope<'_>,
        _: &[ArrowSchema],
        options: Options,
    ) -> Result<(OwnedSchema, usize), Error> {
        let schema = options.parse::<usize>("schema")? as *mut ArrowSchema;
        // SAFETY: the caller's struct, which is moved out.
        let owned = unsafe {
            let owned = OwnedSchema::from_raw(ptr::read(schema));
            (*schema).release = None;
            owned
        };
        Ok((owned, options.parse("array")?))
    }

    fn run(
        array: &mut usize,
        _: Scope<'_>,
        _: &mut [Input],
    ) -> Result<OwnedArray, Error> {
        // SAFETY: the caller's struct, which is moved out.
        Ok(unsafe { OwnedArray::take(&mut *(*array as *mut ArrowArray)) })
    }
}
