// SPDX-License-Identifier: MIT

//go:build linux && cgo && (amd64 || arm64)

package cdata_test

import (
	"runtime"
	"runtime/debug"
	"strings"
	"testing"
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/ignalina/alloy/go/abi"
	"github.com/ignalina/alloy/go/cdata"
)

// Each test here is of what Alloy promises where another implementation once failed; the
// numbers are those of docs/boundary.md.

// crossing exports columns and hands the struct of their batch over, as a call does.
type crossing struct {
	t        *testing.T
	plan     *cdata.Plan
	exporter *cdata.Exporter
	batches  []cdata.Batch
}

func cross(t *testing.T, rows int, columns ...arrow.Array) *crossing {
	t.Helper()
	plan := planOf(t, columns...)
	owner := array.NewRecordBatch(plan.Schema, columns, int64(rows))
	t.Cleanup(owner.Release)
	batches := []cdata.Batch{{Columns: columns, Rows: int64(rows), Owner: owner}}
	c := &crossing{t, plan, cdata.NewExporter([]*cdata.Plan{plan}), batches}
	t.Cleanup(c.exporter.Close)
	return c
}

func (c *crossing) export() *abi.Array {
	c.t.Helper()
	root, err := c.exporter.Export(c.batches)
	if err != nil {
		c.t.Fatal(err)
	}
	return root
}

// back imports what was exported, as a result that a backend gives.
func (c *crossing) back(root *abi.Array) (arrow.RecordBatch, error) {
	result := cdata.NewResult(memory.DefaultAllocator, nil)
	result.Owner = take(root)
	batch, err := cdata.Import(c.plan, result)
	c.exporter.Done(c.batches)
	return batch, err
}

func dataOf(dtype arrow.DataType, length int, buffers []*memory.Buffer, children ...arrow.ArrayData) arrow.Array {
	data := array.NewData(dtype, length, buffers, children, 0, 0)
	defer data.Release()
	return array.MakeFromData(data)
}

// TestGoMemoryStaysWhereItIsWhileABackendHoldsIt: arrow#33900, arrow-go#70. Under
// GOEXPERIMENT=cgocheck2 it also shows that no Go pointer is stored in C unpinned.
func TestGoMemoryStaysWhereItIsWhileABackendHoldsIt(t *testing.T) {
	values := make([]int64, 512)
	for i := range values {
		values[i] = int64(i)
	}
	column := ints(memory.NewGoAllocator(), values...)
	c := cross(t, len(values), column)
	kept := take(c.export())
	c.exporter.Done(c.batches)
	column.Release()
	for range 3 {
		runtime.GC()
		debug.FreeOSMemory()
	}
	at := unsafe.Slice((*kept.Array.Children).Buffers, 2)[1]
	for i, value := range unsafe.Slice((*int64)(at), len(values)) {
		if value != int64(i) {
			t.Fatalf("row %d is %d", i, value)
		}
	}
	kept.Release()
}

// TestAHandleIsUsedOnce however often a copy of a struct is released: arrow#33864.
func TestAHandleIsUsedOnce(t *testing.T) {
	mem := memory.NewCheckedAllocator(memory.NewGoAllocator())
	column := ints(mem, 1, 2)
	c := cross(t, 2, column)
	root := c.export()
	kept := take(root)
	twin := &abi.Owner{Array: kept.Array}
	c.exporter.Done(c.batches)
	kept.Release()
	twin.Release()
	column.Release()
	next := c.export() // the block is back in the pool, whole
	take(next).Release()
	c.exporter.Done(c.batches)
}

// TestStructsAreWrittenWholeOverWhatWasThere: arrow#36669, arrow-adbc#729 and #1931 read
// what was never set.
func TestStructsAreWrittenWholeOverWhatWasThere(t *testing.T) {
	column := ints(memory.DefaultAllocator, 1, 2, 3)
	c := cross(t, 3, column)
	for range 3 {
		root := c.export()
		child := *root.Children
		if root.Length != 3 || root.NullCount != 0 || root.Offset != 0 || root.NumBuffers != 1 ||
			root.NumChildren != 1 || root.Dictionary != nil || *root.Buffers != nil {
			t.Errorf("got %+v", *root)
		}
		if child.Length != 3 || child.NullCount != 0 || child.Offset != 0 || child.NumBuffers != 2 ||
			child.NumChildren != 0 || child.Children != nil || child.Dictionary != nil || *child.Buffers != nil {
			t.Errorf("got %+v", *child)
		}
		taken := take(root)
		taken.Release()
		for _, at := range []*abi.Array{root, child} {
			for i := range unsafe.Slice((*byte)(unsafe.Pointer(at)), unsafe.Sizeof(*at)) {
				*(*byte)(unsafe.Add(unsafe.Pointer(at), i)) = 0xA5
			}
		}
		c.exporter.Done(c.batches)
	}
}

