// SPDX-License-Identifier: MIT

package alloy

import (
	"errors"
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
	input     int
	reader    array.RecordReader
	plain     bool    // a callback from C may use the reader directly
	passed    *stream // the reader, if it is a result of Alloy from which C code can pull
	attendant *attendant
	exporter  *cdata.Exporter
	exported  *cdata.Schemas
	schema    *arrow.Schema
	fits      *arrow.Schema // the schema of the last batch, which is equal to schema
	batches   int
	turn      atomic.Uint64
	err       atomic.Pointer[boxedError] // the reader's own error

	// What the last pull gave. Fetched: C has not asked for it yet.
	fetched bool
	batch   arrow.RecordBatch // nil at the end
	failed  error
}

// newSource retains the reader until it is done.
func newSource(input int, reader array.RecordReader, plan *cdata.Plan, a *attendant) (*source, error) {
	s := &source{input: input, reader: reader, attendant: a, schema: plan.Schema, fits: plan.Schema}
	if passed, ok := reader.(*resultReader); ok {
		result := passed.stream
		if err := result.enter(); err != nil {
			err.Input = input
			return nil, err
		}
		if result.failure.Load() == nil {
			s.passed = result
			result.attendant.parent.Store(a)
			reader.Retain()
			return s, nil
		}
		result.leave()
	}
	exported, err := cdata.ExportSchemas([]*arrow.Schema{plan.Schema})
	if err != nil {
		return nil, typeError(input, err)
	}
	s.plain = isPlain(reader)
	s.exported = exported
	s.exporter = cdata.NewExporter([]*cdata.Plan{plan})
	reader.Retain()
	return s, nil
}

// isForeign reports whether only Go code outside of C can make the batches.
func (s *source) isForeign() bool {
	if s.passed != nil {
		return s.passed.isForeign()
	}
	return !s.plain
}

// Done is called in a callback from C: the reader, which may be anything, is released later.
func (s *source) Done() { s.attendant.afterwards(s.finish) }

// finish releases the reader.
func (s *source) finish() {
	s.turn.Load()
	if s.passed != nil {
		s.passed.attendant.parent.Store(nil)
		s.passed.leave()
	} else {
		s.exporter.Close()
		s.exported.Free()
	}
	s.reader.Release()
}

// fetch pulls the batch that C will ask for next. The caller is not inside C.
func (s *source) fetch() {
	if s.passed != nil {
		s.passed.fetch()
		return
	}
	if s.plain || s.fetched || s.err.Load() != nil {
		return
	}
	s.turn.Load()
	s.fetched = true
	s.pull()
	s.turn.Add(1)
}

// ownError returns the error of the reader, also if C has not asked for it. The caller is not
// inside C.
func (s *source) ownError() error {
	if own := s.err.Load(); own != nil {
		return own.error
	}
	s.turn.Load()
	if s.fetched && s.failed != errExited {
		return s.failed
	}
	return nil
}

// Next moves the next batch of the reader to out.
func (s *source) Next(out *engine.WrittenArray) error {
	s.turn.Load()
	defer s.turn.Add(1)
	switch {
	case s.fetched:
		s.fetched = false
	case s.plain:
		s.pull()
	default:
		s.attendant.do(s.pull)
	}
	err := s.failed
	if err == errExited {
		err = s.batchError(Failed, reasonHostCode, errExited.Error())
	}
	if err == nil && s.batch != nil {
		err = s.move(out)
	}
	if err != nil {
		s.err.CompareAndSwap(nil, &boxedError{err})
	}
	return err
}

// pull asks the reader for its next batch.
func (s *source) pull() {
	// What remains if the reader ends the goroutine.
	s.batch, s.failed = nil, errExited
	defer func() {
		if cause := recover(); cause != nil {
			s.failed = s.panicked(cause)
		}
	}()
	s.batch, s.failed = s.ask()
}

// errExited stands for the error of a reader that ended its goroutine.
var errExited = errors.New("the reader ended its goroutine (runtime.Goexit, which t.FailNow calls too)")

func (s *source) ask() (arrow.RecordBatch, error) {
	if !s.reader.Next() {
		return nil, s.reader.Err()
	}
	batch := s.reader.RecordBatch()
	if batch == nil {
		return nil, s.batchError(Invalid, reasonNilArgument, "Next returned true, but RecordBatch returned nil; correct the reader")
	}
	if schema := batch.Schema(); schema != s.fits {
		if text := cdata.Difference(schema, s.schema, "the schema of the stream"); text != "" {
			return nil, s.batchError(BadData, reasonStreamSchema, text)
		}
		s.fits = schema
	}
	return batch, nil
}

// move writes the batch that was pulled.
func (s *source) move(out *engine.WrittenArray) (err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = s.panicked(cause)
		}
	}()
	batch := s.batch
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

// panicked makes an error of a panic in the reader, with the file and line of the panic.
func (s *source) panicked(cause any) *Error {
	err := s.batchError(Failed, reasonHostCode, fmt.Sprintf("the reader panicked: %v%s", cause, panicPlace()))
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
