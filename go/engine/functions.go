// SPDX-License-Identifier: MIT

//go:build linux && cgo && (amd64 || arm64)

package engine

// #include "host.h"
import "C"

import (
	"runtime"
	"unsafe"
)

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

// Backend describes the backend of the bridge.
func (b *Bridge) Backend() (Backend, *Fault) {
	var err C.alloy_error
	var backend *C.alloy_backend
	if code := C.alloy_bridge_backend(b.pointer, &backend, &err); code != C.ALLOY_OK {
		return Backend{}, fault(code, &err)
	}
	origin := C.alloy_origin{struct_size: C.sizeof_alloy_origin}
	if code := C.alloy_bridge_origin(b.pointer, &origin, &err); code != C.ALLOY_OK {
		return Backend{}, fault(code, &err)
	}
	defer runtime.KeepAlive(b)
	return Backend{
		Name: C.GoString(backend.name), Version: C.GoString(backend.version),
		Language: C.GoString(backend.language), Library: C.GoString(origin.library),
		SHA256: C.GoString(origin.sha256), Signer: C.GoString(origin.signer),
		SignerSHA256: C.GoString(origin.signer_sha256), Sequence: uint64(origin.sequence),
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
