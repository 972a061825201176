// SPDX-License-Identifier: MIT

package alloy

import (
	"fmt"
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/ignalina/alloy/go/engine"
)

// Allocator returns an allocator for arrow-go whose memory an isolated backend can read where
// it is. A batch that is built with it crosses without a copy; other batches are copied once.
// If Isolated is false, it is an allocator of plain C memory.
//
// Ask for it after SetImplLib: a library that is loaded later copies its memory.
//
// It has room for Limits.InputBytes. What finds no room is in other memory, and is copied when
// it crosses. Its memory is not on the Go heap, so release every array. Any goroutine may use it.
func (b *GoBridge) Allocator() (memory.Allocator, error) {
	now, err := b.core().current(b)
	if err != nil {
		return nil, err
	}
	pool, fault := now.bridge.NewPool()
	if fault != nil {
		return nil, fromFault(fault)
	}
	return &allocator{pool: pool}, nil
}

type allocator struct{ pool *engine.Pool }

// Allocate returns zeros, as the allocators of arrow-go do.
func (a *allocator) Allocate(size int) []byte {
	if size == 0 {
		return nil
	}
	return a.resize(nil, size)
}

func (a *allocator) Reallocate(size int, b []byte) []byte {
	if size == 0 {
		a.Free(b)
		return nil
	}
	return a.resize(b, size)
}

func (a *allocator) resize(b []byte, size int) []byte {
	old := b[:cap(b)]
	memory := a.pool.Resize(unsafe.Pointer(unsafe.SliceData(old)), len(old), size)
	if memory == nil {
		panic(fmt.Sprintf("alloy: out of memory: cannot allocate %d bytes", size))
	}
	resized := unsafe.Slice((*byte)(memory), size)
	if size > len(old) {
		clear(resized[len(old):])
	}
	return resized
}

func (a *allocator) Free(b []byte) {
	if cap(b) > 0 {
		a.pool.Resize(unsafe.Pointer(unsafe.SliceData(b)), cap(b), 0)
	}
}
