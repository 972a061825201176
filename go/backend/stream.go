// SPDX-License-Identifier: MIT

package backend

import (
	"iter"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/ignalina/alloy/go/abi"
	"github.com/ignalina/alloy/go/cdata"
)

// Input is one input of a stream function.
//
// Threads: serial.
type Input struct {
	Schema *arrow.Schema

	number int
	plan   *cdata.Plan
	source source
	batch  arrow.RecordBatch // the last one
	over   bool
	err    error
}

type source interface {
	next(plan *cdata.Plan, number int) (arrow.RecordBatch, error)
	close()
}

// Next returns the next batch; nil at the end. Nothing is read ahead. The batch is valid until
// the next call: Retain it to keep it longer. An error is an *InputError, and ends the input.
func (in *Input) Next() (arrow.RecordBatch, error) {
	in.drop()
	if in.over {
		return nil, in.err
	}
	in.batch, in.err = in.source.next(in.plan, in.number)
	in.over = in.batch == nil
	return in.batch, in.err
}

// All returns the remaining batches, and an error at the end if there is one. Each batch is
// valid until the loop asks for the next.
func (in *Input) All() iter.Seq2[arrow.RecordBatch, error] {
	return func(yield func(arrow.RecordBatch, error) bool) {
		for {
			batch, err := in.Next()
			if batch == nil && err == nil || !yield(batch, err) || err != nil {
				return
			}
		}
	}
}

func (in *Input) drop() {
	if in.batch != nil {
		in.batch.Release()
		in.batch = nil
	}
}

func (in *Input) close() {
	in.drop()
	in.over = true
	in.source.close()
}

// stream is an open stream. The iterator runs on a goroutine of its own, and only while the
// engine waits for a batch. It cannot be a coroutine (iter.Pull): those may not be resumed in
// a callback from C.
//
// Threads: serial.
type stream struct {
	bound   *bound
	scope   *scope
	call    *Call
	inputs  []*Input
	demands chan bool // true: make the next batch; false: end
	made    chan made // closed at the end of the goroutine
	over    bool
	err     error
}

type made struct {
	batch arrow.RecordBatch
	err   error // with neither: the end
}

func newStream(b *bound, s *scope, inputs []*Input) *stream {
	opened := &stream{bound: b, scope: s, call: b.call(s), inputs: inputs, demands: make(chan bool), made: make(chan made)}
	go opened.work()
	return opened
}

func (s *stream) work() {
	defer close(s.made) // also if the function ends the goroutine
	if !<-s.demands {
		return
	}
	if wanted, err := s.iterate(); wanted {
		s.made <- made{err: err}
	}
}

// iterate runs the iterator. It reports whether the engine waits for an answer.
func (s *stream) iterate() (wanted bool, err error) {
	wanted = true
	defer caught(&err)
	for batch, failed := range s.bound.function.Stream(s.call, s.inputs) {
		if failed != nil {
			return true, failed
		}
		s.made <- made{batch: batch}
		if wanted = <-s.demands; !wanted {
			return false, nil
		}
	}
	return true, nil
}

// next moves the next batch to output. At the end it leaves output released.
func (s *stream) next(output *abi.WrittenArray) (err error) {
	defer caught(&err)
	if s.over {
		return s.err
	}
	s.demands <- true
	answer, ok := <-s.made
	switch {
	case !ok:
		s.over, s.err = true, Errorf(Failed, "the function ended its goroutine (runtime.Goexit)")
	case answer.err != nil:
		s.finish(answer.err)
	case answer.batch == nil:
		// The end, or a nil that was yielded: neither has a batch.
		s.finish(nil)
	default:
		if err := s.give(answer.batch, output); err != nil {
			s.finish(err)
		}
	}
	return s.err
}

func (s *stream) give(batch arrow.RecordBatch, output *abi.WrittenArray) error {
	current := make([]arrow.RecordBatch, 0, 2)
	for _, input := range s.inputs {
		if input.batch != nil {
			current = append(current, input.batch)
		}
	}
	if err := s.bound.accept(batch, current); err != nil {
		return err
	}
	return s.bound.give(batch, output)
}

// finish ends the goroutine, and waits for it: the scope ends after it.
func (s *stream) finish(err error) {
	if s.over {
		return
	}
	s.over, s.err = true, err
	select {
	case s.demands <- false:
		for range s.made {
		}
	case <-s.made: // it has ended by itself
	}
}

func (s *stream) close() {
	s.finish(nil)
	s.call.context.finish()
	for _, input := range s.inputs {
		input.close()
	}
	s.scope.end()
}
