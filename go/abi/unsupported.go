// SPDX-License-Identifier: MIT

//go:build !linux || !cgo || (!amd64 && !arm64)

package abi

import "unsafe"

func (o *Owner) Release() {}

// NewBlock makes a block that no C code will see.
func NewBlock(size uintptr, _ BlockOwner) *BlockHeader {
	words := make([]BlockHeader, size/unsafe.Sizeof(BlockHeader{})+1)
	return &words[0]
}

func (b *BlockHeader) SetStructs(int)    {}
func (b *BlockHeader) SetGiven(int)      {}
func (b *BlockHeader) AllReleased() bool { return true }
func (b *BlockHeader) Detach()           {}
func (b *BlockHeader) Free()             {}

// What the structs that Go writes would point to.
var ReleaseArray, ReleaseSchema, ReleaseGivenSchema, Zeros unsafe.Pointer
