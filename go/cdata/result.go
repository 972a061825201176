// SPDX-License-Identifier: MIT

package cdata

import (
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/ignalina/alloy/go/abi"
)

// Result is a batch that a backend returned. Import makes arrays of it, whose buffers have
// the Result as their allocator. When the last buffer is released, by any goroutine, the
// batch is released as well.
type Result struct {
	*abi.Owner

	count     atomic.Int64 // buffers that are not released
	memory    memory.Allocator
	account   *Account
	record    record                   // what Import returns
	allocated atomic.Pointer[sync.Map] // the first byte of each slice that Allocate returned
}

// Account counts the results that were imported and are not released.
type Account struct{ results atomic.Int64 }

// Results returns the number of results that are not released.
func (a *Account) Results() int64 { return a.results.Load() }

// NewResult makes room for a result. Mem allocates memory if a buffer is resized. The
// account counts it; nil: nobody does.
func NewResult(mem memory.Allocator, account *Account) *Result {
	made := &struct {
		Result
		owner abi.Owner
	}{}
	made.Owner, made.memory, made.account = &made.owner, mem, account
	return &made.Result
}

// Release releases the batch at once.
func (r *Result) Release() {
	r.Owner.Release()
	// Until here the collector must not take the result for forgotten.
	runtime.KeepAlive(r)
}

// Free is called when a buffer is released or resized. A buffer that is resized to 0 bytes is
// counted then. Its later release frees an empty slice, which is ignored.
func (r *Result) Free(b []byte) {
	if len(b) == 0 {
		return
	}
	if allocated := r.allocated.Load(); allocated != nil {
		if _, found := allocated.LoadAndDelete(&b[0]); found {
			r.memory.Free(b)
			return
		}
	}
	r.drop()
}

// drop counts one buffer as released.
func (r *Result) drop() {
	if r.count.Add(-1) == 0 {
		r.Release()
		if r.account != nil {
			r.account.results.Add(-1)
		}
	}
}

// Allocate is called when a buffer that was resized to 0 bytes grows again.
func (r *Result) Allocate(size int) []byte {
	b := r.memory.Allocate(size)
	if len(b) > 0 {
		r.allocated.CompareAndSwap(nil, &sync.Map{})
		r.allocated.Load().Store(&b[0], nil)
	}
	return b
}

// Reallocate is called when a buffer is resized. The memory of the backend cannot grow, so
// the bytes move to memory of Go's allocator.
func (r *Result) Reallocate(size int, b []byte) []byte {
	fresh := r.Allocate(size)
	copy(fresh, b)
	r.Free(b)
	return fresh
}
