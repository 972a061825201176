// SPDX-License-Identifier: MIT

package cdata

import (
	"fmt"
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/ignalina/alloy/go/engine"
)

// Batch is what one input of a call holds: equally long columns that fit a plan.
type Batch struct {
	Columns []arrow.Array
	Rows    int64
	// Owner keeps the columns alive: the record, or the only column itself.
	Owner Counted
}

// Counted is what arrow-go's records and arrays have in common.
type Counted interface {
	Retain()
	Release()
}

// MismatchError says that an array is not of the shape its type asks for.
type MismatchError struct {
	Input, Column int // Column in preorder: the batch is -1
	Text          string
}

func (e *MismatchError) Error() string { return e.Text }

// Exporter writes the inputs of one call after another into one block of C memory.
//
// Every struct and pointer of a call lies in that block. Buffers stay where they are: in
// C memory as they are, on the Go heap pinned. As long as the callee releases everything
// before the call returns, nothing is allocated and Go is not entered; what it keeps
// longer keeps the block, the pins and the arrays until the last struct is released.
//
// Threads: serial.
type Exporter struct {
	plans    []*Plan
	nodes    int
	pointers int
	buffers  int
	views    bool

	shelf *shelf
	lot   *lot // of the call that is written or runs, nil when it was left behind

	// The block while a call is written. What is used up is counted: a slice cut shorter
	// would be a pointer written, which the collector asks to hear of while it marks.
	rows   rows
	used   used
	input  int
	column int
}

// rows are those of one block.
type rows struct {
	nodes    []engine.WrittenArray
	parts    []engine.Part
	pointers []uintptr
	buffers  []unsafe.Pointer
	sizes    []int64
}

// used counts what is used up of each of the rows.
type used struct{ nodes, parts, pointers, buffers, sizes int }

// NewExporter makes an exporter for calls with these inputs.
func NewExporter(plans []*Plan) *Exporter {
	x := &Exporter{plans: plans, shelf: &shelf{}}
	for _, p := range plans {
		x.nodes += p.nodes
		x.pointers += p.pointers
		x.buffers += p.buffers
		x.views = x.views || p.views
	}
	return x
}

const (
	headerBytes  = unsafe.Sizeof(engine.BlockHeader{})
	arrayBytes   = unsafe.Sizeof(engine.WrittenArray{})
	partBytes    = unsafe.Sizeof(engine.Part{})
	pointerBytes = unsafe.Sizeof(uintptr(0))
)

var releaseArray = uintptr(engine.ReleaseArray)

// address is that of something in C memory, which stays where it is.
func address[T any](at *T) uintptr { return uintptr(unsafe.Pointer(at)) }

// Export writes the batches and returns the row of structs to give away. The caller keeps
// the arrays until Done.
func (x *Exporter) Export(batches []Batch) (*engine.Array, error) {
	variadic := 0
	if x.views {
		for i, batch := range batches {
			below := x.plans[i].root.children
			for c := range min(len(batch.Columns), len(below)) {
				variadic += countVariadic(&below[c], batch.Columns[c].Data())
			}
		}
	}
	x.prepare(variadic)
	roots := x.takeNodes(len(batches))
	var err error
	for i := range batches {
		x.input, x.column = i, -1
		if err = x.batch(x.plans[i], &roots[i], &batches[i]); err != nil {
			x.lot.pins.unpin()
			return nil, err
		}
	}
	x.lot.block.SetStructs(x.nodes)
	if len(roots) == 0 {
		return nil, nil
	}
	return (*engine.Array)(unsafe.Pointer(&roots[0])), nil
}

// Done ends a call with these batches. Of what the callee kept a part, the owners are
// retained until it is released.
func (x *Exporter) Done(batches []Batch) {
	if x.lot.block.AllReleased() {
		x.lot.pins.unpin()
		return
	}
	for _, batch := range batches {
		batch.Owner.Retain()
		x.lot.owners = append(x.lot.owners, batch.Owner)
	}
	block := x.lot.block
	x.lot = nil
	block.Detach()
}

