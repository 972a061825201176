// SPDX-License-Identifier: MIT

//go:build linux && cgo && (amd64 || arm64)

package engine

/*
#cgo CXXFLAGS: -std=c++20 -O2 -g0 -fvisibility=hidden -fvisibility-inlines-hidden
#cgo CFLAGS: -std=c11 -O2
#cgo amd64 CPPFLAGS: -DALLOY_GOARCH_AMD64
#cgo arm64 CPPFLAGS: -DALLOY_GOARCH_ARM64
#cgo LDFLAGS: -ldl -lpthread
#cgo alloy_system CFLAGS: -DALLOY_SYSTEM
#cgo alloy_system LDFLAGS: -lalloy
#include <stdlib.h>
#include "host.h"
*/
import "C"

import (
	"math"
	"runtime"
	"runtime/cgo"
	"sync/atomic"
	"time"
	"unsafe"
)

// Version returns the version of the engine.
func Version() string { return C.GoString(C.alloy_version()) }

// ReasonName returns the name of a reason, such as OFFSETS; "UNKNOWN" if it is not known.
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

// milliseconds are those of the options. 0 is the default, so less than one is one.
func milliseconds(duration time.Duration) C.uint32_t {
	const most = math.MaxUint32
	switch whole := duration.Milliseconds(); {
	case duration > 0 && whole == 0:
		return 1
	case whole > most:
		return most
	default:
		return C.uint32_t(whole)
	}
}

// logging is the logger of a host, which the host's bridges and calls use as well. It is
// counted, because they may write a line until the last of them is freed.
type logging struct {
	users  atomic.Int64
	handle cgo.Handle
}

// freeWith frees a C object of the engine, and drops its use of the logger, once the Go
// object that owns it is unreachable.
func freeWith[Owner any](owner *Owner, log *logging, free func()) {
	log.users.Add(1)
	runtime.AddCleanup(owner, func(log *logging) {
		free()
		log.drop()
	}, log)
}

func (l *logging) drop() {
	if l.users.Add(-1) == 0 {
		l.free()
	}
}

func (l *logging) free() {
	if l.handle != 0 {
		l.handle.Delete()
	}
}

// Host is a policy for opening backends. It is freed when it is unreachable.
type Host struct {
	pointer *C.alloy_host
	log     *logging
}

// NewHost makes a host. Its log goes to logger, or to standard output if logger is nil.
func NewHost(loading Loading, logger Logger) (*Host, *Fault) {
	log := &logging{}
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
		log.free()
		return nil, fault(code, &err)
	}
	pointer := h.pointer
	freeWith(h, log, func() { C.alloy_host_free(pointer) })
	return h, nil
}

// Bridge is an open backend. It is freed when it is unreachable.
type Bridge struct {
	pointer *C.alloy_bridge
	log     *logging
}

// NewBridge makes a bridge whose backend is the built-in echo.
func (h *Host) NewBridge(from BridgeOptions) (*Bridge, *Fault) {
	var err C.alloy_error
	b := &Bridge{log: h.log}
	options := C.alloy_bridge_options{
		struct_size:  C.sizeof_alloy_bridge_options,
		check_inputs: C.uint32_t(from.CheckInputs), check_results: C.uint32_t(from.CheckResults),
		min_sequence: C.uint64_t(from.MinSequence),
	}
	if from.Isolated {
		options.isolated = 1
		if from.CopyResults {
			options.isolated = 2
		}
		options.max_workers, options.retries = C.uint32_t(from.MaxWorkers), C.uint32_t(from.Retries)
		options.input_bytes, options.output_bytes = C.int64_t(from.InputBytes), C.int64_t(from.OutputBytes)
		options.heap_bytes, options.grace_ns = C.int64_t(from.HeapBytes), C.int64_t(from.Grace)
		options.setup_ms = milliseconds(from.Setup)
	}
	if from.Name != "" {
		options.name = C.CString(from.Name)
		defer C.free(unsafe.Pointer(options.name))
	}
	if from.Sidecar != "" {
		options.sidecar = C.CString(from.Sidecar)
		defer C.free(unsafe.Pointer(options.sidecar))
	}
	if from.SHA256 != "" {
		options.sha256 = C.CString(from.SHA256)
		defer C.free(unsafe.Pointer(options.sha256))
	}
	code := C.alloy_bridge_new(h.pointer, &options, &b.pointer, &err)
	defer runtime.KeepAlive(h) // its cleanup must not drop the logger first
	if code != C.ALLOY_OK {
		return nil, fault(code, &err)
	}
	pointer := b.pointer
	freeWith(b, h.log, func() { C.alloy_bridge_free(pointer) })
	return b, nil
}

