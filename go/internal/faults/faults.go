// SPDX-License-Identifier: MIT

// Package faults gives Go tests the faulty batches that the C++ tests use as well, whose
// releases are counted.
package faults

/*
#cgo CXXFLAGS: -std=c++20 -O1 -I${SRCDIR}/../../../include -I${SRCDIR}/../../..
#include <stdlib.h>
#include "faults.h"
*/
import "C"

import (
	"unsafe"

	"github.com/ignalina/alloy/go/engine"
)

// AnyFormatReason stands for either of two reasons, AnyColumn for every column.
const (
	AnyFormatReason = -1
	AnyColumn       = -2
)

// Case is a fault, or with reason 0 an oddity that is valid; Level is the first of the
// gate that finds it.
type Case struct {
	Name           string
	Reason, Column int
	Level          uint32
}

func cases(at func(C.int64_t) C.fault_case) []Case {
	var list []Case
	for i := C.int64_t(0); ; i++ {
		c := at(i)
		if c.name == nil {
			return list
		}
		list = append(list, Case{
			Name: C.GoString(c.name), Reason: int(c.reason), Column: int(c.column), Level: uint32(c.level),
		})
	}
}

// Arrays are the faults of an array behind a well-formed schema.
func Arrays() []Case {
	return cases(func(i C.int64_t) C.fault_case { return C.fault_array_case(i) })
}

// Schemas are the faults of a schema.
func Schemas() []Case {
	return cases(func(i C.int64_t) C.fault_case { return C.fault_schema_case(i) })
}

// Tree is a batch with a column of every layout.
type Tree struct{ pointer unsafe.Pointer }

// New makes a tree, spoilt by a case unless the name is empty.
func New(name string) Tree {
	if name == "" {
		return Tree{C.fault_tree_new(nil)}
	}
	text := C.CString(name)
	defer C.free(unsafe.Pointer(text))
	return Tree{C.fault_tree_new(text)}
}

// Free ends a tree; nothing may refer to it.
func (t Tree) Free() { C.fault_tree_free(t.pointer) }

// Schema is that of the batch, to lend.
func (t Tree) Schema() *engine.Schema { return (*engine.Schema)(C.fault_tree_schema(t.pointer)) }

// Array is the batch, to give away.
func (t Tree) Array() *engine.Array { return (*engine.Array)(C.fault_tree_array(t.pointer)) }

// WrittenArray is the same struct, to move elsewhere.
func (t Tree) WrittenArray() *engine.WrittenArray {
	return (*engine.WrittenArray)(C.fault_tree_array(t.pointer))
}

// Releases is how often the batch was released, -1 if any part of it was more than once.
func (t Tree) Releases() int { return int(C.fault_tree_releases(t.pointer)) }

// ReleaseSchema does what the owner of a schema does.
func (t Tree) ReleaseSchema() { C.fault_tree_release_schema(t.pointer) }
