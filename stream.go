// SPDX-License-Identifier: MIT

package alloy

import (
	"context"
	"reflect"
	"runtime"
	"slices"
	"sync/atomic"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/ignalina/alloy/go/cdata"
	"github.com/ignalina/alloy/go/engine"
)

// resultReader is what the program holds of a stream. The engine and the readers of the
// stream refer to the stream only. So the collector finds a reader that was forgotten.
type resultReader struct{ *stream }

func (r *resultReader) Next() bool {
	ok := r.stream.Next()
	runtime.KeepAlive(r) // until here it is not forgotten
	return ok
}

// forget is called when the program cannot reach the reader of a stream any more.
func (s *stream) forget() {
	if s.references.Swap(0) <= 0 {
		return // it was released
	}
	s.forgotten()
	go s.close() // it may wait for the backend
}

// stream is a stream of results, as a reader of arrow-go.
type stream struct {
	references atomic.Int64
	forgotten  func()
	state      atomic.Uint32
	failure    atomic.Pointer[boxedError]
	done       bool
	batch      arrow.RecordBatch

	ctx  context.Context
	stop func() bool // ends the watch of ctx

	progress *Progress // of the caller; nil: nobody asks
	core     *core
	ended    *ending
	plan     *cdata.Plan
	call     *boundCall
	ticket   uint64
	inner    *engine.Stream // nil if opening failed
	sources  []*source

	attendant      attendant
	needsAttendant bool // C may ask for a batch that only Go code outside of C can make
	insideC        bool // this goroutine itself is inside C

	// Of the Next that runs. The function is made once, so that a batch allocates no closure.
	nextInC func()
	result  *cdata.Result
	fault   *engine.Fault
}

// boxedError lets an atomic pointer hold any error.
type boxedError struct{ error }

// The bits of stream.state: a goroutine is inside the stream, and the last reference is
// gone. The second of the two events ends the stream, so a release never waits.
const (
	streamInUse  = 1
	streamClosed = 2
)

func (c *core) stream(ctx context.Context, b *GoBridge, function string, options Options, in []array.RecordReader) (array.RecordReader, error) {
	if ctx == nil {
		return nil, nilContext()
	}
	ctx, ended := b.begin(ctx, Operation{Kind: StreamOperation, Function: function, Inputs: len(in)})
	out, err := c.streamNow(ctx, b, ended, function, options, in)
	if err != nil {
		ended.report(err)
		return nil, err
	}
	return out, nil
}

func (c *core) streamNow(ctx context.Context, b *GoBridge, ended *ending, function string, options Options, in []array.RecordReader) (array.RecordReader, error) {
	if b.BatchTimeout < 0 {
		e := callerError(Invalid, "BatchTimeout is %v; use 0 for no limit", b.BatchTimeout)
		e.Reason = reasonOutOfRange
		return nil, e
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
			return nil, nilInput(i, "the reader is nil; pass a reader for each input")
		}
		if first := sameReader(in[:i], reader); first >= 0 {
			e := inputError(i, Invalid, "the reader is that of input %d as well, so each would get only a part of the batches; pass a reader for each input", first)
			e.Reason = reasonSameStream
			return nil, e
		}
		if schemas[i] = reader.Schema(); schemas[i] == nil {
			return nil, noSchema(i, reader)
		}
	}
	call, err := g.acquire(ctx, function, options, schemas)
	if err != nil {
		return nil, err
	}
	s := &stream{ctx: ctx, core: c, ended: ended, plan: call.binding.output, call: call, stop: func() bool { return true }}
	s.nextInC = func() { s.fault = s.inner.Next(s.result.Owner) }
	s.references.Store(1)
	c.streams.Add(1)
	opened := false
	// Deferred: a reader may end this goroutine.
	defer func() {
		if !opened && !s.insideC {
			s.fail(exitedError("opened"))
			s.end()
		}
	}()
	if err := s.open(in, int64(b.BatchTimeout)); err != nil {
		s.fail(err)
		return nil, err
	}
	opened = true
	s.forgotten = func() { g.reportForgotten(function, "stream") }
	reader := &resultReader{s}
	runtime.AddCleanup(reader, (*stream).forget, s)
	return reader, nil
}

func exitedError(did string) *Error {
	e := callerError(Failed, "a reader ended the goroutine that %s the stream", did)
	e.Reason = reasonHostCode
	return e
}

// sameReader returns the place of a reader among others, or -1.
func sameReader(others []array.RecordReader, reader array.RecordReader) int {
	reader = bare(reader)
	// A type that cannot be compared is a value, and each value is a reader of its own.
	if !reflect.TypeOf(reader).Comparable() {
		return -1
	}
	return slices.IndexFunc(others, func(other array.RecordReader) bool { return bare(other) == reader })
}

// noSchema returns the error of a reader without a schema. A reader that reads its schema
// late may have failed to read it.
func noSchema(input int, reader array.RecordReader) error {
	if err := reader.Err(); err != nil {
		return err
	}
	return nilInput(input, "the reader has no schema; its method Schema must not return nil")
}

func (s *stream) open(in []array.RecordReader, timeout int64) error {
	inputs, err := s.serve(in)
	if err != nil {
		return err
	}
	s.call.ticket++
	s.ticket = s.call.ticket
	if s.ctx.Done() != nil {
		call, ticket := s.call.call, s.ticket
		s.stop = context.AfterFunc(s.ctx, func() { call.Cancel(ticket) })
	}
	if s.call.binding.logger != nil {
		s.call.startLog(s.ctx)
	}
	s.progress = progressOf(s.ctx)
	s.progress.follow(s.call.call)
	var fault *engine.Fault
	s.enterC(func() { s.inner, fault = s.call.call.Open(inputs, timeout, s.ticket) })
	if fault != nil {
		return s.errorOf(fault)
	}
	return nil
}

