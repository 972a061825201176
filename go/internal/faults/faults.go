// SPDX-License-Identifier: MIT

//go:build linux && cgo && (amd64 || arm64)

// Package faults gives Go tests the malformed batches of tests/faults, through their C ABI.
package faults

/*
#cgo CXXFLAGS: -std=c++20 -O1 -I${SRCDIR}/../../../include -I${SRCDIR}/../../../testing/include -I${SRCDIR}/../../..
#cgo CFLAGS: -I${SRCDIR}/../../../include
#include <stdlib.h>
#include "../../../tests/faults/faults.h"
*/
import "C"

import (
	"unsafe"

	"github.com/ignalina/alloy/go/engine"
)

// AnyFormatReason is either of two reasons. AnyColumn is any column.
const (
	AnyFormatReason = C.FAULT_ANY_FORMAT
	AnyColumn       = C.FAULT_ANY_COLUMN
)

// Case is a fault; with reason 0 it is valid. Level is the first level of the gate that
// finds it.
type Case struct {
	Name           string
	Reason, Column int
	Level          uint32
}

func cases(kind C.int32_t) []Case {
	var list []Case
	for i := C.int64_t(0); i < C.fault_count(); i++ {
		c := C.fault_at(i)
		if c.kind == kind {
			list = append(list, Case{
				Name: C.GoString(c.name), Reason: int(c.reason), Column: int(c.column), Level: uint32(c.level),
			})
		}
	}
	return list
}

// Arrays are the cases whose array is broken; their schema is valid.
func Arrays() []Case { return cases(C.FAULT_ARRAY) }

// Schemas are the cases whose schema is broken.
func Schemas() []Case { return cases(C.FAULT_SCHEMA) }

// Tree is a batch with a column of every layout.
type Tree struct{ pointer *C.fault_tree }

// New makes a tree, broken as the case of this name; valid if the name is empty.
func New(name string) Tree {
	if name == "" {
		return Tree{C.fault_tree_new(nil)}
	}
	text := C.CString(name)
	defer C.free(unsafe.Pointer(text))
	return Tree{C.fault_tree_new(text)}
}

// Free frees a tree. All its structs must be released.
func (t Tree) Free() { C.fault_tree_free(t.pointer) }

// Schema is the schema of the batch, to lend.
func (t Tree) Schema() *engine.Schema {
	return (*engine.Schema)(unsafe.Pointer(C.fault_tree_schema(t.pointer)))
}

// Array is the batch, to give away.
func (t Tree) Array() *engine.Array {
	return (*engine.Array)(unsafe.Pointer(C.fault_tree_array(t.pointer)))
}

// WrittenArray returns the same struct as Array, to move it elsewhere.
func (t Tree) WrittenArray() *engine.WrittenArray {
	return (*engine.WrittenArray)(unsafe.Pointer(C.fault_tree_array(t.pointer)))
}

// Releases is how often the batch was released; -1 if any part of it was released twice.
func (t Tree) Releases() int { return int(C.fault_tree_releases(t.pointer)) }

// ReleaseSchema releases a schema that was lent, as its owner does.
func (t Tree) ReleaseSchema() { C.fault_tree_release_schema(t.pointer) }
