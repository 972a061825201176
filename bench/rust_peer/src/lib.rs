// SPDX-License-Identifier: MIT
//! What people do today: arrow-rs's own import and export, schema and array each time.
//! The benchmarks hold Alloy against it.

use arrow_array::ffi::{FFI_ArrowArray, FFI_ArrowSchema, from_ffi, to_ffi};
use arrow_array::{Array, RecordBatch, StructArray};

/// Import a batch, and export it again. 0, or -1 when that fails.
///
/// # Safety
///
/// Borrows `schema`; takes `array`; gives `out_schema` and `out_array`, which must be
/// released or zeroed places, and are not written on failure.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn peer_identity(
    schema: *const FFI_ArrowSchema,
    array: *mut FFI_ArrowArray,
    out_schema: *mut FFI_ArrowSchema,
    out_array: *mut FFI_ArrowArray,
) -> i32 {
    // SAFETY: the caller's promises.
    let imported = unsafe { from_ffi(FFI_ArrowArray::from_raw(array), &*schema) };
    let Ok(data) = imported else { return -1 };
    let batch = RecordBatch::from(StructArray::from(data));
    let Ok((array, schema)) = to_ffi(&StructArray::from(batch).into_data()) else {
        return -1;
    };
    // SAFETY: as above.
    unsafe {
        out_schema.write(schema);
        out_array.write(array);
    }
    0
}
