// SPDX-License-Identifier: MIT

// Alloy sends three arrays from Go to the Rust echo, which prints them.
// `make build-all` builds it as ./alloy.
package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/ignalina/alloy/api"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "alloy:", err)
		os.Exit(1)
	}
}

func run() error {
	program, err := os.Executable()
	if err != nil {
		return err
	}
	build := filepath.Join(filepath.Dir(program), "build")
	certificate, err := os.ReadFile(filepath.Join(build, "dev.crt.base64"))
	if err != nil {
		return fmt.Errorf("%w; build it with: make build-all", err)
	}
	mem := memory.NewGoAllocator()
	goBridge := api.GoBridge{GoAllocator: mem}
	defer goBridge.Close()
	library := filepath.Join(build, "backends", "echo_rust.so")
	if err := goBridge.SetImplLib(library, strings.TrimSpace(string(certificate))); err != nil {
		return err
	}
	var arrays []arrow.Array
	for _, values := range [][]int32{{1, 2, 3, -4}, {2, 3, 4, 5}, {3, 4, 5, 6}} {
		builder := array.NewInt32Builder(mem)
		builder.AppendValues(values, nil)
		arrays = append(arrays, builder.NewArray())
	}
	count, err := goBridge.FromChunks(arrays)
	if err != nil {
		return err
	}
	api.Info(fmt.Sprintf("Rust counted %v arrays sent through ffi", count))
	return nil
}
