// SPDX-License-Identifier: MIT
//! Open, call, errors, the log and threads, with arrow-rs and arrow2 in one program.

use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use arrow_array::{Array, ArrayRef, Int64Array, RecordBatch, StringArray, record_batch};
use arrow_schema::SchemaRef;
use arrowalloy::Level;
use arrowalloy::host::{
    Bridge, BridgeOptions, Call, Canceller, Code, Error, Host, HostOptions, Isolated,
    Side, reason,
};
use host_tests::{Alive, build, host, open, schema};

use host_tests::arrow;

arrowalloy::arrow_glue!(crate::arrow);
arrowalloy::arrow2_glue!(arrow2);

use alloy_arrow::host as rs;

fn batch() -> RecordBatch {
    let numbers: ArrayRef = Arc::new(Int64Array::from(vec![Some(1), None, Some(3)]));
    let texts: ArrayRef = Arc::new(StringArray::from(vec![Some("a"), Some("ü"), None]));
    RecordBatch::try_from_iter([("x", numbers), ("text", texts)]).expect("equal lengths")
}

fn echo() -> Bridge {
    host().echo(&BridgeOptions::default()).expect("the echo is built in")
}

#[test]
fn the_echo_returns_batches_of_arrow_rs() {
    let batch = batch();
    let inputs = vec![(batch.schema(), batch.clone())];
    let output = rs::call(&echo(), "echo", &[], inputs).expect("the echo");
    assert_eq!(output.columns(), batch.columns());
}

#[test]
fn a_result_outlives_everything() {
    let (batch, bridge) = (batch(), echo());
    let mut call =
        rs::Call::bind(&bridge, "echo", &[batch.schema()], &[]).expect("the echo");
    let output = call.run([batch.slice(1, 2)]).expect("a slice");
    drop((call, bridge));
    assert_eq!(output.columns(), batch.slice(1, 2).columns());
}

#[test]
fn from_chunks_counts_its_inputs() {
    let batches = [batch(), batch().slice(0, 1), batch().slice(3, 0)];
    let inputs = batches.into_iter().map(|batch| {
        let batch = batch.project(&[0]).expect("a column");
        (batch.schema(), batch)
    });
    let output = rs::call(&echo(), "from_chunks", &[], inputs.collect()).expect("chunks");
    let count = output.column(0).as_any().downcast_ref::<Int64Array>().expect("a count");
    assert_eq!((count.len(), count.value(0)), (1, 3));
}

#[test]
fn the_echo_returns_batches_of_arrow2() {
    use alloy_arrow2::{Batch, host as two};
    use arrow2::array::{Int64Array, Utf8Array};
    use arrow2::datatypes::{DataType, Field, Schema};
    let numbers = Int64Array::from([Some(1), None, Some(3)]).boxed();
    let texts = Utf8Array::<i32>::from([Some("a"), Some("ü"), None]).boxed();
    let fields = vec![
        Field::new("x", DataType::Int64, true),
        Field::new("text", DataType::Utf8, true),
    ];
    let columns = vec![numbers.clone(), texts.clone()];
    let input = (Schema::from(fields), Batch { columns, rows: 3 });
    let output = two::call(&echo(), "echo", &[], vec![input]).expect("the echo");
    assert_eq!(output.columns, [numbers, texts]);
}

#[test]
fn a_batch_of_other_types_is_refused_before_it_crosses() {
    let bridge = echo();
    let other = record_batch!(("x", Int32, [1])).expect("a batch");
    let mut call =
        rs::Call::bind(&bridge, "echo", &[batch().schema()], &[]).expect("the echo");
    let error = call.run([other]).expect_err("other types");
    assert_eq!((error.side(), error.input()), (Side::Caller, Some(0)), "{error:?}");
    let error = call.run([]).expect_err("no batch");
    assert_eq!(error.code(), Code::Invalid, "{error:?}");
    let error = call.run([batch(), batch()]).expect_err("two batches");
    assert_eq!(error.input(), Some(1), "{error:?}");
    call.run([batch()]).expect("the bound types");
}

