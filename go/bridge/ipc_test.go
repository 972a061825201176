// SPDX-License-Identifier: MIT

//go:build linux && cgo && (amd64 || arm64)

package bridge_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
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
		if !errors.Is(err, syscall.EPIPE) || !strings.Contains(err.Error(), "batch 0") {
			t.Errorf("%s: got %v", name, err)
		}
		w.Close()
		in.checkReleased(t)
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
