// SPDX-License-Identifier: MIT

//go:build linux && cgo && (amd64 || arm64)

package cdata_test

import (
	"runtime"
	"testing"
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/ignalina/alloy/go/abi"
	"github.com/ignalina/alloy/go/cdata"
)

// dangle puts the address that Rust gives what is empty in place of each buffer.
func dangle(in *abi.Array) {
	if in.NumBuffers > 0 {
		for i := range unsafe.Slice((*uintptr)(unsafe.Pointer(in.Buffers)), in.NumBuffers) {
			*(*uintptr)(unsafe.Add(unsafe.Pointer(in.Buffers), i*8)) = 8
		}
	}
	if in.NumChildren > 0 {
		for _, child := range unsafe.Slice(in.Children, in.NumChildren) {
			dangle(child)
		}
	} else {
		*(*uintptr)(unsafe.Pointer(&in.Children)) = 8
	}
	if in.Dictionary != nil {
		dangle(in.Dictionary)
	}
}

// atDepth calls so deep down that a stack grows somewhere in the calls below.
//
//go:noinline
func atDepth(n int, body func()) {
	var room [8]uintptr
	if n > 0 {
		atDepth(n-1, body)
	} else {
		body()
	}
	runtime.KeepAlive(&room)
}

// TestDanglingAddressesOfWhatIsEmptyAreNotRead: Go throws when it copies a stack that has
// one, so every depth of a young stack is tried.
func TestDanglingAddressesOfWhatIsEmptyAreNotRead(t *testing.T) {
	mem := memory.DefaultAllocator
	words := &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int8, ValueType: arrow.BinaryTypes.String}
	fields := []arrow.Field{{Name: "dictionary", Type: words}}
	for name, dtype := range everyType() {
		if dtype.ID() == arrow.DICTIONARY {
			continue // of types that arrow-go has no builder for
		}
		fields = append(fields, arrow.Field{Name: name, Type: dtype, Nullable: true})
	}
	for _, schema := range []*arrow.Schema{
		arrow.NewSchema(fields, nil), arrow.NewSchema(nil, nil),
		arrow.NewSchema([]arrow.Field{{Type: arrow.PrimitiveTypes.Int64}, {Type: arrow.BinaryTypes.String}}, nil),
	} {
		builder := array.NewRecordBuilder(mem, schema)
		batch := builder.NewRecordBatch()
		builder.Release()
		plan, err := cdata.NewPlan(schema)
		if err != nil {
			t.Fatal(err)
		}
		exporter := cdata.NewExporter([]*cdata.Plan{plan})
		batches := []cdata.Batch{{Columns: batch.Columns(), Owner: batch}}
		for depth := range 200 {
			root, err := exporter.Export(batches)
			if err != nil {
				t.Fatal(err)
			}
			dangle(root)
			result := cdata.NewResult(mem, nil)
			result.Owner = take(root)
			var out arrow.RecordBatch
			done := make(chan struct{})
			go atDepth(depth, func() {
				defer close(done)
				out, err = cdata.Import(plan, result)
			})
			<-done
			if err != nil {
				t.Fatal(err)
			}
			if out.NumRows() != 0 || int(out.NumCols()) != schema.NumFields() {
				t.Errorf("got %v", out)
			}
			out.Release()
			exporter.Done(batches)
		}
		exporter.Close()
		batch.Release()
	}
}
