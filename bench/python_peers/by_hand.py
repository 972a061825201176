# SPDX-License-Identifier: MIT
"""One call through the C ABI of Alloy, as people write it by hand with ctypes and cffi.

Each exports the batch, runs the bound function, and releases what it gets. It reads no error
text, guards no signal and shares no call: what the package does besides is not in its time.
"""

import ctypes
import pathlib
from collections.abc import Callable

import cffi
import pyarrow as pa

BUILD = pathlib.Path(__file__).resolve().parents[2] / "build"
LIBRARY = str(BUILD / "backends/tests/identity.so").encode()
ALLOW_UNSIGNED = 1

DECLARATIONS = """
typedef struct ArrowSchema { const char* format; const char* name; const char* metadata;
  int64_t flags; int64_t n_children; struct ArrowSchema** children;
  struct ArrowSchema* dictionary; void (*release)(struct ArrowSchema*); void* private_data;
} ArrowSchema;
typedef struct ArrowArray { int64_t length; int64_t null_count; int64_t offset;
  int64_t n_buffers; int64_t n_children; const void** buffers; struct ArrowArray** children;
  struct ArrowArray* dictionary; void (*release)(struct ArrowArray*); void* private_data;
} ArrowArray;
typedef struct alloy_host_options { uint32_t struct_size; uint32_t flags; void* rest[7]; }
  alloy_host_options;
int32_t alloy_host_new(const alloy_host_options*, void** out, void* err);
int32_t alloy_bridge_new(void* host, const void* options, void** out, void* err);
int32_t alloy_bridge_load(void* bridge, const char*, const char*, void* err);
int32_t alloy_call_bind(void* bridge, const char*, const ArrowSchema*, int32_t,
                        const char* const* options, void** out, void* err);
int32_t alloy_call_run(void* call, ArrowArray* inputs, ArrowArray* output, int64_t timeout,
                       uint64_t ticket, void* err);
"""


def check(code: int) -> None:
    if code != 0:
        raise RuntimeError(f"Alloy returned code {code}")


def by_cffi(batch: pa.RecordBatch) -> Callable[[], None]:
    ffi = cffi.FFI()
    ffi.cdef(DECLARATIONS)
    library = ffi.dlopen(str(BUILD / "lib/liballoy.so"))
    options = ffi.new("alloy_host_options*", {"flags": ALLOW_UNSIGNED})
    options.struct_size = ffi.sizeof("alloy_host_options")
    host, bridge, call = (ffi.new("void**") for _ in range(3))
    schema = ffi.new("ArrowSchema*")
    batch.schema._export_to_c(int(ffi.cast("uintptr_t", schema)))
    null = ffi.NULL
    check(library.alloy_host_new(options, host, null))
    check(library.alloy_bridge_new(host[0], null, bridge, null))
    check(library.alloy_bridge_load(bridge[0], LIBRARY, null, null))
    check(library.alloy_call_bind(bridge[0], b"identity", schema, 1, null, call, null))
    schema.release(schema)

    def run() -> None:
        array, schema = ffi.new("ArrowArray*"), ffi.new("ArrowSchema*")
        output = ffi.new("ArrowArray*")
        batch._export_to_c(int(ffi.cast("uintptr_t", array)),
                           int(ffi.cast("uintptr_t", schema)))
        check(library.alloy_call_run(call[0], array, output, 0, 0, null))
        output.release(output)
        schema.release(schema)

    return run


class Options(ctypes.Structure):
    _fields_ = [("struct_size", ctypes.c_uint32), ("flags", ctypes.c_uint32),
                ("rest", ctypes.c_void_p * 7)]


RELEASE = ctypes.CFUNCTYPE(None, ctypes.c_void_p)


class Schema(ctypes.Structure):
    _fields_ = [("before", ctypes.c_void_p * 7), ("release", RELEASE),
                ("private_data", ctypes.c_void_p)]


class Array(ctypes.Structure):
    _fields_ = [("before", ctypes.c_void_p * 8), ("release", RELEASE),
                ("private_data", ctypes.c_void_p)]


def by_ctypes(batch: pa.RecordBatch) -> Callable[[], None]:
    library = ctypes.CDLL(str(BUILD / "lib/liballoy.so"))
    host, bridge, call = ctypes.c_void_p(), ctypes.c_void_p(), ctypes.c_void_p()
    pointer, number = ctypes.c_void_p, ctypes.c_int64
    library.alloy_call_run.argtypes = [pointer, pointer, pointer, number, number, pointer]
    options = Options(struct_size=ctypes.sizeof(Options), flags=ALLOW_UNSIGNED)
    schema = Schema()
    batch.schema._export_to_c(ctypes.addressof(schema))
    reference = ctypes.byref
    check(library.alloy_host_new(reference(options), reference(host), None))
    check(library.alloy_bridge_new(host, None, reference(bridge), None))
    check(library.alloy_bridge_load(bridge, LIBRARY, None, None))
    check(library.alloy_call_bind(bridge, b"identity", reference(schema), 1, None,
                                  reference(call), None))
    schema.release(ctypes.addressof(schema))

    def run() -> None:
        array, schema, output = Array(), Schema(), Array()
        at_output, at_schema = ctypes.addressof(output), ctypes.addressof(schema)
        at_array = ctypes.addressof(array)
        batch._export_to_c(at_array, at_schema)
        check(library.alloy_call_run(call, at_array, at_output, 0, 0, None))
        output.release(at_output)
        schema.release(at_schema)

    return run
