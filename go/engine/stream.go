// SPDX-License-Identifier: MIT

package engine

/*
#include <errno.h>
#include <stdlib.h>
#include "stream.h"

_Static_assert(sizeof(struct ArrowArrayStream) == 40, "the Go mirror of ArrowArrayStream");
*/
import "C"

import (
	"fmt"
	"runtime"
	"runtime/cgo"
	"unsafe"
)

// Source stands behind an input stream, which one thread at a time pulls from.
type Source interface {
	// Next writes the next batch to out, or leaves it released at the end.
	Next(out *Output) error
	// Failed: the stream that was passed on has failed.
	Failed()
	// Done: nobody will ask again. Any thread.
	Done()
}

// Inputs is a row of streams in C memory, to open one call with.
type Inputs struct {
	row   *C.struct_ArrowArrayStream
	count int
	made  int
}

// NewInputs makes room for streams, which are added in their order.
func NewInputs(count int) *Inputs {
	in := &Inputs{count: count}
	if count > 0 {
		in.row = (*C.struct_ArrowArrayStream)(allocate(uintptr(count) * unsafe.Sizeof(*in.row)))
	}
	return in
}

// Serve adds a stream that source serves. The schema is lent until source is done.
func (in *Inputs) Serve(source Source, schema *Schema) { in.add(source, schema, nil) }

// PassOn adds a stream of what inner gives, pulled without Go. Nobody else may use inner
// until source is done, which is never asked for a batch.
func (in *Inputs) PassOn(inner *Stream, source Source) { in.add(source, nil, &inner.result.stream) }

func (in *Inputs) add(source Source, schema *Schema, inner *C.struct_ArrowArrayStream) {
	handle := cgo.NewHandle(source)
	if C.alloy_go_source_new(C.uintptr_t(handle), (*C.struct_ArrowSchema)(unsafe.Pointer(schema)), inner, in.next()) == 0 {
		outOfMemory(unsafe.Sizeof(C.alloy_go_source{}))
	}
}

func (in *Inputs) next() *C.struct_ArrowArrayStream {
	at := &unsafe.Slice(in.row, in.count)[in.made]
	in.made++
	return at
}

// Stream is a result: batches, one after another. Serial; its Release ends it.
type Stream struct{ result *C.alloy_go_result }

// Open opens a stream of results, and takes the inputs.
func (c *Call) Open(in *Inputs, timeout int64, ticket uint64) (*Stream, *Fault) {
	s := &Stream{(*C.alloy_go_result)(allocate(unsafe.Sizeof(C.alloy_go_result{})))}
	code := C.alloy_go_result_open(c.pointer, in.row, C.int32_t(in.made), C.int64_t(timeout), C.uint64_t(ticket), s.result)
	runtime.KeepAlive(c)
	C.free(unsafe.Pointer(in.row))
	giveBack(unsafe.Pointer(s.result.gone))
	if code != C.ALLOY_OK {
		defer C.free(unsafe.Pointer(s.result))
		return nil, fault(code, &s.result.err)
	}
	return s, nil
}

// Next fills out, and leaves it released at the end.
func (s *Stream) Next(out *Owner) *Fault {
	code := C.alloy_go_result_next(s.result, (*C.struct_ArrowArray)(unsafe.Pointer(&out.Array)))
	giveBack(unsafe.Pointer(s.result.gone))
	return fault(code, &s.result.err)
}

// Fault is the failure that Next repeats, nil for none.
func (s *Stream) Fault() *Fault {
	return fault(C.alloy_go_result_error(s.result), &s.result.err)
}

// Release ends a stream; nothing of it may be used any more.
func (s *Stream) Release() {
	C.alloy_go_result_release(s.result)
	giveBack(unsafe.Pointer(s.result.gone))
	C.free(unsafe.Pointer(s.result))
}

//export alloyGoNext
func alloyGoNext(source *C.alloy_go_source, out *C.struct_ArrowArray, gone unsafe.Pointer) (number C.int) {
	defer func() {
		// Sources do not panic; what they call when they fail may.
		if cause := recover(); cause != nil {
			C.alloy_go_source_fail(source, C.CString("a panic in Go"))
			number = C.EIO
		}
	}()
	giveBack(gone)
	err := cgo.Handle(source.handle).Value().(Source).Next((*Output)(unsafe.Pointer(out)))
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

// allocate gives zeroed C memory.
func allocate(size uintptr) unsafe.Pointer {
	at := C.calloc(1, C.size_t(size))
	if at == nil {
		outOfMemory(size)
	}
	return at
}

func outOfMemory(size uintptr) {
	panic(fmt.Sprintf("alloy: out of memory: %d bytes for the structs of a call", size))
}
