// SPDX-License-Identifier: MIT

package engine

/*
#cgo CXXFLAGS: -std=c++20 -O2 -g0 -fvisibility=hidden -fvisibility-inlines-hidden
#cgo CFLAGS: -std=c11 -O2
#cgo LDFLAGS: -ldl -lpthread
#cgo alloy_system CFLAGS: -DALLOY_SYSTEM
#cgo alloy_system LDFLAGS: -lalloy
#include <stdlib.h>
#include "block.h"

_Static_assert(sizeof(struct ArrowArray) == 80, "the Go mirror of ArrowArray");
_Static_assert(sizeof(struct ArrowSchema) == 72, "the Go mirror of ArrowSchema");
*/
import "C"

import (
	"runtime"
	"runtime/cgo"
	"sync/atomic"
	"unsafe"
)

// Fault is the engine's account of what went wrong.
type Fault struct {
	Code, Reason, Input, Column int32
	Side                        uint16
	Text                        string
}

// Version is that of the engine.
func Version() string { return C.GoString(C.alloy_version()) }

// CodeName and ReasonName give the names of the engine's numbers.
func CodeName(code int32) string { return C.GoString(C.alloy_code_name(C.alloy_code(code))) }

// ReasonName gives the name of a reason, "UNKNOWN" for one that is not known.
func ReasonName(reason int32) string {
	return C.GoString(C.alloy_reason_name(C.int32_t(reason)))
}

func fault(code C.alloy_code, err *C.alloy_error) *Fault {
	if code == C.ALLOY_OK {
		return nil
	}
	return &Fault{
		Code: int32(code), Reason: int32(err.reason), Input: int32(err.input),
		Column: int32(err.column), Side: uint16(err.side),
		Text: C.GoStringN(&err.text[0], C.int(err.length)),
	}
}

// logging is the handle of a host's logger, shared by all that may still write a line.
type logging struct {
	users  atomic.Int64
	handle cgo.Handle
}

func (l *logging) drop() {
	if l.users.Add(-1) == 0 && l.handle != 0 {
		l.handle.Delete()
	}
}

// Host is a policy. It is freed when it is unreachable.
type Host struct {
	pointer *C.alloy_host
	log     *logging
}

// Loading is the policy of a host on libraries; alloy.h says what each part does.
type Loading struct {
	AllowUnsigned, Plainly bool
	MayNeed                []string // without a NUL
}

// NewHost makes a host. Its lines go to logger, or to standard output when that is nil.
func NewHost(loading Loading, logger Logger) (*Host, *Fault) {
	log := &logging{}
	log.users.Add(1)
	if logger != nil {
		log.handle = cgo.NewHandle(logger)
	}
	var flags C.uint32_t
	if loading.AllowUnsigned {
		flags |= C.ALLOY_ALLOW_UNSIGNED
	}
	if loading.Plainly {
		flags |= C.ALLOY_LOAD_PLAINLY
	}
	var err C.alloy_error
	h := &Host{log: log}
	const stdout = 1
	list := newStrings(loading.MayNeed)
	defer list.free()
	code := C.alloy_go_host_new(flags, list.pointer(), stdout, C.uintptr_t(log.handle), &h.pointer, &err)
	if code != C.ALLOY_OK {
		log.drop()
		return nil, fault(code, &err)
	}
	pointer := h.pointer
	runtime.AddCleanup(h, func(log *logging) {
		C.alloy_host_free(pointer)
		log.drop()
	}, log)
	return h, nil
}

// Bridge is an open backend. It is freed when it is unreachable.
type Bridge struct {
	pointer *C.alloy_bridge
	log     *logging
}

// Checks are the levels of the gate, 0 to 3, for inputs and for results; alloy.h says what
// they find.
type Checks struct{ Inputs, Results uint32 }

// NewBridge makes a bridge on the built-in echo.
func (h *Host) NewBridge(checks Checks) (*Bridge, *Fault) {
	var err C.alloy_error
	b := &Bridge{log: h.log}
	options := C.alloy_bridge_options{
		struct_size:  C.sizeof_alloy_bridge_options,
		check_inputs: C.uint32_t(checks.Inputs), check_results: C.uint32_t(checks.Results),
	}
	code := C.alloy_bridge_new(h.pointer, &options, &b.pointer, &err)
	runtime.KeepAlive(h)
	if code != C.ALLOY_OK {
		return nil, fault(code, &err)
	}
	h.log.users.Add(1)
	pointer := b.pointer
	runtime.AddCleanup(b, func(log *logging) {
		C.alloy_bridge_free(pointer)
		log.drop()
	}, h.log)
	return b, nil
}

