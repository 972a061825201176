// SPDX-License-Identifier: MIT

//go:build linux && cgo && (amd64 || arm64)

package bridge_test

import (
	"encoding/binary"
	"runtime"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/arrow/memory/mallocator"
)

// TestTenGigabytesPassThrough, made on the fly, with at most 100 MB more than at the start:
// from the Go heap and from C memory, through functions on batches and on streams, and
// through both of them in a row.
func TestTenGigabytesPassThrough(t *testing.T) {
	const (
		batchBytes = 8 << 20
		total      = 10_000_000_000
		most       = 100 << 20
	)
	each, bound := int64(total), int64(most)
	if raceDetector {
		// It is slow, and keeps four bytes of notes on each of the Go heap.
		each, bound = each/10, 5*bound
	}
	pattern := make([]byte, batchBytes)
	for i := 0; i < len(pattern); i += 8 {
		binary.NativeEndian.PutUint64(pattern[i:], uint64(i))
	}
	produce := func(mem memory.Allocator, i int) arrow.RecordBatch {
		buffer := memory.NewResizableBuffer(mem)
		defer buffer.Release()
		buffer.Resize(batchBytes)
		copy(buffer.Bytes(), pattern)
		binary.NativeEndian.PutUint64(buffer.Bytes(), uint64(i))
		data := array.NewData(arrow.PrimitiveTypes.Int64, batchBytes/8, []*memory.Buffer{nil, buffer}, nil, 0, 0)
		defer data.Release()
		column := array.NewInt64Data(data)
		defer column.Release()
		return array.NewRecordBatch(numbersSchema, []arrow.Array{column}, batchBytes/8)
	}
	for _, c := range []struct {
		name string
		mem  memory.Allocator
		via  []roundTripBackend
	}{
		{"Go heap, in a row", memory.NewGoAllocator(), []roundTripBackend{relays[3], relays[1]}},
		{"C memory, on streams", mallocator.NewMallocator(), relays[3:4]},
	} {
		t.Run(c.name, func(t *testing.T) {
			mem := memory.NewCheckedAllocator(c.mem)
			defer mem.AssertSize(t, 0)
			batches := int((each + batchBytes - 1) / batchBytes)
			in := newFeed(numbersSchema, func(i int) (arrow.RecordBatch, error) {
				if i == batches {
					return nil, nil
				}
				return produce(mem, i), nil
			})
			var out array.RecordReader = in
			in.Retain()
			for _, backend := range c.via {
				next := openStream(t, backend.open(t, mem), backend.function, nil, out)
				out.Release()
				out = next
			}
			runtime.GC()
			start, peak, got := resident(t), int64(0), 0
			for out.Next() {
				column := out.RecordBatch().Column(0).(*array.Int64)
				if column.Len() != batchBytes/8 || column.Value(0) != int64(got) || column.Value(column.Len()-1) != batchBytes-8 {
					t.Fatalf("batch %d is another", got)
				}
				got++
				peak = max(peak, resident(t))
			}
			if out.Err() != nil || got != batches {
				t.Errorf("%d of %d batches: %v", got, batches, out.Err())
			}
			if peak-start > bound {
				t.Errorf("%d MiB more than at the start", (peak-start)>>20)
			}
			t.Logf("%d batches of %d MiB; %d MiB more than at the start", got, batchBytes>>20, (peak-start)>>20)
			out.Release()
			in.checkReleased(t)
		})
	}
}

// TestTenThousandStreamsKeepMemoryFlat, those that are read to the end, those that are
// not, and those that fail.
func TestTenThousandStreamsKeepMemoryFlat(t *testing.T) {
	goBridge := open(t, nil, "tests/flows")
	mem := memory.NewGoAllocator()
	functions := []string{"relay", "fails", "turns", "throws", "last"}
	streams := func(n int) {
		for i := range n {
			in := numbers(mem, 3)
			out := openStream(t, goBridge, functions[i%len(functions)], nil, in)
			for range i % 5 {
				out.Next()
			}
			out.Release()
			in.Release()
		}
		runtime.GC()
	}
	checkMemoryFlat(t, streams)
}
