// SPDX-License-Identifier: MIT
//! Panics and errors, as the host sees them.

use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use arrowalloy::abi::ArrowArray;
use arrowalloy::{Code, Exporter, OwnedArray};
use test_host::{Backend, Call, Failure};

use crate::outcomes::values;
use crate::{alloy_backend_init, value_schema};

struct Counted(#[allow(dead_code)] Vec<i64>, Arc<AtomicUsize>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.1.fetch_add(1, Ordering::SeqCst);
    }
}

// A batch that counts its release.
fn counted(released: &Arc<AtomicUsize>) -> OwnedArray {
    let owner = Counted(vec![1, 2, 3], released.clone());
    let mut exporter = Exporter::default();
    exporter.node(3, 0, 0, 1, false);
    exporter.buffer(std::ptr::null::<u8>());
    exporter.node(3, 0, 0, 0, false);
    exporter.buffer(std::ptr::null::<u8>());
    exporter.buffer(owner.0.as_ptr());
    // SAFETY: the buffers are those of the vector, which the owner keeps.
    unsafe { exporter.finish(owner) }
}

fn bind(name: &str) -> Result<Call, Failure> {
    let schema = value_schema().expect("a schema");
    Backend::load(alloy_backend_init).bind(name, &[schema], &[])
}

fn fails(name: &str) -> Failure {
    let released = Arc::new(AtomicUsize::new(0));
    let call = bind(name).expect("a call");
    let failure = call.run(vec![counted(&released)]).expect_err("a failure");
    assert_eq!(released.load(Ordering::SeqCst), 1, "{name}");
    // The call still works.
    let again = call.run(vec![counted(&released)]).expect_err("a failure");
    assert_eq!((again, released.load(Ordering::SeqCst)), (failure.clone(), 2), "{name}");
    failure
}

#[test]
fn errors_keep_their_code_and_text() {
    let failure = fails("error");
    assert_eq!(failure.code, Code::Failed as i32);
    assert_eq!(failure.text, "the wrong thing happened");
    let failure = fails("retry");
    assert_eq!((failure.code, failure.text.as_str()), (Code::Retry as i32, "come again"));
    let failure = bind("refuse").expect_err("a failure");
    assert_eq!(failure.code, Code::NoMatch as i32);
}

#[test]
fn panics_become_errors_with_text_file_and_line() {
    let failure = fails("panic_in_run");
    assert_eq!(failure.code, Code::Failed as i32);
    let (place, text) = failure.text.split_once(": ").expect("a place and a text");
    assert_eq!(text, "the run went wrong: 42");
    let (file, line) = place.rsplit_once(':').expect("a file and a line");
    assert!(file.ends_with("src/outcomes.rs"), "{file}");
    assert!(line.parse::<u32>().is_ok(), "{line}");

    let failure = bind("panic_in_bind").expect_err("a failure");
    assert!(failure.text.ends_with("the bind went wrong"), "{}", failure.text);
}

#[test]
fn a_panic_handed_over_by_resume_unwind_keeps_its_words() {
    let failure = fails("panic_of_another_thread");
    assert_eq!(failure.text, "panic: the thread went wrong");
}

#[test]
fn a_panic_that_was_caught_lends_its_words_to_no_other() {
    assert_eq!(fails("panic_after_a_caught_one").text, "panic: the second went wrong");
    // And its place is not used for an equal panic of a later entry.
    let call = bind("panic_after_a_caught_run").expect("a call");
    assert!(call.run(vec![values(vec![1])]).is_ok());
    let failure = call.run(vec![values(vec![1])]).expect_err("a failure");
    assert_eq!(failure.text, "panic: its payload is not a text");
}

#[test]
fn a_panic_on_the_way_out_of_another_leaves_it_its_place() {
    let failure = fails("panic_around_another");
    let (place, text) = failure.text.split_once(": ").expect("a place and a text");
    assert!(place.contains("outcomes.rs:"), "{place}");
    assert_eq!(text, "the outer one");
}

#[test]
fn a_payload_that_panics_when_dropped_is_survived() {
    let failure = fails("panic_with_payload");
    assert_eq!(failure.code, Code::Failed as i32);
    assert!(failure.text.contains("outcomes.rs"), "{}", failure.text);
}

#[test]
fn a_state_that_panics_when_dropped_is_survived() {
    let call = bind("panic_in_unbind").expect("a call");
    assert!(call.run(vec![values(vec![1])]).is_ok());
    drop(call);
}

