// SPDX-License-Identifier: MIT

//go:build linux && cgo && (amd64 || arm64)

package bridge_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/ignalina/alloy"
)

// TestGoldenStreamsPassThroughAsBytes: each is read, goes through a backend as a stream, is
// written, and has the same batches when it is read again.
func TestGoldenStreamsPassThroughAsBytes(t *testing.T) {
	files := golden(t)
	for _, backend := range relays {
		t.Run(backend.name, func(t *testing.T) {
			goBridge := backend.open(t, nil)
			for _, file := range files {
				t.Run(strings.TrimSuffix(filepath.Base(file), ".stream"), func(t *testing.T) {
					content, err := os.ReadFile(file)
					if err != nil {
						t.Fatal(err)
					}
					goldenStream(t, goBridge, backend.function, content)
				})
			}
		})
	}
}

func goldenStream(t *testing.T, goBridge *alloy.GoBridge, function string, content []byte) {
	mem := checked(t)
	read := func(content []byte) array.RecordReader {
		t.Helper()
		in, err := alloy.ReadIPC(bytes.NewReader(content), ipc.WithAllocator(mem))
		if err != nil {
			t.Fatal(err)
		}
		return in
	}
	in := read(content)
	out := openStream(t, goBridge, function, nil, in)
	in.Release()
	sameSchema(t, out.Schema(), in.Schema())
	var again bytes.Buffer
	if err := alloy.WriteIPC(&again, out, ipc.WithAllocator(mem)); err != nil {
		t.Fatal(err)
	}
	out.Release()
	got, want := read(again.Bytes()), read(content)
	defer got.Release()
	defer want.Release()
	sameSchema(t, got.Schema(), want.Schema())
	for batch := 0; want.Next(); batch++ {
		if !got.Next() {
			t.Fatalf("batch %d: %v", batch, got.Err())
		}
		if !array.RecordEqual(got.RecordBatch(), want.RecordBatch()) {
			t.Fatalf("batch %d: got %v, want %v", batch, got.RecordBatch(), want.RecordBatch())
		}
	}
	if want.Err() != nil || got.Next() || got.Err() != nil {
		t.Errorf("%v, %v", got.Err(), want.Err())
	}
}

// TestGoldenBytesThatWereChangedCrashNothing: they are an error, or other batches. Every
// type that Arrow has is among them.
func TestGoldenBytesThatWereChangedCrashNothing(t *testing.T) {
	goBridge := open(t, memory.NewGoAllocator(), "")
	for _, file := range golden(t) {
		whole, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		// A prime step goes through metadata and bodies at all alignments.
		for at := 0; at < len(whole); at += 61 {
			changed := bytes.Clone(whole)
			changed[at] ^= 0xff
			in, err := alloy.ReadIPC(bytes.NewReader(changed), ipc.WithBodySizeLimit(1<<20), ipc.WithMetadataSizeLimit(1<<20))
			if err != nil {
				continue
			}
			if out, err := goBridge.Stream(ctx, "echo", nil, in); err == nil {
				for out.Next() {
				}
				out.Release()
			}
			in.Release()
		}
	}
}
