// SPDX-License-Identifier: MIT

package cdata

import (
	"fmt"
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/ignalina/alloy/go/abi"
)

// Batch is one input of a call: columns that fit a plan.
type Batch struct {
	Columns []arrow.Array
	Rows    int64
	// Owner keeps the columns alive: the record, or the column itself if there is only one.
	Owner Counted
}

// Counted is what arrow-go's records and arrays have in common.
type Counted interface {
	Retain()
	Release()
}

// MismatchError reports an array that does not have the form that its type needs.
type MismatchError struct {
	// Input is the number of the batch, from 0. Column is the place in its schema in preorder;
	// -1 is the batch itself.
	Input, Column int
	// Reason is the number of the reason in the C ABI.
	Reason int32
	// Text says what is wrong with the column.
	Text string
}

// The reasons of a MismatchError, with the numbers of the C ABI.
const (
	ChildCount        = 1005
	DictionaryMissing = 1010
	ArrayReleased     = 1020
	BufferCount       = 1021
	HostArray         = 4005
	BadIPC            = 4008
)

// Error returns the text.
func (e *MismatchError) Error() string { return e.Text }

// Exporter writes the inputs of a call into one block of C memory, call after call.
//
// Every struct and pointer of a call lies in that block. The buffers stay where they are:
// those on the Go heap are pinned. If the callee releases everything before the call
// returns, nothing is allocated and Go is not entered. If the callee keeps a part longer,
// the block, the pins and the arrays stay until the last struct is released.
//
// Threads: serial.
type Exporter struct {
	plans []*Plan
	need  blockCounts // for all plans, without the buffers of views that vary
	views bool        // a plan has views, whose buffers vary

	pool  *blockPool
	block *block // of the call that is written or runs; nil if the callee kept the last one

	// Where the call is written.
	to     blockSlices
	used   blockCounts
	input  int
	column int
}

// NewExporter makes an exporter for calls with these inputs.
func NewExporter(plans []*Plan) *Exporter {
	x := &Exporter{plans: plans, pool: &blockPool{}}
	for _, p := range plans {
		x.need.nodes += p.nodes
		x.need.pointers += p.pointers
		x.need.buffers += p.buffers
		x.views = x.views || p.views
	}
	return x
}

// Export writes the batches and returns their structs, which lie side by side, to give
// them away. The caller keeps the arrays alive until Done.
func (x *Exporter) Export(batches []Batch) (*abi.Array, error) {
	variadic := 0
	if x.views {
		variadic = x.countVariadic(batches)
	}
	x.prepare(variadic)
	roots := x.takeNodes(len(batches))
	for i := range batches {
		x.input, x.column = i, -1
		if err := x.batch(x.plans[i], &roots[i], &batches[i]); err != nil {
			x.block.pins.unpin()
			return nil, err
		}
	}
	x.block.header.SetStructs(x.need.nodes)
	if len(roots) == 0 {
		return nil, nil
	}
	return (*abi.Array)(unsafe.Pointer(&roots[0])), nil
}

// Done ends a call with these batches. If the callee kept a part of them, their owners are
// retained until it releases that part.
func (x *Exporter) Done(batches []Batch) {
	if x.block.header.AllReleased() {
		x.block.pins.unpin()
		return
	}
	kept := x.block
	x.block = nil
	for _, batch := range batches {
		batch.Owner.Retain()
		kept.owners = append(kept.owners, batch.Owner)
	}
	kept.header.Detach()
}

// Move writes one batch and moves it to out, as a stream gives it away. The owner of the
// batch is retained until the last part of it is released.
func (x *Exporter) Move(batch Batch, out *abi.WrittenArray) error {
	batches := [1]Batch{batch}
	first, err := x.Export(batches[:])
	if err != nil {
		return err
	}
	*out = *(*abi.WrittenArray)(unsafe.Pointer(first))
	x.Done(batches[:])
	return nil
}

// Close frees the blocks that no callee has. A block that a callee kept is freed when the
// callee has released it.
func (x *Exporter) Close() {
	if x.block != nil {
		x.block.free()
		x.block = nil
	}
	x.pool.close()
}

func (x *Exporter) mismatch(reason int32, format string, a ...any) error {
	return &MismatchError{Input: x.input, Column: x.column, Reason: reason, Text: fmt.Sprintf(format, a...)}
}
