// SPDX-License-Identifier: MIT

//go:build linux && cgo && (amd64 || arm64)

// cgo compiles the sources of this folder only.
#include "../../../tests/faults/faults.cc"
