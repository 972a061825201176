// SPDX-License-Identifier: MIT

//go:build linux && cgo && (amd64 || arm64)

package bridge_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/ignalina/alloy"
)

// endMarker is what closes an IPC stream.
var endMarker = []byte{0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0}

// mixed feeds batches of numbers with nulls, texts and dictionaries.
func mixed(mem memory.Allocator, batches int) *feed {
	words := &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int8, ValueType: arrow.BinaryTypes.String}
	schema := arrow.NewSchema([]arrow.Field{
		{Name: "n", Type: arrow.PrimitiveTypes.Int64, Nullable: true},
		{Name: "text", Type: arrow.BinaryTypes.String},
		{Name: "word", Type: words},
	}, nil)
	return newFeed(schema, func(i int) (arrow.RecordBatch, error) {
		if i == batches {
			return nil, nil
		}
		builder := array.NewRecordBuilder(mem, schema)
		defer builder.Release()
		for row := range 5 {
			n := builder.Field(0).(*array.Int64Builder)
			if row == 2 {
				n.AppendNull()
			} else {
				n.Append(int64(10*i + row))
			}
			builder.Field(1).(*array.StringBuilder).Append(strings.Repeat("x", row*i))
			if err := builder.Field(2).(*array.BinaryDictionaryBuilder).AppendString([]string{"a", "b"}[row%2]); err != nil {
				return nil, err
			}
		}
		return builder.NewRecordBatch(), nil
	})
}

// pipes are ways for bytes from one goroutine to another.
var pipes = map[string]func(*testing.T) (io.ReadCloser, io.WriteCloser){
	"pipe": func(t *testing.T) (io.ReadCloser, io.WriteCloser) {
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		return r, w
	},
	"socket": func(t *testing.T) (io.ReadCloser, io.WriteCloser) {
		pair, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
		if err != nil {
			t.Fatal(err)
		}
		var ends [2]net.Conn
		for i := range ends {
			file := os.NewFile(uintptr(pair[i]), "socket")
			if ends[i], err = net.FileConn(file); err != nil {
				t.Fatal(err)
			}
			file.Close()
		}
		return ends[0], ends[1]
	},
	"file": func(t *testing.T) (io.ReadCloser, io.WriteCloser) {
		path := filepath.Join(t.TempDir(), "stream.arrows")
		w, err := os.Create(path)
		if err != nil {
			t.Fatal(err)
		}
		r, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		return r, w
	},
}

// TestBytesGoThroughAStreamAndOut: from one pipe through a backend into another.
func TestBytesGoThroughAStreamAndOut(t *testing.T) {
	for name, open := range pipes {
		for _, backend := range relays {
			t.Run(name+", "+backend.name, func(t *testing.T) {
				mem := checked(t)
				goBridge := backend.open(t, mem)
				r, w := open(t)
				defer r.Close()
				sent := mixed(mem, 4)
				var wait sync.WaitGroup
				wait.Go(func() {
					defer w.Close()
					if err := alloy.WriteIPC(w, sent); err != nil {
						t.Error(err)
					}
				})
				if name == "file" {
					wait.Wait()
				}
				in, err := alloy.ReadIPC(r, ipc.WithAllocator(mem))
				if err != nil {
					t.Fatal(err)
				}
				out := openStream(t, goBridge, backend.function, nil, in)
				in.Release()
				var written bytes.Buffer
				if err := alloy.WriteIPC(&written, out, ipc.WithAllocator(mem)); err != nil {
					t.Fatal(err)
				}
				out.Release()
				wait.Wait()
				sent.checkReleased(t)
				want := mixed(mem, 4)
				back, err := alloy.ReadIPC(&written, ipc.WithAllocator(mem))
				if err != nil {
					t.Fatal(err)
				}
				for want.Next() {
					if !back.Next() || !array.RecordEqual(back.RecordBatch(), want.RecordBatch()) {
						t.Fatalf("got %v, %v", back.RecordBatch(), back.Err())
					}
				}
				if back.Next() || back.Err() != nil || written.Len() != 0 {
					t.Errorf("%v, and %d bytes are left", back.Err(), written.Len())
				}
				back.Release()
				want.checkReleased(t)
			})
		}
	}
}

