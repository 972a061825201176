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

// queueOf is one queue of a graph.
type queueOf struct {
	from    string
	to      *graph.Node
	input   int
	writers []*graph.Node
	letters bool // of dead letters
}

// queuesOf lists the queues of a graph. The inputs of a union share one, and so do the dead
// letters of a sink: the order of arrival.
func queuesOf(g *graph.Graph) (all []queueOf) {
	for _, n := range g.Nodes {
		if n.Union {
			all = append(all, queueOf{from: "all inputs", to: n, writers: n.From})
		} else {
			for i, from := range n.From {
				all = append(all, queueOf{from: from.Name, to: n, input: i, writers: []*graph.Node{from}})
			}
		}
		if len(n.LettersOf) > 0 {
			all = append(all, queueOf{from: "dead letters", to: n, writers: n.LettersOf, letters: true})
		}
	}
	return all
}

// queueBytesOf is the byte limit of each queue.
func queueBytesOf(g *graph.Graph) int64 {
	edges := int64(0)
	for _, n := range g.Nodes {
		edges += int64(len(n.From) + len(n.LettersOf))
	}
	return min(mostQueueBytes, max(1, g.Memory/(4*max(1, edges))))
}

// connect makes the actors and the queues.
func (r *run) connect() {
	g := r.plan.Graph
	r.queueBytes = queueBytesOf(g)
	r.net.GiveUp = func() { r.givenUp.Add(1) }
	for _, n := range g.Nodes {
		r.counts[n] = newCounts(r.plan.live.taps[n.Name])
		r.actors[n] = r.net.NewActor(n.Name)
	}
	for _, one := range queuesOf(g) {
		q := r.net.NewQueue(one.from, one.to.Name, one.input, g.QueueBatches, r.queueBytes, r.actors[one.to])
		r.inputs[one.to] = append(r.inputs[one.to], q)
		for _, writer := range one.writers {
			if one.letters {
				r.letters[writer] = q
			} else {
				r.outputs[writer] = append(r.outputs[writer], q)
			}
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
	bytes := util.TotalRecordSize(batch)
	c := r.counts[n]
	c.out(batch, bytes)
	c.taps.offer(batch)
	return r.put(a, batch, bytes, r.outputs[n])
}

func (r *run) put(a *flow.Actor, batch arrow.RecordBatch, bytes int64, queues []*flow.Queue) error {
	defer batch.Release()
	item := flow.Item{Batch: batch, Bytes: bytes}
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
func (r *run) take(q *flow.Queue) (arrow.RecordBatch, error) {
	item, more, err := q.Get()
	if err != nil || !more {
		return nil, err
	}
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