#[test]
fn batches_of_arrow_rs_go_through_streams() {
    let numbers = batch().project(&[0]).expect("a column");
    let schema: SchemaRef = numbers.schema();
    let bridge = open("streams", &BridgeOptions::default());
    let bind = |name| rs::Call::bind(&bridge, name, std::slice::from_ref(&schema), &[]);
    let (mut pass, mut double) =
        (bind("pass").expect("pass"), bind("double").expect("double"));
    let batches = [Ok(numbers.clone()), Err(std::fmt::Error)].into_iter();
    let input = rs::Input::new(schema.clone(), batches);
    let stream = pass.stream(vec![input]).expect("a stream");
    let mut stream = double.stream(vec![stream.into()]).expect("a stream");
    let output = stream.next().expect("a batch").expect("no error yet");
    let output = output.column(0).as_any().downcast_ref::<Int64Array>().expect("numbers");
    assert_eq!(output.value(2), 6);
    let error = stream.next().expect("an error").expect_err("no end");
    assert!(
        std::error::Error::source(&error).expect("its own error").is::<std::fmt::Error>()
    );
    assert!(stream.next().is_none());
}

#[test]
fn errors_have_a_code_a_reason_and_a_text() {
    let library = build().join("backends/tests/identity.so");
    let strict = Host::new(HostOptions::default()).expect("a host");
    let error = strict.open(&library, None, &BridgeOptions::default()).err();
    let error = error.expect("it is not signed");
    assert_eq!(error.code(), Code::Refused, "{error:?}");
    assert!(error.reason() >= 2000 && error.reason_name() != "UNKNOWN", "{error:?}");
    assert!(error.to_string().contains("identity.so"), "{error:?}");

    let (bridge, batch) = (echo(), batch());
    let bind = |name: &str| rs::Call::bind(&bridge, name, &[batch.schema()], &[]);
    let error = bind("none").err().expect("no such function");
    assert_eq!(
        (error.code().name(), error.side()),
        ("NOT_FOUND", Side::Caller),
        "{error:?}"
    );
    let error = bind("a\0b").err().expect("no C text");
    assert_eq!(error.code(), Code::Invalid, "{error:?}");
    let options = BridgeOptions { sha256: Some("12".into()), ..BridgeOptions::default() };
    assert_eq!(host().echo(&options).err().expect("no digest").code(), Code::Invalid);
    let options =
        BridgeOptions { sha256: Some("0".repeat(64)), ..BridgeOptions::default() };
    let error = host().open(&library, None, &options).err().expect("another digest");
    assert_eq!((error.code(), error.reason_name()), (Code::Refused, "DIGEST"));
}

#[test]
fn a_closed_bridge_ends_its_calls() {
    let bridge = echo();
    let mut call =
        rs::Call::bind(&bridge, "echo", &[batch().schema()], &[]).expect("the echo");
    bridge.close();
    assert_eq!(call.run([batch()]).expect_err("closed").code(), Code::Closed);
    assert_eq!(bridge.functions().expect_err("closed").code(), Code::Closed);
}

#[test]
fn functions_and_backend_are_described() {
    let bridge = open("streams", &BridgeOptions::default());
    let functions = bridge.functions().expect("an open bridge");
    let zip = functions.iter().find(|function| function.name == "zip").expect("zip");
    assert!(zip.is_stream);
    assert_eq!((zip.min_inputs, zip.max_inputs), (1, None));
    assert_eq!(bridge.backend().expect("an open bridge").0, "test.streams");
    assert!(bridge.identity().expect("an open bridge").contains("\"test.streams\""));
}

#[test]
fn the_log_gets_lines_and_a_panic_in_it_does_no_harm() {
    let lines = Arc::new(Mutex::new(Vec::new()));
    let kept = lines.clone();
    let options = HostOptions {
        log_always: true,
        log: Some(Box::new(move |line| {
            assert!(line.level <= Level::Error);
            kept.lock().expect("no panic while it is held").push(line.text.to_owned());
            panic!("in a log");
        })),
        ..HostOptions::default()
    };
    let bridge = Host::new(options).expect("a host").echo(&BridgeOptions::default());
    let bridge = bridge.expect("the echo is built in");
    rs::call(&bridge, "echo", &[], vec![(batch().schema(), batch())]).expect("the echo");
    assert!(!lines.lock().expect("as above").is_empty());
    drop(bridge);
    assert_eq!(Arc::strong_count(&lines), 1, "the log is dropped with its last user");
}

