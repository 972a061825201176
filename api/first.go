// SPDX-License-Identifier: MIT

package api

import (
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

// Bridge is what the bridges of the first Alloy have in common. A *GoBridge is one, and so
// is a Bridge of package ffi/rust.
type Bridge interface {
	FromChunks(arrays []arrow.Array) (int, error)
}

// CommonParameter is what the first Alloy embedded in its bridges.
type CommonParameter struct {
	GoAllocator *memory.GoAllocator
}
