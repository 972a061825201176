// SPDX-License-Identifier: MIT

package cdata

import (
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/ignalina/alloy/go/abi"
)

// batch writes a batch: a struct array whose children are the columns.
func (x *Exporter) batch(p *Plan, out *abi.WrittenArray, batch *Batch) error {
	x.begin(out)
	out.Length = batch.Rows
	x.takeBuffers(out, 1) // no validity bitmap
	if len(batch.Columns) != len(p.root.children) {
		return x.mismatch(ChildCount, "the batch has %d columns, its schema has %d", len(batch.Columns), len(p.root.children))
	}
	children := x.takeChildren(out, len(batch.Columns))
	for i, column := range batch.Columns {
		x.column++
		data, ok := column.Data().(*array.Data)
		if !ok {
			return x.mismatch(HostArray, "the column holds data of type %T; use arrays that arrow-go makes", column.Data())
		}
		if data == nil {
			return x.mismatch(ArrayReleased, "the column was released before the call")
		}
		if err := x.array(&p.root.children[i], &children[i], data); err != nil {
			return err
		}
		// arrow-go allows a column that is longer than its batch.
		if children[i].Length > batch.Rows {
			shorten(&children[i], batch.Rows)
		}
	}
	return nil
}

// shorten cuts off the end of a column. The nulls that were counted may be in that end.
func shorten(out *abi.WrittenArray, rows int64) {
	if out.NullCount == out.Length {
		out.NullCount = rows
	} else if out.NullCount > 0 {
		out.NullCount = -1
	}
	out.Length = rows
}

// array writes an array, its children and its dictionary.
func (x *Exporter) array(n *node, out *abi.WrittenArray, data *array.Data) error {
	x.begin(out)
	out.Length, out.Offset = int64(data.Len()), int64(data.Offset())
	if err := x.buffers(n, out, data); err != nil {
		return err
	}
	below := data.Children()
	if len(below) != len(n.children) {
		return x.mismatch(ChildCount, "the array has %d children, type %s needs %d", len(below), n.dtype, len(n.children))
	}
	children := x.takeChildren(out, len(below))
	for i, child := range below {
		x.column++
		inner, ok := child.(*array.Data)
		if !ok || inner == nil {
			return x.mismatch(HostArray, "the child array holds data of type %T; use arrays that arrow-go makes", child)
		}
		if err := x.array(&n.children[i], &children[i], inner); err != nil {
			return err
		}
	}
	if n.dict == nil {
		return nil
	}
	x.column++
	values, ok := data.Dictionary().(*array.Data)
	if !ok || values == nil {
		return x.mismatch(DictionaryMissing, "the array has no dictionary, type %s needs one", n.dtype)
	}
	dictionary := &x.takeNodes(1)[0]
	out.Dictionary = address(dictionary)
	return x.array(n.dict, dictionary, values)
}

// buffers writes the buffers and the null count of an array: one function per layout.
func (x *Exporter) buffers(n *node, out *abi.WrittenArray, data *array.Data) error {
	switch n.layout {
	case layoutNull:
		out.NullCount = out.Length
		return nil
	case layoutRunEnd:
		return nil
	case layoutBinary:
		return x.binaryBuffers(n, out, data)
	case layoutView:
		return x.viewBuffers(n, out, data)
	case layoutSparse, layoutDense:
		return x.unionBuffers(n, out, data)
	}
	return x.fixedBuffers(n, out, data)
}

// fixedBuffers writes layouts of a validity bitmap and buffers that have a place for each
// row: numbers, bits, lists, structs.
func (x *Exporter) fixedBuffers(n *node, out *abi.WrittenArray, data *array.Data) error {
	from := data.Buffers()
	if len(from) != buffers[n.layout] {
		return x.wrongBuffers(n, len(from), buffers[n.layout])
	}
	to := x.takeBuffers(out, len(from))
	x.validity(out, to, from[0], data.NullN())
	for i := 1; i < len(from); i++ {
		to[i] = x.buffer(from[i], isEmpty(out))
	}
	return nil
}

