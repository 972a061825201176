// SPDX-License-Identifier: MIT

package bridge

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/ignalina/alloy/go/cdata"
	"github.com/ignalina/alloy/go/engine"
)

// stream is a result that arrow-go reads as any other.
type stream struct {
	references atomic.Int64
	state      atomic.Uint32
	failure    atomic.Pointer[failure]
	done       bool
	batch      arrow.RecordBatch

	ctx     context.Context
	stop    func() bool // forget ctx
	memory  memory.Allocator
	plan    *cdata.Plan
	bound   *bound
	ticket  uint64
	inner   *engine.Stream
	sources []*source
}

// failure is an error behind one pointer.
type failure struct{ error }

// The state of a stream: whether somebody is inside of it, and whether its last reference
// is gone. Whoever is last of the two ends it, so that a release never waits.
const (
	streamInUse  = 1
	streamClosed = 2
)

func (c *core) stream(ctx context.Context, b *GoBridge, function string, options Options, in []array.RecordReader) (array.RecordReader, error) {
	if b.BatchTimeout < 0 {
		return nil, callers(Invalid, "BatchTimeout is negative")
	}
	g, err := c.current(b)
	if err != nil {
		return nil, err
	}
	if ctx.Err() != nil {
		return nil, fromContext(ctx, "before the stream began")
	}
	schemas := make([]*arrow.Schema, len(in))
	for i, reader := range in {
		if reader == nil {
			return nil, &Error{Code: Invalid, Column: -1, Side: SideCaller, Input: i, Text: "the reader is nil"}
		}
		if schemas[i] = reader.Schema(); schemas[i] == nil {
			return nil, noSchema(i, reader)
		}
	}
	bound, err := g.acquire(function, options, schemas)
	if err != nil {
		return nil, err
	}
	s := &stream{ctx: ctx, memory: c.memory, plan: bound.entry.output, bound: bound}
	s.references.Store(1)
	if err := s.open(in, int64(b.BatchTimeout)); err != nil {
		bound.entry.give(bound)
		return nil, err
	}
	return s, nil
}

// noSchema: a reader that reads its schema late may have failed over it.
func noSchema(input int, reader array.RecordReader) error {
	if err := reader.Err(); err != nil {
		return err
	}
	return &Error{Code: Invalid, Column: -1, Side: SideCaller, Input: input, Text: "the reader has no schema"}
}

func (s *stream) open(in []array.RecordReader, timeout int64) error {
	inputs, err := s.serve(in)
	if err != nil {
		return err
	}
	s.stop = func() bool { return true }
	s.bound.ticket++
	s.ticket = s.bound.ticket
	if s.ctx.Done() != nil {
		call, ticket := s.bound.call, s.ticket
		s.stop = context.AfterFunc(s.ctx, func() { call.Cancel(ticket) })
	}
	inner, fault := s.bound.call.Open(inputs, timeout, s.ticket)
	if fault != nil {
		s.stop()
		return s.errorOf(fault)
	}
	s.inner = inner
	return nil
}

// serve makes an input of each reader. One that is a result of Alloy is passed on as it
// is, unless something is wrong with it that its own Next will tell.
func (s *stream) serve(in []array.RecordReader) (*engine.Inputs, error) {
	s.sources = make([]*source, len(in))
	for i, reader := range in {
		made, err := newSource(i, reader, s.bound.entry.inputs[i])
		if err != nil {
			for _, before := range s.sources[:i] {
				before.Done()
			}
			return nil, err
		}
		s.sources[i] = made
	}
	inputs := engine.NewInputs(len(in))
	for _, made := range s.sources {
		if made.passed != nil {
			inputs.PassOn(made.passed.inner, made)
		} else {
			inputs.Serve(made, made.exported.First)
		}
	}
	return inputs, nil
}

func (s *stream) Retain() { s.references.Add(1) }

// Release may come from any goroutine, also while another is in Next: that one is told to
// stop, and ends the stream when it comes back.
func (s *stream) Release() {
	if s.references.Add(-1) != 0 {
		return
	}
	if s.state.Or(streamClosed)&streamInUse != 0 {
		s.bound.call.Cancel(s.ticket)
		return
	}
	s.end()
}

func (s *stream) end() {
	s.stop()
	if s.batch != nil {
		s.batch.Release()
		s.batch = nil
	}
	s.inner.Release()
	s.bound.entry.give(s.bound)
}

// enter takes the stream for one user; nil when it is free.
func (s *stream) enter() *Error {
	if s.state.CompareAndSwap(0, streamInUse) {
		return nil
	}
	if s.state.Load()&streamClosed != 0 {
		return callers(Closed, "the stream was released")
	}
	return callers(Busy, "the stream is read by another, or by a stream that it was given to")
}

// leave tells whether the stream was released meanwhile, and is at its end now.
func (s *stream) leave() bool {
	released := s.state.And(^uint32(streamInUse))&streamClosed != 0
	if released {
		s.end()
	}
	return released
}

func (s *stream) Schema() *arrow.Schema          { return s.plan.Schema }
func (s *stream) RecordBatch() arrow.RecordBatch { return s.batch }

// Record is RecordBatch by its first name, which arrow-go still asks for.
func (s *stream) Record() arrow.RecordBatch { return s.batch }

func (s *stream) Err() error {
	if f := s.failure.Load(); f != nil {
		return f.error
	}
	return nil
}

// fail keeps the first failure.
func (s *stream) fail(err error) { s.failure.CompareAndSwap(nil, &failure{err}) }

func (s *stream) Next() bool {
	if err := s.enter(); err != nil {
		// Not in silence: to the reader it would look like the end.
		s.fail(err)
		return false
	}
	// Not deferred: a goroutine that exits inside of its own reader has left the engine in
	// the middle of this stream, which nobody may then enter, or end.
	ok := s.next()
	if s.leave() {
		s.fail(callers(Closed, "the stream was released"))
		return false
	}
	return ok
}

func (s *stream) next() bool {
	if s.batch != nil {
		s.batch.Release()
		s.batch = nil
	}
	if s.done || s.failure.Load() != nil {
		return false
	}
	if s.ctx.Err() != nil {
		s.fail(fromContext(s.ctx, "between two batches"))
		return false
	}
	result := cdata.NewResult(s.memory)
	if fault := s.inner.Next(&result.Owner); fault != nil {
		s.fail(s.errorOf(fault))
		return false
	}
	if result.Array.Release == nil {
		s.done = true
		return false
	}
	batch, err := cdata.Import(s.plan, result)
	if err != nil {
		s.fail(&Error{Code: BadData, Column: -1, Side: SideBackend, Input: -1, Text: err.Error()})
		return false
	}
	s.batch = batch
	return true
}

// errorOf is what a fault of the stream means to Go: the very error of an input, or of the
// context, where the fault only repeats it.
func (s *stream) errorOf(f *engine.Fault) error {
	if Reason(f.Reason) == reasonInputFailed && f.Input >= 0 && int(f.Input) < len(s.sources) {
		if own := s.sources[f.Input].err.Load(); own != nil {
			return own.error
		}
	}
	if s.ctx.Err() != nil && Code(f.Code) == Cancelled {
		return fromContext(s.ctx, "while the backend was at work")
	}
	return fromFault(f)
}

// fromContext is the error of a context that has ended.
func fromContext(ctx context.Context, when string) *Error {
	err := callers(Cancelled, "the context was cancelled %s", when)
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		err = callers(Timeout, "the deadline passed %s", when)
	}
	err.cause = context.Cause(ctx)
	if err.cause != ctx.Err() {
		err.Text += fmt.Sprintf(": %v", err.cause)
	}
	return err
}
