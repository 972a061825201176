// SPDX-License-Identifier: MIT

package cdata

import (
	"sync"
	"sync/atomic"

	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/ignalina/alloy/go/engine"
)

// Result is what a backend gave. Import turns it into arrays, whose buffers know it as
// their allocator; it goes back to the backend when the last of them is released, by
// whichever goroutine does that.
type Result struct {
	engine.Owner

	count  atomic.Int64 // buffers that are not released
	memory memory.Allocator
	record record                   // what Import makes of it
	own    atomic.Pointer[sync.Map] // the first byte of each slice that came from memory
}

// NewResult makes room for a result. Mem serves those who resize its buffers.
func NewResult(mem memory.Allocator) *Result { return &Result{memory: mem} }

// Free gives one buffer up. A buffer that was emptied is given up then, and with nothing
// once more when it is released.
func (r *Result) Free(b []byte) {
	if len(b) == 0 {
		return
	}
	if own := r.own.Load(); own != nil {
		if _, ours := own.LoadAndDelete(&b[0]); ours {
			r.memory.Free(b)
			return
		}
	}
	r.drop()
}

func (r *Result) drop() {
	if r.count.Add(-1) == 0 {
		r.Release()
	}
}

// Allocate serves a buffer that was emptied and grows again.
func (r *Result) Allocate(size int) []byte {
	b := r.memory.Allocate(size)
	if len(b) > 0 {
		r.own.CompareAndSwap(nil, &sync.Map{})
		r.own.Load().Store(&b[0], nil)
	}
	return b
}

// Reallocate moves a buffer that is resized out of the backend's memory.
func (r *Result) Reallocate(size int, b []byte) []byte {
	fresh := r.Allocate(size)
	copy(fresh, b)
	r.Free(b)
	return fresh
}
