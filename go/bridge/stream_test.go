// SPDX-License-Identifier: MIT

package bridge_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/ignalina/alloy"
)

// relays give each batch of their input back: functions on batches, and on streams.
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
				if &sent[0] != &came[0] {
					t.Errorf("batch %d was copied", i)
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

// TestTheReadersOwnErrorComesBack as that very value, from each place where a backend may
// pull, and is repeated. A function that takes it for the end does not hide it.
func TestTheReadersOwnErrorComesBack(t *testing.T) {
	cases := append(slices.Clone(relays),
		roundTripBackend{"one that reads all at once", "tests/flows", "last"},
		roundTripBackend{"one that takes it for the end", "tests/flows", "swallows"})
	for _, backend := range cases {
		t.Run(backend.name, func(t *testing.T) {
			mem := checked(t)
			own := errors.New("the disk is on fire")
			in := newFeed(numbersSchema, func(i int) (arrow.RecordBatch, error) {
				if i == 2 {
					return nil, own
				}
				return numbersBatch(mem, i), nil
			})
			out := openStream(t, backend.open(t, mem), backend.function, nil, in)
			firsts(t, out)
			for range 3 {
				if out.Err() != own || out.Next() {
					t.Errorf("got %v", out.Err())
				}
			}
			out.Release()
			in.checkReleased(t)
		})
	}
}

func TestAnErrorWhileAStreamIsOpenedIsTheReadersOwn(t *testing.T) {
	mem := checked(t)
	own := errors.New("")
	in := newFeed(numbersSchema, func(i int) (arrow.RecordBatch, error) { return nil, own })
	_, err := open(t, mem, "tests/flows").Stream(ctx, "last_in_open", nil, in)
	if err != own {
		t.Errorf("got %v", err)
	}
	in.checkReleased(t)
}

func TestTheSecondInputsErrorIsToldApart(t *testing.T) {
	mem := checked(t)
	own := errors.New("the second")
	first := numbers(mem, 3)
	second := newFeed(numbersSchema, func(int) (arrow.RecordBatch, error) { return nil, own })
	out := openStream(t, open(t, mem, "tests/flows"), "turns", nil, first, second)
	if got := firsts(t, out); len(got) != 1 || out.Err() != own {
		t.Errorf("got %v, %v", got, out.Err())
	}
	out.Release()
	first.checkReleased(t)
	second.checkReleased(t)
}

// panicky panics over its third batch.
func panicky(mem memory.Allocator, with any) *feed {
	return newFeed(numbersSchema, func(i int) (arrow.RecordBatch, error) {
		if i == 2 {
			panic(with)
		}
		return numbersBatch(mem, i), nil
	})
}

func TestAPanicOfAReaderIsAnError(t *testing.T) {
	for _, backend := range relays {
		t.Run(backend.name, func(t *testing.T) {
			mem := checked(t)
			cause := errors.New("out of ideas")
			in := panicky(mem, cause)
			out := openStream(t, backend.open(t, mem), backend.function, nil, in)
			if got := firsts(t, out); len(got) != 2 {
				t.Errorf("%d batches came before the panic", len(got))
			}
			var e *alloy.Error
			if !errors.As(out.Err(), &e) || e.Code != alloy.Failed || e.Side != alloy.SideCaller || e.Input != 0 {
				t.Fatalf("got %v", out.Err())
			}
			if !errors.Is(e, cause) || !strings.Contains(e.Text, "batch 2: the reader panicked: out of ideas (") ||
				!strings.Contains(e.Text, "stream_test.go:") {
				t.Errorf("got %v", e)
			}
			out.Release()
			in.checkReleased(t)
		})
	}
}

// badError panics when it is asked what it is.
type badError struct{}

func (badError) Error() string { panic("no words") }

func TestAnErrorThatPanicsOverItsTextComesBack(t *testing.T) {
	mem := checked(t)
	in := newFeed(numbersSchema, func(int) (arrow.RecordBatch, error) { return nil, badError{} })
	out := openStream(t, open(t, mem, ""), "echo", nil, in)
	if out.Next() || out.Err() != (badError{}) {
		t.Error("it is another error")
	}
	out.Release()
	in.checkReleased(t)
}

func TestABackendsErrorArrivesWhole(t *testing.T) {
	for _, c := range []struct {
		function, text string
		code           alloy.Code
	}{
		{"fails", "come again", alloy.Retry},
		{"fails_by_text", "the other way round", alloy.Failed},
		{"throws", "thrown out", alloy.Failed},
	} {
		t.Run(c.function, func(t *testing.T) {
			mem := checked(t)
			goBridge := open(t, mem, "tests/flows")
			in := numbers(mem, 5)
			out := openStream(t, goBridge, c.function, alloy.Options{"after": "2", "text": c.text}, in)
			if got := firsts(t, out); len(got) != 2 {
				t.Errorf("got %v", got)
			}
			first := out.Err()
			var e *alloy.Error
			if !errors.As(first, &e) || e.Code != c.code || e.Side != alloy.SideBackend || !strings.Contains(e.Text, c.text) {
				t.Errorf("got %v", first)
			}
			if out.Next() || out.Err() != first {
				t.Errorf("%v became %v", first, out.Err())
			}
			out.Release()
			in.checkReleased(t)
			again := numbers(mem, 1)
			out = openStream(t, goBridge, "relay", nil, again)
			if got := firsts(t, out); len(got) != 1 {
				t.Errorf("the next stream: got %v, %v", got, out.Err())
			}
			out.Release()
			again.checkReleased(t)
		})
	}
}

func TestWhatIsThrownWhileAStreamIsOpenedIsAnError(t *testing.T) {
	mem := checked(t)
	in := numbers(mem, 5)
	_, err := open(t, mem, "tests/flows").Stream(ctx, "throws_in_open", alloy.Options{"text": "at the door"}, in)
	var e *alloy.Error
	if !errors.As(err, &e) || e.Code != alloy.Failed || !strings.Contains(e.Text, "at the door") {
		t.Errorf("got %v", err)
	}
	in.checkReleased(t)
}

// TestAFunctionMayEndEarly, and then lets its input go at once.
func TestAFunctionMayEndEarly(t *testing.T) {
	mem := checked(t)
	in := numbers(mem, 5)
	out := openStream(t, open(t, mem, "tests/flows"), "head", alloy.Options{"after": "2"}, in)
	if got := firsts(t, out); len(got) != 2 || out.Err() != nil {
		t.Errorf("got %v, %v", got, out.Err())
	}
	if n := in.references.Load(); n != 1 || in.made != 2 {
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

func TestAStreamIsReleasedInTheMiddle(t *testing.T) {
	for _, backend := range relays {
		for _, after := range []int{0, 1, 3} {
			t.Run(fmt.Sprintf("%s, after %d", backend.name, after), func(t *testing.T) {
				mem := checked(t)
				in := numbers(mem, 5)
				out := openStream(t, backend.open(t, mem), backend.function, nil, in)
				for range after {
					out.Next()
				}
				out.Retain()
				out.Release()
				var wait sync.WaitGroup
				wait.Go(out.Release)
				wait.Wait()
				in.checkReleased(t)
			})
		}
	}
}

// TestAReleaseStopsWhoIsInside: it does not wait, and the one inside ends the stream.
func TestAReleaseStopsWhoIsInside(t *testing.T) {
	mem := checked(t)
	in := numbers(mem, 5)
	out := openStream(t, open(t, mem, "tests/flows"), "slow", alloy.Options{"after": "1"}, in)
	if !out.Next() {
		t.Fatal(out.Err())
	}
	var wait sync.WaitGroup
	wait.Go(func() {
		if out.Next() {
			t.Error("a batch came, and the stream was released")
		}
	})
	out.Release()
	wait.Wait()
	in.checkReleased(t)
}

// TestAReleaseFromInsideTheReader is one while the engine is in the middle of the stream.
func TestAReleaseFromInsideTheReader(t *testing.T) {
	mem := checked(t)
	var out array.RecordReader
	in := newFeed(numbersSchema, func(i int) (arrow.RecordBatch, error) {
		out.Release()
		return numbersBatch(mem, i), nil
	})
	out = openStream(t, open(t, mem, ""), "echo", nil, in)
	var e *alloy.Error
	if out.Next() || !errors.As(out.Err(), &e) || out.RecordBatch() != nil {
		t.Errorf("got %v, %v", out.RecordBatch(), out.Err())
	}
	in.checkReleased(t)
}

func TestAReaderThatReadsItsOwnResultIsToldSo(t *testing.T) {
	mem := checked(t)
	var out array.RecordReader
	in := newFeed(numbersSchema, func(i int) (arrow.RecordBatch, error) {
		out.Next()
		return nil, out.Err()
	})
	out = openStream(t, open(t, mem, ""), "echo", nil, in)
	var e *alloy.Error
	if out.Next() || !errors.As(out.Err(), &e) || e.Code != alloy.Busy {
		t.Errorf("got %v", out.Err())
	}
	out.Release()
	in.checkReleased(t)
}

// TestAGoroutineMayExitInsideItsReader: what it leaves behind fails, and everything else
// goes on.
func TestAGoroutineMayExitInsideItsReader(t *testing.T) {
	goBridge := open(t, nil, "tests/flows")
	for _, function := range []string{"relay", "last"} {
		in := newFeed(numbersSchema, func(i int) (arrow.RecordBatch, error) {
			if i == 1 {
				runtime.Goexit()
			}
			return numbersBatch(memory.DefaultAllocator, i), nil
		})
		out := openStream(t, goBridge, function, nil, in)
		var wait sync.WaitGroup
		wait.Go(func() {
			for out.Next() {
			}
			t.Error("it came back")
		})
		wait.Wait()
		var e *alloy.Error
		if out.Next() || !errors.As(out.Err(), &e) || e.Code != alloy.Busy {
			t.Errorf("got %v", out.Err())
		}
		out.Release()
	}
	mem := checked(t)
	again := numbers(mem, 3)
	out := openStream(t, goBridge, "relay", nil, again)
	if got := firsts(t, out); len(got) != 3 {
		t.Errorf("got %v, %v", got, out.Err())
	}
	out.Release()
	again.checkReleased(t)
}

func TestStreamArgumentsThatAreWrong(t *testing.T) {
	mem := checked(t)
	goBridge := open(t, mem, "tests/flows")
	released := openStream(t, goBridge, "relay", nil, numbers(mem, 1))
	released.Release()
	late := *goBridge
	late.BatchTimeout = -time.Second
	late32 := newFeed(nil, nil)
	for name, c := range map[string]struct {
		bridge   *alloy.GoBridge
		function string
		in       []array.RecordReader
		code     alloy.Code
		text     string
	}{
		"no such function":    {goBridge, "nothing", []array.RecordReader{numbers(mem, 1)}, alloy.NotFound, "nothing"},
		"too many inputs":     {goBridge, "relay", []array.RecordReader{numbers(mem, 1), numbers(mem, 1)}, alloy.Invalid, "relay"},
		"a nil reader":        {goBridge, "relay", []array.RecordReader{nil}, alloy.Invalid, "nil"},
		"no schema":           {goBridge, "relay", []array.RecordReader{late32}, alloy.Invalid, "schema"},
		"a negative timeout":  {&late, "relay", []array.RecordReader{numbers(mem, 1)}, alloy.Invalid, "BatchTimeout"},
		"a stream that ended": {goBridge, "turns", []array.RecordReader{numbers(mem, 1), released}, alloy.Closed, "released"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := c.bridge.Stream(ctx, c.function, nil, c.in...)
			var e *alloy.Error
			if !errors.As(err, &e) || e.Code != c.code || !strings.Contains(e.Text, c.text) {
				t.Errorf("got %v", err)
			}
			for _, reader := range c.in {
				if f, ok := reader.(*feed); ok {
					f.checkReleased(t)
				}
			}
		})
	}
}

// TestABatchThatIsNoneOfItsStreamIsRefused, before its bytes are taken for something else.
func TestABatchThatIsNoneOfItsStreamIsRefused(t *testing.T) {
	mem := checked(t)
	goBridge := open(t, mem, "")
	field := func(name string, dtype arrow.DataType) *arrow.Schema {
		return arrow.NewSchema([]arrow.Field{{Name: name, Type: dtype}}, nil)
	}
	batch := func(schema *arrow.Schema) arrow.RecordBatch {
		builder := array.NewRecordBuilder(mem, schema)
		defer builder.Release()
		return builder.NewRecordBatch()
	}
	for name, c := range map[string]struct {
		schema *arrow.Schema
		text   string
	}{
		"another type": {field("n", arrow.PrimitiveTypes.Float64), "float64"},
		"another name": {field("m", arrow.PrimitiveTypes.Int64), `"m"`},
		"no column":    {arrow.NewSchema(nil, nil), "0 columns"},
		"no batch":     {nil, "nil"},
	} {
		t.Run(name, func(t *testing.T) {
			in := newFeed(numbersSchema, func(i int) (arrow.RecordBatch, error) {
				if i == 0 || c.schema == nil {
					return numbersBatch(mem, i), nil
				}
				return batch(c.schema), nil
			})
			var reader array.RecordReader = in
			if c.schema == nil {
				reader = noBatch{in}
			}
			out := openStream(t, goBridge, "echo", nil, reader)
			for out.Next() {
			}
			var e *alloy.Error
			if !errors.As(out.Err(), &e) || e.Side != alloy.SideCaller || e.Input != 0 || !strings.Contains(e.Text, c.text) {
				t.Errorf("got %v", out.Err())
			}
			if c.schema != nil && (e.Code != alloy.BadData || e.Reason.String() != "STREAM_SCHEMA" || !strings.HasPrefix(e.Text, "batch 1: ")) {
				t.Errorf("got %v", out.Err())
			}
			out.Release()
			in.checkReleased(t)
		})
	}
}

// noBatch says that there is a batch, and has none.
type noBatch struct{ *feed }

func (noBatch) RecordBatch() arrow.RecordBatch { return nil }

// TestASchemaThatSaysTheSameFits, whatever else it says.
func TestASchemaThatSaysTheSameFits(t *testing.T) {
	mem := checked(t)
	metadata := arrow.NewMetadata([]string{"batch"}, []string{"1"})
	other := arrow.NewSchema(numbersSchema.Fields(), &metadata)
	in := newFeed(numbersSchema, func(i int) (arrow.RecordBatch, error) {
		if i == 3 {
			return nil, nil
		}
		batch := numbersBatch(mem, i)
		defer batch.Release()
		return array.NewRecordBatch(other, batch.Columns(), batch.NumRows()), nil
	})
	out := openStream(t, open(t, mem, ""), "echo", nil, in)
	if got := firsts(t, out); len(got) != 3 || out.Err() != nil {
		t.Errorf("got %v, %v", got, out.Err())
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

func TestAClosedBridgeEndsItsStreams(t *testing.T) {
	mem := checked(t)
	for _, backend := range relays {
		goBridge := backend.open(t, mem)
		in := numbers(mem, 5)
		out := openStream(t, goBridge, backend.function, nil, in)
		if !out.Next() {
			t.Fatal(out.Err())
		}
		goBridge.Close()
		var e *alloy.Error
		if out.Next() || !errors.As(out.Err(), &e) || e.Code != alloy.Closed {
			t.Errorf("%s: got %v", backend.name, out.Err())
		}
		out.Release()
		in.checkReleased(t)
	}
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
