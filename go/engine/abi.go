// SPDX-License-Identifier: MIT

package engine

import "unsafe"

// Array is the ArrowArray of the Arrow C data interface. What a field points to is C
// memory, or Go memory that is pinned.
type Array struct {
	Length, NullCount, Offset int64
	NumBuffers, NumChildren   int64
	Buffers                   *unsafe.Pointer
	Children                  **Array
	Dictionary                *Array
	Release, PrivateData      unsafe.Pointer
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
