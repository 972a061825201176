// SPDX-License-Identifier: MIT

package engine

// #include "block.h"
import "C"

import (
	"runtime/cgo"
	"sync/atomic"
	"unsafe"
)

// BlockHeader begins a block. Go holds one part of it while it writes and until the call
// has returned; each struct that is not released holds another.
type BlockHeader struct {
	parts  int64
	handle uintptr
	next   *BlockHeader
}

// Part is what the private data of a struct points to.
type Part struct {
	Block uintptr
	gone  int64
}

// Arm sets the number of structs that the block holds, besides Go's own part.
func (b *BlockHeader) Arm(structs int) {
	atomic.StoreInt64(&b.parts, int64(structs)+1)
}

// Idle tells whether every struct is released, so that the block may be written again.
func (b *BlockHeader) Idle() bool { return atomic.LoadInt64(&b.parts) == 1 }

// Leave gives up Go's part. Once every struct is released, the block's keeper gets its
// GiveBack; until then the block may not be touched any more.
func (b *BlockHeader) Leave() { C.alloy_go_block_drop(unsafe.Pointer(b), 1) }

// Free frees a block whose structs are all released, or were never armed.
func (b *BlockHeader) Free() {
	if b.handle != 0 {
		cgo.Handle(b.handle).Delete()
	}
	C.alloy_go_block_free(unsafe.Pointer(b))
}
