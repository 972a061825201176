// SPDX-License-Identifier: MIT
package main

import (
	"fmt"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/ignalina/alloy"
)

func main() {
	mem := memory.NewGoAllocator()
	builder := array.NewInt32Builder(mem)
	builder.AppendValues([]int32{1, 2, 3, -4}, nil)
	goBridge := alloy.GoBridge{GoAllocator: mem, AllowUnsigned: true}
	goBridge.SetImplLib("build/backends/echo_rust.so", "") // a failure sticks: FromChunks tells it
	count, err := goBridge.FromChunks([]arrow.Array{builder.NewArray()})
	fmt.Println(count, err)
}
