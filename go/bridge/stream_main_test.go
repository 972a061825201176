// SPDX-License-Identifier: MIT

//go:build linux && cgo && (amd64 || arm64)

package bridge_test

import (
	"sync/atomic"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/ignalina/alloy"
)

// feed is a reader that makes each batch when Next is called.
type feed struct {
	schema *arrow.Schema
	make   func(i int) (arrow.RecordBatch, error) // nil, nil is the end
	made   int
	batch  arrow.RecordBatch
	err    error

	references atomic.Int64
	ends       int // how often the references reached 0
}

func newFeed(schema *arrow.Schema, make func(i int) (arrow.RecordBatch, error)) *feed {
	f := &feed{schema: schema, make: make}
	f.references.Store(1)
	return f
}

// numbers makes batches of 10 rows with one column, which counts on from batch to batch.
func numbers(mem memory.Allocator, batches int) *feed {
	return newFeed(numbersSchema, func(i int) (arrow.RecordBatch, error) {
		if i == batches {
			return nil, nil
		}
		return numbersBatch(mem, i), nil
	})
}

var numbersSchema = arrow.NewSchema([]arrow.Field{{Name: "n", Type: arrow.PrimitiveTypes.Int64, Nullable: true}}, nil)

func numbersBatch(mem memory.Allocator, i int) arrow.RecordBatch {
	builder := array.NewInt64Builder(mem)
	defer builder.Release()
	for row := range 10 {
		builder.Append(int64(10*i + row))
	}
	column := builder.NewArray()
	defer column.Release()
	return array.NewRecordBatch(numbersSchema, []arrow.Array{column}, 10)
}

func (f *feed) Retain() { f.references.Add(1) }

func (f *feed) Release() {
	if f.references.Add(-1) == 0 {
		f.ends++
		f.drop()
	}
}

func (f *feed) drop() {
	if f.batch != nil {
		f.batch.Release()
		f.batch = nil
	}
}

func (f *feed) Schema() *arrow.Schema          { return f.schema }
func (f *feed) RecordBatch() arrow.RecordBatch { return f.batch }
func (f *feed) Record() arrow.RecordBatch      { return f.batch }
func (f *feed) Err() error                     { return f.err }

func (f *feed) Next() bool {
	f.drop()
	if f.err == nil {
		f.batch, f.err = f.make(f.made)
		f.made++
	}
	return f.batch != nil
}

// checkReleased checks that everyone who retained the reader has released it, once.
func (f *feed) checkReleased(t *testing.T) {
	t.Helper()
	f.Release()
	if f.references.Load() != 0 || f.ends != 1 {
		t.Errorf("%d references are left, and it ended %d times", f.references.Load(), f.ends)
	}
}

func openStream(t *testing.T, goBridge *alloy.GoBridge, function string, options alloy.Options, in ...array.RecordReader) array.RecordReader {
	t.Helper()
	out, err := goBridge.Stream(ctx, function, options, in...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// firsts reads a stream of numbers to its end, and returns the first number of each batch.
func firsts(t *testing.T, out array.RecordReader) []int64 {
	t.Helper()
	got := []int64{}
	for out.Next() {
		got = append(got, out.RecordBatch().Column(0).(*array.Int64).Value(0))
	}
	return got
}

func checked(t *testing.T) *memory.CheckedAllocator {
	mem := memory.NewCheckedAllocator(memory.NewGoAllocator())
	t.Cleanup(func() { mem.AssertSize(t, 0) })
	return mem
}
