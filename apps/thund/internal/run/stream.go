// SPDX-License-Identifier: MIT

package run

import (
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/ignalina/alloy"

	"github.com/ignalina/alloy/apps/thund/internal/graph"
)

// mostReopened is how often a stream is opened again after its worker has died.
const mostReopened = 3

// stream is a step whose function works on whole streams.
type stream struct {
	run      *run
	node     *graph.Node
	held     *holder // nil: it cannot be opened again
	reader   array.RecordReader
	reopened int
}

// newStream returns a stream that is not open. An isolated one is opened again after a
// crash, if the function may run twice.
func (r *run) newStream(n *graph.Node) *stream {
	s := &stream{run: r, node: n}
	if n.Isolated && r.plan.Steps[n].Idempotent {
		s.held = &holder{run: r, limit: n.Hold, batches: make([][]arrow.RecordBatch, len(n.From)), generation: r.givenUp.Load()}
	}
	return s
}

// open opens the function over the queues of the step. Nothing is read yet.
func (s *stream) open() (err error) {
	readers := make([]array.RecordReader, len(s.node.From))
	for i, from := range s.node.From {
		readers[i] = alloy.PlainReader(&queueReader{stream: s, input: i, schema: s.run.plan.Schemas[from]})
	}
	bridge := *s.run.plan.Steps[s.node].Bridge // a copy is the same bridge, with another timeout
	bridge.BatchTimeout = s.node.Timeout
	s.reader, err = bridge.Stream(s.run.ctx, s.node.Function, alloy.Options(s.node.Options), readers...)
	return err
}

func (s *stream) close() {
	if s.reader != nil {
		s.reader.Release()
		s.reader = nil
	}
	s.held.drop()
}

// work reads the function to its end.
func (s *stream) work() error {
	r, n := s.run, s.node
	actor := r.actors[n]
	for number := int64(1); ; number++ {
		actor.Enter()
		more := s.reader.Next()
		actor.Leave()
		if more {
			s.held.drop() // from here on, a second run would repeat output
			batch := s.reader.RecordBatch()
			batch.Retain()
			if err := r.emit(n, actor, batch); err != nil {
				return err
			}
			continue
		}
		err := s.reader.Err()
		if err == nil {
			return nil
		}
		for err != nil {
			if r.ctx.Err() == nil {
				r.counts[n].failed(err)
			}
			if !isRestart(err) || !s.held.isWhole() || s.reopened == mostReopened || r.ctx.Err() != nil {
				return r.stepFault(n, number, err)
			}
			s.reopened++
			c := r.counts[n]
			c.retried(causeOf(err))
			c.retrying.Add(1)
			select {
			case <-time.After(n.Backoff):
			case <-r.ctx.Done():
			}
			c.retrying.Add(-1)
			if r.ctx.Err() != nil {
				return r.err()
			}
			if s.reader != nil {
				s.reader.Release()
				s.reader = nil
			}
			err = s.open()
		}
		number--
	}
}

// queueReader lets the function read a queue: first what is held of it, if the stream was
// opened again. It is plain: it waits, and no more.
type queueReader struct {
	stream   *stream
	input    int
	replayed int
	schema   *arrow.Schema
	batch    arrow.RecordBatch
	err      error
}

func (q *queueReader) Next() bool {
	q.release()
	if q.err != nil {
		return false
	}
	s := q.stream
	if q.batch = s.held.again(q.input, q.replayed); q.batch == nil {
		q.batch, q.err = s.run.take(s.run.inputs[s.node][q.input])
		if q.batch != nil {
			s.held.add(q.input, q.batch)
		}
	}
	q.replayed++
	return q.batch != nil && q.err == nil
}

func (q *queueReader) release() {
	if q.batch != nil {
		q.batch.Release()
		q.batch = nil
	}
}

func (q *queueReader) Retain() {}

// Release is called when the function reads no more: nobody has to write for it, unless the
// stream may be opened again.
func (q *queueReader) Release() {
	q.release()
	if !q.stream.held.isWhole() {
		q.stream.run.inputs[q.stream.node][q.input].Close()
	}
}

func (q *queueReader) Schema() *arrow.Schema          { return q.schema }
func (q *queueReader) RecordBatch() arrow.RecordBatch { return q.batch }
func (q *queueReader) Record() arrow.RecordBatch      { return q.batch }
func (q *queueReader) Err() error                     { return q.err }