// enterC enters C, in a way that suits the readers.
func (s *stream) enterC(c func()) {
	if s.call.first {
		enter := c
		c = func() { s.call.watch(s.ctx, enter) }
		// The opening and the first batch: only then has the function run.
		s.call.first = s.inner == nil
	}
	if s.needsAttendant {
		s.attendant.attend(c)
		return
	}
	s.insideC = true
	s.attendant.enter(c)
	s.insideC = false
}

// isForeign reports whether only Go code outside of C can make the batches of an input.
func (s *stream) isForeign() bool { return slices.ContainsFunc(s.sources, (*source).isForeign) }

// asksForeign is isForeign without the batches that are fetched before C is entered.
func (s *stream) asksForeign() bool {
	if !s.fetches() {
		return s.isForeign()
	}
	passed := s.sources[0].passed
	return passed != nil && passed.asksForeign()
}

// fetches reports whether C asks for exactly one batch to make the next: so does a function
// that is run on each batch.
func (s *stream) fetches() bool { return s.call.binding.isMap && len(s.sources) == 1 }

// fetch pulls the batch that C will ask for next, before C is entered.
func (s *stream) fetch() {
	if s.fetches() && s.inner != nil && !s.done && s.failure.Load() == nil {
		s.sources[0].fetch()
	}
}

// serve makes an input of each reader. A result of Alloy is passed on, so that C code pulls
// from it. One that has failed is not: its own Next reports the error.
func (s *stream) serve(in []array.RecordReader) (*engine.Inputs, error) {
	s.sources = make([]*source, len(in))
	for i, reader := range in {
		made, err := newSource(i, reader, s.call.binding.inputs[i], &s.attendant)
		if err != nil {
			for _, before := range s.sources[:i] {
				before.finish()
			}
			return nil, err
		}
		s.sources[i] = made
	}
	s.needsAttendant = s.asksForeign()
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

// Release may be called by any goroutine, even while another one is in Next. That one is
// asked to stop, and ends the stream when it returns.
func (s *stream) Release() {
	if s.references.Add(-1) == 0 {
		s.close()
	}
}

func (s *stream) close() {
	if s.state.Or(streamClosed)&streamInUse != 0 {
		s.call.call.Cancel(s.ticket)
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
	if s.inner != nil {
		s.enterC(s.inner.Release)
	}
	s.progress.leave()
	s.call.endLog()
	s.call.giveBack()
	s.core.streams.Add(-1)
	s.ended.report(s.Err())
}

// enter takes the stream for one user. It returns nil on success.
func (s *stream) enter() *Error {
	if s.state.CompareAndSwap(0, streamInUse) {
		return nil
	}
	if s.state.Load()&streamClosed != 0 {
		return callerError(Closed, "the stream was released; open another")
	}
	return callerError(Busy, "the stream is in use by another goroutine or by a stream it was passed to")
}

// leave ends the stream if it was released meanwhile, and reports whether it did.
func (s *stream) leave() bool {
	released := s.state.And(^uint32(streamInUse))&streamClosed != 0
	if released {
		s.end()
	}
	return released
}

func (s *stream) Schema() *arrow.Schema          { return s.plan.Schema }
func (s *stream) RecordBatch() arrow.RecordBatch { return s.batch }

// Record is the first name of RecordBatch. The interface of arrow-go still has it.
func (s *stream) Record() arrow.RecordBatch { return s.batch }

func (s *stream) Err() error {
	if f := s.failure.Load(); f != nil {
		return f.error
	}
	return nil
}

// fail keeps the first failure.
func (s *stream) fail(err error) {
	if s.failure.CompareAndSwap(nil, &boxedError{err}) {
		s.ended.report(err)
	}
}

func (s *stream) Next() bool {
	if err := s.enter(); err != nil {
		// Without an error, the caller would take this for the end.
		s.fail(err)
		return false
	}
	returned := false
	// A reader may end this goroutine. If that happens inside C, the engine stays in the middle
	// of this stream. Nobody may enter or end it then.
	defer func() {
		if !returned && !s.insideC {
			s.fail(exitedError("read"))
			s.leave()
		}
	}()
	ok := s.next()
	returned = true
	if s.leave() {
		s.fail(callerError(Closed, "the stream was released while it was read"))
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
	s.fetch()
	result := s.call.results.Next()
	s.result = result
	s.enterC(s.nextInC)
	s.result = nil
	if fault := s.fault; fault != nil {
		s.fail(s.errorOf(fault))
		return false
	}
	if result.Array.Release == nil {
		s.done = true
		s.ended.report(nil)
		return false
	}
	batch, err := cdata.Import(s.plan, result)
	if err != nil {
		s.fail(resultError(BadData, err))
		return false
	}
	s.batch = batch
	s.ended.add(batch.NumRows())
	return true
}

// errorOf returns the error of a fault of the stream. If the fault only repeats the error
// of an input or of the context, errorOf returns that error itself.
func (s *stream) errorOf(f *engine.Fault) error {
	if Reason(f.Reason) == reasonInputFailed && f.Input >= 0 && int(f.Input) < len(s.sources) {
		if own := s.sources[f.Input].err.Load(); own != nil {
			return own.error
		}
	}
	if s.ctx.Err() != nil && Code(f.Code) == Cancelled {
		// A reader has failed before C heard of the cancel, or while it did: its word says more.
		for _, in := range s.sources {
			if own := in.ownError(); own != nil {
				return own
			}
		}
		return fromContext(s.ctx, "while the backend was running")
	}
	return fromFault(f)
}
