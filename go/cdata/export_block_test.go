// SPDX-License-Identifier: MIT

//go:build linux && cgo && (amd64 || arm64)

package cdata_test

import (
	"testing"
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/ignalina/alloy/go/abi"
	"github.com/ignalina/alloy/go/cdata"
)

func withNull(mem memory.Allocator) arrow.Array {
	builder := array.NewInt64Builder(mem)
	defer builder.Release()
	builder.AppendValues([]int64{1, 2, 3}, []bool{true, false, true})
	return builder.NewArray()
}

// TestABlockThatWasKeptComesBack once the callee lets go of it, and has nothing left of the
// call before: a bitmap crosses when there are nulls, and is gone when there are none.
func TestABlockThatWasKeptComesBack(t *testing.T) {
	mem := memory.NewCheckedAllocator(memory.NewGoAllocator())
	defer mem.AssertSize(t, 0)
	full, sparse := ints(mem, 1, 2, 3), withNull(mem)
	defer full.Release()
	defer sparse.Release()
	exporter := cdata.NewExporter([]*cdata.Plan{planOf(t, full)})
	defer exporter.Close()
	var first *abi.Array
	for i, column := range []arrow.Array{full, sparse, full, sparse} {
		batches := []cdata.Batch{{Columns: []arrow.Array{column}, Rows: 3, Owner: column}}
		root, err := exporter.Export(batches)
		if err != nil {
			t.Fatal(err)
		}
		if first == nil {
			first = root
		}
		if root != first {
			t.Errorf("call %d: another block", i)
		}
		below := *root.Children
		validity := unsafe.Slice(below.Buffers, 2)[0]
		if nulls := int64(column.NullN()); below.NullCount != nulls || (validity != nil) != (nulls > 0) {
			t.Errorf("call %d: %d nulls, validity %p", i, below.NullCount, validity)
		}
		kept := take(root)
		exporter.Done(batches)
		kept.Release()
	}
}

// TestMoreCallsAreKeptThanThePoolHolds, some of them beyond the exporter's own end.
func TestMoreCallsAreKeptThanThePoolHolds(t *testing.T) {
	mem := memory.NewCheckedAllocator(memory.NewGoAllocator())
	defer mem.AssertSize(t, 0)
	exporter := cdata.NewExporter([]*cdata.Plan{planOf(t, ints(memory.DefaultAllocator, 1))})
	var kept []*abi.Owner
	for i := range 12 {
		column := ints(mem, int64(i))
		batches := []cdata.Batch{{Columns: []arrow.Array{column}, Rows: 1, Owner: column}}
		root, err := exporter.Export(batches)
		if err != nil {
			t.Fatal(err)
		}
		kept = append(kept, take(root))
		exporter.Done(batches)
		column.Release()
	}
	for i, part := range kept {
		if i == 8 {
			exporter.Close()
		}
		column := *part.Array.Children
		if got := *(*int64)(unsafe.Slice(column.Buffers, 2)[1]); got != int64(i) {
			t.Errorf("call %d has %d", i, got)
		}
		held := mem.CurrentAlloc()
		part.Release()
		if mem.CurrentAlloc() >= held {
			t.Errorf("call %d is released, and its column is held", i)
		}
	}
}
