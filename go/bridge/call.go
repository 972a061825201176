// SPDX-License-Identifier: MIT

package bridge

import (
	"context"
	"errors"
	"math"
	"reflect"
	"sync"
	"time"
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/ignalina/alloy/go/cdata"
)

// few is how many inputs are described without an allocation.
const few = 4

func (c *core) call(ctx context.Context, b *GoBridge, function string, options Options, in []arrow.RecordBatch) (arrow.RecordBatch, error) {
	g, err := c.current(b)
	if err != nil {
		return nil, err
	}
	var schemaRoom [few]*arrow.Schema
	var batchRoom [few]cdata.Batch
	schemas, batches := schemaRoom[:0], batchRoom[:0]
	for i, batch := range in {
		if batch == nil {
			return nil, &Error{Code: Invalid, Column: -1, Side: SideCaller, Input: i, Text: "the batch is nil"}
		}
		schemas = append(schemas, batch.Schema())
		batches = append(batches, cdata.Batch{Columns: batch.Columns(), Rows: batch.NumRows(), Owner: batch})
	}
	bound, err := g.acquire(function, options, schemas)
	if err != nil {
		return nil, err
	}
	result := cdata.NewResult(c.memory)
	if err = bound.run(ctx, batches, result); err != nil {
		return nil, err
	}
	plan := bound.entry.output
	bound.entry.give(bound)
	out, err := cdata.Import(plan, result)
	if err != nil {
		return nil, &Error{Code: BadData, Column: -1, Side: SideBackend, Input: -1, Text: err.Error()}
	}
	return out, nil
}

// run exports, runs and clears up. After an error the bound call is already given back.
func (b *bound) run(ctx context.Context, batches []cdata.Batch, result *cdata.Result) error {
	timeout, err := remaining(ctx)
	if err != nil {
		b.entry.give(b)
		return err
	}
	inputs, err := b.exporter.Export(batches)
	if err != nil {
		b.entry.give(b)
		return fromMismatch(err)
	}
	var ticket uint64
	var stop func() bool
	if ctx.Done() != nil {
		b.ticket++
		ticket = b.ticket
		call := b.call
		stop = context.AfterFunc(ctx, func() {
			// A deadline is the engine's to watch: it answers Timeout instead.
			if timeout == 0 || !errors.Is(ctx.Err(), context.DeadlineExceeded) {
				call.Cancel(ticket)
			}
		})
	}
	fault := b.call.Run(inputs, &result.Owner, timeout, ticket)
	if stop != nil {
		stop()
	}
	b.exporter.Done(batches)
	if fault != nil {
		b.entry.give(b)
		return fromFault(fault)
	}
	return nil
}

// remaining is what is left until the deadline, 0 for none.
func remaining(ctx context.Context) (int64, error) {
	if ctx.Done() == nil {
		return 0, nil
	}
	const when = "before the call began"
	if ctx.Err() != nil {
		return 0, fromContext(ctx, when)
	}
	deadline, ok := ctx.Deadline()
	if !ok {
		return 0, nil
	}
	left := int64(time.Until(deadline))
	if left <= 0 {
		return 0, callers(Timeout, "the deadline passed %s", when)
	}
	return left, nil
}

func (c *core) fromChunks(b *GoBridge, arrays []arrow.Array) (int, error) {
	g, err := c.current(b)
	if err != nil {
		return 0, err
	}
	var schemaRoom [few]*arrow.Schema
	var batchRoom [few]cdata.Batch
	schemas, batches := schemaRoom[:0], batchRoom[:0]
	for i, chunk := range arrays {
		if chunk == nil {
			return 0, &Error{Code: Invalid, Column: -1, Side: SideCaller, Input: i, Text: "the array is nil"}
		}
		schemas = append(schemas, chunkSchema(chunk.DataType()))
		batches = append(batches, cdata.Batch{Columns: arrays[i : i+1], Rows: int64(chunk.Len()), Owner: chunk})
	}
	bound, err := g.acquire("from_chunks", nil, schemas)
	if err != nil {
		return 0, err
	}
	result := cdata.NewResult(c.memory)
	if err = bound.run(context.Background(), batches, result); err != nil {
		return 0, err
	}
	bound.entry.give(bound)
	defer result.Release()
	// The engine promises one row of one int64 column without nulls.
	column := *result.Array.Children
	values := unsafe.Slice(column.Buffers, column.NumBuffers)
	count := *(*int64)(unsafe.Add(values[1], column.Offset*8))
	if count < math.MinInt || count > math.MaxInt {
		return 0, callers(Internal, "%d does not fit an int", count)
	}
	return int(count), nil
}

// chunks remembers the schema of a one-column batch by its type, so that a repeated
// FromChunks finds what is bound. Bounded like the cache: types may be made at will.
var chunks struct {
	sync.RWMutex
	schemas map[arrow.DataType]*arrow.Schema
}

func chunkSchema(dtype arrow.DataType) *arrow.Schema {
	// What is no pointer may not be usable as a key.
	known := reflect.TypeOf(dtype).Kind() == reflect.Pointer
	if known {
		chunks.RLock()
		schema := chunks.schemas[dtype]
		chunks.RUnlock()
		if schema != nil {
			return schema
		}
	}
	schema := arrow.NewSchema([]arrow.Field{{Type: dtype, Nullable: true}}, nil)
	if known {
		chunks.Lock()
		defer chunks.Unlock()
		if chunks.schemas == nil || len(chunks.schemas) >= maxKeys {
			chunks.schemas = map[arrow.DataType]*arrow.Schema{}
		}
		chunks.schemas[dtype] = schema
	}
	return schema
}
