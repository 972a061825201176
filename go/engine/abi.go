// SPDX-License-Identifier: MIT

package engine

import "unsafe"

// Array is the ArrowArray of the Arrow C data interface, as Go reads it.
type Array struct {
	Length, NullCount, Offset int64
	NumBuffers, NumChildren   int64
	Buffers                   *unsafe.Pointer
	Children                  **Array
	Dictionary                *Array
	Release, PrivateData      unsafe.Pointer
}

// Output is the same, as Go writes it. The addresses are all of C memory, which the
// collector has no business with: as numbers they need no write barrier.
type Output struct {
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

// Owner holds a result until its last buffer is released. It holds no Go pointer, so
// that C may be given its address.
type Owner struct {
	Array Array
}
