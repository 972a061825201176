// SPDX-License-Identifier: MIT

package cdata

import (
	"runtime"
	"sync/atomic"
	"unsafe"

	"github.com/ignalina/alloy/go/abi"
)

const (
	headerBytes  = unsafe.Sizeof(abi.BlockHeader{})
	arrayBytes   = unsafe.Sizeof(abi.WrittenArray{})
	partBytes    = unsafe.Sizeof(abi.Part{})
	pointerBytes = unsafe.Sizeof(uintptr(0))
)

var releaseArray = uintptr(abi.ReleaseArray)

// address returns the address of something in C memory, which does not move.
func address[T any](at *T) uintptr { return uintptr(unsafe.Pointer(at)) }

// block is a block of C memory with everything that its structs refer to. While a callee
// keeps a part of it, it stays with the callee; then it returns to the pool. So its memory,
// its handle and its pinners serve call after call.
type block struct {
	header *abi.BlockHeader
	size   uintptr
	pins   pins
	owners []Counted
	pool   *blockPool
}

// Released is called once every struct of the block is released, on any thread.
func (b *block) Released() {
	b.pins.unpin()
	for i, owner := range b.owners {
		owner.Release()
		b.owners[i] = nil
	}
	b.owners = b.owners[:0]
	b.pool.put(b)
}

func (b *block) free() {
	// A panic while a call was written leaves pins. The collector would panic about them later,
	// where nobody can recover.
	b.pins.unpin()
	b.header.Free()
}

// blockPool keeps a few blocks for later calls. There are several, because a program may
// hold some results while it makes the next.
type blockPool struct {
	blocks [4]atomic.Pointer[block]
	closed atomic.Bool
}

func (p *blockPool) take() *block {
	for i := range p.blocks {
		if b := p.blocks[i].Load(); b != nil && p.blocks[i].CompareAndSwap(b, nil) {
			return b
		}
	}
	return nil
}

func (p *blockPool) put(b *block) {
	for i := range p.blocks {
		if p.blocks[i].Load() == nil && p.blocks[i].CompareAndSwap(nil, b) {
			// A close that ran just before did not see this block.
			if p.closed.Load() {
				p.clear()
			}
			return
		}
	}
	b.free()
}

func (p *blockPool) close() {
	p.closed.Store(true)
	p.clear()
}

func (p *blockPool) clear() {
	for b := p.take(); b != nil; b = p.take() {
		b.free()
	}
}

// pins pins Go memory. It uses many pinners with a few pins each: a runtime.Pinner has room
// for five pins, and allocates a list for more, which it drops each time it is unpinned.
type pins struct {
	pinners []runtime.Pinner
	count   int
}

const pinsEach = 5

func (p *pins) pin(at *byte) {
	i := p.count / pinsEach
	if i == len(p.pinners) {
		p.pinners = append(p.pinners, runtime.Pinner{})
	}
	p.pinners[i].Pin(at)
	p.count++
}

func (p *pins) unpin() {
	for i := range (p.count + pinsEach - 1) / pinsEach {
		p.pinners[i].Unpin()
	}
	p.count = 0
}

// blockSlices are the parts of a block, in their order. They are slices into C memory.
type blockSlices struct {
	nodes    []abi.WrittenArray
	parts    []abi.Part
	pointers []uintptr        // to children
	buffers  []unsafe.Pointer // of all arrays
	sizes    []int64          // of the data buffers of views
}

// blockCounts counts elements of blockSlices. The exporter counts what it has used instead
// of cutting its slices shorter: that would store pointers, and each store of a pointer
// costs a write barrier while the collector runs.
type blockCounts struct{ nodes, parts, pointers, buffers, sizes int }

// prepare divides a block into its parts, for arrays with so many data buffers of views.
// The block still has what the last call wrote. Only the buffers are cleared; everything
// else is written whole.
func (x *Exporter) prepare(variadic int) {
	nodes, buffers := x.need.nodes, x.need.buffers+variadic
	size := headerBytes + uintptr(nodes)*(arrayBytes+partBytes) +
		uintptr(x.need.pointers+buffers+variadic)*pointerBytes
	if x.block == nil || x.block.size < size {
		x.takeBlock(size)
	}
	at := unsafe.Add(unsafe.Pointer(x.block.header), headerBytes)
	x.used = blockCounts{}
	x.to.nodes = unsafe.Slice((*abi.WrittenArray)(at), nodes)
	at = unsafe.Add(at, uintptr(nodes)*arrayBytes)
	x.to.parts = unsafe.Slice((*abi.Part)(at), nodes)
	at = unsafe.Add(at, uintptr(nodes)*partBytes)
	x.to.pointers = unsafe.Slice((*uintptr)(at), x.need.pointers)
	at = unsafe.Add(at, uintptr(x.need.pointers)*pointerBytes)
	x.to.buffers = unsafe.Slice((*unsafe.Pointer)(at), buffers)
	// Clear them as numbers. The memory that the old pointers point to may be gone, and the
	// collector would look at a pointer that is overwritten.
	clear(unsafe.Slice((*uintptr)(at), buffers))
	at = unsafe.Add(at, uintptr(buffers)*pointerBytes)
	x.to.sizes = unsafe.Slice((*int64)(at), variadic)
}

// takeBlock makes x.block a block of at least this size.
func (x *Exporter) takeBlock(size uintptr) {
	if x.block == nil {
		x.block = x.pool.take()
	}
	if x.block != nil && x.block.size < size {
		x.block.free()
		x.block = nil
	}
	if x.block == nil {
		x.block = &block{size: size, pool: x.pool}
		x.block.header = abi.NewBlock(size, x.block)
	}
}

// begin writes a struct without buffers, children and dictionary.
func (x *Exporter) begin(out *abi.WrittenArray) {
	part := &x.to.parts[x.used.parts]
	x.used.parts++
	*part = abi.Part{Block: address(x.block.header)}
	*out = abi.WrittenArray{Release: releaseArray, PrivateData: address(part)}
}

func (x *Exporter) takeNodes(n int) []abi.WrittenArray {
	from := x.used.nodes
	x.used.nodes += n
	return x.to.nodes[from:x.used.nodes]
}

// takeChildren gives a struct its children, which lie side by side.
func (x *Exporter) takeChildren(out *abi.WrittenArray, n int) []abi.WrittenArray {
	if n == 0 {
		return nil
	}
	children := x.takeNodes(n)
	pointers := x.to.pointers[x.used.pointers:][:n]
	x.used.pointers += n
	for i := range children {
		pointers[i] = address(&children[i])
	}
	out.NumChildren = int64(n)
	out.Children = address(&pointers[0])
	return children
}

// takeBuffers gives a struct its buffers, all NULL. There is at least one.
func (x *Exporter) takeBuffers(out *abi.WrittenArray, n int) []unsafe.Pointer {
	buffers := x.to.buffers[x.used.buffers:][:n]
	x.used.buffers += n
	out.NumBuffers = int64(n)
	out.Buffers = address(&buffers[0])
	return buffers
}

func (x *Exporter) takeSizes(n int) []int64 {
	from := x.used.sizes
	x.used.sizes += n
	return x.to.sizes[from:x.used.sizes]
}