// TestABatchIsOutBeforeTheNextIsMade, and nothing is read ahead of it.
func TestABatchIsOutBeforeTheNextIsMade(t *testing.T) {
	mem := checked(t)
	r, w := pipes["socket"](t)
	defer r.Close()
	arrived := make(chan int)
	sent := newFeed(numbersSchema, func(i int) (arrow.RecordBatch, error) {
		if i > 0 {
			if n := <-arrived; n != i {
				t.Errorf("%d batches have arrived, and %d were sent", n, i)
			}
		}
		if i == 3 {
			return nil, nil
		}
		return numbersBatch(mem, i), nil
	})
	var wait sync.WaitGroup
	wait.Go(func() {
		defer w.Close()
		if err := alloy.WriteIPC(w, sent); err != nil {
			t.Error(err)
		}
		io.WriteString(w, "what follows")
	})
	in, err := alloy.ReadIPC(r, ipc.WithAllocator(mem))
	if err != nil {
		t.Fatal(err)
	}
	out := openStream(t, open(t, mem, "echo_rust"), "echo", nil, in)
	for i := range 3 {
		if !out.Next() {
			t.Fatal(out.Err())
		}
		arrived <- i + 1
	}
	if out.Next() || out.Err() != nil {
		t.Errorf("got %v", out.Err())
	}
	rest, err := io.ReadAll(r)
	if string(rest) != "what follows" || err != nil {
		t.Errorf("%q is left behind the marker, %v", rest, err)
	}
	out.Release()
	in.Release()
	wait.Wait()
	sent.checkReleased(t)
}

// written gives the bytes of a stream.
func written(t *testing.T, in array.RecordReader) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := alloy.WriteIPC(&out, in); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestAStreamThatIsCutOffAnywhereIsAnErrorThatSaysWhere(t *testing.T) {
	mem := memory.NewGoAllocator()
	goBridge := open(t, mem, "")
	whole := written(t, mixed(mem, 3))
	seen := map[string]bool{}
	for length := range whole {
		in, err := alloy.ReadIPC(bytes.NewReader(whole[:length]))
		if err == nil {
			out := openStream(t, goBridge, "echo", nil, in)
			for out.Next() {
			}
			err = out.Err()
			out.Release()
			in.Release()
		}
		var e *alloy.Error
		if !errors.As(err, &e) || e.Code != alloy.BadData || !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Fatalf("%d of %d bytes: %v", length, len(whole), err)
		}
		if !strings.Contains(e.Text, fmt.Sprintf(", %d bytes read", length)) || !strings.Contains(e.Text, "begins at byte ") {
			t.Errorf("%d of %d bytes: %v", length, len(whole), e)
		}
		seen[strings.SplitN(strings.TrimPrefix(e.Text, "Arrow IPC stream: "), ",", 2)[0]] = true
	}
	for _, place := range []string{"the schema", "batch 0", "batch 1", "batch 2", "batch 3"} {
		if !seen[place] {
			t.Errorf("%s is never named", place)
		}
	}
}

// TestBytesThatWereChangedCrashNothing, whatever they are taken for.
func TestBytesThatWereChangedCrashNothing(t *testing.T) {
	mem := memory.NewGoAllocator()
	goBridge := open(t, mem, "")
	whole := written(t, mixed(mem, 2))
	broken := 0
	for at := range whole {
		for _, mask := range []byte{0x01, 0x80, 0xff} {
			changed := slices.Clone(whole)
			changed[at] ^= mask
			in, err := alloy.ReadIPC(bytes.NewReader(changed), ipc.WithBodySizeLimit(1<<20), ipc.WithMetadataSizeLimit(1<<20))
			if err != nil {
				broken++
				continue
			}
			out, err := goBridge.Stream(ctx, "echo", nil, in)
			if err != nil {
				broken++
				in.Release()
				continue
			}
			for out.Next() {
			}
			if out.Err() != nil {
				broken++
			}
			out.Release()
			in.Release()
		}
	}
	if broken < len(whole)/4 {
		t.Errorf("%d of %d changes were noticed", broken, 3*len(whole))
	}
}

