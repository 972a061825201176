// SPDX-License-Identifier: MIT

// Package engine compiles Alloy's C++ engine into a Go program, and calls its C ABI. Hosts
// need it, backends do not: package abi has what both share.
//
// Where the engine cannot run, on macOS and Windows for example, or without cgo,
// unsupported.go has the same names, so that programs build. Each use of a bridge then returns
// UNSUPPORTED.
//
// The build tag alloy_system links an installed liballoy instead. If the compiler does not
// find it, set CGO_CFLAGS and CGO_LDFLAGS to its place.
//
// tools/amalgamate generates the C++ sources alloy_*.cc and the header alloy_engine.h.
package engine
