// SPDX-License-Identifier: MIT

// Alloy is the demonstration: three arrays from Go to a Rust library and back, in ten
// lines.
//
//	alloy [library [certificate]]
//
// The library is the Rust echo beside the program, in build/backends, unless one is named;
// the certificate then the one of the build, which signed it. A library that is named
// without a certificate is loaded unsigned.
package main

import (
	"errors"
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
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "alloy:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	library, certificate, err := echo(args)
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

	goBridge := api.GoBridge{GoAllocator: mem, AllowUnsigned: certificate == ""}
	defer goBridge.Close()
	if err := goBridge.SetImplLib(library, certificate); err != nil {
		return err
	}
	ret, err := goBridge.FromChunks(arrays)
	if err != nil {
		return err
	}
	api.Info(fmt.Sprintf("Rust counted %v arrays sent through ffi", ret))
	return nil
}

func echo(args []string) (library, certificate string, err error) {
	switch len(args) {
	case 0:
		return ownEcho()
	case 1:
		return args[0], "", nil
	case 2:
		return args[0], args[1], nil
	}
	return "", "", errors.New("usage: alloy [library [certificate]]")
}

func ownEcho() (library, certificate string, err error) {
	program, err := os.Executable()
	if err != nil {
		return "", "", err
	}
	if program, err = filepath.EvalSymlinks(program); err != nil {
		return "", "", err
	}
	folder := filepath.Join(filepath.Dir(program), "build")
	line, err := os.ReadFile(filepath.Join(folder, "dev.crt.base64"))
	if err != nil {
		return "", "", fmt.Errorf("%w\nbuild it with: make build-all", err)
	}
	return filepath.Join(folder, "backends", "echo_rust.so"), strings.TrimSpace(string(line)), nil
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