// Close frees what an exporter holds that is not in a call. What outlives its calls is
// freed when it comes back.
func (x *Exporter) Close() {
	if x.lot != nil {
		x.lot.free()
		x.lot = nil
	}
	x.shelf.close()
}

// prepare cuts a block into rows of structs, pointers and sizes. They still have what the
// call before wrote; only the rows of buffers are cleared, the others written as a whole.
func (x *Exporter) prepare(variadic int) {
	size := headerBytes + uintptr(x.nodes)*(arrayBytes+partBytes) +
		uintptr(x.pointers+x.buffers+2*variadic)*pointerBytes
	if x.lot == nil {
		x.lot = x.shelf.take()
	}
	if x.lot != nil && x.lot.size < size {
		x.lot.free()
		x.lot = nil
	}
	if x.lot == nil {
		x.lot = &lot{size: size, shelf: x.shelf}
		x.lot.block = engine.NewBlock(size, x.lot)
	}
	at := unsafe.Add(unsafe.Pointer(x.lot.block), headerBytes)
	x.used = used{}
	x.rows.nodes = unsafe.Slice((*engine.WrittenArray)(at), x.nodes)
	at = unsafe.Add(at, uintptr(x.nodes)*arrayBytes)
	x.rows.parts = unsafe.Slice((*engine.Part)(at), x.nodes)
	at = unsafe.Add(at, uintptr(x.nodes)*partBytes)
	x.rows.pointers = unsafe.Slice((*uintptr)(at), x.pointers)
	at = unsafe.Add(at, uintptr(x.pointers)*pointerBytes)
	x.rows.buffers = unsafe.Slice((*unsafe.Pointer)(at), x.buffers+variadic)
	// As numbers: what the old pointers point to may be gone, and the collector would look at
	// them when they are overwritten as pointers.
	clear(unsafe.Slice((*uintptr)(at), x.buffers+variadic))
	at = unsafe.Add(at, uintptr(x.buffers+variadic)*pointerBytes)
	x.rows.sizes = unsafe.Slice((*int64)(at), variadic)
}

func (x *Exporter) batch(p *Plan, out *engine.WrittenArray, batch *Batch) error {
	x.own(out)
	out.Length = batch.Rows
	out.NumBuffers = 1
	out.Buffers = address(&x.takeBuffers(1)[0])
	if len(batch.Columns) != len(p.root.children) {
		return x.mismatch("%d columns, and %d in the schema", len(batch.Columns), len(p.root.children))
	}
	children := x.takeChildren(out, len(batch.Columns))
	for i, column := range batch.Columns {
		x.column++
		data, ok := column.Data().(*array.Data)
		if !ok {
			return x.mismatch("data of type %T, which arrow-go does not make", column.Data())
		}
		if data == nil {
			return x.mismatch("the column was released")
		}
		if err := x.array(&p.root.children[i], &children[i], data); err != nil {
			return err
		}
		// arrow-go lets a column be longer than its batch.
		if children[i].Length > batch.Rows {
			shorten(&children[i], batch.Rows)
		}
	}
	return nil
}

// shorten cuts the end of a column off. Nulls that were counted may be in it.
func shorten(out *engine.WrittenArray, rows int64) {
	if out.NullCount == out.Length {
		out.NullCount = rows
	} else if out.NullCount > 0 {
		out.NullCount = -1
	}
	out.Length = rows
}

func (x *Exporter) mismatch(format string, a ...any) error {
	return &MismatchError{Input: x.input, Column: x.column, Text: fmt.Sprintf(format, a...)}
}

func (x *Exporter) own(out *engine.WrittenArray) {
	part := &x.rows.parts[x.used.parts]
	x.used.parts++
	*part = engine.Part{Block: address(x.lot.block)}
	*out = engine.WrittenArray{Release: releaseArray, PrivateData: address(part)}
}

func (x *Exporter) takeBuffers(n int) []unsafe.Pointer {
	from := x.used.buffers
	x.used.buffers += n
	return x.rows.buffers[from:x.used.buffers]
}