// emptyArrays have no buffers at all, which arrow-go allows.
func emptyArrays() []arrow.Array {
	none := func(n int) []*memory.Buffer { return make([]*memory.Buffer, n) }
	inner := dataOf(arrow.PrimitiveTypes.Int8, 0, none(2))
	return []arrow.Array{
		dataOf(arrow.PrimitiveTypes.Int64, 0, none(2)), dataOf(arrow.FixedWidthTypes.Boolean, 0, none(2)),
		dataOf(arrow.BinaryTypes.String, 0, none(3)), dataOf(arrow.BinaryTypes.LargeBinary, 0, none(3)),
		dataOf(arrow.BinaryTypes.StringView, 0, none(2)),
		dataOf(arrow.ListOf(arrow.PrimitiveTypes.Int8), 0, none(2), inner.Data()),
		dataOf(arrow.ListViewOf(arrow.PrimitiveTypes.Int8), 0, none(3), inner.Data()),
		dataOf(arrow.StructOf(), 0, none(1)),
	}
}

// TestEmptyArraysNeedNoBuffers: arrow#14876.
func TestEmptyArraysNeedNoBuffers(t *testing.T) {
	c := cross(t, 0, emptyArrays()...)
	batch, err := c.back(c.export())
	if err != nil {
		t.Fatal(err)
	}
	defer batch.Release()
	if !array.RecordEqual(batch, c.batches[0].Owner.(arrow.RecordBatch)) {
		t.Errorf("got %v", batch)
	}
}

// TestWhatIsEmptyHasAnAddress: arrow#33936 exported NULL, which others refuse.
func TestWhatIsEmptyHasAnAddress(t *testing.T) {
	c := cross(t, 0, emptyArrays()...)
	root := c.export()
	for i, child := range unsafe.Slice(root.Children, root.NumChildren) {
		buffers := unsafe.Slice(child.Buffers, child.NumBuffers)
		for k, buffer := range buffers[1:] { // the first is the bitmap, which may be missing
			if buffer == nil {
				t.Errorf("column %d: buffer %d is NULL", i, k+1)
			}
		}
	}
	take(root).Release()
	c.exporter.Done(c.batches)
}

// TestAResultGoesBackWithItsLastReleaseAndNoCollection: arrow#38281 left it to a finalizer.
func TestAResultGoesBackWithItsLastReleaseAndNoCollection(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	mem := memory.NewCheckedAllocator(memory.NewGoAllocator())
	column := ints(mem, 1, 2, 3)
	plan := planOf(t, column)
	exporter := cdata.NewExporter([]*cdata.Plan{plan})
	defer exporter.Close()
	batches := []cdata.Batch{{Columns: []arrow.Array{column}, Rows: 3, Owner: column}}
	root, err := exporter.Export(batches)
	if err != nil {
		t.Fatal(err)
	}
	result := cdata.NewResult(mem, nil)
	result.Owner = take(root)
	exporter.Done(batches)
	column.Release()
	batch, err := cdata.Import(plan, result)
	if err != nil {
		t.Fatal(err)
	}
	if mem.CurrentAlloc() == 0 {
		t.Error("gone before its time")
	}
	batch.Release()
	mem.AssertSize(t, 0)
}

// TestAResultOfNoRowsIsReleasedAtOnce: arrow#41534 leaked it.
func TestAResultOfNoRowsIsReleasedAtOnce(t *testing.T) {
	columns := emptyArrays()
	plan := planOf(t, columns...)
	owner := &counted{}
	exporter := cdata.NewExporter([]*cdata.Plan{plan})
	defer exporter.Close()
	batches := []cdata.Batch{{Columns: columns, Owner: owner}}
	root, err := exporter.Export(batches)
	if err != nil {
		t.Fatal(err)
	}
	result := cdata.NewResult(memory.DefaultAllocator, nil)
	result.Owner = take(root)
	exporter.Done(batches)
	batch, err := cdata.Import(plan, result)
	if err != nil {
		t.Fatal(err)
	}
	if owner.held != 0 || owner.released != 1 {
		t.Errorf("held %d times, released %d times", owner.held, owner.released)
	}
	batch.Release()
	if owner.released != 1 {
		t.Errorf("released %d times", owner.released)
	}
}

type counted struct{ held, released int }

func (c *counted) Retain()  { c.held++ }
func (c *counted) Release() { c.held--; c.released++ }

