// SPDX-License-Identifier: MIT

//go:build linux && cgo && (amd64 || arm64)

package bridge_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/extensions"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/ignalina/alloy"
)

const fragileName = "alloy.test.fragile"

// fragile is an extension type that panics over what it reads.
type fragile struct{ *extensions.OpaqueType }

func (fragile) ExtensionName() string { return fragileName }
func (fragile) Deserialize(arrow.DataType, string) (arrow.ExtensionType, error) {
	panic("I did not expect that")
}

// TestATypeThatPanicsOverABackendsSchemaIsAnError: the types are the program's, and what
// they read is the backend's.
func TestATypeThatPanicsOverABackendsSchemaIsAnError(t *testing.T) {
	registered := fragile{extensions.NewOpaqueType(arrow.PrimitiveTypes.Int64, "t", "v")}
	if err := arrow.RegisterExtensionType(registered); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = arrow.UnregisterExtensionType(fragileName) }()
	mem := memory.NewCheckedAllocator(memory.NewGoAllocator())
	defer mem.AssertSize(t, 0)
	plain := int64Batch(mem, 1, 3)
	defer plain.Release()
	marked := arrow.NewSchema([]arrow.Field{{
		Name: "c0", Type: arrow.PrimitiveTypes.Int64,
		Metadata: arrow.NewMetadata([]string{"ARROW:extension:name"}, []string{fragileName}),
	}}, nil)
	batch := array.NewRecordBatch(marked, plain.Columns(), 3)
	defer batch.Release()
	goBridge := open(t, mem, "")
	for range 2 {
		_, err := goBridge.Call(ctx, "echo", nil, batch)
		var e *alloy.Error
		if !errors.As(err, &e) || e.Code != alloy.Unsupported || e.Side != alloy.SideBackend ||
			!strings.Contains(e.Text, "I did not expect that") {
			t.Errorf("got %v", err)
		}
	}
	out, err := goBridge.Call(ctx, "echo", nil, plain)
	if err != nil {
		t.Fatal(err)
	}
	out.Release()
}
