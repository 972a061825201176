// SPDX-License-Identifier: MIT

package run

import (
	"errors"
	"fmt"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/util"

	"github.com/ignalina/alloy/apps/thund/internal/fault"
	"github.com/ignalina/alloy/apps/thund/internal/flow"
	"github.com/ignalina/alloy/apps/thund/internal/graph"
)

// mostQueueBytes is the greatest byte limit of a queue.
const mostQueueBytes = 64 << 20

// connect makes the actors and the queues.
func (r *run) connect() {
	g := r.plan.Graph
	edges := int64(0)
	for _, n := range g.Nodes {
		r.counts[n] = &counts{retries: map[string]int64{}}
		r.actors[n] = r.net.NewActor(n.Name)
		edges += int64(len(n.From) + len(n.LettersOf))
	}
	r.queueBytes = min(mostQueueBytes, max(1, g.Memory/(4*edges)))
	queue := func(from string, to *graph.Node, input int) *flow.Queue {
		q := r.net.NewQueue(from, to.Name, input, g.QueueBatches, r.queueBytes, r.actors[to])
		r.inputs[to] = append(r.inputs[to], q)
		return q
	}
	r.net.GiveUp = func() { r.givenUp.Add(1) }
	for _, n := range g.Nodes {
		var all *flow.Queue // of a union, and of dead letters: the order of arrival
		for i, from := range n.From {
			q := all
			if q == nil {
				name := from.Name
				if n.Union {
					name = "all inputs"
				}
				q = queue(name, n, i)
			}
			if n.Union {
				all = q
			}
			r.outputs[from] = append(r.outputs[from], q)
		}
		for _, step := range n.LettersOf {
			if all == nil {
				all = queue("dead letters", n, 0)
			}
			r.letters[step] = all
		}
	}
}

// writer makes an actor the writer of what a node makes.
func (r *run) writer(n *graph.Node, a *flow.Actor) {
	for _, q := range r.outputs[n] {
		q.Connect(a)
	}
	if q := r.letters[n]; q != nil {
		q.Connect(a)
	}
}

// emit gives a batch to every reader, and takes the caller's reference. It returns
// errNoReader if all have ended.
func (r *run) emit(n *graph.Node, a *flow.Actor, batch arrow.RecordBatch) error {
	c := r.counts[n]
	c.batchesOut.Add(1)
	c.rowsOut.Add(batch.NumRows())
	return r.put(a, batch, r.outputs[n])
}

func (r *run) put(a *flow.Actor, batch arrow.RecordBatch, queues []*flow.Queue) error {
	defer batch.Release()
	item := flow.Item{Batch: batch, Bytes: util.TotalRecordSize(batch)}
	open := 0
	for _, q := range queues {
		batch.Retain()
		err := q.Put(a, item)
		if err == nil {
			open++
		} else if !errors.Is(err, flow.ErrClosed) {
			return err
		}
	}
	if open == 0 {
		return errNoReader
	}
	return nil
}

// take returns the next batch of a queue, which the caller releases; nil at the end.
func (r *run) take(n *graph.Node, q *flow.Queue) (arrow.RecordBatch, error) {
	item, more, err := q.Get()
	if err != nil || !more {
		return nil, err
	}
	r.counts[n].add(item.Batch)
	return item.Batch, nil
}

// full is the error of a queue that would grow beyond the memory.
func (r *run) full(cycle []*flow.Queue, needed int64) error {
	q := cycle[0]
	var edges []string
	for _, other := range cycle {
		edges = append(edges, other.From+" -> "+other.To)
	}
	var n *graph.Node
	for _, other := range r.plan.Graph.Nodes {
		if other.Name == q.To {
			n = other
		}
	}
	f := r.plan.At(n, fault.Memory, "from", fmt.Sprintf("the diamond at step %q needs more than the memory of the graph", q.To),
		fmt.Sprintf("read the file with two sources, one for each branch of %q, or raise memory in [graph]", q.To))
	f.Detail = []string{fmt.Sprintf("step %q reads another input to its end first, so %s must hold %d bytes, and memory is %d", q.To, strings.Join(edges, " and "), needed, r.plan.Graph.Memory)}
	f.Exit = fault.ExitStep
	return f
}
