// SPDX-License-Identifier: MIT

//go:build linux && cgo && (amd64 || arm64)

package abi

/*
#cgo CFLAGS: -std=c11 -O2
#include "block.h"

_Static_assert(sizeof(struct ArrowArray) == 80, "the Go mirror of ArrowArray");
_Static_assert(sizeof(struct ArrowSchema) == 72, "the Go mirror of ArrowSchema");
*/
import "C"

import (
	"fmt"
	"runtime/cgo"
	"sync/atomic"
	"unsafe"
)

// SetStructs sets the number of structs that were written into the block. Go's own part is
// added.
func (b *BlockHeader) SetStructs(structs int) {
	atomic.StoreInt64(&b.parts, int64(structs)+1)
}

// SetGiven sets the number of structs that were written into the block and are given away.
// The block is freed with the last of them, and Go must not touch it any more.
func (b *BlockHeader) SetGiven(structs int) { atomic.StoreInt64(&b.parts, int64(structs)) }

// AllReleased reports whether every struct is released. Then the block may be written again.
func (b *BlockHeader) AllReleased() bool { return atomic.LoadInt64(&b.parts) == 1 }

// Detach gives up Go's part. Once every struct is released, the owner of the block is called.
// Until then Go must not touch the block.
func (b *BlockHeader) Detach() { C.alloy_go_block_drop(unsafe.Pointer(b), 1) }

// Free frees a block whose structs are all released, or were never passed to C.
func (b *BlockHeader) Free() {
	if b.handle != 0 {
		cgo.Handle(b.handle).Delete()
	}
	C.alloy_go_block_free(unsafe.Pointer(b))
}

// Release releases a result.
func (o *Owner) Release() {
	NotifyOwners(C.alloy_go_call_release((*C.struct_ArrowArray)(unsafe.Pointer(&o.Array))))
}

// NotifyOwners calls the owners of a list of released blocks.
func NotifyOwners(list unsafe.Pointer) {
	for at := (*BlockHeader)(list); at != nil; {
		block := at
		at = block.next // read it first: the owner may write into the block at once
		cgo.Handle(block.handle).Value().(BlockOwner).Released()
	}
}

// NewBlock makes a zeroed block of C memory that begins with a BlockHeader. Only Free frees
// it. A block of arrays needs an owner; for a block of schemas owner is nil.
func NewBlock(size uintptr, owner BlockOwner) *BlockHeader {
	block := (*BlockHeader)(C.alloy_go_block_new(C.uint64_t(size)))
	if block == nil {
		OutOfMemory(size)
	}
	if owner != nil {
		block.handle = uintptr(cgo.NewHandle(owner))
	}
	return block
}

// OutOfMemory panics about C memory that is short.
func OutOfMemory(size uintptr) {
	panic(fmt.Sprintf("alloy: out of memory: cannot allocate %d bytes for the structs of a call", size))
}

//export alloyGoBlockReleased
func alloyGoBlockReleased(handle C.uintptr_t) {
	// A panic must not cross into C. There is nobody to report it to.
	defer func() { _ = recover() }()
	cgo.Handle(handle).Value().(BlockOwner).Released()
}

// The release callbacks and the address of 64 zero bytes, for the structs that Go writes.
var (
	ReleaseArray  = unsafe.Pointer(C.alloy_go_release_array)
	ReleaseSchema = unsafe.Pointer(C.alloy_go_release_schema)
	// Of a schema that is given away. Its private data is its block.
	ReleaseGivenSchema = unsafe.Pointer(C.alloy_go_release_given_schema)
	Zeros              = unsafe.Pointer(&C.alloy_go_zeros[0])
)
