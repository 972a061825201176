// SPDX-License-Identifier: MIT

//go:build linux && cgo && (amd64 || arm64)

package bridge_test

import (
	"context"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/arrow/memory/mallocator"
)

// isElsewhere tells whether a buffer came back where its mode does not promise it: in process
// it stays at its address, and a worker gives a copy.
func isElsewhere(sent, came *byte, backend roundTripBackend) bool {
	return (sent != came) != (isolated && backend.library != "")
}

// TestNothingIsCopied compares the addresses of what goes in and of what comes out, for
// data on the Go heap and in C memory.
func TestNothingIsCopied(t *testing.T) {
	for name, mem := range map[string]memory.Allocator{
		"Go heap": memory.NewGoAllocator(), "C memory": mallocator.NewMallocator(),
	} {
		for _, backend := range roundTripBackends {
			t.Run(name+", "+backend.name, func(t *testing.T) {
				goBridge := backend.open(t, mem)
				batch := int64Batch(mem, 3, 1024)
				defer batch.Release()
				out, err := goBridge.Call(ctx, backend.function, nil, batch)
				if err != nil {
					t.Fatal(err)
				}
				defer out.Release()
				for i, column := range batch.Columns() {
					sent := column.Data().Buffers()[1].Bytes()
					came := out.Column(i).Data().Buffers()[1].Bytes()
					if isElsewhere(&sent[0], &came[0], backend) || len(came) != 8*1024 {
						t.Errorf("column %d: %p became %p of %d bytes", i, &sent[0], &came[0], len(came))
					}
				}
			})
		}
	}
}

// TestAResultKeepsItsInput: an echo's result is the caller's own memory, which has to
// stay until the result is released.
func TestAResultKeepsItsInput(t *testing.T) {
	for _, backend := range roundTripBackends {
		t.Run(backend.name, func(t *testing.T) {
			mem := memory.NewCheckedAllocator(memory.NewGoAllocator())
			goBridge := backend.open(t, mem)
			batch := int64Batch(mem, 2, 100)
			out, err := goBridge.Call(ctx, backend.function, nil, batch)
			if err != nil {
				t.Fatal(err)
			}
			batch.Release()
			runtime.GC()
			// A worker has a copy of the input.
			if copied := isolated && backend.library != ""; copied != (mem.CurrentAlloc() == 0) {
				t.Errorf("%d bytes of the input are left, and its echo lives", mem.CurrentAlloc())
			}
			slice := out.NewSlice(10, 20)
			out.Release()
			if got := slice.Column(1).(*array.Int64).Value(0); got != 11 {
				t.Errorf("got %d", got)
			}
			done := make(chan struct{})
			go func() {
				slice.Release()
				close(done)
			}()
			<-done
			mem.AssertSize(t, 0)
		})
	}
}

// TestColumnsAreReleasedOneByOne, in any order and by any goroutine.
func TestColumnsAreReleasedOneByOne(t *testing.T) {
	mem := memory.NewCheckedAllocator(memory.NewGoAllocator())
	defer mem.AssertSize(t, 0)
	goBridge := open(t, mem, "")
	batch := int64Batch(mem, 16, 10)
	out, err := goBridge.Call(ctx, "echo", nil, batch)
	batch.Release()
	if err != nil {
		t.Fatal(err)
	}
	var wait sync.WaitGroup
	for _, column := range out.Columns() {
		column.Retain()
		wait.Go(func() {
			if column.(*array.Int64).Len() != 10 {
				t.Error("a column changed")
			}
			column.Release()
		})
	}
	out.Release()
	wait.Wait()
}