func (x *Exporter) takeNodes(n int) []engine.WrittenArray {
	from := x.used.nodes
	x.used.nodes += n
	return x.rows.nodes[from:x.used.nodes]
}

// takeChildren gives a parent its children, which lie in a row.
func (x *Exporter) takeChildren(out *engine.WrittenArray, n int) []engine.WrittenArray {
	if n == 0 {
		return nil
	}
	children := x.takeNodes(n)
	pointers := x.rows.pointers[x.used.pointers:][:n]
	x.used.pointers += n
	for i := range children {
		pointers[i] = address(&children[i])
	}
	out.NumChildren = int64(n)
	out.Children = address(&pointers[0])
	return children
}

func (x *Exporter) array(n *node, out *engine.WrittenArray, data *array.Data) error {
	x.own(out)
	out.Length, out.Offset = int64(data.Len()), int64(data.Offset())
	if err := x.point(n, out, data); err != nil {
		return err
	}
	below := data.Children()
	if len(below) != len(n.children) {
		return x.mismatch("%d children, and %d of type %s", len(below), len(n.children), n.dtype)
	}
	children := x.takeChildren(out, len(below))
	for i, child := range below {
		x.column++
		inner, ok := child.(*array.Data)
		if !ok || inner == nil {
			return x.mismatch("a child of type %T, which arrow-go does not make", child)
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
		return x.mismatch("no dictionary")
	}
	dictionary := &x.takeNodes(1)[0]
	out.Dictionary = address(dictionary)
	return x.array(n.dict, dictionary, values)
}

func (x *Exporter) point(n *node, out *engine.WrittenArray, data *array.Data) error {
	count := buffers[n.layout]
	if n.layout == layoutNull {
		out.NullCount = out.Length
	}
	if count == 0 {
		return nil
	}
	have := data.Buffers()
	if !n.layout.hasValidity() && len(have) > 0 {
		have = have[1:]
	}
	want := count
	if n.layout == layoutView {
		want-- // the sizes are C's own
		if len(have) > want {
			want = len(have)
			count = want + 1
		}
	}
	if len(have) != want {
		return x.mismatch("%d buffers, and %d of type %s", len(have), want, n.dtype)
	}
	rows := x.takeBuffers(count)
	out.NumBuffers = int64(count)
	out.Buffers = address(&rows[0])
	empty := out.Length == 0 && out.Offset == 0
	if n.layout.hasValidity() {
		out.NullCount = int64(data.NullN())
	}
	for i, buffer := range have {
		if i == 0 && out.NullCount == 0 && n.layout.hasValidity() {
			continue // arrow-go's builders always make a bitmap; without nulls, NULL is one
		}
		if buffer != nil && buffer.Len() > 0 {
			first := &buffer.Bytes()[0]
			x.lot.pins.pin(first)
			rows[i] = unsafe.Pointer(first)
		} else if i > 0 || !n.layout.hasValidity() {
			// Where nothing is needed, zeros please importers that refuse NULL; where
			// something is, NULL lets the gate name the fault.
			if empty || i == 2 && n.layout == layoutBinary || i >= 2 && n.layout == layoutView {
				rows[i] = engine.Zeros
			}
		}
	}
	if n.layout.hasValidity() && rows[0] == nil && out.NullCount < 0 {
		out.NullCount = 0
	}
	if n.layout == layoutView {
		rows[count-1] = engine.Zeros
		if sizes := have[2:]; len(sizes) > 0 {
			taken := x.rows.sizes[x.used.sizes:][:len(sizes)]
			x.used.sizes += len(sizes)
			rows[count-1] = unsafe.Pointer(&taken[0])
			for i, buffer := range sizes {
				taken[i] = 0
				if buffer != nil {
					taken[i] = int64(buffer.Len())
				}
			}
		}
	}
	return nil
}

// countVariadic counts the data buffers of the views in an array, and stops where the
// array does not fit its type: writing it will say so.
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
