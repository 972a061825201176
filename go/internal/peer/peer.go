// SPDX-License-Identifier: MIT

//go:build linux && cgo && (amd64 || arm64)

// Package peer calls Rust from Go in the usual way of today: arrow-go's cdata, cgo, and
// arrow-rs's from_ffi and to_ffi, with schema and array in each call. The benchmarks compare
// Alloy with it.
package peer

/*
#cgo LDFLAGS: -ldl
#include <dlfcn.h>
#include <stdint.h>
#include <stdlib.h>

typedef int32_t (*identity_function)(void*, void*, void*, void*);

static int32_t call_identity(void* function, void* schema, void* array, void* out_schema,
                             void* out_array) {
  return ((identity_function)function)(schema, array, out_schema, out_array);
}
*/
import "C"

import (
	"errors"
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/cdata"
)

// Peer is the loaded library.
type Peer struct{ identity unsafe.Pointer }

// Load opens a library that exports peer_identity.
func Load(path string) (*Peer, error) {
	file, name := C.CString(path), C.CString("peer_identity")
	defer C.free(unsafe.Pointer(file))
	defer C.free(unsafe.Pointer(name))
	library := C.dlopen(file, C.RTLD_NOW|C.RTLD_LOCAL)
	if library == nil {
		return nil, errors.New(C.GoString(C.dlerror()))
	}
	identity := C.dlsym(library, name)
	if identity == nil {
		return nil, errors.New(C.GoString(C.dlerror()))
	}
	return &Peer{identity}, nil
}

// structs are the four structs of a call, in zeroed C memory.
type structs struct {
	schema, outSchema cdata.CArrowSchema
	array, outArray   cdata.CArrowArray
}

// Identity sends a batch to Rust and back.
func (p *Peer) Identity(batch arrow.RecordBatch) (arrow.RecordBatch, error) {
	s := (*structs)(C.calloc(1, C.size_t(unsafe.Sizeof(structs{}))))
	defer C.free(unsafe.Pointer(s))
	cdata.ExportArrowRecordBatch(batch, &s.array, &s.schema)
	code := C.call_identity(p.identity, unsafe.Pointer(&s.schema), unsafe.Pointer(&s.array),
		unsafe.Pointer(&s.outSchema), unsafe.Pointer(&s.outArray))
	cdata.ReleaseCArrowSchema(&s.schema)
	if code != 0 {
		return nil, errors.New("peer_identity failed")
	}
	return cdata.ImportCRecordBatch(&s.outArray, &s.outSchema)
}
