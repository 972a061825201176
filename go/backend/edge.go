// SPDX-License-Identifier: MIT

//go:build linux && cgo && (amd64 || arm64)

package backend

/*
#cgo CFLAGS: -std=c11 -O2
#include <errno.h>
#include <stdlib.h>
#include "edge.h"
*/
import "C"

import (
	"errors"
	"log/slog"
	"runtime/cgo"
	"sync"
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/ignalina/alloy/go/abi"
	"github.com/ignalina/alloy/go/cdata"
)

// scope is one call of the engine. Its methods do nothing once it has ended, because a
// goroutine of the author may outlive the call. A nil scope is that of a test.
//
// Threads: shared.
type scope struct {
	mu      sync.RWMutex
	pointer *C.alloy_scope
}

// with calls use while the scope lives. It reports whether it did.
func (s *scope) with(use func(*C.alloy_scope)) {
	if s == nil {
		return
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.pointer != nil {
		use(s.pointer)
	}
}

// end is called before the engine is entered again, or never.
func (s *scope) end() {
	s.mu.Lock()
	s.pointer = nil
	s.mu.Unlock()
}

func (s *scope) cancelled() (is bool) {
	s.with(func(at *C.alloy_scope) { is = C.alloy_go_cancelled(at) != 0 })
	return is
}

func (s *scope) progress(done, total int64) {
	s.with(func(at *C.alloy_scope) { C.alloy_go_progress(at, C.int64_t(done), C.int64_t(total)) })
}

func (s *scope) log(level slog.Level, text string) {
	s.with(func(at *C.alloy_scope) {
		C.alloy_go_log(at, levelOf(level), textOf(text), C.int64_t(len(text)))
	})
}

func (s *scope) logs(level slog.Level) (would bool) {
	s.with(func(at *C.alloy_scope) { would = C.alloy_go_logging(at, levelOf(level)) != 0 })
	return would
}

// fail stores the error of a call and returns its code.
func (s *scope) fail(err error) (code C.alloy_code) {
	number, text := codeOf(err)
	s.with(func(at *C.alloy_scope) {
		code = C.alloy_go_fail(at, C.alloy_code(number), textOf(text), C.int64_t(len(text)))
	})
	return code
}

func levelOf(level slog.Level) C.int32_t {
	switch {
	case level < slog.LevelInfo:
		return C.ALLOY_LOG_DEBUG
	case level < slog.LevelWarn:
		return C.ALLOY_LOG_INFO
	case level < slog.LevelError:
		return C.ALLOY_LOG_WARN
	}
	return C.ALLOY_LOG_ERROR
}

// textOf lends the bytes of a text to C. An empty one has no address.
func textOf(text string) *C.char {
	if text == "" {
		return (*C.char)(abi.Zeros)
	}
	return (*C.char)(unsafe.Pointer(unsafe.StringData(text)))
}

// Allocator allocates memory of the engine. In a worker it is memory that the host sees, so a
// result that is made in it is not copied on its way out. The collector does not free it:
// release every builder, array and batch. It panics with the code Exhausted if there is not
// enough, which ends the call.
var Allocator memory.Allocator = engineMemory{}

type engineMemory struct{}

func (engineMemory) Allocate(size int) []byte { return resize(nil, size) }

func (engineMemory) Reallocate(size int, b []byte) []byte { return resize(b, size) }

func (engineMemory) Free(b []byte) {
	if cap(b) > 0 {
		C.alloy_go_resize(unsafe.Pointer(unsafe.SliceData(b)), C.int64_t(cap(b)), 0)
	}
}

func resize(b []byte, size int) []byte {
	before := cap(b)
	var old unsafe.Pointer
	if before > 0 {
		old = unsafe.Pointer(unsafe.SliceData(b))
	}
	if size == 0 {
		engineMemory{}.Free(b)
		return nil
	}
	at := C.alloy_go_resize(old, C.int64_t(before), C.int64_t(size))
	if at == nil {
		panic(Errorf(Exhausted, "out of memory: the function asked for %d bytes", size))
	}
	made := unsafe.Slice((*byte)(at), size)
	if size > before {
		clear(made[before:]) // as every other allocator of arrow-go does
	}
	return made
}

//export alloyGoInit
func alloyGoInit(at *C.alloy_scope) (table *C.alloy_backend) {
	s := &scope{pointer: at}
	defer s.end()
	var err error
	func() {
		defer caught(&err)
		table, err = makeTable()
	}()
	if err != nil {
		s.fail(err)
		return nil
	}
	return table
}

//export alloyGoBind
func alloyGoBind(self C.uintptr_t, at *C.alloy_scope, inputs *C.struct_ArrowSchema, count C.int32_t, values **C.char, output *C.struct_ArrowSchema, state *C.uintptr_t) C.alloy_code {
	s := &scope{pointer: at}
	defer s.end()
	made, err := bindStructs(registered.functions[self-1], s, inputs, count, values, output)
	if err != nil {
		return s.fail(err)
	}
	*state = C.uintptr_t(cgo.NewHandle(made))
	return C.ALLOY_OK
}

func bindStructs(f *Function, s *scope, inputs *C.struct_ArrowSchema, count C.int32_t, values **C.char, output *C.struct_ArrowSchema) (made *bound, err error) {
	defer caught(&err)
	schemas := make([]*arrow.Schema, count)
	for i := range unsafe.Slice((*abi.Schema)(unsafe.Pointer(inputs)), count) {
		from := &unsafe.Slice((*abi.Schema)(unsafe.Pointer(inputs)), count)[i]
		if schemas[i], err = cdata.ImportSchema(from); err != nil {
			return nil, Errorf(NoMatch, "input %d: %w", i, err)
		}
	}
	texts := make([]string, len(f.Options))
	for i := range texts {
		texts[i] = C.GoString(unsafe.Slice(values, len(texts))[i])
	}
	if made, err = bind(f, s, schemas, texts); err != nil {
		return nil, err
	}
	if err := cdata.GiveSchema(made.output.Schema, (*abi.Schema)(unsafe.Pointer(output))); err != nil {
		made.exporter.Close()
		return nil, err
	}
	return made, nil
}

//export alloyGoUnbind
func alloyGoUnbind(state C.uintptr_t) {
	handle := cgo.Handle(state)
	handle.Value().(*bound).exporter.Close()
	handle.Delete()
}

//export alloyGoRun
func alloyGoRun(state C.uintptr_t, at *C.alloy_scope, inputs *C.struct_ArrowArray, count C.int32_t, output *C.struct_ArrowArray) C.alloy_code {
	s := &scope{pointer: at}
	defer s.end()
	b := cgo.Handle(state).Value().(*bound)
	err := b.runStructs(s, unsafe.Slice((*abi.Array)(unsafe.Pointer(inputs)), count), (*abi.WrittenArray)(unsafe.Pointer(output)))
	if err != nil {
		return s.fail(err)
	}
	return C.ALLOY_OK
}

//export alloyGoOpen
func alloyGoOpen(state C.uintptr_t, at *C.alloy_scope, inputs *C.struct_ArrowArrayStream, count C.int32_t, output *C.struct_ArrowArrayStream) C.alloy_code {
	b := cgo.Handle(state).Value().(*bound)
	from := unsafe.Slice(inputs, count)
	taken := make([]*Input, count)
	for i := range taken {
		source := (*C.struct_ArrowArrayStream)(C.calloc(1, C.sizeof_struct_ArrowArrayStream))
		if source == nil {
			for _, input := range taken[:i] {
				input.close()
			}
			s := &scope{pointer: at}
			defer s.end()
			return s.fail(Errorf(Exhausted, "out of memory for the inputs of a stream"))
		}
		*source = from[i]
		from[i].release = nil
		taken[i] = &Input{Schema: b.inputs[i].Schema, number: i, plan: b.inputs[i], source: &cStream{source}}
	}
	opened := newStream(b, &scope{pointer: at}, taken)
	C.alloy_go_output_make(C.uintptr_t(cgo.NewHandle(opened)), output)
	return C.ALLOY_OK
}

// cStream is the C side of an input.
type cStream struct{ stream *C.struct_ArrowArrayStream }

func (c *cStream) next(plan *cdata.Plan, number int) (arrow.RecordBatch, error) {
	result := cdata.NewResult(memory.DefaultAllocator, nil)
	var text *C.char
	errno := C.alloy_go_input_next(c.stream, (*C.struct_ArrowArray)(unsafe.Pointer(&result.Array)), &text)
	if errno != 0 {
		failed := &InputError{Input: number, Text: "the input failed", errno: int32(errno)}
		if text != nil {
			failed.Text = C.GoString(text)
		}
		return nil, failed
	}
	if result.Array.Release == nil {
		return nil, nil
	}
	return cdata.Import(plan, result)
}

func (c *cStream) close() {
	C.alloy_go_input_release(c.stream)
	C.free(unsafe.Pointer(c.stream))
}

//export alloyGoNextOutput
func alloyGoNextOutput(handle C.uintptr_t, output *C.struct_ArrowArray) C.int {
	s := cgo.Handle(handle).Value().(*stream)
	err := s.next((*abi.WrittenArray)(unsafe.Pointer(output)))
	if err == nil {
		return 0
	}
	var failed *InputError
	if errors.As(err, &failed) {
		return C.int(failed.errno) // the engine has its text, which is the host's own
	}
	s.scope.fail(err)
	return C.EIO
}

//export alloyGoReleaseOutput
func alloyGoReleaseOutput(handle C.uintptr_t) {
	h := cgo.Handle(handle)
	h.Value().(*stream).close()
	h.Delete()
}
