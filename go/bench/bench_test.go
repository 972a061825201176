// SPDX-License-Identifier: MIT

//go:build linux && cgo && (amd64 || arm64)

// Package bench measures a whole call from Go to Rust: from the Arrow objects that go in to
// the Arrow objects that come out, all released. In the same run it measures the usual way
// of today, which package peer implements.
//
//	go test -run '^$' -bench . ./go/bench
//
// BenchmarkTable alternates between the two, so that a slow moment of the machine is slow
// for both. It prints medians and ratios.
package bench

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/ignalina/alloy"
	"github.com/ignalina/alloy/go/internal/peer"
)

const rows = 1024

var widths = []int{1, 10, 100}

func library(b *testing.B, name string) string {
	b.Helper()
	folder := os.Getenv("ALLOY_BACKENDS")
	if folder == "" {
		_, file, _, _ := runtime.Caller(0)
		folder = filepath.Join(filepath.Dir(file), "..", "..", "build", "backends")
	}
	path := filepath.Join(folder, name+".so")
	if _, err := os.Stat(path); err != nil {
		b.Fatalf("%v; build it with: make bench", err)
	}
	return path
}

// batch makes int64 columns on the Go heap.
func batch(columns int) arrow.RecordBatch {
	mem := memory.NewGoAllocator()
	fields := make([]arrow.Field, columns)
	arrays := make([]arrow.Array, columns)
	for i := range fields {
		fields[i] = arrow.Field{Name: fmt.Sprintf("c%d", i), Type: arrow.PrimitiveTypes.Int64, Nullable: true}
		builder := array.NewInt64Builder(mem)
		for row := range rows {
			builder.Append(int64(row))
		}
		arrays[i] = builder.NewArray()
	}
	return array.NewRecordBatch(arrow.NewSchema(fields, nil), arrays, rows)
}

func alloyTrip(b *testing.B, backend, function string) func(arrow.RecordBatch) {
	goBridge := &alloy.GoBridge{GoAllocator: memory.NewGoAllocator(), AllowUnsigned: true}
	b.Cleanup(goBridge.Close)
	if err := goBridge.SetImplLib(library(b, backend), ""); err != nil {
		b.Fatal(err)
	}
	ctx := context.Background()
	return func(in arrow.RecordBatch) {
		out, err := goBridge.Call(ctx, function, nil, in)
		if err != nil {
			b.Fatal(err)
		}
		out.Release()
	}
}

func peerTrip(b *testing.B) func(arrow.RecordBatch) {
	p, err := peer.Load(library(b, "bench/peer_rust"))
	if err != nil {
		b.Fatal(err)
	}
	return func(in arrow.RecordBatch) {
		out, err := p.Identity(in)
		if err != nil {
			b.Fatal(err)
		}
		out.Release()
	}
}

func run(b *testing.B, trip func(arrow.RecordBatch)) {
	for _, columns := range widths {
		b.Run(fmt.Sprintf("columns=%d", columns), func(b *testing.B) {
			in := batch(columns)
			b.ReportAllocs()
			for b.Loop() {
				trip(in)
			}
		})
	}
}

func BenchmarkAlloyToRust(b *testing.B) { run(b, alloyTrip(b, "identity_rust", "identity")) }

func BenchmarkPeerToRust(b *testing.B) { run(b, peerTrip(b)) }

// BenchmarkAlloyMoves calls a C++ backend that only moves its input: the cost without arrow-rs.
func BenchmarkAlloyMoves(b *testing.B) { run(b, alloyTrip(b, "tests/identity", "identity")) }

// BenchmarkStreamToRust measures one batch of a stream, including its pull from Go.
func BenchmarkStreamToRust(b *testing.B) {
	goBridge := &alloy.GoBridge{GoAllocator: memory.NewGoAllocator(), AllowUnsigned: true}
	b.Cleanup(goBridge.Close)
	if err := goBridge.SetImplLib(library(b, "identity_rust"), ""); err != nil {
		b.Fatal(err)
	}
	for _, columns := range widths {
		b.Run(fmt.Sprintf("columns=%d", columns), func(b *testing.B) {
			in := &same{batch: batch(columns)}
			out, err := goBridge.Stream(context.Background(), "identity", nil, in)
			if err != nil {
				b.Fatal(err)
			}
			defer out.Release()
			b.ReportAllocs()
			for b.Loop() {
				if !out.Next() {
					b.Fatal(out.Err())
				}
			}
		})
	}
}

// BenchmarkStreamFunction measures one batch of a stream function that passes its input on. A
// reader that is not known to be plain is pulled outside of C, which takes two switches of
// threads.
func BenchmarkStreamFunction(b *testing.B) {
	goBridge := &alloy.GoBridge{GoAllocator: memory.NewGoAllocator(), AllowUnsigned: true}
	b.Cleanup(goBridge.Close)
	if err := goBridge.SetImplLib(library(b, "tests/flows"), ""); err != nil {
		b.Fatal(err)
	}
	for name, reader := range map[string]func(array.RecordReader) array.RecordReader{
		"any":   func(in array.RecordReader) array.RecordReader { return in },
		"plain": alloy.PlainReader,
	} {
		b.Run("reader="+name, func(b *testing.B) {
			out, err := goBridge.Stream(context.Background(), "relay", nil, reader(&same{batch: batch(1)}))
			if err != nil {
				b.Fatal(err)
			}
			defer out.Release()
			b.ReportAllocs()
			for b.Loop() {
				if !out.Next() {
					b.Fatal(out.Err())
				}
			}
		})
	}
}

// same reads one batch again and again.
type same struct{ batch arrow.RecordBatch }

func (s *same) Retain()                        {}
func (s *same) Release()                       {}
func (s *same) Schema() *arrow.Schema          { return s.batch.Schema() }
func (s *same) Next() bool                     { return true }
func (s *same) RecordBatch() arrow.RecordBatch { return s.batch }
func (s *same) Record() arrow.RecordBatch      { return s.batch }
func (s *same) Err() error                     { return nil }

// BenchmarkTable prints the two next to each other: medians of alternating turns.
func BenchmarkTable(b *testing.B) {
	ours, theirs := alloyTrip(b, "identity_rust", "identity"), peerTrip(b)
	for b.Loop() {
		fmt.Printf("\n%8s  %12s  %12s  %7s\n", "columns", "Alloy µs", "today µs", "ratio")
		for _, columns := range widths {
			in := batch(columns)
			a, t := medians(in, ours, theirs)
			fmt.Printf("%8d  %12.2f  %12.2f  %6.1fx\n", columns, a, t, t/a)
			b.ReportMetric(t/a, fmt.Sprintf("ratio/%dcol", columns))
		}
	}
}

// medians returns the microseconds of a call, from many short turns.
func medians(in arrow.RecordBatch, ours, theirs func(arrow.RecordBatch)) (float64, float64) {
	const turns = 21
	calls := 60_000 / (10 + int(in.NumCols()))
	var a, t []float64
	for range turns {
		a = append(a, turn(in, ours, calls))
		t = append(t, turn(in, theirs, calls))
	}
	slices.Sort(a)
	slices.Sort(t)
	return a[turns/2], t[turns/2]
}

// turn measures enough calls for a few rounds of the collector. It begins without garbage, so
// that no turn pays for the garbage of another.
func turn(in arrow.RecordBatch, trip func(arrow.RecordBatch), calls int) float64 {
	trip(in)
	runtime.GC()
	begin := time.Now()
	for range calls {
		trip(in)
	}
	return float64(time.Since(begin).Nanoseconds()) / 1e3 / float64(calls)
}
