// SPDX-License-Identifier: MIT

//go:build linux && cgo && (amd64 || arm64)

package bridge_test

import (
	"context"
	"runtime"
	"slices"
	"sync"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/ignalina/alloy"
)

// relays have functions that return each batch of their input: on batches and on streams.
var relays = []roundTripBackend{
	{"the built-in echo", "", "echo"},
	{"the echo in Rust", "echo_rust", "echo"},
	{"the identity in C++", "tests/identity", "identity"},
	{"a stream function", "tests/flows", "relay"},
	{"a stream function on threads", "tests/flows", "threads"},
}

func TestAStreamComesBackBatchByBatch(t *testing.T) {
	for _, backend := range relays {
		t.Run(backend.name, func(t *testing.T) {
			mem := checked(t)
			in := numbers(mem, 5)
			out := openStream(t, backend.open(t, mem), backend.function, nil, in)
			if in.made != 0 {
				t.Errorf("%d batches were read before one was asked for", in.made)
			}
			for i := range 5 {
				if !out.Next() {
					t.Fatalf("batch %d: %v", i, out.Err())
				}
				if in.made != i+1 {
					t.Errorf("%d batches were read for %d", in.made, i+1)
				}
				sent := in.batch.Column(0).Data().Buffers()[1].Bytes()
				came := out.RecordBatch().Column(0).Data().Buffers()[1].Bytes()
				if isElsewhere(&sent[0], &came[0], backend) {
					t.Errorf("batch %d is at the wrong place", i)
				}
				if got := out.RecordBatch().Column(0).(*array.Int64).Value(9); got != int64(10*i+9) {
					t.Errorf("batch %d ends with %d", i, got)
				}
			}
			for range 3 {
				if out.Next() || out.Err() != nil || out.RecordBatch() != nil {
					t.Errorf("got %v, %v after the end", out.RecordBatch(), out.Err())
				}
			}
			if !out.Schema().Equal(numbersSchema) {
				t.Errorf("got %v", out.Schema())
			}
			out.Release()
			in.checkReleased(t)
		})
	}
}

func TestABatchOutlivesItsStream(t *testing.T) {
	for _, backend := range relays {
		t.Run(backend.name, func(t *testing.T) {
			mem := checked(t)
			in := numbers(mem, 3)
			out := openStream(t, backend.open(t, mem), backend.function, nil, in)
			var kept []arrow.RecordBatch
			for out.Next() {
				batch := out.RecordBatch()
				batch.Retain()
				kept = append(kept, batch)
			}
			out.Release()
			in.checkReleased(t)
			runtime.GC()
			for i, batch := range kept {
				if got := batch.Column(0).(*array.Int64).Value(0); got != int64(10*i) {
					t.Errorf("batch %d begins with %d", i, got)
				}
				batch.Release()
			}
		})
	}
}

func TestSeveralInputsAreReadAsTheFunctionLikes(t *testing.T) {
	mem := checked(t)
	goBridge := open(t, mem, "tests/flows")
	ins := []*feed{numbers(mem, 1), numbers(mem, 3), numbers(mem, 2)}
	out := openStream(t, goBridge, "turns", nil, ins[0], ins[1], ins[2])
	if got := firsts(t, out); !slices.Equal(got, []int64{0, 0, 0, 10, 10, 20}) {
		t.Errorf("got %v", got)
	}
	if err := out.Err(); err != nil {
		t.Error(err)
	}
	out.Release()
	for _, in := range ins {
		in.checkReleased(t)
	}
}

// TestAFunctionMayEndEarly, and then lets its input go at once.
func TestAFunctionMayEndEarly(t *testing.T) {
	mem := checked(t)
	in := numbers(mem, 5)
	out := openStream(t, open(t, mem, "tests/flows"), "head", alloy.Options{"after": "2"}, in)
	if got := firsts(t, out); len(got) != 2 || out.Err() != nil {
		t.Errorf("got %v, %v", got, out.Err())
	}
	references := int64(1)
	if isolated {
		references = 2 // a worker lets its inputs go with its stream
	}
	if n := in.references.Load(); n != references || in.made != 2 {
		t.Errorf("%d references, and %d batches were made", n, in.made)
	}
	out.Release()
	in.checkReleased(t)
}

// TestWhatIsReadAtOnceIsNotHeldAtOnce: a function that pulls all of its input before it
// gives a batch has two of them at a time.
func TestWhatIsReadAtOnceIsNotHeldAtOnce(t *testing.T) {
	mem := checked(t)
	most := 0
	in := newFeed(numbersSchema, func(i int) (arrow.RecordBatch, error) {
		most = max(most, mem.CurrentAlloc())
		if i == 1000 {
			return nil, nil
		}
		return numbersBatch(mem, i), nil
	})
	one := numbersBatch(mem, 0)
	each := mem.CurrentAlloc()
	one.Release()
	out := openStream(t, open(t, mem, "tests/flows"), "last", nil, in)
	if got := firsts(t, out); !slices.Equal(got, []int64{9990}) {
		t.Errorf("got %v, %v", got, out.Err())
	}
	if most > 3*each {
		t.Errorf("%d bytes were held, and a batch has %d", most, each)
	}
	out.Release()
	in.checkReleased(t)
}

func TestACallStaysBusyOnlyForItsStream(t *testing.T) {
	mem := checked(t)
	goBridge := open(t, mem, "")
	in := numbers(mem, 3)
	out := openStream(t, goBridge, "echo", nil, in)
	out.Next()
	batch := numbersBatch(mem, 7)
	defer batch.Release()
	back, err := goBridge.Call(ctx, "echo", nil, batch)
	if err != nil {
		t.Fatal(err)
	}
	back.Release()
	out.Release()
	in.checkReleased(t)
}

func TestAStreamStaysWithTheBackendItBeganOn(t *testing.T) {
	mem := checked(t)
	goBridge := open(t, mem, "tests/flows")
	in := numbers(mem, 3)
	out := openStream(t, goBridge, "relay", nil, in)
	out.Next()
	if err := goBridge.SetImplLib(library(t, "echo_cpp"), ""); err != nil {
		t.Fatal(err)
	}
	if got := firsts(t, out); !slices.Equal(got, []int64{10, 20}) || out.Err() != nil {
		t.Errorf("got %v, %v", got, out.Err())
	}
	out.Release()
	in.checkReleased(t)
}

func TestManyStreamsAtOnce(t *testing.T) {
	mem := checked(t)
	goBridge := open(t, mem, "tests/flows")
	var wait sync.WaitGroup
	for i := range 64 {
		wait.Go(func() {
			for _, function := range []string{"relay", "last", "turns", "threads"} {
				in := numbers(mem, 1+i%5)
				out, err := goBridge.Stream(context.Background(), function, nil, in)
				if err != nil {
					t.Error(err)
					return
				}
				for out.Next() {
				}
				if out.Err() != nil {
					t.Error(out.Err())
				}
				out.Release()
				in.checkReleased(t)
			}
		})
	}
	wait.Wait()
}
