// SPDX-License-Identifier: MIT
//! Crashes and hangs in Rust, as crash.c has them in C. The first value of the input says
//! how; the numbers are those of tests/isolated/ways.h.

use std::hint::black_box;
use std::ptr;
use std::time::Duration;

use arrowalloy::abi::{ArrowArray, ArrowSchema, RawOption, c_text};
use arrowalloy::{
    ColumnSchema, Error, Exporter, Function, Input, Options, OwnedArray, OwnedSchema,
    Scope, Spec,
};

use crate::spec;

unsafe extern "C" {
    fn raise(signal: i32) -> i32;
    fn _exit(status: i32) -> !;
    fn getpid() -> i32;
}

const SIGKILL: i32 = 9;
const SIGSTOP: i32 = 19;

const WRITE_INPUT: i64 = 9;
const RELEASE_TWICE: i64 = 10;
const OUTSIDE: i64 = 11;
const RELEASE_OTHER: i64 = 18;

#[allow(unconditional_recursion)]
fn overflow(level: u64) -> u64 {
    let room = black_box([level; 512]);
    overflow(level + 1) + room[7]
}

fn act(way: i64, scope: Scope<'_>) -> Result<(), Error> {
    let moment = Duration::from_millis(1);
    match way {
        // SAFETY: it is wrong, and that is the point.
        1 => unsafe { ptr::write_volatile(ptr::without_provenance_mut::<i32>(64), 1) },
        2 => std::process::abort(),
        // SAFETY: it ends the process.
        3 => unsafe { _exit(7) },
        4 => drop(black_box(overflow(1))),
        5 => while black_box(true) {},
        6 => loop {
            scope.check()?;
            std::thread::sleep(moment);
        },
        7 => {
            for step in 1.. {
                scope.progress(step, 0);
                std::thread::sleep(moment);
            }
        }
        // SAFETY: raise takes any number.
        8 => drop(unsafe { raise(SIGSTOP) }),
        12 => panic!("one is too many"),
        13 => {
            let mut pieces = Vec::new();
            loop {
                pieces.push(black_box(vec![1_u8; 1 << 20]));
            }
        }
        14 => {
            eprintln!("the model has a hole\nat line 3");
            std::process::abort();
        }
        // SAFETY: as above.
        15 => drop(unsafe { raise(SIGKILL) }),
        16 => loop {
            eprint!("{:4096}", "again");
        },
        _ => {}
    }
    Ok(())
}

fn doubled(x: &[i64]) -> OwnedArray {
    let values: Vec<i64> = x.iter().map(|value| value.wrapping_mul(2)).collect();
    // SAFETY: it takes nothing.
    let pids = vec![i64::from(unsafe { getpid() }); x.len()];
    let mut exporter = Exporter::default();
    exporter.start();
    exporter.node(x.len(), 0, 0, 2, false);
    exporter.buffer(ptr::null::<u8>());
    for column in [&values, &pids] {
        exporter.node(x.len(), 0, 0, 0, false);
        exporter.buffer(ptr::null::<u8>());
        exporter.buffer(column.as_ptr());
    }
    // SAFETY: the buffers are those of the vectors, which become the owner.
    unsafe { exporter.finish((values, pids)) }
}

const OPTIONS: &[RawOption] = &[
    RawOption {
        name: c_text("bind\0"),
        summary: c_text("what bind does\0"),
        fallback: c_text("0\0"),
    },
    RawOption { name: ptr::null(), summary: ptr::null(), fallback: ptr::null() },
];

/// Does what the first value of its input says, and else doubles the values.
#[allow(non_camel_case_types)]
pub enum crash {}

// SAFETY: the texts are constants, and the list ends with a NULL name; what it does is wrong
// on purpose.
unsafe impl Function for crash {
    const SPEC: Spec = Spec {
        options: OPTIONS.as_ptr(),
        ..spec(c_text("act\0"), "Does what the first value of its input says.\0")
    };
    type State = ();

    unsafe fn bind(
        scope: Scope<'_>,
        _: &[ArrowSchema],
        options: Options,
    ) -> Result<(OwnedSchema, ()), Error> {
        act(options.parse("bind")?, scope)?;
        let column = |name| ColumnSchema { name, format: c"l", nullable: true };
        Ok((OwnedSchema::batch(&[column("x"), column("pid")])?, ()))
    }

    fn run(
        (): &mut (),
        scope: Scope<'_>,
        inputs: &mut [Input],
    ) -> Result<OwnedArray, Error> {
        // SAFETY: the tests pass one column of numbers without nulls.
        let x = unsafe {
            let column = inputs[0].raw().child(0).expect("a column");
            let first = column.buffer(1).cast::<i64>().add(column.offset as usize);
            std::slice::from_raw_parts(first, column.length as usize)
        };
        let way = x.first().copied().unwrap_or(0);
        act(way, scope)?;
        if way == WRITE_INPUT {
            // SAFETY: it is wrong, and that is the point.
            unsafe { ptr::write_volatile(x.as_ptr().cast_mut(), 42) };
        }
        let output = doubled(x);
        if way == OUTSIDE {
            // SAFETY: as above; the structs are those of the batch.
            unsafe {
                let column: *mut ArrowArray = *output.raw().children;
                *(*column).buffers.add(1) = ptr::without_provenance(4096);
            }
        }
        if way == RELEASE_TWICE || way == RELEASE_OTHER {
            // SAFETY: as above.
            unsafe {
                let mut copy = ptr::read(inputs[0].raw());
                if way == RELEASE_OTHER {
                    copy.private_data =
                        ptr::without_provenance_mut(0x4141_4141_4141_4141);
                } else {
                    drop(inputs[0].take());
                }
                let release = copy.release.expect("not released");
                release(&raw mut copy);
            }
        }
        Ok(output)
    }
}
