// SPDX-License-Identifier: MIT

// Package abi has the structs of the Arrow C data interface, and the blocks of C memory in
// which Go passes them to C. Hosts and backends use it; it needs no engine.
//
// Without cgo, and on machines where Alloy does not run, unsupported.go has the same names, so
// that programs build.
package abi

import "unsafe"

// Array is the ArrowArray of the Arrow C data interface, for arrays that Go reads.
type Array struct {
	Length, NullCount, Offset int64
	NumBuffers, NumChildren   int64
	Buffers                   *unsafe.Pointer
	Children                  **Array
	Dictionary                *Array
	Release, PrivateData      unsafe.Pointer
}

// WrittenArray is the same struct, for arrays that Go writes: the inputs of a call. Its
// pointers are numbers. They all point to C memory, so the collector need not follow them,
// and writing a number needs no write barrier.
type WrittenArray struct {
	Length, NullCount, Offset     int64
	NumBuffers, NumChildren       int64
	Buffers, Children, Dictionary uintptr
	Release, PrivateData          uintptr
}

// Schema is the ArrowSchema of the Arrow C data interface.
type Schema struct {
	Format, Name, Metadata unsafe.Pointer
	Flags, NumChildren     int64
	Children               **Schema
	Dictionary             *Schema
	Release, PrivateData   unsafe.Pointer
}

// The flags of a Schema.
const (
	FlagOrdered    = 1
	FlagNullable   = 2
	FlagKeysSorted = 4
)

// Owner is the place where a result lies until its last buffer is released. It has no Go
// pointer, so its address may be passed to C.
type Owner struct {
	Array Array
}

// BlockHeader is the header of a block; block.h describes it. Go holds one part of the
// block until the call has returned, and each struct holds one until it is released.
type BlockHeader struct {
	parts  int64
	handle uintptr
	next   *BlockHeader
}

// Part is what the private data of a struct points to: the block of the struct.
type Part struct {
	Block    uintptr
	released int64
}

// BlockOwner owns a block. It lives until the last struct of the block is released.
type BlockOwner interface {
	// Released is called when every struct of the block is released. The owner may use the
	// block again. Any thread.
	Released()
}