func TestAnIPCStreamOverItsLimitIsRefused(t *testing.T) {
	in, err := alloy.ReadIPC(bytes.NewReader(written(t, numbers(memory.DefaultAllocator, 2))), ipc.WithBodySizeLimit(64))
	if err != nil {
		t.Fatal(err)
	}
	defer in.Release()
	var e *alloy.Error
	if in.Next() || !errors.As(in.Err(), &e) || !strings.Contains(e.Text, "batch 0") || !strings.Contains(e.Text, "limit 64") {
		t.Errorf("got %v", in.Err())
	}
	if first := in.Err(); in.Next() || in.Err() != first {
		t.Errorf("%v became %v", first, in.Err())
	}
}

// TestAFailureOfTheWireIsInTheError, for whoever asks.
func TestAFailureOfTheWireIsInTheError(t *testing.T) {
	own := errors.New("the cable is cut")
	bytesOf := written(t, numbers(memory.DefaultAllocator, 2))
	in, err := alloy.ReadIPC(io.MultiReader(bytes.NewReader(bytesOf[:len(bytesOf)-20]), failingReader{own}))
	if err != nil {
		t.Fatal(err)
	}
	defer in.Release()
	out := openStream(t, open(t, nil, ""), "echo", nil, in)
	defer out.Release()
	for out.Next() {
	}
	if !errors.Is(out.Err(), own) || !strings.Contains(out.Err().Error(), "batch 1") {
		t.Errorf("got %v", out.Err())
	}
	if _, err := alloy.ReadIPC(failingReader{own}); !errors.Is(err, own) {
		t.Errorf("got %v", err)
	}
}

// TestAFailureOfTheReaderIsNotTheFaultOfTheData: whatever a reader returns, at the first byte
// or later, the code says what to do, and the caller finds the reader's own error.
func TestAFailureOfTheReaderIsNotTheFaultOfTheData(t *testing.T) {
	whole := written(t, numbers(memory.DefaultAllocator, 2))
	closed := &alloy.Error{Code: alloy.Closed, Text: "closed"}
	for name, c := range map[string]struct {
		err  error
		code alloy.Code
	}{
		"the file":                {&fs.PathError{Op: "read", Path: "x", Err: syscall.EIO}, alloy.Failed},
		"a closed socket":         {net.ErrClosed, alloy.Failed},
		"a body that is cut":      {io.ErrUnexpectedEOF, alloy.Failed},
		"an end with a reason":    {fmt.Errorf("reset by peer: %w", io.EOF), alloy.Failed},
		"a limit":                 {&http.MaxBytesError{Limit: 3}, alloy.Failed},
		"a client that went away": {fmt.Errorf("body: %w", context.Canceled), alloy.Cancelled},
		"a deadline of a socket":  {&net.OpError{Op: "read", Err: os.ErrDeadlineExceeded}, alloy.Timeout},
		"a deadline":              {context.DeadlineExceeded, alloy.Timeout},
		"a pipe of Alloy":         {closed, alloy.Closed},
	} {
		for length := 0; length < len(whole); length += 7 {
			in, err := alloy.ReadIPC(io.MultiReader(bytes.NewReader(whole[:length]), failingReader{c.err}))
			if err == nil {
				for in.Next() {
				}
				err = in.Err()
				in.Release()
			}
			var e *alloy.Error
			if !errors.As(err, &e) || e.Code != c.code || !errors.Is(err, c.err) {
				t.Fatalf("%s after %d bytes: got %v, want %s", name, length, err, c.code)
			}
		}
	}
}

type failingReader struct{ error }

func (f failingReader) Read([]byte) (int, error) { return 0, f.error }

