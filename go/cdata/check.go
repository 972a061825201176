// SPDX-License-Identifier: MIT

package cdata

import (
	"fmt"
	"math"
	"unicode/utf8"
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/bitutil"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

// Check checks a batch whose bytes come from outside, from an IPC stream for example. Each
// buffer must be as long as the rows need, and every offset, view and index must stay inside
// its buffer. The engine cannot check the first, since the C data interface carries no sizes.
// A fault is a *MismatchError.
//
// Arrow-go's own ValidateFull refuses columns of nulls, and panics about unions.
func Check(p *Plan, batch arrow.RecordBatch) (err error) {
	c := &checker{column: -1}
	defer func() {
		switch cause := recover().(type) {
		case nil:
		case fault:
			err = &MismatchError{Column: c.column, Reason: BadIPC, Text: string(cause)}
		default:
			panic(cause)
		}
	}()
	for i, column := range batch.Columns() {
		c.array(&p.root.children[i], column.Data())
		c.require(int64(column.Len()) >= batch.NumRows(), "the column has %d rows, the batch has %d", column.Len(), batch.NumRows())
	}
	return nil
}

// fault is the value with which a checker panics. So every check is one line.
type fault string

type checker struct{ column int }

func (c *checker) require(ok bool, format string, a ...any) {
	if !ok {
		panic(fault(fmt.Sprintf(format, a...)))
	}
}

// piece is one array: its buffers without the bitmap, and the rows from begin to end.
type piece struct {
	validity   []byte
	buffers    []*memory.Buffer
	begin, end int
	children   []arrow.ArrayData
}

func (r *piece) isNull(i int) bool { return r.validity != nil && bitutil.BitIsNotSet(r.validity, i) }

func (c *checker) array(n *node, in arrow.ArrayData) {
	c.column++
	data, ok := in.(*array.Data)
	c.require(ok && data != nil, "the array holds data of type %T; use arrays that arrow-go makes", in)
	length, offset := data.Len(), data.Offset()
	c.require(length >= 0 && offset >= 0 && length <= math.MaxInt/64-offset, "the array has length %d and offset %d", length, offset)
	r := &piece{begin: offset, end: offset + length, children: data.Children()}
	if n.layout != layoutNull {
		r.buffers = data.Buffers()
	}
	if n.layout.hasValidity() {
		c.require(len(r.buffers) > 0, "the array has no buffers")
		c.validity(r, data)
		r.buffers = r.buffers[1:]
	} else if len(r.buffers) > 0 {
		r.buffers = r.buffers[1:]
	}
	c.require(len(r.children) == len(n.children), "the array has %d children, type %s needs %d", len(r.children), n.dtype, len(n.children))
	c.layout(n, r)
	own := c.column
	for i, child := range r.children {
		c.array(&n.children[i], child)
	}
	if n.dict != nil {
		values, ok := data.Dictionary().(*array.Data)
		c.require(ok && values != nil, "the array has no dictionary")
		c.array(n.dict, values)
		c.column, own = own, c.column
		c.indices(n, r, values.Len())
		c.column = own
	}
}

func (c *checker) validity(r *piece, data *array.Data) {
	if r.buffers[0] == nil || r.buffers[0].Len() == 0 {
		return
	}
	r.validity = c.bytes(r, 0, (r.end+7)/8)
	if nulls := data.NullN(); nulls >= 0 {
		found := data.Len() - bitutil.CountSetBits(r.validity, r.begin, data.Len())
		c.require(nulls == found, "the null count is %d, the bitmap has %d nulls", nulls, found)
	}
}

// bytes returns a buffer, which must have at least size bytes.
func (c *checker) bytes(r *piece, i, size int) []byte {
	c.require(i < len(r.buffers), "the array has only %d buffers after its bitmap", len(r.buffers))
	var held []byte
	if r.buffers[i] != nil {
		held = r.buffers[i].Bytes()
	}
	c.require(len(held) >= size, "a buffer has %d bytes, the rows need %d", len(held), size)
	return held
}

func values[T any](c *checker, r *piece, i, count int) []T {
	held := c.bytes(r, i, count*int(unsafe.Sizeof(*new(T))))
	if count == 0 {
		return nil
	}
	return unsafe.Slice((*T)(unsafe.Pointer(&held[0])), count)
}

func (c *checker) layout(n *node, r *piece) {
	switch n.layout {
	case layoutFixed:
		c.bytes(r, 0, r.end*n.width)
	case layoutBits:
		c.bytes(r, 0, (r.end+7)/8)
	case layoutBinary:
		if r.end > 0 {
			held := c.bytes(r, 1, 0)
			first, last, starts := c.offsets(n, r, len(held))
			if isText(n.dtype) {
				c.text(held[first:last], func(i int) bool { return starts(i) == len(held) || utf8.RuneStart(held[starts(i)]) }, r)
			}
		}
	case layoutView:
		c.views(n, r)
	case layoutList:
		if r.end > 0 {
			c.offsets(n, r, r.children[0].Len())
		}
	case layoutListView:
		if n.width == 4 {
			listViews[int32](c, r)
		} else {
			listViews[int64](c, r)
		}
	case layoutStruct:
		each := 1
		if list, ok := n.storage().(*arrow.FixedSizeListType); ok {
			each = int(list.Len())
		}
		for _, child := range r.children {
			c.require(each == 0 || child.Len()/each >= r.end, "the child has %d values, but %d rows need %d values each", child.Len(), r.end, each)
		}
	case layoutSparse, layoutDense:
		c.union(n, r)
	case layoutRunEnd:
		c.runs(n, r)
	}
}

func (n *node) storage() arrow.DataType {
	if extension, ok := n.dtype.(arrow.ExtensionType); ok {
		return extension.StorageType()
	}
	return n.dtype
}

func isText(dtype arrow.DataType) bool {
	id := dtype.ID()
	return id == arrow.STRING || id == arrow.LARGE_STRING || id == arrow.STRING_VIEW
}

// text checks that the bytes are UTF-8, and that no value begins inside a character.
func (c *checker) text(held []byte, starts func(int) bool, r *piece) {
	c.require(utf8.Valid(held), "the text is not UTF-8")
	for i := r.begin; i < r.end; i++ {
		c.require(starts(i), "row %d: the text begins inside a character", i-r.begin)
	}
}

// offsets checks the offsets of strings or lists. It returns the first, the last, and a
// function that returns the offset at an index.
func (c *checker) offsets(n *node, r *piece, limit int) (int, int, func(int) int) {
	if n.width == 4 {
		return offsets(c, r, values[int32](c, r, 0, r.end+1), limit)
	}
	return offsets(c, r, values[int64](c, r, 0, r.end+1), limit)
}

func offsets[T int32 | int64](c *checker, r *piece, all []T, limit int) (int, int, func(int) int) {
	before := all[r.begin]
	c.require(before >= 0, "the first offset is %d", before)
	for i := r.begin + 1; i <= r.end; i++ {
		c.require(all[i] >= before, "offset %d comes after offset %d", all[i], before)
		before = all[i]
	}
	c.require(int64(before) <= int64(limit), "the last offset is %d, past the end at %d", before, limit)
	return int(all[r.begin]), int(before), func(i int) int { return int(all[i]) }
}

func (c *checker) views(n *node, r *piece) {
	text := isText(n.dtype)
	all := values[arrow.ViewHeader](c, r, 0, r.end)
	for i := r.begin; i < r.end; i++ {
		if r.isNull(i) {
			continue
		}
		view, row := &all[i], i-r.begin
		c.require(view.Len() >= 0, "row %d: the view has length %d", row, view.Len())
		var held []byte
		if view.IsInline() {
			held = view.InlineBytes()
		} else {
			buffer, from := int(view.BufferIndex()), int(view.BufferOffset())
			c.require(buffer >= 0 && buffer < len(r.buffers)-1, "row %d: the view points to buffer %d of %d", row, buffer, len(r.buffers)-1)
			held = c.bytes(r, 1+buffer, 0)
			c.require(from >= 0 && view.Len() <= len(held)-from, "row %d: the view has %d bytes at %d of a buffer of %d", row, view.Len(), from, len(held))
			held = held[from : from+view.Len()]
		}
		c.require(!text || utf8.Valid(held), "row %d: the text is not UTF-8", row)
	}
}

func listViews[T int32 | int64](c *checker, r *piece) {
	begins, sizes := values[T](c, r, 0, r.end), values[T](c, r, 1, r.end)
	limit := int64(r.children[0].Len())
	for i := r.begin; i < r.end; i++ {
		from, size := int64(begins[i]), int64(sizes[i])
		c.require(r.isNull(i) || from >= 0 && size >= 0 && size <= limit-from, "row %d: the list has %d values at %d of %d", i-r.begin, size, from, limit)
	}
}

func (c *checker) union(n *node, r *piece) {
	// Old writers put a validity bitmap first. It is not used.
	r.buffers = r.buffers[max(0, len(r.buffers)-buffers[n.layout]):]
	union := n.storage().(arrow.UnionType)
	codes, children := values[int8](c, r, 0, r.end), union.ChildIDs()
	var places []int32
	if n.layout == layoutDense {
		places = values[int32](c, r, 1, r.end)
	}
	for i := r.begin; i < r.end; i++ {
		code, row := codes[i], i-r.begin
		c.require(code >= 0 && int(code) < len(children) && children[code] != arrow.InvalidUnionChildID, "row %d: the union has no type id %d", row, code)
		at, limit := i, r.children[children[code]].Len()
		if places != nil {
			at = int(places[i])
		}
		c.require(at >= 0 && at < limit, "row %d: value %d is outside the child of %d values", row, at, limit)
	}
}

func (c *checker) runs(n *node, r *piece) {
	ends, ok := r.children[0].(*array.Data)
	c.require(ok && ends != nil && len(ends.Buffers()) == 2, "the array has no run ends")
	c.require(r.children[1].Len() >= ends.Len(), "the array has %d values for %d runs", r.children[1].Len(), ends.Len())
	in := &piece{buffers: ends.Buffers()[1:], begin: ends.Offset(), end: ends.Offset() + ends.Len()}
	switch n.children[0].width {
	case 2:
		runEnds(c, in, values[int16](c, in, 0, in.end), r.end)
	case 4:
		runEnds(c, in, values[int32](c, in, 0, in.end), r.end)
	default:
		runEnds(c, in, values[int64](c, in, 0, in.end), r.end)
	}
}

func runEnds[T int16 | int32 | int64](c *checker, r *piece, all []T, end int) {
	before := T(0)
	for i := r.begin; i < r.end; i++ {
		c.require(all[i] > before, "run end %d comes after %d", all[i], before)
		before = all[i]
	}
	c.require(int64(before) >= int64(end), "the last run ends at row %d of %d", before, end)
}

func (c *checker) indices(n *node, r *piece, limit int) {
	index := n.storage().(*arrow.DictionaryType).IndexType
	switch index.ID() {
	case arrow.INT8:
		indices[int8](c, r, limit)
	case arrow.UINT8:
		indices[uint8](c, r, limit)
	case arrow.INT16:
		indices[int16](c, r, limit)
	case arrow.UINT16:
		indices[uint16](c, r, limit)
	case arrow.INT32:
		indices[int32](c, r, limit)
	case arrow.UINT32:
		indices[uint32](c, r, limit)
	default: // int64; and uint64, whose upper half is out of range as int64 too
		indices[int64](c, r, limit)
	}
}

func indices[T int8 | uint8 | int16 | uint16 | int32 | uint32 | int64](c *checker, r *piece, limit int) {
	all := values[T](c, r, 0, r.end)
	for i := r.begin; i < r.end; i++ {
		c.require(r.isNull(i) || all[i] >= 0 && int64(all[i]) < int64(limit), "row %d: index %d is outside the dictionary of %d values", i-r.begin, all[i], limit)
	}
}
