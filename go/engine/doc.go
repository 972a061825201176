// SPDX-License-Identifier: MIT

// Package engine holds Alloy's C++ engine, compiled in from two generated sources, and
// the few C functions that the exporter needs. Nothing else in the module uses cgo.
//
// The build tag alloy_system links an installed liballoy instead; CGO_CFLAGS and
// CGO_LDFLAGS then say where it is, unless the compiler finds it by itself.
//
// Alloy_data.cc, alloy_engine.cc and alloy_engine.h are written by tools/amalgamate.
package engine
