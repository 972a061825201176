// SPDX-License-Identifier: MIT

package alloy

import (
	"context"
	"errors"
	"reflect"
	"sync"
	"time"
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/ignalina/alloy/go/cdata"
	"github.com/ignalina/alloy/go/engine"
)

// few is the number of inputs that are described without an allocation.
const few = 4

func (c *core) call(ctx context.Context, b *GoBridge, function string, options Options, in []arrow.RecordBatch) (arrow.RecordBatch, error) {
	if ctx == nil {
		return nil, nilContext()
	}
	if b.Observe == nil {
		return c.callNow(ctx, b, function, options, in)
	}
	operation := Operation{Kind: CallOperation, Function: function, Inputs: len(in)}
	for _, batch := range in {
		if batch != nil {
			operation.Rows += batch.NumRows()
		}
	}
	ctx, ended := b.begin(ctx, operation)
	out, err := c.callNow(ctx, b, function, options, in)
	if err == nil {
		ended.add(out.NumRows())
	}
	ended.report(err)
	return out, err
}

func (c *core) callNow(ctx context.Context, b *GoBridge, function string, options Options, in []arrow.RecordBatch) (arrow.RecordBatch, error) {
	plan, result, err := c.run(ctx, b, function, options, len(in), func(_ *generation, i int) (*arrow.Schema, cdata.Batch) {
		batch := in[i]
		if batch == nil {
			return nil, cdata.Batch{}
		}
		return batch.Schema(), cdata.Batch{Columns: batch.Columns(), Rows: batch.NumRows(), Owner: batch}
	})
	if err != nil {
		return nil, err
	}
	out, err := cdata.Import(plan, result)
	if err != nil {
		return nil, resultError(BadData, err)
	}
	return out, nil
}

func (c *core) fromChunks(b *GoBridge, arrays []arrow.Array) (int, error) {
	ctx := context.Background()
	if b.Observe == nil {
		return c.fromChunksNow(ctx, b, arrays)
	}
	operation := Operation{Kind: CallOperation, Function: fromChunks, Inputs: len(arrays)}
	for _, chunk := range arrays {
		if chunk != nil {
			operation.Rows += int64(chunk.Len())
		}
	}
	ctx, ended := b.begin(ctx, operation)
	n, err := c.fromChunksNow(ctx, b, arrays)
	if err == nil {
		ended.add(1)
	}
	ended.report(err)
	return n, err
}

// fromChunks is the reserved function of FromChunks.
const fromChunks = "from_chunks"

func (c *core) fromChunksNow(ctx context.Context, b *GoBridge, arrays []arrow.Array) (int, error) {
	_, result, err := c.run(ctx, b, fromChunks, nil, len(arrays), func(g *generation, i int) (*arrow.Schema, cdata.Batch) {
		chunk := arrays[i]
		if chunk == nil {
			return nil, cdata.Batch{}
		}
		return g.chunks.schemaOf(chunk.DataType()), cdata.Batch{Columns: arrays[i : i+1], Rows: int64(chunk.Len()), Owner: chunk}
	})
	if err != nil {
		return 0, err
	}
	defer result.Release()
	// The engine has checked that the result is one row of one int64 column without nulls.
	column := *result.Array.Children
	values := unsafe.Slice(column.Buffers, column.NumBuffers)
	return int(*(*int64)(unsafe.Add(values[1], column.Offset*8))), nil
}

// run calls a function once. Describe returns the schema and the batch of an input; its
// schema is nil if the caller passed nil. The plan that is returned is that of the result.
func (c *core) run(
	ctx context.Context, b *GoBridge, function string, options Options, count int,
	describe func(g *generation, i int) (*arrow.Schema, cdata.Batch),
) (*cdata.Plan, *cdata.Result, error) {
	g, err := c.current(b)
	if err != nil {
		return nil, nil, err
	}
	var schemaRoom [few]*arrow.Schema
	var batchRoom [few]cdata.Batch
	schemas, batches := schemaRoom[:0], batchRoom[:0]
	for i := range count {
		schema, batch := describe(g, i)
		if schema == nil {
			return nil, nil, nilInput(i, "the input is nil; pass Arrow data")
		}
		schemas = append(schemas, schema)
		batches = append(batches, batch)
	}
	call, err := g.acquire(ctx, function, options, schemas)
	if err != nil {
		return nil, nil, err
	}
	result := call.results.Next()
	err = call.run(ctx, batches, result)
	// Not deferred: after a panic (of an array type that arrow-go does not know, for example)
	// the exporter stopped halfway, and nobody may use this call again. The collector frees it.
	call.giveBack()
	return call.binding.output, result, err
}

// run exports the batches and calls the engine.
func (c *boundCall) run(ctx context.Context, batches []cdata.Batch, result *cdata.Result) error {
	timeout, err := remaining(ctx)
	if err != nil {
		return err
	}
	inputs, err := c.exporter.Export(batches)
	if err != nil {
		return fromMismatch(err)
	}
	var ticket uint64
	var stop func() bool
	if ctx.Done() != nil {
		c.ticket++
		ticket = c.ticket
		call := c.call
		stop = context.AfterFunc(ctx, func() {
			// The engine watches the deadline itself, and returns Timeout.
			if timeout == 0 || !errors.Is(ctx.Err(), context.DeadlineExceeded) {
				call.Cancel(ticket)
			}
		})
	}
	if c.binding.logger != nil {
		c.startLog(ctx)
	}
	progress := progressOf(ctx)
	progress.follow(c.call)
	var fault *engine.Fault
	if c.first {
		fault = c.runFirst(ctx, inputs, result, timeout, ticket)
	} else {
		fault = c.call.Run(inputs, result.Owner, timeout, ticket)
	}
	progress.leave()
	if c.lines != nil {
		c.endLog()
	}
	if stop != nil {
		stop()
	}
	c.exporter.Done(batches)
	return fromFault(fault)
}

// runFirst is the first run of a function. It is a function of its own, so that variables
// that a closure needs are not allocated in each run.
func (c *boundCall) runFirst(ctx context.Context, inputs *engine.Array, result *cdata.Result, timeout int64, ticket uint64) (fault *engine.Fault) {
	c.first = false
	c.watch(ctx, func() { fault = c.call.Run(inputs, result.Owner, timeout, ticket) })
	return fault
}

// remaining returns the nanoseconds until the deadline of a context, 0 without a deadline.
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
		return 0, deadlinePassed(when)
	}
	return left, nil
}

// chunkSchemas has the schemas of one-column batches, by the type of the column. The cache
// of bindings knows a schema by its address, so a repeated FromChunks must use the same
// schema again.
type chunkSchemas struct {
	mutex  sync.RWMutex
	byType map[arrow.DataType]*arrow.Schema // at most maxKeys
}

func (c *chunkSchemas) schemaOf(dtype arrow.DataType) *arrow.Schema {
	// A type that is not a pointer may not be usable as the key of a map.
	isKey := reflect.TypeOf(dtype).Kind() == reflect.Pointer
	if isKey {
		c.mutex.RLock()
		schema := c.byType[dtype]
		c.mutex.RUnlock()
		if schema != nil {
			return schema
		}
	}
	schema := arrow.NewSchema([]arrow.Field{{Type: dtype, Nullable: true}}, nil)
	if isKey {
		c.mutex.Lock()
		defer c.mutex.Unlock()
		if c.byType == nil || len(c.byType) >= maxKeys {
			c.byType = map[arrow.DataType]*arrow.Schema{}
		}
		c.byType[dtype] = schema
	}
	return schema
}