// Load makes a library the backend of the bridge. An empty certificate loads it unsigned.
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

// Close closes the bridge. Every later use of it and of its calls returns CLOSED.
func (b *Bridge) Close() {
	C.alloy_bridge_close(b.pointer)
	runtime.KeepAlive(b)
}

// Call is a function bound to schemas and options. It is freed when it is unreachable.
//
// Threads: serial, except Cancel and Progress.
type Call struct {
	pointer *C.alloy_call
	lines   cgo.Handle // of what its log lines carry; 0: nothing
	err     C.alloy_error
}

// Bind binds a function to the schemas of its inputs, which lie side by side in C memory,
// and to options: a list of a name, its value, the next name, and so on. Lines is what the
// log lines of this bind carry; nil: nothing.
func (b *Bridge) Bind(function string, inputs *Schema, count int, options []string, lines any) (*Call, *Fault) {
	name := C.CString(function)
	defer C.free(unsafe.Pointer(name))
	list := newStrings(options)
	defer list.free()
	var handle cgo.Handle
	if lines != nil {
		handle = cgo.NewHandle(lines)
		defer handle.Delete()
	}
	c := &Call{}
	code := C.alloy_go_call_bind(b.pointer, name,
		(*C.struct_ArrowSchema)(unsafe.Pointer(inputs)), C.int32_t(count), list.pointer(),
		C.uintptr_t(handle), &c.pointer, &c.err)
	defer runtime.KeepAlive(b) // its cleanup must not drop the logger first
	if code != C.ALLOY_OK {
		return nil, fault(code, &c.err)
	}
	pointer := c.pointer
	freeWith(c, b.log, func() { C.alloy_call_free(pointer) })
	return c, nil
}

// SetLog sets what the log lines of the next runs and streams carry, and the lowest level
// that is written. Every SetLog of a call has the same lines.
func (c *Call) SetLog(level int32, lines any) {
	if c.lines == 0 {
		c.lines = cgo.NewHandle(lines)
		runtime.AddCleanup(c, func(h cgo.Handle) { h.Delete() }, c.lines)
	}
	C.alloy_go_call_set_log(c.pointer, C.int32_t(level), C.uintptr_t(c.lines))
	runtime.KeepAlive(c)
}

// Progress returns what the backend has reported last. Any goroutine may call it.
func (c *Call) Progress() (done, total int64) {
	var d, t C.int64_t
	C.alloy_call_progress(c.pointer, &d, &t)
	runtime.KeepAlive(c)
	return int64(d), int64(t)
}

// Schema returns the schema of the output. It lives as long as the call.
func (c *Call) Schema() *Schema {
	return (*Schema)(unsafe.Pointer(C.alloy_call_schema(c.pointer)))
}

// Run calls the function on batches, which lie side by side in C memory, and fills out.
// Timeout is in nanoseconds; 0 is no limit.
func (c *Call) Run(inputs *Array, out *Owner, timeout int64, ticket uint64) *Fault {
	code := C.alloy_call_run(c.pointer, (*C.struct_ArrowArray)(unsafe.Pointer(inputs)),
		(*C.struct_ArrowArray)(unsafe.Pointer(&out.Array)), C.int64_t(timeout),
		C.uint64_t(ticket), &c.err)
	runtime.KeepAlive(c)
	return fault(code, &c.err)
}

// Cancel cancels every run whose ticket is at most this one, even if it begins later. Any
// goroutine may call it.
func (c *Call) Cancel(ticket uint64) {
	C.alloy_call_cancel(c.pointer, C.uint64_t(ticket))
	runtime.KeepAlive(c)
}
