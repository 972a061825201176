// SPDX-License-Identifier: MIT

//go:build linux && cgo && (amd64 || arm64)

package backend

/*
#include <stdlib.h>
#include "edge.h"
*/
import "C"

import (
	"unsafe"

	"github.com/ignalina/alloy/go/cdata"
)

// makeTable writes the table of the backend into C memory, where it stays as long as the
// process.
func makeTable() (*C.alloy_backend, error) {
	switch {
	case registered.name == "":
		return nil, Errorf(Failed, "the library has no backend: call backend.Register in an init function")
	case registered.fault != "":
		return nil, Errorf(Failed, "%s", registered.fault)
	}
	functions := list[*C.alloy_function](len(registered.functions))
	for i, f := range registered.functions {
		functions[i] = f.entry(i)
	}
	table := one[C.alloy_backend]()
	*table = C.alloy_backend{
		struct_size: C.sizeof_alloy_backend, abi: C.ALLOY_ABI,
		name: C.CString(registered.name), version: C.CString(registered.version),
		language: C.CString("Go"), functions: unsafe.SliceData(functions),
	}
	return table, nil
}

// entry writes the entry of a function, whose number is `at`.
func (f *Function) entry(at int) *C.alloy_function {
	least, most := f.inputs()
	entry := one[C.alloy_function]()
	*entry = C.alloy_function{
		struct_size: C.sizeof_alloy_function, flags: f.flags(),
		name: C.CString(f.Name), summary: C.CString(f.Summary),
		min_inputs: C.int32_t(least), max_inputs: C.int32_t(most),
		bind: (*[0]byte)(C.alloy_go_bind), unbind: (*[0]byte)(C.alloy_go_unbind),
	}
	// A number in place of a pointer, which Go may not hold.
	*(*uintptr)(unsafe.Pointer(&entry.self)) = uintptr(at + 1)
	if f.Run != nil {
		entry.run = (*[0]byte)(C.alloy_go_run)
	} else {
		entry.open = (*[0]byte)(C.alloy_go_open)
	}
	if len(f.Options) > 0 {
		options := list[C.alloy_option](len(f.Options))
		for i, option := range f.Options {
			options[i].name, options[i].summary = C.CString(option.Name), C.CString(option.Summary)
			if !option.Required {
				options[i].fallback = C.CString(option.Default)
			}
		}
		entry.options = unsafe.SliceData(options)
	}
	if len(f.Columns) > 0 {
		_, most := f.inputs()
		inputs := list[*C.alloy_column](max(most, len(f.Columns)))
		for i, columns := range f.Columns {
			if len(columns) > 0 {
				inputs[i] = columnList(columns)
			}
		}
		entry.columns = unsafe.SliceData(inputs)
	}
	return entry
}

// flags returns the flags of the C ABI. Arrow-go trusts the values of its arrays.
func (f *Function) flags() C.uint32_t {
	flags := C.uint32_t(C.ALLOY_TRUSTS_VALUES)
	if f.Idempotent {
		flags |= C.ALLOY_IDEMPOTENT
	}
	if f.Rowwise {
		flags |= C.ALLOY_ROWWISE
	}
	if f.Stream != nil {
		flags |= C.ALLOY_STREAM
	}
	return flags
}

func columnList(columns []Column) *C.alloy_column {
	made := list[C.alloy_column](len(columns))
	for i, column := range columns {
		formats, _ := cdata.Accepts(column.Types) // Register has checked it
		if column.Formats != "" {
			if formats != "" {
				formats += " "
			}
			formats += column.Formats
		}
		made[i].name, made[i].summary = C.CString(column.Name), C.CString(column.Summary)
		if formats != "" {
			made[i].accepts = C.CString(formats)
		}
	}
	return unsafe.SliceData(made)
}

// list makes a list in C memory with its terminator, which is zero.
func list[T any](length int) []T {
	var zero T
	at := C.calloc(C.size_t(length+1), C.size_t(unsafe.Sizeof(zero)))
	if at == nil {
		panic(Errorf(Exhausted, "out of memory for the table of the backend"))
	}
	return unsafe.Slice((*T)(at), length+1)
}

func one[T any]() *T { return unsafe.SliceData(list[T](1)) }
