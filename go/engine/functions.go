// SPDX-License-Identifier: MIT

package engine

// #include "block.h"
import "C"

import (
	"runtime"
	"unsafe"
)

// Function is what a backend says of one of its functions.
type Function struct {
	Name, Summary string
	Options       []Option
	// MinInputs and MaxInputs bound how many batches it takes; -1: any number.
	MinInputs, MaxInputs int
	// Columns has a list for each input of which the function names the columns it reads.
	Columns [][]Column
	// Idempotent: may be run again. Rowwise: output row i depends on input row i alone.
	// Stream: has a stream shape, and cannot be called on single batches.
	Idempotent, Rowwise, Stream bool
}

// Option is one of a function's options.
type Option struct {
	Name, Summary string
	Fallback      string
	Required      bool // there is no fallback
}

// Column is one of the columns that a function reads.
type Column struct {
	Name, Summary string
	Accepts       string // C format strings with blanks between; empty: any type
}

// Functions lists what the backend offers.
func (b *Bridge) Functions() ([]Function, *Fault) {
	var err C.alloy_error
	var list **C.alloy_function
	code := C.alloy_bridge_functions(b.pointer, &list, &err)
	runtime.KeepAlive(b)
	if code != C.ALLOY_OK {
		return nil, fault(code, &err)
	}
	var functions []Function
	for ; *list != nil; list = next(list) {
		f := *list
		functions = append(functions, Function{
			Name: C.GoString(f.name), Summary: C.GoString(f.summary),
			Options: readOptions(f.options), Columns: readColumns(f.columns),
			MinInputs: int(f.min_inputs), MaxInputs: int(f.max_inputs),
			Idempotent: f.flags&C.ALLOY_IDEMPOTENT != 0,
			Rowwise:    f.flags&C.ALLOY_ROWWISE != 0,
			Stream:     f.flags&C.ALLOY_STREAM != 0,
		})
	}
	return functions, nil
}

func readOptions(at *C.alloy_option) []Option {
	var options []Option
	for ; at != nil && at.name != nil; at = next(at) {
		options = append(options, Option{
			Name: C.GoString(at.name), Summary: C.GoString(at.summary),
			Fallback: C.GoString(at.fallback), Required: at.fallback == nil,
		})
	}
	return options
}

func readColumns(at **C.alloy_column) [][]Column {
	var inputs [][]Column
	for ; at != nil && *at != nil; at = next(at) {
		columns := []Column{}
		for c := *at; c.name != nil; c = next(c) {
			columns = append(columns, Column{
				Name: C.GoString(c.name), Summary: C.GoString(c.summary), Accepts: C.GoString(c.accepts),
			})
		}
		inputs = append(inputs, columns)
	}
	return inputs
}

// next steps through a C list.
func next[T any](at *T) *T {
	return (*T)(unsafe.Add(unsafe.Pointer(at), unsafe.Sizeof(*at)))
}
