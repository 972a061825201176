// SPDX-License-Identifier: MIT

// Package faults has the faulty batches of tests/faults, for the Go tests. It counts their
// releases.
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

// AnyFormatReason is either of two reasons. AnyColumn is any column.
const (
	AnyFormatReason = -1
	AnyColumn       = -2
)

// Case is a fault. With reason 0 it is unusual data that is valid. Level is the lowest level
// of checks that finds it.
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

// Arrays returns the faults of an array whose schema is valid.
func Arrays() []Case {
	return cases(func(i C.int64_t) C.fault_case { return C.fault_array_case(i) })
}

// Schemas returns the faults of a schema.
func Schemas() []Case {
	return cases(func(i C.int64_t) C.fault_case { return C.fault_schema_case(i) })
}

// Tree is a batch that has a column of every layout.
type Tree struct{ pointer unsafe.Pointer }

// New makes a tree with the fault of a case; an empty name makes a valid tree.
func New(name string) Tree {
	if name == "" {
		return Tree{C.fault_tree_new(nil)}
	}
	text := C.CString(name)
	defer C.free(unsafe.Pointer(text))
	return Tree{C.fault_tree_new(text)}
}

// Free frees a tree. Nothing may refer to it afterwards.
func (t Tree) Free() { C.fault_tree_free(t.pointer) }

// Schema returns the schema of the batch, to lend it.
func (t Tree) Schema() *engine.Schema { return (*engine.Schema)(C.fault_tree_schema(t.pointer)) }

// Array returns the batch, to give it away.
func (t Tree) Array() *engine.Array { return (*engine.Array)(C.fault_tree_array(t.pointer)) }

// WrittenArray returns the same struct as Array, to move it elsewhere.
func (t Tree) WrittenArray() *engine.WrittenArray {
	return (*engine.WrittenArray)(C.fault_tree_array(t.pointer))
}

// Releases returns how often the batch was released; -1 if any part of it was released twice.
func (t Tree) Releases() int { return int(C.fault_tree_releases(t.pointer)) }

// ReleaseSchema releases the schema, as its owner does.
func (t Tree) ReleaseSchema() { C.fault_tree_release_schema(t.pointer) }
