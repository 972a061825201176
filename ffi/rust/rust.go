// SPDX-License-Identifier: MIT

// Package rust has the names of the first Alloy for its Rust side, so that programs for it
// compile unchanged. New programs use package alloy.
package rust

import (
	"github.com/apache/arrow-go/v18/arrow"

	"github.com/ignalina/alloy"
	"github.com/ignalina/alloy/api"
)

// Bridge calls the built-in echo: rust.Bridge{api.CommonParameter{mem}}. It is a value
// without state, so each call opens the echo again; a [alloy.GoBridge] keeps it open.
type Bridge struct{ api.CommonParameter }

// FromChunks passes arrays to the echo, which counts them. The arrays are borrowed.
func (b Bridge) FromChunks(arrays []arrow.Array) (int, error) {
	bridge := alloy.GoBridge{}
	if b.GoAllocator != nil { // a nil pointer would not be a nil interface
		bridge.GoAllocator = b.GoAllocator
	}
	defer bridge.Close()
	return bridge.FromChunks(arrays)
}

// Info writes one line of the program to standard output, in the form of Alloy's log.
func Info(text string) { alloy.Info(text) }