// binaryBuffers writes strings: validity, offsets, data. The data may be missing if every
// string is empty.
func (x *Exporter) binaryBuffers(n *node, out *abi.WrittenArray, data *array.Data) error {
	from := data.Buffers()
	if len(from) != buffers[layoutBinary] {
		return x.wrongBuffers(n, len(from), buffers[layoutBinary])
	}
	to := x.takeBuffers(out, len(from))
	x.validity(out, to, from[0], data.NullN())
	to[1] = x.buffer(from[1], isEmpty(out))
	to[2] = x.buffer(from[2], true)
	return nil
}

// viewBuffers writes string views: validity, views, any number of data buffers, and the
// sizes of those, which only C has.
func (x *Exporter) viewBuffers(n *node, out *abi.WrittenArray, data *array.Data) error {
	from := data.Buffers()
	if len(from) < 2 {
		return x.wrongBuffers(n, len(from), 2)
	}
	to := x.takeBuffers(out, len(from)+1)
	x.validity(out, to, from[0], data.NullN())
	to[1] = x.buffer(from[1], isEmpty(out))
	last := len(from)
	to[last] = abi.Zeros
	variadic := from[2:]
	if len(variadic) == 0 {
		return nil
	}
	sizes := x.takeSizes(len(variadic))
	to[last] = unsafe.Pointer(&sizes[0])
	for i, buffer := range variadic {
		to[2+i] = x.buffer(buffer, true)
		sizes[i] = 0
		if buffer != nil {
			sizes[i] = int64(buffer.Len())
		}
	}
	return nil
}

// unionBuffers writes type ids, and the offsets of a dense union. Arrow-go has a place for a
// validity bitmap before them, which unions do not have.
func (x *Exporter) unionBuffers(n *node, out *abi.WrittenArray, data *array.Data) error {
	from := data.Buffers()
	if len(from) > 0 {
		from = from[1:]
	}
	if len(from) != buffers[n.layout] {
		return x.wrongBuffers(n, len(from), buffers[n.layout])
	}
	to := x.takeBuffers(out, len(from))
	for i := range from {
		to[i] = x.buffer(from[i], isEmpty(out))
	}
	return nil
}

func (x *Exporter) wrongBuffers(n *node, have, need int) error {
	return x.mismatch(BufferCount, "the array has %d buffers, type %s needs %d", have, n.dtype, need)
}

// validity writes the bitmap and the null count. The builders of arrow-go always make a
// bitmap; without nulls it is NULL in C. Without a bitmap an unknown null count is 0.
func (x *Exporter) validity(out *abi.WrittenArray, to []unsafe.Pointer, bitmap *memory.Buffer, nulls int) {
	if nulls != 0 {
		to[0] = x.buffer(bitmap, false)
		if to[0] == nil && nulls < 0 {
			nulls = 0
		}
	}
	out.NullCount = int64(nulls)
}

// buffer pins a buffer and returns its address. An empty buffer is NULL, so that the engine
// can name the fault. If it may be empty, its address is that of some zeros, because some
// importers refuse NULL.
func (x *Exporter) buffer(from *memory.Buffer, mayBeEmpty bool) unsafe.Pointer {
	if from == nil || from.Len() == 0 {
		if mayBeEmpty {
			return abi.Zeros
		}
		return nil
	}
	first := &from.Bytes()[0]
	x.block.pins.pin(first)
	return unsafe.Pointer(first)
}

// isEmpty reports whether an array has no rows before its end, so that it needs no buffers.
func isEmpty(out *abi.WrittenArray) bool { return out.Length == 0 && out.Offset == 0 }

// countVariadic counts the data buffers of all views. It skips arrays that do not fit their
// plan, because writing them fails.
func (x *Exporter) countVariadic(batches []Batch) int {
	total := 0
	for i, batch := range batches {
		below := x.plans[i].root.children
		for c := range min(len(batch.Columns), len(below)) {
			total += countVariadic(&below[c], batch.Columns[c].Data())
		}
	}
	return total
}

func countVariadic(n *node, in arrow.ArrayData) int {
	data, ok := in.(*array.Data)
	if !ok || data == nil {
		return 0
	}
	total := 0
	if n.layout == layoutView {
		total = max(0, len(data.Buffers())-2)
	}
	below := data.Children()
	for i := range min(len(below), len(n.children)) {
		total += countVariadic(&n.children[i], below[i])
	}
	if n.dict != nil {
		total += countVariadic(n.dict, data.Dictionary())
	}
	return total
}
