// SPDX-License-Identifier: MIT

// Program2 is the second program of the original project. It ignores the error of
// SetImplLib, so From_chunks returns that error: a failed load never falls back to the echo.
package main

import (
	"fmt"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	. "github.com/ignalina/alloy" //nolint:revive
)

func main() {
	mem := memory.NewGoAllocator()
	builder := array.NewFloat64Builder(mem)
	defer builder.Release()
	builder.AppendValues([]float64{1.5, 2.5}, nil)
	arr1 := builder.NewArray()
	defer arr1.Release()
	builder.AppendValues([]float64{3.5}, nil)
	arr2 := builder.NewArray()
	defer arr2.Release()

	listOfarrays := []arrow.Array{arr1, arr2}

	goBridge := GoBridge{GoAllocator: mem}
	goBridge.SetImplLib("/app/MyCoolRustLib.a", "<BASE64 encoded cert>")

	i, err := goBridge.From_chunks(listOfarrays)

	if nil != err {
		fmt.Println(err)
	} else {
		fmt.Printf("[Go]\tRust counted %v arrays sent through ffi\n", i)
	}
}
