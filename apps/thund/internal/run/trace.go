// SPDX-License-Identifier: MIT

package run

import (
	"slices"
	"time"

	"github.com/ignalina/alloy/apps/thund/internal/fault"
	"github.com/ignalina/alloy/apps/thund/internal/flow"
	"github.com/ignalina/alloy/apps/thund/internal/status"
)

// mostEvents is how many events of a node are kept for a trace. Those of OpenTelemetry's own
// libraries have the same limit.
const mostEvents = 128

// Event is something that happened to a node, and that a trace shows.
type Event struct {
	Time  time.Time
	Name  string // retry, crash or growth
	Cause string // of a retry and a crash; of a growth: the queue
}

// Traced is a run of a graph, or of one of its files, that has ended.
type Traced struct {
	Graph, File string // File: the file of a graph that runs once for each
	Begin, End  time.Time
	Err         error
	Nodes       []TracedNode
}

// TracedNode is what a node did in that run. The snapshot has only the counts of this run.
type TracedNode struct {
	status.Node
	From       []string // the nodes that it reads
	Begin, End time.Time
	Events     []Event
	Dropped    int64 // events that were too many
	Err        error
}

// events keeps the first events of a node.
type events struct {
	kept    []Event
	dropped int64
}

func (e *events) add(name, cause string) {
	if len(e.kept) == mostEvents {
		e.dropped++
		return
	}
	e.kept = append(e.kept, Event{time.Now(), name, cause})
}

// grew keeps the growth of a queue. The network is locked.
func (r *run) grew(q *flow.Queue) {
	for n, c := range r.counts {
		if n.Name == q.To {
			c.mutex.Lock()
			c.events.add("growth", q.From+" -> "+q.To)
			c.mutex.Unlock()
		}
	}
}

// trace describes a run that has ended.
func (r *run) trace(begin time.Time, err error) *Traced {
	p := r.plan
	all := p.live.empty()
	r.addTo(&all)
	t := &Traced{Graph: p.Graph.Name, File: p.file, Begin: begin, End: time.Now(), Err: err}
	failed := map[string]*fault.Fault{}
	for _, f := range fault.All(err) {
		failed[f.Node] = f
	}
	counted := map[string]status.Node{}
	for _, n := range all.Nodes {
		counted[n.Name] = n
	}
	for _, n := range p.Graph.Nodes {
		one := TracedNode{Node: counted[n.Name], Begin: r.started}
		if r.started.IsZero() { // it never ran
			one.Begin = t.End
		}
		spent := one.WorkingSeconds + one.StarvedSeconds + one.BlockedSeconds
		one.End = one.Begin.Add(time.Duration(spent * float64(time.Second)))
		if one.End.After(t.End) {
			one.End = t.End
		}
		for _, from := range slices.Concat(n.From, n.LettersOf) {
			one.From = append(one.From, from.Name)
		}
		if f := failed[n.Name]; f != nil {
			one.Err = f
		}
		c := r.counts[n]
		c.mutex.Lock()
		one.Events, one.Dropped = append([]Event(nil), c.events.kept...), c.events.dropped
		c.mutex.Unlock()
		t.Nodes = append(t.Nodes, one)
	}
	return t
}
