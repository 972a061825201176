// SPDX-License-Identifier: MIT

//go:build linux && cgo && (amd64 || arm64)

package bridge_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/ignalina/alloy"
)

// library finds a backend that the build made.
func library(t testing.TB, name string) string {
	t.Helper()
	return built(t, name+".so")
}

// built finds a file next to the backends, and fails the test if it is missing.
func built(t testing.TB, file string) string {
	t.Helper()
	folder := os.Getenv("ALLOY_BACKENDS")
	if folder == "" {
		folder = filepath.Join(root(), "build", "backends")
	}
	path := filepath.Join(folder, file)
	if _, err := os.Stat(path); err != nil {
		t.Fatalf("%v; make build-all builds it, ALLOY_BACKENDS names another folder", err)
	}
	return path
}

// open makes a bridge with a backend of the build. An empty name is the built-in echo. It
// logs nothing.
func open(t testing.TB, mem memory.Allocator, name string) *alloy.GoBridge {
	t.Helper()
	goBridge := &alloy.GoBridge{Isolated: isolated, Limits: alloy.Limits{Workers: 64}, GoAllocator: mem, AllowUnsigned: true, Logger: silent}
	t.Cleanup(goBridge.Close)
	if name == "" {
		return goBridge
	}
	if err := goBridge.SetImplLib(library(t, name), ""); err != nil {
		t.Fatal(err)
	}
	return goBridge
}

type roundTripBackend struct {
	name, library, function string
}

// roundTripBackends have a function that returns its batch.
var roundTripBackends = []roundTripBackend{
	{"the built-in echo", "", "echo"},
	{"the echo in Rust", "echo_rust", "echo"},
	{"the echo in C++", "echo_cpp", "echo"},
	{"the echo in C", "echo_c", "echo"},
	{"the identity in Rust", "identity_rust", "identity"},
	{"the identity in Rust over arrow 59", "identity_arrow59_rust", "identity"},
	{"the identity in C++", "tests/identity", "identity"},
}

func (b roundTripBackend) open(t testing.TB, mem memory.Allocator) *alloy.GoBridge {
	return open(t, mem, b.library)
}
