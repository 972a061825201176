// SPDX-License-Identifier: MIT

package run

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/util"

	"github.com/ignalina/alloy"

	"github.com/ignalina/alloy/apps/thund/internal/fault"
	"github.com/ignalina/alloy/apps/thund/internal/flow"
	"github.com/ignalina/alloy/apps/thund/internal/graph"
)

const (
	mostBackoff  = 10 * time.Second
	mostRestarts = 64 // of workers, to find the faulty rows of one batch
)

// made is what a step makes of a piece of a batch: a result, or dead letters.
type made struct {
	batch    arrow.RecordBatch
	isLetter bool
}

// batches runs a function on one batch after the other.
func (r *run) batches(n *graph.Node) error {
	for number := int64(1); ; number++ {
		batch, err := r.take(r.inputs[n][0])
		if err != nil || batch == nil {
			return err
		}
		results, err := r.apply(n, batch, number)
		batch.Release()
		if err != nil {
			return err
		}
		if err := r.deliver(n, r.actors[n], results); err != nil {
			return err
		}
	}
}

// deliver gives results and dead letters to their readers, in order. It takes all of them.
func (r *run) deliver(n *graph.Node, a *flow.Actor, results []made) (err error) {
	for _, result := range results {
		switch {
		case err != nil:
			result.batch.Release()
		case result.isLetter:
			count := r.deadLetters.Add(result.batch.NumRows())
			r.counts[n].letters.Add(result.batch.NumRows())
			if err = r.put(a, result.batch, util.TotalRecordSize(result.batch), []*flow.Queue{r.letters[n]}); err == nil && count > r.plan.Graph.DeadLetters {
				f := r.plan.At(n, fault.Letters, "dead_letter", fmt.Sprintf("the run has more than %d dead letters", r.plan.Graph.DeadLetters),
					"correct the data or the step, or raise dead_letters_max in [graph]")
				f.Exit, err = fault.ExitStep, f
			}
		default:
			err = r.emit(n, a, result.batch)
		}
	}
	return err
}

// call runs the function of a step once.
func (r *run) call(n *graph.Node, batch arrow.RecordBatch) (arrow.RecordBatch, error) {
	ctx := r.ctx
	if n.Timeout > 0 {
		limited, stop := context.WithTimeout(ctx, n.Timeout)
		defer stop()
		ctx = limited
	}
	begin := time.Since(r.begin)
	result, err := r.plan.Steps[n].Bridge.Call(ctx, n.Function, alloy.Options(n.Options), batch)
	c := r.counts[n]
	c.took(time.Since(r.begin) - begin)
	if err != nil && r.ctx.Err() == nil {
		c.failed(err)
	}
	return result, err
}

// apply runs the function on a batch, as often as the step allows. What still fails becomes
// dead letters, or the fault that ends the run.
func (r *run) apply(n *graph.Node, batch arrow.RecordBatch, number int64) ([]made, error) {
	result, err := r.call(n, batch)
	wait := n.Backoff
	for try := 0; err != nil && try < n.Retries && mayRetry(err) && r.ctx.Err() == nil; try++ {
		c := r.counts[n]
		c.retried(causeOf(err))
		c.retrying.Add(1)
		select {
		case <-time.After(wait/2 + rand.N(wait/2+1)):
		case <-r.ctx.Done():
		}
		c.retrying.Add(-1)
		if r.ctx.Err() != nil {
			return nil, r.err()
		}
		wait = min(2*wait, mostBackoff)
		result, err = r.call(n, batch)
	}
	switch {
	case err == nil:
		return []made{{batch: result}}, nil
	case r.ctx.Err() != nil:
		return nil, r.err()
	case n.DeadLetter == nil:
		return nil, r.stepFault(n, number, err)
	}
	s := &splitter{run: r, node: n, number: number}
	if f := r.plan.Steps[n]; f.Idempotent && f.Rowwise {
		s.split(batch, 0, err)
	} else {
		s.bury(batch, 0, err)
	}
	if r.ctx.Err() != nil {
		for _, one := range s.results {
			one.batch.Release()
		}
		return nil, r.err()
	}
	return s.results, nil
}

// splitter looks for the faulty rows of a batch.
type splitter struct {
	run      *run
	node     *graph.Node
	number   int64
	restarts int
	results  []made
}

// split runs the halves of a piece that has failed. Good halves go on in order.
func (s *splitter) split(piece arrow.RecordBatch, first int64, cause error) {
	if isRestart(cause) {
		s.restarts++
	}
	if piece.NumRows() <= 1 || s.restarts > mostRestarts || s.run.ctx.Err() != nil {
		s.bury(piece, first, cause)
		return
	}
	half := piece.NumRows() / 2
	for _, bounds := range [][2]int64{{0, half}, {half, piece.NumRows()}} {
		part := piece.NewSlice(bounds[0], bounds[1])
		result, err := s.run.call(s.node, part)
		if err == nil {
			s.results = append(s.results, made{batch: result})
		} else {
			s.split(part, first+bounds[0], err)
		}
		part.Release()
	}
}

// bury makes dead letters of a piece.
func (s *splitter) bury(piece arrow.RecordBatch, first int64, cause error) {
	schema := s.run.plan.Schemas[s.node.DeadLetter]
	s.results = append(s.results, made{lettersOf(schema, piece, s.node.Name, s.number, first, cause), true})
}

func mayRetry(err error) bool {
	var e *alloy.Error
	if !errors.As(err, &e) {
		return false
	}
	return e.Code == alloy.Retry || e.Code == alloy.Lost || e.Code == alloy.Timeout || e.Code == alloy.Busy
}

// isRestart reports whether a failure has cost a worker.
func isRestart(err error) bool {
	var e *alloy.Error
	return errors.As(err, &e) && (e.Code == alloy.Lost || e.Code == alloy.Timeout)
}

// stepFault is the fault of a step at a batch; 0: none.
func (r *run) stepFault(n *graph.Node, number int64, err error) error {
	if r.ctx.Err() != nil {
		return r.err()
	}
	text := fmt.Sprintf("step %q failed", n.Name)
	if number > 0 {
		text = fmt.Sprintf("step %q failed at batch %d", n.Name, number)
	}
	f := fault.FromEngine(err, text)
	f.File, f.Line, f.Node, f.Batch = r.plan.Graph.File, n.Line, n.Name, number
	f.At = fmt.Sprintf("[step.%s], %s.%s of %s", n.Name, n.Backend.Name, n.Function, n.Backend.Library)
	f.Detail = []string{err.Error()}
	f.Help = "correct the data or the step"
	if step := r.plan.Steps[n]; !step.Stream && n.DeadLetter == nil {
		f.Help += `; or add dead_letter = "SINK" to keep the rows and go on`
	}
	return f
}
