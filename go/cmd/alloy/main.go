// SPDX-License-Identifier: MIT

// Alloy is the demonstration: three arrays from Go to a Rust library and back, in ten
// lines.
//
//	alloy [library]
//
// The library is the Rust echo beside the program, in build/backends, unless one is named.
package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/ignalina/alloy/api"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "alloy:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	library, err := echo(args)
	if err != nil {
		return err
	}
	mem := memory.NewGoAllocator()
	arrays := build(mem, [][]int32{
		{1, 2, 3, -4},
		{2, 3, 4, 5},
		{3, 4, 5, 6},
	})
	defer func() {
		for _, chunk := range arrays {
			chunk.Release()
		}
	}()

	goBridge := api.GoBridge{GoAllocator: mem, AllowUnsigned: true}
	defer goBridge.Close()
	if err := goBridge.SetImplLib(library, ""); err != nil {
		return err
	}
	ret, err := goBridge.FromChunks(arrays)
	if err != nil {
		return err
	}
	api.Info(fmt.Sprintf("Rust counted %v arrays sent through ffi", ret))
	return nil
}

func echo(args []string) (string, error) {
	if len(args) > 1 {
		return "", fmt.Errorf("usage: alloy [library]")
	}
	if len(args) == 1 {
		return args[0], nil
	}
	program, err := os.Executable()
	if err != nil {
		return "", err
	}
	if program, err = filepath.EvalSymlinks(program); err != nil {
		return "", err
	}
	library := filepath.Join(filepath.Dir(program), "build", "backends", "echo_rust.so")
	if _, err := os.Stat(library); err != nil {
		return "", fmt.Errorf("%w\nbuild it with: make build-all", err)
	}
	return library, nil
}

func build(mem memory.Allocator, values [][]int32) []arrow.Array {
	arrays := make([]arrow.Array, len(values))
	for i, row := range values {
		builder := array.NewInt32Builder(mem)
		builder.AppendValues(row, nil)
		arrays[i] = builder.NewArray()
		builder.Release()
	}
	return arrays
}
