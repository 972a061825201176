// SPDX-License-Identifier: MIT

package rust_test

import (
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/ignalina/alloy/api"
	"github.com/ignalina/alloy/ffi/rust"
)

// A step of the first Thund, arrow_array_to_rust.go, uses the names in this way: structs with
// exactly these fields, and a value as an interface.
func TestTheNamesOfTheFirstAlloy(t *testing.T) {
	mem := memory.NewGoAllocator()
	numbers := array.NewInt32Builder(mem)
	numbers.AppendValues([]int32{1, 2, 3}, nil)
	others := array.NewInt64Builder(mem)
	others.AppendValues([]int64{4}, nil)
	arrays := []arrow.Array{numbers.NewArray(), others.NewArray()}
	// As rust.Bridge{api.CommonParameter{mem}}: a conversion needs exactly the same fields, and
	// go vet refuses literals without names.
	common := api.CommonParameter(struct{ GoAllocator *memory.GoAllocator }{mem})
	var b api.Bridge = rust.Bridge(struct{ api.CommonParameter }{common})
	for range 100 {
		if i, err := b.FromChunks(arrays); err != nil || i != 2 {
			t.Fatal(i, err)
		}
	}
	b = rust.Bridge{}
	if i, err := b.FromChunks(nil); err != nil || i != 0 {
		t.Error(i, err)
	}
	b = &api.GoBridge{GoAllocator: mem}
	if i, err := b.FromChunks(arrays); err != nil || i != 2 {
		t.Error(i, err)
	}
	rust.Info("counted")
}
