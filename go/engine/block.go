// SPDX-License-Identifier: MIT

//go:build linux && cgo && (amd64 || arm64)

package engine

// #include "block.h"
import "C"

import (
	"runtime/cgo"
	"sync/atomic"
	"unsafe"
)

// SetStructs sets the number of structs that were written into the block. Go's own part is
// added.
func (b *BlockHeader) SetStructs(structs int) {
	atomic.StoreInt64(&b.parts, int64(structs)+1)
}

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