// Load puts a library in the bridge. An empty certificate is none.
func (b *Bridge) Load(library, certificate string) *Fault {
	path := C.CString(library)
	defer C.free(unsafe.Pointer(path))
	var anchor *C.char
	if certificate != "" {
		anchor = C.CString(certificate)
		defer C.free(unsafe.Pointer(anchor))
	}
	var err C.alloy_error
	code := C.alloy_bridge_load(b.pointer, path, anchor, &err)
	runtime.KeepAlive(b)
	return fault(code, &err)
}

// Close makes every later use of the bridge and of its calls answer CLOSED.
func (b *Bridge) Close() {
	C.alloy_bridge_close(b.pointer)
	runtime.KeepAlive(b)
}

// Call is a function bound to schemas and options, for one user at a time. It is freed
// when it is unreachable.
type Call struct {
	pointer *C.alloy_call
	log     *logging
	err     C.alloy_error
}

// Bind binds a function to the schemas of its inputs, a row of them in C memory, and to
// options, a list of keys and values.
func (b *Bridge) Bind(function string, inputs *Schema, count int, options []string) (*Call, *Fault) {
	name := C.CString(function)
	defer C.free(unsafe.Pointer(name))
	var list **C.char
	if len(options) > 0 {
		list = (**C.char)(C.calloc(C.size_t(len(options)+1), C.size_t(unsafe.Sizeof(name))))
		defer C.free(unsafe.Pointer(list))
		for i, text := range options {
			slot := unsafe.Slice(list, len(options))
			slot[i] = C.CString(text)
			defer C.free(unsafe.Pointer(slot[i]))
		}
	}
	c := &Call{log: b.log}
	code := C.alloy_call_bind(b.pointer, name,
		(*C.struct_ArrowSchema)(unsafe.Pointer(inputs)), C.int32_t(count), list, &c.pointer, &c.err)
	runtime.KeepAlive(b)
	if code != C.ALLOY_OK {
		return nil, fault(code, &c.err)
	}
	b.log.users.Add(1)
	pointer := c.pointer
	runtime.AddCleanup(c, func(log *logging) {
		C.alloy_call_free(pointer)
		log.drop()
	}, b.log)
	return c, nil
}

// Schema is that of the output; it lives as long as the call.
func (c *Call) Schema() *Schema {
	return (*Schema)(unsafe.Pointer(C.alloy_call_schema(c.pointer)))
}

// Run gives a row of batches in C memory to the function and fills out.
func (c *Call) Run(inputs *Array, out *Owner, timeout int64, ticket uint64) *Fault {
	code := C.alloy_call_run(c.pointer, (*C.struct_ArrowArray)(unsafe.Pointer(inputs)),
		(*C.struct_ArrowArray)(unsafe.Pointer(&out.Array)), C.int64_t(timeout),
		C.uint64_t(ticket), &c.err)
	runtime.KeepAlive(c)
	return fault(code, &c.err)
}

// Cancel cancels every run up to ticket, begun or not. Any goroutine.
func (c *Call) Cancel(ticket uint64) {
	C.alloy_call_cancel(c.pointer, C.uint64_t(ticket))
	runtime.KeepAlive(c)
}

// Release gives a result back to the backend.
func (o *Owner) Release() {
	giveBack(C.alloy_go_call_release((*C.struct_ArrowArray)(unsafe.Pointer(&o.Array))))
}

// giveBack tells the keepers of a list of blocks.
func giveBack(list unsafe.Pointer) {
	for at := (*BlockHeader)(list); at != nil; {
		block := at
		at = block.next // before the keeper has the block
		cgo.Handle(block.handle).Value().(Keeper).GiveBack()
	}
}

// NewBlock makes a zeroed block of C memory that begins with a BlockHeader, and that only
// Free frees. A block of arrays needs a keeper.
func NewBlock(size uintptr, keeper Keeper) *BlockHeader {
	block := (*BlockHeader)(C.alloy_go_block_new(C.uint64_t(size)))
	if block == nil {
		outOfMemory(size)
	}
	if keeper != nil {
		block.handle = uintptr(cgo.NewHandle(keeper))
	}
	return block
}

// Release callbacks and the address of 64 zeros, for the structs that Go writes.
var (
	ReleaseArray  = unsafe.Pointer(C.alloy_go_release_array)
	ReleaseSchema = unsafe.Pointer(C.alloy_go_release_schema)
	Zeros         = unsafe.Pointer(&C.alloy_go_zeros[0])
)
