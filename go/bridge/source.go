// SPDX-License-Identifier: MIT

package bridge

import (
	"fmt"
	"runtime"
	"strings"
	"sync/atomic"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/ignalina/alloy/go/cdata"
	"github.com/ignalina/alloy/go/engine"
)

// The reasons of streams that are asked for here.
const (
	reasonStreamSchema Reason = 1062
	reasonInputFailed  Reason = 1063
)

// source serves one input of a stream from a reader, a batch each time it is asked.
//
// A backend may ask on threads of its own, one after another. The engine sees to the
// order, and Go's memory model hears of it by turn.
type source struct {
	input    int
	reader   array.RecordReader
	passed   *stream // the reader, where the engine can pull from it without Go
	exporter *cdata.Exporter
	exported *cdata.Schemas
	schema   *arrow.Schema
	fits     *arrow.Schema // of a batch, seen to be the same
	batches  int
	turn     atomic.Uint64
	err      atomic.Pointer[failure] // of the reader, as it is
}

// newSource retains the reader until Done.
func newSource(input int, reader array.RecordReader, plan *cdata.Plan) (*source, error) {
	s := &source{input: input, reader: reader, schema: plan.Schema, fits: plan.Schema}
	if own, ok := reader.(*stream); ok {
		if err := own.enter(); err != nil {
			err.Input = input
			return nil, err
		}
		if own.failure.Load() == nil {
			s.passed = own
			reader.Retain()
			return s, nil
		}
		own.leave()
	}
	exported, err := cdata.ExportSchemas([]*arrow.Schema{plan.Schema})
	if err != nil {
		return nil, callers(BadData, "%v", err)
	}
	s.exported = exported
	s.exporter = cdata.NewExporter([]*cdata.Plan{plan})
	reader.Retain()
	return s, nil
}

// Done gives the reader back.
func (s *source) Done() {
	s.turn.Load()
	if s.passed != nil {
		s.passed.leave()
	} else {
		s.exporter.Close()
		s.exported.Free()
	}
	s.reader.Release()
}

// Next gives the next batch of the reader to the engine.
func (s *source) Next(out *engine.Output) (err error) {
	s.turn.Load()
	defer func() {
		if cause := recover(); cause != nil {
			err = s.panicked(cause)
		}
		if err != nil {
			s.err.CompareAndSwap(nil, &failure{err})
		}
		s.turn.Add(1)
	}()
	if !s.reader.Next() {
		return s.reader.Err()
	}
	batch := s.reader.RecordBatch()
	if batch == nil {
		return s.wrong(Invalid, 0, "the reader has a batch, and it is nil")
	}
	if schema := batch.Schema(); schema != s.fits {
		if text := difference(schema, s.schema); text != "" {
			return s.wrong(BadData, reasonStreamSchema, text)
		}
		s.fits = schema
	}
	given := cdata.Batch{Columns: batch.Columns(), Rows: batch.NumRows(), Owner: batch}
	if err := s.exporter.Move(given, out); err != nil {
		mismatch := fromMismatch(err)
		mismatch.Input = s.input
		mismatch.Text = s.place() + mismatch.Text
		return mismatch
	}
	s.batches++
	return nil
}

func (s *source) place() string { return fmt.Sprintf("batch %d: ", s.batches) }

func (s *source) wrong(code Code, reason Reason, text string) *Error {
	return &Error{Code: code, Reason: reason, Column: -1, Side: SideCaller, Input: s.input, Text: s.place() + text}
}

// Failed takes the error of a stream that was passed on.
func (s *source) Failed() {
	if fault := s.passed.inner.Fault(); fault != nil {
		s.passed.fail(s.passed.errorOf(fault))
	}
	s.err.CompareAndSwap(nil, s.passed.failure.Load())
}

// difference tells why a batch is none of its stream's. Metadata may differ, as may what
// is said of nulls; the gate looks at those that are there.
func difference(got, want *arrow.Schema) string {
	if got == nil {
		return "the batch has no schema"
	}
	if got.NumFields() != want.NumFields() {
		return fmt.Sprintf("the batch has %d columns, and its stream %d", got.NumFields(), want.NumFields())
	}
	for i := range got.NumFields() {
		g, w := got.Field(i), want.Field(i)
		if g.Name != w.Name || !arrow.TypeEqual(g.Type, w.Type) {
			return fmt.Sprintf("column %d of the batch is %q of type %s, and %q of type %s in its stream", i, g.Name, g.Type, w.Name, w.Type)
		}
	}
	return ""
}

// panicked makes an error of a panic in the reader, with the place where it began.
func (s *source) panicked(cause any) *Error {
	err := s.wrong(Failed, 0, fmt.Sprintf("the reader panicked: %v%s", cause, panicPlace()))
	err.cause, _ = cause.(error)
	return err
}

// panicPlace finds the first frame below the runtime's that panicked. It is for a deferred
// function that has recovered.
func panicPlace() string {
	var pcs [64]uintptr
	frames := runtime.CallersFrames(pcs[:runtime.Callers(1, pcs[:])])
	for panicking := false; ; {
		frame, more := frames.Next()
		switch {
		case frame.Function == "runtime.gopanic":
			panicking = true
		case panicking && !strings.HasPrefix(frame.Function, "runtime."):
			return fmt.Sprintf(" (%s:%d)", frame.File, frame.Line)
		}
		if !more {
			return ""
		}
	}
}