#[test]
fn only_panics_outside_of_entries_reach_the_hosts_stderr() {
    // In a separate process, so that its stderr can be read.
    if std::env::var_os("ALLOY_TEST_CHILD").is_some() {
        let failure = fails("panic_in_run");
        assert!(failure.text.contains("the run went wrong"));
        assert!(std::thread::spawn(|| panic!("not in an entry")).join().is_err());
        return;
    }
    let name = "tests::only_panics_outside_of_entries_reach_the_hosts_stderr";
    let output = Command::new(std::env::current_exe().expect("this program"))
        .args(["--exact", name, "--nocapture"])
        .env("ALLOY_TEST_CHILD", "1")
        .output()
        .expect("a child");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stderr}");
    assert!(stderr.contains("not in an entry"), "{stderr}");
    assert!(!stderr.contains("the run went wrong"), "{stderr}");
}

#[test]
fn an_input_may_be_kept_past_the_return() {
    let released = Arc::new(AtomicUsize::new(0));
    let call = bind("keep").expect("a call");
    for run in 0..3 {
        call.run(vec![counted(&released)]).expect("a result");
        assert_eq!(released.load(Ordering::SeqCst), run);
    }
    drop(call);
    assert_eq!(released.load(Ordering::SeqCst), 3);

    let call = bind("delay").expect("a call");
    assert_eq!(call.run(vec![counted(&released)]).expect("a result").raw().length, 0);
    let delayed = call.run(vec![values(vec![])]).expect("a result");
    drop(call);
    assert_eq!((delayed.raw().length, released.load(Ordering::SeqCst)), (3, 3));
    drop(delayed);
    assert_eq!(released.load(Ordering::SeqCst), 4);
}

#[test]
fn an_input_may_be_released_early_and_elsewhere() {
    let released = Arc::new(AtomicUsize::new(0));
    for name in ["release_input", "release_on_thread"] {
        bind(name).expect("a call").run(vec![counted(&released)]).expect("a result");
    }
    while released.load(Ordering::SeqCst) < 2 {
        std::thread::yield_now();
    }
}

#[test]
fn a_slow_call_is_cancelled_and_says_how_far_it_came() {
    let call = bind("slow").expect("a call");
    let failure = std::thread::scope(|scope| {
        let run = scope.spawn(|| call.run(vec![values(vec![1])]));
        while call.entry.done.load(Ordering::Acquire) < 3 {
            std::thread::yield_now();
        }
        call.entry.cancelled.store(true, Ordering::Release);
        run.join().expect("no panic").expect_err("a failure")
    });
    assert_eq!(failure.code, Code::Cancelled as i32);
}

#[test]
fn nothing_is_a_result_too() {
    let call = bind("empty").expect("a call");
    let output = call.run(vec![values(vec![1])]).expect("a result");
    assert_eq!((output.raw().length, output.raw().n_children), (0, 1));
    let call = bind("no_columns").expect("a call");
    let output = call.run(vec![values(vec![1, 2])]).expect("a result");
    assert_eq!((output.raw().length, output.raw().n_children), (2, 0));
    assert_eq!(call.schema().n_children, 0);
}

fn column(batch: &OwnedArray) -> Option<&ArrowArray> {
    // SAFETY: the lies leave the children NULL or right.
    unsafe { batch.raw().child(0) }
}

fn values_are_null(batch: &OwnedArray) -> bool {
    // SAFETY: as above, of the buffers.
    column(batch).is_some_and(|column| unsafe { column.buffer(1) }.is_null())
}

#[test]
fn each_lie_is_told_and_can_be_released() {
    type Lie = fn(&OwnedArray) -> bool;
    let lies: [(&str, Lie); 11] = [
        ("released_output", |a| a.raw().release.is_none()),
        ("too_few_children", |a| a.raw().n_children == 0),
        ("too_many_children", |a| a.raw().n_children == 2),
        ("null_children", |a| a.raw().children.is_null()),
        ("null_child", |a| column(a).is_none()),
        ("released_column", |a| column(a).unwrap().release.is_none()),
        ("too_few_buffers", |a| column(a).unwrap().n_buffers == 1),
        ("null_values", values_are_null),
        ("negative_length", |a| a.raw().length == -1),
        ("short_column", |a| column(a).unwrap().length == 2),
        ("batch_nulls", |a| a.raw().null_count == 1),
    ];
    for (name, is_told) in lies {
        let call = bind(name).expect("a call");
        let output = call.run(vec![values(vec![1])]).expect("a lie");
        assert!(is_told(&output), "{name}");
    }
    let call = bind("format_null").expect("a call");
    // SAFETY: the schema has its one child, of which the lie changed the format alone.
    assert!(unsafe { (**call.schema().children).format }.is_null());
}
