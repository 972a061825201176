// SPDX-License-Identifier: MIT
package main

import (
	"fmt"
	"os"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/ignalina/alloy"
)

func main() {
	mem := memory.NewGoAllocator()
	builder := array.NewInt32Builder(mem)
	builder.AppendValues([]int32{1, 2, 3, -4}, nil)
	certificate, _ := os.ReadFile("build/dev.crt.base64") // who signed what the build made
	goBridge := alloy.GoBridge{GoAllocator: mem}
	// A failure sticks: FromChunks tells it.
	goBridge.SetImplLib("build/backends/echo_rust.so", strings.TrimSpace(string(certificate)))
	count, err := goBridge.FromChunks([]arrow.Array{builder.NewArray()})
	fmt.Println(count, err)
}
