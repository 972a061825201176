// SPDX-License-Identifier: MIT

//go:build linux && cgo && (amd64 || arm64)

package engine

/*
#include <errno.h>
#include <stdlib.h>
#include "stream.h"

_Static_assert(sizeof(struct ArrowArrayStream) == 40, "the Go mirror of ArrowArrayStream");
*/
import "C"

import (
	"runtime"
	"runtime/cgo"
	"unsafe"

	"github.com/ignalina/alloy/go/abi"
)

// Inputs is an array of streams in C memory, with which one call is opened.
type Inputs struct {
	row   *C.struct_ArrowArrayStream
	count int
	made  int
}

// NewInputs makes room for streams, which are then added in order.
func NewInputs(count int) *Inputs {
	in := &Inputs{count: count}
	if count > 0 {
		in.row = (*C.struct_ArrowArrayStream)(allocate(uintptr(count) * unsafe.Sizeof(*in.row)))
	}
	return in
}

// Serve adds a stream that source serves. It borrows the schema until source is done.
func (in *Inputs) Serve(source Source, schema *Schema) { in.add(source, schema, nil) }

// PassOn adds a stream that pulls from inner in C. Nobody else may use inner until source is
// done. The method Next of source is never called.
func (in *Inputs) PassOn(inner *Stream, source Source) { in.add(source, nil, &inner.result.stream) }

func (in *Inputs) add(source Source, schema *Schema, inner *C.struct_ArrowArrayStream) {
	handle := cgo.NewHandle(source)
	if C.alloy_go_source_new(C.uintptr_t(handle), (*C.struct_ArrowSchema)(unsafe.Pointer(schema)), inner, in.next()) == 0 {
		abi.OutOfMemory(unsafe.Sizeof(C.alloy_go_source{}))
	}
}

func (in *Inputs) next() *C.struct_ArrowArrayStream {
	at := &unsafe.Slice(in.row, in.count)[in.made]
	in.made++
	return at
}

// Stream is a stream of results.
//
// Threads: serial.
type Stream struct{ result *C.alloy_go_result }

// Open opens a stream of results. It takes the inputs, whether or not it succeeds.
func (c *Call) Open(in *Inputs, timeout int64, ticket uint64) (*Stream, *Fault) {
	s := &Stream{(*C.alloy_go_result)(allocate(unsafe.Sizeof(C.alloy_go_result{})))}
	code := C.alloy_go_result_open(c.pointer, in.row, C.int32_t(in.made), C.int64_t(timeout), C.uint64_t(ticket), s.result)
	runtime.KeepAlive(c)
	C.free(unsafe.Pointer(in.row))
	abi.NotifyOwners(unsafe.Pointer(s.result.released))
	if code != C.ALLOY_OK {
		defer C.free(unsafe.Pointer(s.result))
		return nil, fault(code, &s.result.err)
	}
	return s, nil
}

// Next fills out. At the end it leaves out released.
func (s *Stream) Next(out *Owner) *Fault {
	code := C.alloy_go_result_next(s.result, (*C.struct_ArrowArray)(unsafe.Pointer(&out.Array)))
	abi.NotifyOwners(unsafe.Pointer(s.result.released))
	return fault(code, &s.result.err)
}

// Fault returns the failure that Next repeats, nil if there is none.
func (s *Stream) Fault() *Fault {
	return fault(C.alloy_go_result_error(s.result), &s.result.err)
}

// Release ends the stream. Nobody may use it afterwards.
func (s *Stream) Release() {
	C.alloy_go_result_release(s.result)
	abi.NotifyOwners(unsafe.Pointer(s.result.released))
	C.free(unsafe.Pointer(s.result))
}

//export alloyGoNext
func alloyGoNext(source *C.alloy_go_source, out *C.struct_ArrowArray, released unsafe.Pointer) (number C.int) {
	defer func() {
		// A source does not panic, but the method Error of a reader's error may.
		if cause := recover(); cause != nil {
			C.alloy_go_source_fail(source, C.CString("the reader failed, and its error panicked when its text was read"))
			number = C.EIO
		}
	}()
	abi.NotifyOwners(released)
	err := cgo.Handle(source.handle).Value().(Source).Next((*WrittenArray)(unsafe.Pointer(out)))
	if err == nil {
		return 0
	}
	C.alloy_go_source_fail(source, C.CString(err.Error()))
	return C.EIO
}

//export alloyGoFailed
func alloyGoFailed(handle C.uintptr_t) {
	defer func() { _ = recover() }()
	cgo.Handle(handle).Value().(Source).Failed()
}

//export alloyGoDone
func alloyGoDone(handle C.uintptr_t) {
	defer func() { _ = recover() }()
	h := cgo.Handle(handle)
	source := h.Value().(Source)
	h.Delete()
	source.Done()
}

// allocate returns zeroed C memory.
func allocate(size uintptr) unsafe.Pointer {
	at := C.calloc(1, C.size_t(size))
	if at == nil {
		abi.OutOfMemory(size)
	}
	return at
}
