// SPDX-License-Identifier: MIT

//go:build linux && cgo && (amd64 || arm64)

package bridge_test

import (
	"bytes"
	"errors"
	"io"
	"iter"
	"runtime"
	"slices"
	"sync"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/ignalina/alloy"
)

// sequence gives batches of numbers, and an error at the end if it is not nil.
func sequence(mem memory.Allocator, batches int, last error) iter.Seq2[arrow.RecordBatch, error] {
	return func(yield func(arrow.RecordBatch, error) bool) {
		for i := range batches {
			// The reader retains the batch, or takes it over; see ReaderFromIter.
			if !yield(numbersBatch(mem, i), nil) {
				return
			}
		}
		if last != nil {
			yield(nil, last)
		}
	}
}

// ownThread is a reader that needs the thread on which it was made.
type ownThread struct {
	*feed
	t *testing.T
}

func (o ownThread) Next() bool {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	return o.feed.Next()
}

// nested is a reader that calls Alloy to make its batches.
type nested struct{ array.RecordReader }

// pulledBytes is an io.Reader with a coroutine.
type pulledBytes struct {
	next func() ([]byte, bool)
	rest []byte
}

func newPulledBytes(whole []byte) *pulledBytes {
	next, _ := iter.Pull(slices.Chunk(whole, 100))
	return &pulledBytes{next: next}
}

func (p *pulledBytes) Read(to []byte) (int, error) {
	if len(p.rest) == 0 {
		var ok bool
		if p.rest, ok = p.next(); !ok {
			return 0, io.EOF
		}
	}
	n := copy(to, p.rest)
	p.rest = p.rest[n:]
	return n, nil
}

const readerBatches = 4

// readers are kinds of readers that Go programs may write. Each gives readerBatches batches.
func readers(t *testing.T, mem memory.Allocator) map[string]func() array.RecordReader {
	echo := open(t, mem, "")
	flows := open(t, mem, "tests/flows")
	return map[string]func() array.RecordReader{
		"a coroutine": func() array.RecordReader {
			return array.ReaderFromIter(numbersSchema, sequence(mem, readerBatches, nil))
		},
		"a coroutine below an IPC stream": func() array.RecordReader {
			in, err := alloy.ReadIPC(newPulledBytes(written(t, numbers(memory.DefaultAllocator, readerBatches))))
			if err != nil {
				t.Fatal(err)
			}
			return in
		},
		"locks its thread": func() array.RecordReader { return ownThread{numbers(mem, readerBatches), t} },
		"calls a function": func() array.RecordReader {
			in := numbers(mem, readerBatches)
			out := openStream(t, echo, "echo", nil, in)
			in.Release()
			return nested{out}
		},
		"calls a function on streams": func() array.RecordReader {
			in := array.ReaderFromIter(numbersSchema, sequence(mem, readerBatches, nil))
			out := openStream(t, flows, "relay", nil, in)
			in.Release()
			return nested{out}
		},
		"is a result over a coroutine": func() array.RecordReader {
			in := array.ReaderFromIter(numbersSchema, sequence(mem, readerBatches, nil))
			out := openStream(t, echo, "echo", nil, in)
			in.Release()
			return out
		},
		"is a result of results over a coroutine": func() array.RecordReader {
			in := array.ReaderFromIter(numbersSchema, sequence(mem, readerBatches, nil))
			middle := openStream(t, flows, "relay", nil, in)
			in.Release()
			out := openStream(t, echo, "echo", nil, middle)
			middle.Release()
			return out
		},
		"in memory": func() array.RecordReader {
			var batches []arrow.RecordBatch
			for i := range readerBatches {
				batches = append(batches, numbersBatch(mem, i))
			}
			in, err := array.NewRecordReader(numbersSchema, batches)
			if err != nil {
				t.Fatal(err)
			}
			for _, batch := range batches {
				batch.Release()
			}
			return in
		},
		"is said to be plain": func() array.RecordReader { return alloy.PlainReader(numbers(mem, readerBatches)) },
	}
}

// onMany runs a body on goroutines of several kinds.
func onMany(body func()) {
	var wait sync.WaitGroup
	wait.Go(body)
	wait.Go(func() {
		// Coroutines that are made here may only be resumed on this thread.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		body()
	})
	wait.Wait()
}

