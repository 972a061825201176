// SPDX-License-Identifier: MIT

package alloy

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

// source serves one input of a stream from a reader: one batch each time it is asked.
//
// A backend may ask on its own threads, one after another. The engine keeps the order. The
// Go race detector and memory model do not see the engine's locks; turn shows them the order.
type source struct {
	input    int
	reader   array.RecordReader
	passed   *stream // the reader, if it is a result of Alloy from which C code can pull
	exporter *cdata.Exporter
	exported *cdata.Schemas
	schema   *arrow.Schema
	fits     *arrow.Schema // the schema of the last batch, which is equal to schema
	batches  int
	turn     atomic.Uint64
	err      atomic.Pointer[boxedError] // the reader's own error
}

// newSource retains the reader until Done.
func newSource(input int, reader array.RecordReader, plan *cdata.Plan) (*source, error) {
	s := &source{input: input, reader: reader, schema: plan.Schema, fits: plan.Schema}
	if result, ok := reader.(*stream); ok {
		if err := result.enter(); err != nil {
			err.Input = input
			return nil, err
		}
		if result.failure.Load() == nil {
			s.passed = result
			reader.Retain()
			return s, nil
		}
		result.leave()
	}
	exported, err := cdata.ExportSchemas([]*arrow.Schema{plan.Schema})
	if err != nil {
		return nil, inputError(input, BadData, "%v", err)
	}
	s.exported = exported
	s.exporter = cdata.NewExporter([]*cdata.Plan{plan})
	reader.Retain()
	return s, nil
}

// Done releases the reader.
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

// Next moves the next batch of the reader to out.
func (s *source) Next(out *engine.WrittenArray) (err error) {
	s.turn.Load()
	defer func() {
		if cause := recover(); cause != nil {
			err = s.panicked(cause)
		}
		if err != nil {
			s.err.CompareAndSwap(nil, &boxedError{err})
		}
		s.turn.Add(1)
	}()
	if !s.reader.Next() {
		return s.reader.Err()
	}
	batch := s.reader.RecordBatch()
	if batch == nil {
		return s.batchError(Invalid, 0, "Next returned true, but RecordBatch returned nil; correct the reader")
	}
	if schema := batch.Schema(); schema != s.fits {
		if text := difference(schema, s.schema); text != "" {
			return s.batchError(BadData, reasonStreamSchema, text)
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

// batchError is inputError for the batch that is being read.
func (s *source) batchError(code Code, reason Reason, text string) *Error {
	e := inputError(s.input, code, "%s%s", s.place(), text)
	e.Reason = reason
	return e
}

// Failed takes over the error of a stream that was passed on.
func (s *source) Failed() {
	if fault := s.passed.inner.Fault(); fault != nil {
		s.passed.fail(s.passed.errorOf(fault))
	}
	s.err.CompareAndSwap(nil, s.passed.failure.Load())
}

// difference returns why a batch does not fit the schema of its stream, or "". Metadata and
// nullability may differ: the engine checks the nulls that are present.
func difference(got, want *arrow.Schema) string {
	if got == nil {
		return "the batch has no schema"
	}
	if got.NumFields() != want.NumFields() {
		return fmt.Sprintf("the batch has %d columns, the schema of the stream has %d", got.NumFields(), want.NumFields())
	}
	for i := range got.NumFields() {
		g, w := got.Field(i), want.Field(i)
		if g.Name != w.Name || !arrow.TypeEqual(g.Type, w.Type) {
			return fmt.Sprintf("column %d of the batch is %q of type %s; the schema of the stream has %q of type %s", i, g.Name, g.Type, w.Name, w.Type)
		}
	}
	return ""
}

// panicked makes an error of a panic in the reader, with the file and line of the panic.
func (s *source) panicked(cause any) *Error {
	err := s.batchError(Failed, 0, fmt.Sprintf("the reader panicked: %v%s", cause, panicPlace()))
	err.cause, _ = cause.(error)
	return err
}

// panicPlace returns the file and line that panicked. Call it in a deferred function after
// recover. The first frame below those of the runtime is the one that panicked.
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