// TestAStructWithoutFieldsKeepsItsRowsAndNulls: arrow-go#172.
func TestAStructWithoutFieldsKeepsItsRowsAndNulls(t *testing.T) {
	builder := array.NewStructBuilder(memory.DefaultAllocator, arrow.StructOf())
	builder.AppendValues([]bool{true, false, true})
	column := builder.NewArray()
	c := cross(t, 3, column)
	batch, err := c.back(c.export())
	if err != nil {
		t.Fatal(err)
	}
	defer batch.Release()
	if got := batch.Column(0); got.Len() != 3 || got.NullN() != 1 || !got.IsNull(1) {
		t.Errorf("got %v", got)
	}
}

// TestAResultThatArrowGoPanicsOverIsAnError: arrow-go#613.
func TestAResultThatArrowGoPanicsOverIsAnError(t *testing.T) {
	builder := array.NewMapBuilder(memory.DefaultAllocator, arrow.BinaryTypes.String, arrow.PrimitiveTypes.Int8, false)
	builder.Append(true)
	builder.KeyBuilder().(*array.StringBuilder).Append("k")
	builder.ItemBuilder().(*array.Int8Builder).Append(1)
	column := builder.NewArray()
	c := cross(t, 1, column)
	root := c.export()
	keys := *(*(*root.Children).Children).Children // of the entries of the map
	noBits := [8]byte{}
	*(*uintptr)(unsafe.Pointer(keys.Buffers)) = uintptr(unsafe.Pointer(&noBits))
	keys.NullCount = 1
	pin := runtime.Pinner{}
	pin.Pin(&noBits)
	defer pin.Unpin()
	batch, err := c.back(root)
	if err == nil {
		batch.Release()
		t.Fatal("a map with a null for a key came in")
	}
	if !strings.Contains(err.Error(), "arrow-go cannot hold the result") {
		t.Errorf("got %v", err)
	}
	take(c.export()).Release() // the block came back
	c.exporter.Done(c.batches)
}

// TestAnUnknownNullCountIsCounted, with and without a bitmap: arrow#41016, arrow-rs#6497.
func TestAnUnknownNullCountIsCounted(t *testing.T) {
	builder := array.NewInt64Builder(memory.DefaultAllocator)
	builder.AppendValues([]int64{1, 2, 3}, []bool{true, false, true})
	c := cross(t, 3, builder.NewArray(), ints(memory.DefaultAllocator, 4, 5, 6))
	root := c.export()
	for _, child := range unsafe.Slice(root.Children, 2) {
		child.NullCount = -1
	}
	batch, err := c.back(root)
	if err != nil {
		t.Fatal(err)
	}
	defer batch.Release()
	if got := batch.Column(0).NullN(); got != 1 {
		t.Errorf("%d nulls, want 1", got)
	}
	if got := batch.Column(1).NullN(); got != 0 {
		t.Errorf("%d nulls, want 0", got)
	}
}

// TestGarbageOffsetsOfEmptyStringsAreNotFollowed: arrow-java#704 left them so.
func TestGarbageOffsetsOfEmptyStringsAreNotFollowed(t *testing.T) {
	builder := array.NewStringBuilder(memory.DefaultAllocator)
	builder.Append("gone")
	one := builder.NewArray()
	c := cross(t, 0, array.NewSlice(one, 0, 0))
	root := c.export()
	garbage := [2]int32{1 << 30, -7}
	pin := runtime.Pinner{}
	pin.Pin(&garbage)
	defer pin.Unpin()
	column := *root.Children
	*(*uintptr)(unsafe.Add(unsafe.Pointer(column.Buffers), 8)) = uintptr(unsafe.Pointer(&garbage))
	batch, err := c.back(root)
	if err != nil {
		t.Fatal(err)
	}
	defer batch.Release()
	if text := batch.Column(0); text.Len() != 0 || len(text.(*array.String).ValueBytes()) != 0 {
		t.Errorf("got %v", text)
	}
}

// TestMovedChildrenOutliveTheirParent: duckdb#9254, arrow-rs#20.
func TestMovedChildrenOutliveTheirParent(t *testing.T) {
	mem := memory.NewCheckedAllocator(memory.NewGoAllocator())
	text := words(mem)
	c := cross(t, 1, text)
	root := take(c.export())
	child := take(*root.Array.Children)
	c.exporter.Done(c.batches)
	root.Release()
	views := unsafe.Slice(child.Array.Buffers, 4)
	if got := string(unsafe.Slice((*byte)(views[2]), 6)); got != "longer" {
		t.Errorf("got %q", got)
	}
	child.Release()
	text.Release()
}
