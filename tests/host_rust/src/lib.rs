// SPDX-License-Identifier: MIT
//! What the tests of the Rust host share: hosts, and batches whose releases are counted.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use arrowalloy::host::{Bridge, BridgeOptions, Host, HostOptions, Isolated};
use arrowalloy::{Exporter, OwnedArray, OwnedSchema};

/// The parts of arrow-rs, as the macro wants them.
pub mod arrow {
    pub use arrow_array as array;
    pub use arrow_buffer as buffer;
    pub use arrow_data as data;
    pub use arrow_schema as schema;
}

/// Where CMake has built the backends of the tests.
#[must_use]
pub fn build() -> PathBuf {
    std::env::var_os("ALLOY_TEST_BUILD").map_or_else(
        || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../build")),
        PathBuf::from,
    )
}

/// A host that loads libraries without a certificate.
///
/// # Panics
///
/// The engine makes none.
#[must_use]
pub fn host() -> Host {
    let options = HostOptions { allow_unsigned: true, ..HostOptions::default() };
    Host::new(options).expect("a host")
}

/// The mode of the bridges that the tests open: `ALLOY_TEST_ISOLATED=1` runs each library in
/// worker processes. The same tests have to pass.
#[must_use]
pub fn mode() -> Isolated {
    match std::env::var_os("ALLOY_TEST_ISOLATED") {
        Some(value) if value == "1" => Isolated::Yes,
        _ => Isolated::No,
    }
}

/// A bridge on a backend of the tests, in the mode of the tests.
///
/// # Panics
///
/// It is not built: build the targets `test_<name>` of CMake.
#[must_use]
pub fn open(name: &str, options: &BridgeOptions) -> Bridge {
    let path = build().join(format!("backends/tests/{name}.so"));
    let isolated =
        if options.isolated == Isolated::No { mode() } else { options.isolated };
    let options = BridgeOptions { isolated, ..options.clone() };
    host().open(path, None, &options).expect("the backends of the tests are built")
}

/// Counts the batches that exist.
#[derive(Clone, Default, Debug)]
pub struct Alive(Arc<AtomicUsize>);

struct Owner {
    values: Vec<i64>,
    alive: Alive,
}

impl Drop for Owner {
    fn drop(&mut self) {
        self.alive.0.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Alive {
    /// How many batches exist.
    #[must_use]
    pub fn count(&self) -> usize {
        self.0.load(Ordering::Acquire)
    }

    /// A batch of the schema of [`schema`], which is counted until its release.
    #[must_use]
    pub fn batch(&self, values: &[i64]) -> OwnedArray {
        self.0.fetch_add(1, Ordering::AcqRel);
        let owner = Owner { values: values.to_vec(), alive: self.clone() };
        let mut exporter = Exporter::default();
        exporter.start();
        exporter.node(values.len(), 0, 0, 1, false);
        exporter.buffer(std::ptr::null::<u8>());
        exporter.node(values.len(), 0, 0, 0, false);
        exporter.buffer(std::ptr::null::<u8>());
        exporter.buffer(owner.values.as_ptr());
        // SAFETY: the values are on the heap, and belong to the owner.
        unsafe { exporter.finish(owner) }
    }
}

/// The schema of a batch with one column of numbers, `x`.
///
/// # Panics
///
/// arrow-rs cannot export it.
#[must_use]
pub fn schema() -> OwnedSchema {
    use arrow_schema::ffi::FFI_ArrowSchema;
    use arrow_schema::{DataType, Field, Schema};
    let schema = Schema::new(vec![Field::new("x", DataType::Int64, true)]);
    let exported = FFI_ArrowSchema::try_from(&schema).expect("a plain schema");
    let exported = std::mem::ManuallyDrop::new(exported);
    // SAFETY: it is the same C struct, and is moved over.
    unsafe {
        OwnedSchema::from_raw(
            (&raw const *exported).cast::<arrowalloy::abi::ArrowSchema>().read(),
        )
    }
}

/// The values of the column of a batch.
///
/// # Panics
///
/// The batch has no column.
#[must_use]
pub fn values(batch: &OwnedArray) -> Vec<i64> {
    // SAFETY: the engine has checked the batch, and it has one column of numbers.
    unsafe {
        let column = batch.raw().child(0).expect("a column");
        let first = column.buffer(1).cast::<i64>().add(column.offset as usize);
        std::slice::from_raw_parts(first, column.length as usize).to_vec()
    }
}
