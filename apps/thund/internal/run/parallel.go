// SPDX-License-Identifier: MIT

package run

import (
	"errors"

	"github.com/apache/arrow-go/v18/arrow/util"

	"github.com/ignalina/alloy/apps/thund/internal/flow"
	"github.com/ignalina/alloy/apps/thund/internal/graph"
)

// openParallel runs a function on several batches at the same time. Intake and delivery are
// two actors with a queue between them, so that the results leave in the order of the inputs
// and the rule of growth covers both.
func (r *run) openParallel(n *graph.Node) []func() error {
	intake, delivery := r.actors[n], r.net.NewActor(n.Name+" (delivery)")
	between := r.net.NewQueue(n.Name+" (intake)", n.Name+" (delivery)", 0, n.Parallel, r.queueBytes, delivery)
	between.Connect(intake)
	delivery.Share(intake)
	r.writer(n, delivery)
	slots := make(chan struct{}, n.Parallel)
	type job struct {
		done    chan struct{}
		results []made
		err     error
	}
	take := func() error {
		intake.Begin()
		defer intake.End()
		for number := int64(1); ; number++ {
			slots <- struct{}{} // a call ends without the queues, so this is no wait for an actor
			batch, err := r.take(r.inputs[n][0])
			if err != nil || batch == nil {
				return err
			}
			j, size := &job{done: make(chan struct{})}, util.TotalRecordSize(batch)
			go func() {
				defer func() { batch.Release(); <-slots; close(j.done) }()
				j.results, j.err = r.apply(n, batch, number)
			}()
			if err := between.Put(intake, flow.Item{Job: j, Bytes: size}); err != nil {
				<-j.done
				for _, result := range j.results {
					result.batch.Release()
				}
				if errors.Is(err, flow.ErrClosed) {
					return errNoReader
				}
				return err
			}
		}
	}
	deliver := func() error {
		defer delivery.End()
		for {
			item, more, err := between.Get()
			if err != nil || !more {
				return err
			}
			j := item.Job.(*job)
			<-j.done
			if j.err != nil {
				return j.err
			}
			if err := r.deliver(n, delivery, j.results); err != nil {
				return err
			}
		}
	}
	return []func() error{take, deliver}
}
