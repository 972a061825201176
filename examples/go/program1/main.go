// SPDX-License-Identifier: MIT

// Program1 is the first program of the original project. It sends three arrays to the
// built-in echo.
package main

import (
	"fmt"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/ignalina/alloy/api"
)

func buildAndAppend(mem memory.Allocator, values [][]int32) ([]*array.Int32Builder, []arrow.Array) {
	var builders []*array.Int32Builder
	var arrays []arrow.Array
	for _, row := range values {
		builder := array.NewInt32Builder(mem)
		builder.AppendValues(row, nil)
		builders = append(builders, builder)
		arrays = append(arrays, builder.NewArray())
	}
	return builders, arrays
}

func main() {
	mem := memory.NewGoAllocator()
	values := [][]int32{
		{1, 2, 3, -4},
		{2, 3, 4, 5},
		{3, 4, 5, 6},
	}

	builders, arrays := buildAndAppend(mem, values)
	for i := range builders {
		defer builders[i].Release()
		defer arrays[i].Release()
	}

	goBridge := api.GoBridge{GoAllocator: mem}
	ret, err := goBridge.FromChunks(arrays)
	if err != nil {
		fmt.Println(err)
		return
	}

	api.Info(fmt.Sprintf("Rust counted %v arrays sent through ffi", ret))
}
