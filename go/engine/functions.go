// SPDX-License-Identifier: MIT

package engine

// #include "block.h"
import "C"

import (
	"runtime"
	"unsafe"
)

// Function describes one function of a backend.
type Function struct {
	Name, Summary string
	Options       []Option
	// MinInputs and MaxInputs are the least and the greatest number of inputs. A MaxInputs of
	// -1 is any number.
	MinInputs, MaxInputs int
	// Columns has, for each input, the columns that the function reads. It is shorter than the
	// list of inputs if the function reads all columns of the last ones.
	Columns [][]Column
	// Idempotent functions may be run again after a failure.
	Idempotent bool
	// Rowwise functions make output row i from input row i only.
	Rowwise bool
	// Stream functions work on whole streams, and cannot be called on single batches.
	Stream bool
	// TrustsValues functions read their inputs without a check of their own. So their inputs
	// are checked in full, unless CheckInputs is CheckUnsafeShape.
	TrustsValues bool
}

// Option describes one option of a function.
type Option struct {
	Name, Summary string
	// Fallback is the value if the caller passes none.
	Fallback string
	// Required options have no fallback.
	Required bool
}

// Column describes one column that a function reads.
type Column struct {
	Name, Summary string
	// Accepts lists the accepted types as C data interface formats, separated by spaces. Empty
	// is any type.
	Accepts string
}

// Functions lists the functions of the backend.
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
			Idempotent:   f.flags&C.ALLOY_IDEMPOTENT != 0,
			Rowwise:      f.flags&C.ALLOY_ROWWISE != 0,
			Stream:       f.flags&C.ALLOY_STREAM != 0,
			TrustsValues: f.flags&C.ALLOY_TRUSTS_VALUES != 0,
		})
	}
	return functions, nil
}

// Backend describes the backend of a bridge.
type Backend struct {
	Name, Version string
	// Language is the language that it is written in, as it says itself.
	Language string
	// Library is the path with which it was loaded. Empty is the built-in echo.
	Library string
	// SHA256 is the digest of the file that was loaded, as 64 hexadecimal digits. It is empty
	// for the echo, and on machines without libcrypto.
	SHA256 string
	// Signer is the subject of the certificate with which the library is signed, and
	// SignerSHA256 the digest of that certificate. Both are empty without a certificate.
	Signer, SignerSHA256 string
	// Sequence is the sequence number of the signature file; 0 without a certificate.
	Sequence uint64
}

// Backend describes the backend of the bridge.
func (b *Bridge) Backend() (Backend, *Fault) {
	var err C.alloy_error
	var backend *C.alloy_backend
	code := C.alloy_bridge_backend(b.pointer, &backend, &err)
	runtime.KeepAlive(b)
	if code != C.ALLOY_OK {
		return Backend{}, fault(code, &err)
	}
	return Backend{
		Name: C.GoString(backend.name), Version: C.GoString(backend.version),
		Language: C.GoString(backend.language),
	}, nil
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

// next returns the address after an element of a C array.
func next[T any](at *T) *T {
	return (*T)(unsafe.Add(unsafe.Pointer(at), unsafe.Sizeof(*at)))
}
