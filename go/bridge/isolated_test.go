// SPDX-License-Identifier: MIT

//go:build linux && cgo && (amd64 || arm64)

package bridge_test

import (
	"context"
	"os"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/ignalina/alloy"
)

// The test program is its own worker: nothing else is installed for it.
func TestAnIsolatedBackendReturnsTheSame(t *testing.T) {
	for _, backend := range []string{"echo_cpp", "echo_rust", "echo_c"} {
		t.Run(backend, func(t *testing.T) {
			mem := checked(t)
			bridge := alloy.GoBridge{GoAllocator: mem, AllowUnsigned: true, Isolated: true}
			if err := bridge.SetImplLib(isolatedLibrary(t, backend), ""); err != nil {
				t.Fatal(err)
			}
			builder := array.NewRecordBuilder(memory.DefaultAllocator, arrow.NewSchema([]arrow.Field{
				{Name: "x", Type: arrow.PrimitiveTypes.Int64, Nullable: true},
				{Name: "s", Type: arrow.BinaryTypes.String, Nullable: true},
			}, nil))
			builder.Field(0).(*array.Int64Builder).AppendValues([]int64{1, 2, 3}, []bool{true, false, true})
			builder.Field(1).(*array.StringBuilder).AppendValues([]string{"a", "", "ccc"}, nil)
			in := builder.NewRecordBatch()
			for range 1000 {
				out, err := bridge.Call(context.Background(), "echo", nil, in)
				if err != nil {
					t.Fatal(err)
				}
				if !array.RecordEqual(in, out) {
					t.Fatalf("got %v for %v", out, in)
				}
				out.Release()
			}
		})
	}
}

func isolatedLibrary(t *testing.T, name string) string {
	t.Helper()
	path := "../../build/backends/" + name + ".so"
	if _, err := os.Stat(path); err != nil {
		t.Fatalf("%v; make build-all builds it", err)
	}
	return path
}
