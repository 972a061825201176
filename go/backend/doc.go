// SPDX-License-Identifier: MIT

// Package backend writes a backend of Alloy in Go: native functions on record batches of
// arrow-go, which hosts in Go, C++, C, Rust and other languages call.
//
// A backend is a program of package main that registers its functions in init, and is built
// as a library:
//
//	func init() {
//		backend.Register("acme.points", "1.0.0", backend.Rows2("distance", "x", "y", math.Hypot))
//	}
//
//	func main() {} // never runs
//
// Build it with `go build -buildmode=c-shared` and the version script alloy_backend.map, which
// hides all symbols but one. `arrowalloy new --lang go` writes a Makefile that does so.
//
// A process has room for one Go runtime. So a backend in Go runs isolated, in a process of its
// own: `Isolated: true` in a Go host, `isolated = 1` in C and C++, --isolated on the command
// line. Other hosts refuse it, with the reason GO_RUNTIME.
//
// The files: register.go and function.go are what an author writes; call.go is what a function
// gets; rows.go makes functions of plain Go functions; errors.go has the errors; bound.go
// and stream.go are the calls, without C; edge.go and backend.c are the boundary.
package backend