// TestWhatABackendKeepsIsRetained, until the backend lets it go on a later call.
func TestWhatABackendKeepsIsRetained(t *testing.T) {
	mem := memory.NewCheckedAllocator(memory.NewGoAllocator())
	defer mem.AssertSize(t, 0)
	goBridge := open(t, mem, "tests/unruly")
	call := func(function string, batch arrow.RecordBatch) arrow.RecordBatch {
		t.Helper()
		out, err := goBridge.Call(ctx, function, nil, batch)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	for i := range 3 {
		batch := int64Batch(mem, i+1, 10)
		call("keep", batch).Release()
		batch.Release()
	}
	runtime.GC()
	one := int64Batch(mem, 1, 1)
	defer one.Release()
	back := call("give_back", one)
	if got := back.Column(0).(*array.Int64); got.Len() != 10 || got.Value(9) != 9 {
		t.Errorf("got %v", got)
	}
	back.Release()
	held := mem.CurrentAlloc()
	call("let_go", one).Release()
	if isolated {
		// A worker keeps a copy.
		if held != mem.CurrentAlloc() {
			t.Errorf("%d bytes are held, and %d were before", mem.CurrentAlloc(), held)
		}
	} else if mem.CurrentAlloc() >= held {
		t.Errorf("%d bytes are held, and %d were before", mem.CurrentAlloc(), held)
	}
}

// TestReleaseOnAForeignThread: the backend releases its input on a thread of its own,
// perhaps after it answered.
func TestReleaseOnAForeignThread(t *testing.T) {
	mem := memory.NewCheckedAllocator(memory.NewGoAllocator())
	goBridge := open(t, mem, "faults_rust")
	for range 50 {
		batch := int64Batch(mem, 3, 10)
		out, err := goBridge.Call(ctx, "release_on_thread", nil, batch)
		if err != nil {
			t.Fatal(err)
		}
		out.Release()
		batch.Release()
	}
	for end := time.Now().Add(10 * time.Second); mem.CurrentAlloc() != 0 && time.Now().Before(end); {
		runtime.Gosched()
	}
	mem.AssertSize(t, 0)
}

// TestAResizedResultUsesTheGoAllocator, since the backend's memory cannot grow.
func TestAResizedResultUsesTheGoAllocator(t *testing.T) {
	mem := memory.NewCheckedAllocator(memory.NewGoAllocator())
	defer mem.AssertSize(t, 0)
	goBridge := open(t, mem, "summary_rust")
	out, err := goBridge.Call(ctx, "summary_of_batch", nil, int64BatchOnce)
	if err != nil {
		t.Fatal(err)
	}
	defer out.Release()
	buffer := out.Column(2).Data().Buffers()[1]
	before := buffer.Len()
	buffer.Resize(4096)
	if mem.CurrentAlloc() < 4096 {
		t.Errorf("the allocator gave %d bytes", mem.CurrentAlloc())
	}
	if buffer.Len() != 4096 || buffer.Bytes()[0] != 1 || before != 8 {
		t.Errorf("%d bytes became %d, the first is %d", before, buffer.Len(), buffer.Bytes()[0])
	}
}

// TestAnEmptiedBufferIsGivenUpOnce: the rest of its result stays.
func TestAnEmptiedBufferIsGivenUpOnce(t *testing.T) {
	mem := memory.NewCheckedAllocator(memory.NewGoAllocator())
	defer mem.AssertSize(t, 0)
	goBridge := open(t, mem, "")
	for _, again := range []int{0, 100} {
		batch := int64Batch(mem, 2, 10)
		out, err := goBridge.Call(ctx, "echo", nil, batch)
		batch.Release()
		if err != nil {
			t.Fatal(err)
		}
		second := out.Column(1).(*array.Int64)
		second.Retain()
		buffer := out.Column(0).Data().Buffers()[1]
		buffer.Resize(0)
		buffer.Resize(again)
		out.Release()
		if mem.CurrentAlloc() == 0 {
			t.Error("the result is gone, and a column of it is not")
		} else if second.Value(9) != 10 {
			t.Errorf("got %d", second.Value(9))
		}
		second.Release()
		if n := mem.CurrentAlloc(); n != 0 {
			t.Errorf("%d bytes are left", n)
		}
	}
}

// TestTenThousandRoundTripsKeepMemoryFlat, in the process, Go's memory and C's.
func TestTenThousandRoundTripsKeepMemoryFlat(t *testing.T) {
	identity := open(t, nil, "tests/identity")
	echo := open(t, nil, "echo_rust")
	mem := memory.NewGoAllocator()
	same := int64Batch(mem, 4, 256)
	trip := func(n int) {
		for i := range n {
			// Now a schema that was never seen, now one that was. The race detector's notes on
			// what is made for new ones grow, where the program's memory stays flat.
			batch := same
			if i%4 == 0 && !raceDetector {
				batch = int64Batch(mem, 4, 256)
			}
			out, err := identity.Call(ctx, "identity", nil, batch)
			if err != nil {
				t.Fatal(err)
			}
			out.Release()
			if i%20 == 0 {
				if _, err = echo.FromChunks(batch.Columns()); err != nil {
					t.Fatal(err)
				}
			}
		}
		runtime.GC()
	}
	checkMemoryFlat(t, trip)
}

// checkMemoryFlat runs something 10,000 times, and fails if the memory of the process grows
// each time. The memory of the collector and of the race detector needs some rounds to
// settle; a leak goes on. A leak of 100 bytes per run is one mebibyte per round.
//
// Under the race detector only Go's own memory is measured, and four other modes measure all.
// The detector keeps notes of what is gone: 360 bytes of each goroutine that only starts and
// ends, and 7 KB of each stream that only opens and closes. These 70 MB per round are in its
// own mappings. In that time neither heap grew: that of Go kept its 7.4 MiB, that of the
// engine (mallinfo2) its 0.2 MiB, and two goroutines were left.
func checkMemoryFlat(t *testing.T, run func(n int)) {
	t.Helper()
	measure := resident
	if raceDetector {
		measure = heap
	}
	run(1_000)
	const flat = 512 << 10
	var grown int64
	for range 5 {
		before := measure(t)
		run(10_000)
		if grown = measure(t) - before; grown < flat {
			return
		}
	}
	t.Errorf("%d KiB more after each round of 10,000", grown>>10)
}

// heap is what Go's objects and stacks take.
func heap(*testing.T) int64 {
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return int64(stats.HeapAlloc + stats.StackInuse)
}

func resident(t *testing.T) int64 {
	t.Helper()
	statm, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		t.Fatal(err)
	}
	pages, err := strconv.ParseInt(strings.Fields(string(statm))[1], 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return pages * int64(os.Getpagesize())
}

// TestSixtyFourGoroutinesOnOneBridge use it with schemas of their own and in common,
// while another one loads libraries.
func TestSixtyFourGoroutinesOnOneBridge(t *testing.T) {
	mem := memory.NewCheckedAllocator(memory.NewGoAllocator())
	defer mem.AssertSize(t, 0)
	goBridge := open(t, mem, "echo_rust")
	libraries := []string{library(t, "echo_cpp"), library(t, "echo_rust")}
	shared := int64Batch(mem, 5, 100)
	defer shared.Release()
	var wait sync.WaitGroup
	for i := range 64 {
		wait.Go(func() {
			own := int64Batch(mem, 1+i%7, 50)
			defer own.Release()
			for range 40 {
				for _, batch := range []arrow.RecordBatch{own, shared} {
					limited, cancel := context.WithTimeout(ctx, time.Minute)
					out, err := goBridge.Call(limited, "echo", nil, batch)
					cancel()
					if err != nil {
						t.Error(err)
						return
					}
					if !array.RecordEqual(out, batch) {
						t.Error("the echo differs")
					}
					out.Release()
				}
				if n, err := goBridge.FromChunks(own.Columns()); err != nil || n != int(own.NumCols()) {
					t.Errorf("got %d, %v", n, err)
				}
			}
		})
	}
	for i := range 20 {
		if err := goBridge.SetImplLib(libraries[i%2], ""); err != nil {
			t.Error(err)
		}
	}
	wait.Wait()
}