// TestAnErrorOfTheBackendLeavesNoEndMarker, so that the far end knows.
func TestAnErrorOfTheBackendLeavesNoEndMarker(t *testing.T) {
	for _, after := range []int{0, 2} {
		mem := checked(t)
		r, w := pipes["pipe"](t)
		in := mixed(mem, 5)
		out := openStream(t, open(t, mem, "tests/flows"), "fails", alloy.Options{"after": fmt.Sprint(after)}, in)
		var wait sync.WaitGroup
		var sent bytes.Buffer
		wait.Go(func() {
			defer w.Close()
			err := alloy.WriteIPC(io.MultiWriter(w, &sent), out, ipc.WithAllocator(mem))
			if err == nil || err != out.Err() {
				t.Errorf("got %v, and the stream says %v", err, out.Err())
			}
		})
		got := 0
		back, err := alloy.ReadIPC(r, ipc.WithAllocator(mem))
		if err == nil {
			for back.Next() {
				got++
			}
			err = back.Err()
			back.Release()
		}
		if got != after || !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("%d batches, and %v", got, err)
		}
		wait.Wait()
		if bytes.HasSuffix(sent.Bytes(), endMarker) {
			t.Error("the end marker was written")
		}
		out.Release()
		in.checkReleased(t)
		r.Close()
	}
}

func TestWhatCannotBeWrittenIsAnErrorWithItsBatch(t *testing.T) {
	for name, open := range pipes {
		if name == "file" {
			continue
		}
		mem := checked(t)
		r, w := open(t)
		r.Close()
		in := mixed(mem, 5)
		err := alloy.WriteIPC(w, in, ipc.WithAllocator(mem))
		var e *alloy.Error
		if !errors.Is(err, syscall.EPIPE) || !errors.As(err, &e) || e.Code != alloy.Failed || !strings.Contains(e.Text, "batch 0") {
			t.Errorf("%s: got %v", name, err)
		}
		w.Close()
		in.checkReleased(t)
	}
}

// flushing is a writer that keeps what is written until it is flushed.
type flushing struct {
	kept, sent bytes.Buffer
	err        error
}

func (f *flushing) Write(p []byte) (int, error) { return f.kept.Write(p) }

func (f *flushing) FlushError() error {
	_, err := f.kept.WriteTo(&f.sent)
	return errors.Join(err, f.err)
}

func TestEachBatchIsFlushed(t *testing.T) {
	out := &flushing{}
	sent := 0
	in := newFeed(numbersSchema, func(i int) (arrow.RecordBatch, error) {
		if out.kept.Len() != 0 || i > 0 && out.sent.Len() == sent {
			t.Errorf("batch %d: %d bytes are not flushed, %d are sent", i, out.kept.Len(), out.sent.Len())
		}
		if sent = out.sent.Len(); i == 3 {
			return nil, nil
		}
		return numbersBatch(memory.DefaultAllocator, i), nil
	})
	if err := alloy.WriteIPC(out, in); err != nil || out.kept.Len() != 0 || !bytes.HasSuffix(out.sent.Bytes(), endMarker) {
		t.Errorf("got %v, and %d bytes are not flushed", err, out.kept.Len())
	}
	var e *alloy.Error
	err := alloy.WriteIPC(&flushing{err: net.ErrClosed}, numbers(memory.DefaultAllocator, 1))
	if !errors.As(err, &e) || e.Code != alloy.Failed || !errors.Is(err, net.ErrClosed) {
		t.Errorf("got %v", err)
	}
}

func TestWriteIPCNeedsAWriterAndAReader(t *testing.T) {
	var e *alloy.Error
	for _, err := range []error{
		alloy.WriteIPC(nil, numbers(memory.DefaultAllocator, 1)),
		alloy.WriteIPC(io.Discard, nil),
		alloy.WriteIPC(io.Discard, newFeed(nil, nil)),
	} {
		if !errors.As(err, &e) || e.Code != alloy.Invalid {
			t.Errorf("got %v", err)
		}
	}
}

func TestAStreamOfNoBatchesHasItsSchema(t *testing.T) {
	mem := checked(t)
	in := mixed(mem, 0)
	bytesOf := written(t, in)
	if !bytes.HasSuffix(bytesOf, endMarker) {
		t.Error("there is no end marker")
	}
	back, err := alloy.ReadIPC(bytes.NewReader(bytesOf))
	if err != nil {
		t.Fatal(err)
	}
	if back.Next() || back.Err() != nil || !back.Schema().Equal(in.schema) {
		t.Errorf("got %v, %v", back.Schema(), back.Err())
	}
	back.Release()
	in.checkReleased(t)
}
