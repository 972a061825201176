// SPDX-License-Identifier: MIT

//go:build linux && cgo && (amd64 || arm64)

package engine

// #include "api.h"
import "C"

import (
	"runtime"
	"unsafe"
)

// Pool is memory of a bridge for the data of the program. It is freed when it is unreachable,
// so it must be kept as long as its memory is used.
//
// Threads: shared.
type Pool struct{ pointer *C.alloy_pool }

// NewPool makes a pool.
func (b *Bridge) NewPool() (*Pool, *Fault) {
	var err C.alloy_error
	p := &Pool{}
	code := C.alloy_pool_new(b.pointer, &p.pointer, &err)
	runtime.KeepAlive(b)
	if code != C.ALLOY_OK {
		return nil, fault(code, &err)
	}
	runtime.AddCleanup(p, func(pointer *C.alloy_pool) { C.alloy_pool_free(pointer) }, p.pointer)
	return p, nil
}

// Resize allocates (memory nil), resizes, or frees (size 0) memory of C. Nil: there is not
// enough, and the caller keeps its memory.
func (p *Pool) Resize(memory unsafe.Pointer, old, size int) unsafe.Pointer {
	resized := C.alloy_pool_resize(p.pointer, memory, C.int64_t(old), C.int64_t(size))
	runtime.KeepAlive(p)
	return resized
}