#[test]
fn a_bridge_serves_many_threads() {
    fn is_shared<T: Send + Sync>() {}
    is_shared::<Host>();
    is_shared::<Bridge>();
    is_shared::<Error>();
    is_shared::<Canceller>();
    is_shared::<Call>();
    let (bridge, alive) = (open("identity", &BridgeOptions::default()), Alive::default());
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let schema = schema();
                let mut call =
                    Call::bind(&bridge, "identity", &[&schema], &[]).expect("it");
                for _ in 0..200 {
                    // SAFETY: the batch is of the bound schema.
                    drop(
                        unsafe { call.run(&mut [alive.batch(&[1, 2])]) }
                            .expect("no error"),
                    );
                }
            });
        }
    });
    assert_eq!(alive.count(), 0);
}

#[test]
fn a_deadline_passes_without_harm_to_a_fast_call() {
    let bridge = echo();
    let mut call =
        rs::Call::bind(&bridge, "echo", &[batch().schema()], &[]).expect("the echo");
    call.set_timeout(Duration::from_secs(60));
    call.run([batch()]).expect("in time");
    assert_eq!(call.canceller().progress(), (0, 0));
}

/// Bind never ends; tests/isolated/ways.h has the numbers.
#[test]
fn a_worker_that_never_binds_ends_after_its_setup() {
    let options = BridgeOptions {
        isolated: Isolated::Yes,
        setup: Duration::from_secs(2),
        ..BridgeOptions::default()
    };
    let bridge = open("crash", &options);
    let x: ArrayRef = Arc::new(Int64Array::from(vec![0]));
    let schema = RecordBatch::try_from_iter([("x", x)]).expect("a column").schema();
    let schemas = [schema];
    let bind = |way| rs::Call::bind(&bridge, "act", &schemas, &[("bind", way)]);
    let error = bind("5").err().expect("a loop");
    assert_eq!(error.code(), Code::Lost, "{error}");
    assert_eq!(
        (error.reason(), error.reason_name()),
        (reason::WORKER_HANG, "WORKER_HANG")
    );
    assert!(error.to_string().contains("did not answer within 2 s"), "{error}");
    let deaths = [
        (reason::WORKER_SIGNAL, "WORKER_SIGNAL", "1"),
        (reason::WORKER_EXIT, "WORKER_EXIT", "3"),
    ];
    for (number, name, way) in deaths {
        let error = bind(way).err().expect("a death");
        assert_eq!((error.reason(), error.reason_name()), (number, name), "{error}");
    }
    bind("0").expect("the next worker");
}

fn isolated(worker: Option<&str>) -> Result<RecordBatch, Error> {
    let host = HostOptions {
        allow_unsigned: true,
        worker: worker.map(str::to_owned),
        ..HostOptions::default()
    };
    let options = BridgeOptions {
        isolated: Isolated::Yes,
        max_workers: 1,
        heap_bytes: 1 << 30,
        ..BridgeOptions::default()
    };
    let library = build().join("backends/tests/identity.so");
    let bridge = Host::new(host)?.open(library, None, &options)?;
    rs::call(&bridge, "identity", &[], vec![(batch().schema(), batch())])
}

#[test]
fn a_worker_calls_the_backend() {
    let output = isolated(None).expect("a worker");
    assert_eq!(output.columns(), batch().columns());
}

#[test]
fn a_worker_program_that_is_missing_is_a_clean_error() {
    let error = isolated(Some("/nowhere/alloy-worker")).expect_err("no such program");
    assert_eq!((error.code(), error.reason_name()), (Code::Refused, "WORKER"));
    assert_eq!(error.side(), Side::Engine, "{error:?}");
    assert!(error.text().contains("/nowhere/alloy-worker"), "{error:?}");
}
