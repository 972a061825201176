// SPDX-License-Identifier: MIT
package main

import (
	"fmt"
	"log"
	"os"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/ignalina/alloy"
)

func main() {
	// The build signs its libraries with a key of its own. This is the certificate of that key.
	certificate, err := os.ReadFile("build/dev.crt.base64")
	if err != nil {
		log.Fatal(err)
	}
	mem := memory.NewGoAllocator()
	goBridge := alloy.GoBridge{GoAllocator: mem}
	err = goBridge.SetImplLib("build/backends/echo_rust.so", strings.TrimSpace(string(certificate)))
	if err != nil {
		log.Fatal(err)
	}
	builder := array.NewInt32Builder(mem)
	builder.AppendValues([]int32{1, 2, 3, -4}, nil)
	count, err := goBridge.FromChunks([]arrow.Array{builder.NewArray()})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("arrays that Rust counted:", count)
}
