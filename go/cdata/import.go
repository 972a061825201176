// SPDX-License-Identifier: MIT

package cdata

import (
	"fmt"
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/ignalina/alloy/go/abi"
)

// importer makes the arrays of a batch from a few large allocations: one of each kind for all
// columns. Like the exporter, it counts what it has used.
type importer struct {
	result   *Result
	datas    []array.Data
	buffers  []memory.Buffer
	pointers []*memory.Buffer
	children []arrow.ArrayData
	numbers  numbers
	used     struct{ datas, buffers, pointers, children int }
}

// Import makes a batch over the memory of a result. The engine has checked the result
// against the schema of the plan. Import takes the result, and releases it with its last
// buffer; at once if it has no buffers, or if Import fails.
func Import(p *Plan, result *Result) (batch arrow.RecordBatch, err error) {
	// Arrow-go panics about some data that the engine accepts, such as a null key of a map.
	defer func() {
		if cause := recover(); cause != nil {
			result.Release()
			batch, err = nil, fmt.Errorf("arrow-go cannot hold the result: %v", cause)
		}
	}()
	root := &result.Array
	var below []*abi.Array
	if root.NumChildren > 0 {
		below = unsafe.Slice(root.Children, root.NumChildren)
	}
	places, count := 0, 0
	for i, column := range below {
		n := &p.root.children[i]
		p, c := countBuffers(n, column)
		count += c
		if !n.isNumber() {
			places += p
		}
	}
	im := importer{
		result:   result,
		datas:    make([]array.Data, p.nodes-1-p.numbers.total()),
		buffers:  make([]memory.Buffer, count),
		pointers: make([]*memory.Buffer, places),
		children: make([]arrow.ArrayData, p.pointers-len(p.root.children)),
	}
	im.numbers.reserve(p.numbers)
	out := &result.record
	out.schema, out.rows = p.Schema, root.Length
	out.columns = make([]arrow.Array, len(p.root.children))
	out.count.Store(1)
	for i := range out.columns {
		out.columns[i] = im.column(&p.root.children[i], below[i])
	}
	result.count.Store(int64(im.used.buffers))
	if im.used.buffers == 0 {
		result.Release()
	} else if result.account != nil {
		result.account.results.Add(1)
	}
	return out, nil
}

func (im *importer) takeChildren(n int) []arrow.ArrayData {
	from := im.used.children
	im.used.children += n
	return im.children[from:im.used.children:im.used.children]
}

// array makes the data of an array of any type.
func (im *importer) array(n *node, in *abi.Array) *array.Data {
	data := &im.datas[im.used.datas]
	im.used.datas++
	from := im.used.pointers
	im.used.pointers += arrowBuffers(n, in)
	im.describe(data, im.pointers[from:im.used.pointers:im.used.pointers], n, in)
	return data
}

// describe fills data and its buffers from a C array.
func (im *importer) describe(data *array.Data, buffers []*memory.Buffer, n *node, in *abi.Array) {
	var below []arrow.ArrayData
	if count := len(n.children); count > 0 {
		below = im.takeChildren(count)
		children := unsafe.Slice(in.Children, count)
		for i := range below {
			below[i] = im.array(&n.children[i], children[i])
		}
	}
	nulls := int(in.NullCount)
	if !n.layout.hasValidity() {
		nulls = 0
	}
	// Reset first, while the buffers are still nil: Reset retains the buffers that it sees, and
	// each buffer is made with the one reference that this Data has.
	data.Reset(n.dtype, int(in.Length), buffers, below, nulls, int(in.Offset))
	im.fill(n, in, buffers)
	if n.layout.hasValidity() && buffers[0] == nil && nulls < 0 {
		data.SetNullN(0)
	}
	if n.dict != nil {
		data.SetDictionary(im.array(n.dict, in.Dictionary))
	}
}

// arrowBuffers returns the number of buffers that arrow-go has for an array.
func arrowBuffers(n *node, in *abi.Array) int {
	switch n.layout {
	case layoutNull, layoutSparse, layoutDense, layoutRunEnd:
		return buffers[n.layout] + 1
	case layoutView:
		return int(in.NumBuffers) - 1
	}
	return buffers[n.layout]
}

// fill makes the buffers of an array. It passes pointers to the addresses, not the addresses
// themselves. An empty buffer may have an invalid address (Rust uses 8), and Go crashes if it
// finds one on a stack.
func (im *importer) fill(n *node, in *abi.Array, out []*memory.Buffer) {
	if in.NumBuffers == 0 {
		return
	}
	from := unsafe.Slice(in.Buffers, in.NumBuffers)
	end := int(in.Length + in.Offset)
	if n.layout.hasValidity() {
		im.buffer(&out[0], &from[0], (end+7)/8)
	}
	switch n.layout {
	case layoutFixed:
		im.buffer(&out[1], &from[1], end*n.width)
	case layoutBits:
		im.buffer(&out[1], &from[1], (end+7)/8)
	case layoutBinary:
		if end > 0 {
			im.buffer(&out[1], &from[1], (end+1)*n.width)
			im.buffer(&out[2], &from[2], lastOffset(from[1], end, n.width))
		}
	case layoutView:
		im.buffer(&out[1], &from[1], end*n.width)
		if variadic := len(out) - 2; variadic > 0 {
			sizes := unsafe.Slice((*int64)(from[len(from)-1]), variadic)
			for i, size := range sizes {
				im.buffer(&out[2+i], &from[2+i], int(size))
			}
		}
	case layoutList:
		if end > 0 {
			im.buffer(&out[1], &from[1], (end+1)*n.width)
		}
	case layoutListView:
		im.buffer(&out[1], &from[1], end*n.width)
		im.buffer(&out[2], &from[2], end*n.width)
	case layoutSparse, layoutDense:
		// Old writers put a validity bitmap first. It is not used.
		from = from[len(from)-buffers[n.layout]:]
		im.buffer(&out[1], &from[0], end)
		if n.layout == layoutDense {
			im.buffer(&out[2], &from[1], end*4)
		}
	}
}

func lastOffset(offsets unsafe.Pointer, end, width int) int {
	if width == 4 {
		return int(*(*int32)(unsafe.Add(offsets, end*4)))
	}
	return int(*(*int64)(unsafe.Add(offsets, end*8)))
}

// buffer wraps foreign memory. An empty buffer stays nil, and its address is not read.
func (im *importer) buffer(out **memory.Buffer, from *unsafe.Pointer, size int) {
	if size == 0 || *from == nil {
		return
	}
	place := &im.buffers[im.used.buffers]
	im.used.buffers++
	move(place, memory.NewBufferWithAllocator(unsafe.Slice((*byte)(*from), size), im.result))
	*out = place
}

// move stores a value that nobody else refers to in its final place.
func move[T any](to, from *T) { *to = *from }

// countBuffers counts the buffers of a column: the places that arrow-go has for them, and the
// buffers that are present.
func countBuffers(n *node, in *abi.Array) (places, present int) {
	places = arrowBuffers(n, in)
	if in.NumBuffers > 0 {
		for _, buffer := range unsafe.Slice((*uintptr)(unsafe.Pointer(in.Buffers)), in.NumBuffers) {
			if buffer != 0 {
				present++
			}
		}
	}
	if len(n.children) > 0 {
		children := unsafe.Slice(in.Children, len(n.children))
		for i := range children {
			p, t := countBuffers(&n.children[i], children[i])
			places, present = places+p, present+t
		}
	}
	if n.dict != nil {
		p, t := countBuffers(n.dict, in.Dictionary)
		places, present = places+p, present+t
	}
	return places, present
}
