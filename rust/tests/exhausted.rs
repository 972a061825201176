// SPDX-License-Identifier: MIT
//! Without memory for its result a function fails with Exhausted, and works again after it.

// Other tests use the other items.
#[allow(dead_code)]
mod build;

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};

use arrowalloy::{Code, Column, Dictionary, View};
use build::{Batch, flat};
use test_host::{Backend, Failure};

// Refuses allocations that are larger than the limit.
struct Limited;

static LIMIT: AtomicUsize = AtomicUsize::new(usize::MAX);

// SAFETY: the system's allocator, or NULL.
unsafe impl GlobalAlloc for Limited {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if layout.size() > LIMIT.load(Ordering::Relaxed) {
            return std::ptr::null_mut();
        }
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(memory, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Limited = Limited;

arrowalloy::function! {
    /// As many values of the type as the option names.
    #[option(of, "Which type.")]
    fn grow(_scope, options; n: View<i64>) -> Result<(n: i64)> {
        let rows = n.get(0).unwrap_or_default();
        let mut lengths = Column::default();
        lengths.push(Some(match options.get("of")? {
            "numbers" => (0..rows).collect::<Column<i64>>().len(),
            "flags" => (0..rows).map(|row| row % 2 == 0).collect::<Column<bool>>().len(),
            "nulls" => (0..rows).map(|row| (row == 7).then_some(1.0)).collect::<Column<f64>>().len(),
            "texts" => (0..rows).map(|_| "text").collect::<Column<String>>().len(),
            "lists" => (0..rows).map(|row| vec![row]).collect::<Column<Vec<i64>>>().len(),
            _ => (0..rows).map(Dictionary::new).collect::<Column<Dictionary<i64>>>().len(),
        } as i64));
        Ok(lengths)
    }
}

arrowalloy::function! {
    /// The values of a misaligned column.
    fn same(x: View<i64>) -> y: i64 {
        [x.get(0)].into_iter().collect()
    }
}

arrowalloy::backend! { name: "test.exhausted", functions: [grow, same] }

fn limited<R>(limit: usize, run: impl FnOnce() -> R) -> R {
    LIMIT.store(limit, Ordering::Relaxed);
    let result = run();
    LIMIT.store(usize::MAX, Ordering::Relaxed);
    result
}

// One test, because the limit is for the whole process.
#[test]
fn a_result_without_memory_is_exhausted_and_the_next_call_works() {
    const ROWS: i64 = 100_000;
    let backend = Backend::load(alloy_backend_init);
    for of in ["numbers", "flags", "nulls", "texts", "lists", "dictionary"] {
        let batch = || Batch::new(1).add("n", flat::<i64>("l", &[Some(ROWS)]));
        let call = backend.bind("grow", &[batch().schema()], &[of]).expect("a call");
        let input = batch().array();
        let failure = limited(8 << 10, || call.run(vec![input])).expect_err(of);
        let text = "not enough memory for the result".to_owned();
        assert_eq!(failure, Failure { code: Code::Exhausted as i32, text }, "{of}");
        let output = call.run(vec![batch().array()]).expect(of);
        assert_eq!(
            build::read(call.schema(), output.raw()),
            [[ROWS.to_string()]],
            "{of}"
        );
    }
    let column = flat::<i64>("l", &vec![Some(1); ROWS as usize]).misaligned();
    let batch = Batch::new(ROWS as usize).add("x", column);
    let call = backend.bind("same", &[batch.schema()], &[]).expect("a call");
    let input = batch.array();
    let failure = limited(8 << 10, || call.run(vec![input])).expect_err("an error");
    let text = "column x: no memory to align it".to_owned();
    assert_eq!(failure, Failure { code: Code::Exhausted as i32, text });
}
