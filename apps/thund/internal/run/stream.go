// SPDX-License-Identifier: MIT

package run

import (
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/ignalina/alloy"

	"github.com/ignalina/alloy/apps/thund/internal/flow"
	"github.com/ignalina/alloy/apps/thund/internal/graph"
)

// queueReader lets a stream function read a queue. It is plain: it waits, and no more.
type queueReader struct {
	run    *run
	node   *graph.Node
	queue  *flow.Queue
	schema *arrow.Schema
	batch  arrow.RecordBatch
	err    error
}

func (q *queueReader) Next() bool {
	q.drop()
	if q.err != nil {
		return false
	}
	q.batch, q.err = q.run.take(q.node, q.queue)
	return q.batch != nil && q.err == nil
}

func (q *queueReader) drop() {
	if q.batch != nil {
		q.batch.Release()
		q.batch = nil
	}
}

func (q *queueReader) Retain() {}

// Release is called when the function reads no more: nobody has to write for it.
func (q *queueReader) Release() {
	q.drop()
	q.queue.Close()
}

func (q *queueReader) Schema() *arrow.Schema          { return q.schema }
func (q *queueReader) RecordBatch() arrow.RecordBatch { return q.batch }
func (q *queueReader) Record() arrow.RecordBatch      { return q.batch }
func (q *queueReader) Err() error                     { return q.err }

// openStream opens a stream function over the queues of a step. Nothing is read yet.
func (r *run) openStream(n *graph.Node) (array.RecordReader, error) {
	readers := make([]array.RecordReader, len(n.From))
	for i, from := range n.From {
		reader := &queueReader{run: r, node: n, queue: r.inputs[n][i], schema: r.plan.Schemas[from]}
		readers[i] = alloy.PlainReader(reader)
	}
	bridge := *r.plan.Steps[n].Bridge // a copy is the same bridge, with another timeout
	bridge.BatchTimeout = n.Timeout
	return bridge.Stream(r.ctx, n.Function, alloy.Options(n.Options), readers...)
}

// stream reads a stream function to its end.
func (r *run) stream(n *graph.Node, stream array.RecordReader) error {
	actor := r.actors[n]
	for number := int64(1); ; number++ {
		actor.Enter()
		more := stream.Next()
		actor.Leave()
		if !more {
			if err := stream.Err(); err != nil {
				return r.stepFault(n, number, err)
			}
			return nil
		}
		batch := stream.RecordBatch()
		batch.Retain()
		if err := r.emit(n, actor, batch); err != nil {
			return err
		}
	}
}
