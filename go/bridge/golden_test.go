// SPDX-License-Identifier: MIT

package bridge_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/ignalina/alloy"
)

// golden lists the streams of Arrow's integration suite, or skips where there are none.
func golden(t *testing.T) []string {
	t.Helper()
	folder := os.Getenv("ALLOY_ARROW_TESTING")
	if folder == "" {
		folder = filepath.Join(root(), "..", "shared", "arrow-testing")
	}
	files, err := filepath.Glob(filepath.Join(folder, "cpp-21.0.0", "*.stream"))
	if err != nil || len(files) == 0 {
		t.Skipf("no golden files in %s; ALLOY_ARROW_TESTING names another folder", folder)
	}
	return files
}

func root() string {
	_, file, _, _ := runtime.Caller(0)
	return filepath.Join(filepath.Dir(file), "..", "..")
}

// sameSchema compares everything: names, types, flags and metadata.
func sameSchema(t *testing.T, got, want *arrow.Schema) {
	t.Helper()
	metadata := want.Metadata()
	if !got.Metadata().Equal(metadata) {
		t.Fatalf("metadata of the schema: got %v, want %v", got.Metadata(), metadata)
	}
	all := arrow.CheckMetadata()
	if !arrow.TypeEqual(arrow.StructOf(got.Fields()...), arrow.StructOf(want.Fields()...), all) {
		t.Fatalf("schema: got %v, want %v", got, want)
	}
	for i, field := range want.Fields() {
		if g := got.Field(i).Type.Fingerprint(); g != field.Type.Fingerprint() {
			t.Fatalf("column %q: got %v, want %v", field.Name, got.Field(i).Type, field.Type)
		}
	}
}

// sameData compares arrays bit by bit. What comes back may be shorter than what was sent
// by the padding that nothing refers to.
func sameData(t *testing.T, where string, got, want arrow.ArrayData) {
	t.Helper()
	if got.Len() != want.Len() || got.Offset() != want.Offset() {
		t.Fatalf("%s: length %d at %d, want %d at %d", where, got.Len(), got.Offset(), want.Len(), want.Offset())
	}
	if want.NullN() >= 0 && got.NullN() != want.NullN() {
		t.Fatalf("%s: %d nulls, want %d", where, got.NullN(), want.NullN())
	}
	empty := want.Len()+want.Offset() == 0
	for i := range max(len(got.Buffers()), len(want.Buffers())) {
		sent, came := bufferOf(want, i), bufferOf(got, i)
		if !bytes.HasPrefix(sent, came) || len(came) == 0 && len(sent) > 64 && !empty {
			t.Fatalf("%s: buffer %d: got %d bytes, want %d", where, i, len(came), len(sent))
		}
	}
	if len(got.Children()) != len(want.Children()) {
		t.Fatalf("%s: %d children, want %d", where, len(got.Children()), len(want.Children()))
	}
	for i, child := range want.Children() {
		sameData(t, fmt.Sprintf("%s.%d", where, i), got.Children()[i], child)
	}
	if values, ok := want.Dictionary().(*array.Data); ok && values != nil {
		sameData(t, where+".dictionary", got.Dictionary(), values)
	}
}

// bufferOf takes a place that is empty for one that is not there: arrow-go itself keeps
// places for the validity of types without any, or does not.
func bufferOf(data arrow.ArrayData, i int) []byte {
	if i >= len(data.Buffers()) || data.Buffers()[i] == nil {
		return nil
	}
	return data.Buffers()[i].Bytes()
}

func roundTrip(t *testing.T, goBridge *alloy.GoBridge, function string, batch arrow.RecordBatch, whole bool) {
	t.Helper()
	out, err := goBridge.Call(context.Background(), function, nil, batch)
	if err != nil {
		t.Fatal(err)
	}
	defer out.Release()
	sameSchema(t, out.Schema(), batch.Schema())
	if !array.RecordEqual(out, batch) {
		t.Fatalf("got %v, want %v", out, batch)
	}
	// A slice may come back with other offsets, and is the same all the same.
	if !whole {
		return
	}
	for i, column := range batch.Columns() {
		sameData(t, batch.ColumnName(i), out.Column(i).Data(), column.Data())
	}
}

// TestGoldenCasesComeBackBitEqual sends every batch of every golden file there and back,
// whole and sliced.
func TestGoldenCasesComeBackBitEqual(t *testing.T) {
	files := golden(t)
	if len(files) != 32 {
		t.Errorf("%d golden files, and there are 32", len(files))
	}
	for _, backend := range roundTripBackends {
		t.Run(backend.name, func(t *testing.T) {
			mem := memory.NewCheckedAllocator(memory.NewGoAllocator())
			defer mem.AssertSize(t, 0)
			goBridge := backend.open(t, mem)
			for _, file := range files {
				name := strings.TrimSuffix(filepath.Base(file), ".stream")
				t.Run(name, func(t *testing.T) { goldenFile(t, mem, goBridge, backend.function, file) })
			}
		})
	}
}

func goldenFile(t *testing.T, mem memory.Allocator, goBridge *alloy.GoBridge, function, file string) {
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	reader, err := ipc.NewReader(f, ipc.WithAllocator(mem), ipc.WithDelayReadSchema(false))
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Release()
	for {
		batch, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		roundTrip(t, goBridge, function, batch, true)
		if rows := batch.NumRows(); rows > 2 {
			slice := batch.NewSlice(1, rows-1)
			roundTrip(t, goBridge, function, slice, false)
			slice.Release()
			none := batch.NewSlice(rows, rows)
			roundTrip(t, goBridge, function, none, false)
			none.Release()
		}
	}
}