func TestAnyReaderMayBeAnInput(t *testing.T) {
	flows, echo, rust := open(t, nil, "tests/flows"), open(t, nil, ""), open(t, nil, "identity_rust")
	for name, open := range readers(t, memory.DefaultAllocator) {
		for _, c := range []struct {
			function string
			bridge   *alloy.GoBridge
			want     int
		}{
			{"echo", echo, readerBatches},
			{"identity", rust, readerBatches},
			{"relay", flows, readerBatches},
			{"last", flows, 1},
			{"last_in_open", flows, 1},
		} {
			t.Run(name+", "+c.function, func(t *testing.T) {
				onMany(func() {
					in := open()
					out, err := c.bridge.Stream(ctx, c.function, nil, in)
					if err != nil {
						t.Error(err)
						return
					}
					in.Release()
					if got := firsts(t, out); len(got) != c.want || out.Err() != nil {
						t.Errorf("got %v, %v", got, out.Err())
					}
					out.Release()
					// Not read to its end; and released by nobody but the stream.
					in = open()
					if out, err = c.bridge.Stream(ctx, c.function, nil, in); err != nil {
						t.Error(err)
						return
					}
					in.Release()
					if !out.Next() {
						t.Error(out.Err())
					}
					out.Release()
				})
			})
		}
	}
}

// TestReadersMayBePulledByThreadsOfTheBackend while nobody is there to pull for them: a reader
// that is not bound to a thread then runs on a goroutine of its own.
func TestReadersMayBePulledByThreadsOfTheBackend(t *testing.T) {
	flows := open(t, nil, "tests/flows")
	for name, open := range readers(t, memory.DefaultAllocator) {
		in := open()
		out := openStream(t, flows, "threads", nil, in)
		in.Release()
		if got := firsts(t, out); len(got) != readerBatches || out.Err() != nil {
			t.Errorf("%s: got %v, %v", name, got, out.Err())
		}
		out.Release()
	}
}

func TestSeveralReadersOfAllKindsAtOnce(t *testing.T) {
	flows := open(t, nil, "tests/flows")
	onMany(func() {
		var in []array.RecordReader
		for _, open := range readers(t, memory.DefaultAllocator) {
			in = append(in, open())
		}
		out, err := flows.Stream(ctx, "turns", nil, in...)
		if err != nil {
			t.Error(err)
			return
		}
		for _, reader := range in {
			reader.Release()
		}
		if got := firsts(t, out); len(got) != readerBatches*len(in) || out.Err() != nil {
			t.Errorf("got %v, %v", got, out.Err())
		}
		out.Release()
	})
}

func TestTheErrorOfACoroutineIsReturnedUnchanged(t *testing.T) {
	own := errors.New("the query has failed")
	for _, c := range []struct {
		function string
		bridge   *alloy.GoBridge
	}{{"echo", open(t, nil, "")}, {"relay", open(t, nil, "tests/flows")}} {
		in := array.ReaderFromIter(numbersSchema, sequence(memory.DefaultAllocator, 2, own))
		out := openStream(t, c.bridge, c.function, nil, in)
		in.Release()
		if got := firsts(t, out); len(got) != 2 || !errors.Is(out.Err(), own) {
			t.Errorf("%s: got %v, %v", c.function, got, out.Err())
		}
		out.Release()
	}
}

// TestNoBatchIsFetchedBeforeItIsAskedFor, whoever fetches it.
func TestNoBatchIsFetchedBeforeItIsAskedFor(t *testing.T) {
	for _, c := range []struct {
		function string
		bridge   *alloy.GoBridge
	}{{"echo", open(t, nil, "")}, {"relay", open(t, nil, "tests/flows")}} {
		in := numbers(memory.DefaultAllocator, 5)
		out := openStream(t, c.bridge, c.function, nil, in)
		for i := range 3 {
			if in.made != i {
				t.Errorf("%s: %d batches were made, and %d were asked for", c.function, in.made, i)
			}
			if !out.Next() {
				t.Fatal(out.Err())
			}
		}
		out.Release()
		in.checkReleased(t)
	}
}

func TestAPlainReaderStaysWhatItIs(t *testing.T) {
	in := numbers(memory.DefaultAllocator, 1)
	plain := alloy.PlainReader(in)
	if alloy.PlainReader(plain) != plain || alloy.PlainReader(nil) != nil || plain.Schema() != numbersSchema {
		t.Error("it changed")
	}
	file, err := alloy.ReadIPC(bytes.NewReader(written(t, in)))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Release()
	if alloy.PlainReader(file) != file {
		t.Error("bytes in memory are plain already")
	}
}
