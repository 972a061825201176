// SPDX-License-Identifier: MIT

//go:build linux && cgo && (amd64 || arm64)

package cdata_test

import (
	"errors"
	"runtime"
	"testing"
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/ignalina/alloy/go/abi"
	"github.com/ignalina/alloy/go/cdata"
)

func ints(mem memory.Allocator, values ...int64) arrow.Array {
	builder := array.NewInt64Builder(mem)
	defer builder.Release()
	builder.AppendValues(values, nil)
	return builder.NewArray()
}

func planOf(t *testing.T, columns ...arrow.Array) *cdata.Plan {
	t.Helper()
	fields := make([]arrow.Field, len(columns))
	for i, column := range columns {
		fields[i] = arrow.Field{Name: "c", Type: column.DataType(), Nullable: true}
	}
	plan, err := cdata.NewPlan(arrow.NewSchema(fields, nil))
	if err != nil {
		t.Fatal(err)
	}
	return plan
}

// take moves a struct out of its place, as a backend does that keeps it.
func take(from *abi.Array) *abi.Owner {
	kept := &abi.Owner{Array: *from}
	from.Release = nil
	return kept
}

// TestPartsAreReleasedInAnyOrder moves children out, lets the call end, and releases
// parent and children in every order of three.
func TestPartsAreReleasedInAnyOrder(t *testing.T) {
	for _, order := range [][3]int{{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}} {
		mem := memory.NewCheckedAllocator(memory.NewGoAllocator())
		a, b := ints(mem, 1, 2, 3), ints(mem, 4, 5, 6)
		exporter := cdata.NewExporter([]*cdata.Plan{planOf(t, a, b)})
		batches := []cdata.Batch{{Columns: []arrow.Array{a, b}, Rows: 3, Owner: both{a, b}}}
		root, err := exporter.Export(batches)
		if err != nil {
			t.Fatal(err)
		}
		children := unsafe.Slice(root.Children, 2)
		parts := [3]*abi.Owner{take(root), take(children[0]), take(children[1])}
		exporter.Done(batches)
		a.Release()
		b.Release()
		runtime.GC()
		for i, part := range order {
			if mem.CurrentAlloc() == 0 {
				t.Errorf("%v: gone after %d parts", order, i)
			}
			if part > 0 {
				values := unsafe.Slice(parts[part].Array.Buffers, 2)[1]
				if got := *(*int64)(values); got != int64(3*part-2) {
					t.Errorf("%v: got %d", order, got)
				}
			}
			parts[part].Release()
			parts[part].Release() // is marked, and does nothing
		}
		mem.AssertSize(t, 0)
		exporter.Close()
	}
}

type both [2]arrow.Array

func (b both) Retain()  { b[0].Retain(); b[1].Retain() }
func (b both) Release() { b[0].Release(); b[1].Release() }

// TestACopiedStructIsReleasedOnce: a callee that copies where it should move must not
// free the block under everyone else.
func TestACopiedStructIsReleasedOnce(t *testing.T) {
	mem := memory.NewCheckedAllocator(memory.NewGoAllocator())
	defer mem.AssertSize(t, 0)
	a := ints(mem, 1)
	defer a.Release()
	exporter := cdata.NewExporter([]*cdata.Plan{planOf(t, a)})
	defer exporter.Close()
	batches := []cdata.Batch{{Columns: []arrow.Array{a}, Rows: 1, Owner: a}}
	for range 3 {
		root, err := exporter.Export(batches)
		if err != nil {
			t.Fatal(err)
		}
		twin := &abi.Owner{Array: *root}
		take(root).Release()
		twin.Release()
		exporter.Done(batches)
	}
}

// TestABlockIsUsedAgain when everything was released in the call: nothing is allocated.
func TestABlockIsUsedAgain(t *testing.T) {
	a := ints(memory.NewGoAllocator(), 1, 2)
	exporter := cdata.NewExporter([]*cdata.Plan{planOf(t, a)})
	defer exporter.Close()
	batches := []cdata.Batch{{Columns: []arrow.Array{a}, Rows: 2, Owner: a}}
	var first *abi.Array
	for range 3 {
		root, err := exporter.Export(batches)
		if err != nil {
			t.Fatal(err)
		}
		if first == nil {
			first = root
		}
		if root != first {
			t.Error("another block")
		}
		take(root).Release()
		exporter.Done(batches)
	}
}

// TestArraysThatDoNotFitTheirSchemaAreRefused: records are an interface, and anyone may
// make one that lies.
func TestArraysThatDoNotFitTheirSchemaAreRefused(t *testing.T) {
	a := ints(memory.NewGoAllocator(), 1, 2)
	text := array.NewStringBuilder(memory.NewGoAllocator())
	text.Append("x")
	words := text.NewArray()
	exporter := cdata.NewExporter([]*cdata.Plan{planOf(t, a)})
	defer exporter.Close()
	for name, c := range map[string]struct {
		columns []arrow.Array
		place   int
	}{
		"another type":     {[]arrow.Array{words}, 0},
		"a column too few": {nil, -1},
	} {
		_, err := exporter.Export([]cdata.Batch{{Columns: c.columns, Rows: 1, Owner: a}})
		var mismatch *cdata.MismatchError
		if !errors.As(err, &mismatch) || mismatch.Column != c.place || mismatch.Input != 0 {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

// TestALongerColumnIsCutToItsBatch, which arrow-go's records allow.
func TestALongerColumnIsCutToItsBatch(t *testing.T) {
	a := ints(memory.NewGoAllocator(), 1, 2, 3)
	exporter := cdata.NewExporter([]*cdata.Plan{planOf(t, a)})
	defer exporter.Close()
	batches := []cdata.Batch{{Columns: []arrow.Array{a}, Rows: 2, Owner: a}}
	root, err := exporter.Export(batches)
	if err != nil {
		t.Fatal(err)
	}
	if column := *root.Children; root.Length != 2 || column.Length != 2 {
		t.Errorf("the batch has %d rows, the column %d", root.Length, column.Length)
	}
	take(root).Release()
	exporter.Done(batches)
}
