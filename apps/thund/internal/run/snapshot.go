// SPDX-License-Identifier: MIT

package run

import (
	"github.com/ignalina/alloy/apps/thund/internal/flow"
	"github.com/ignalina/alloy/apps/thund/internal/graph"
	"github.com/ignalina/alloy/apps/thund/internal/status"
)

// addTo adds what this run has counted so far. It takes the locks of the run for moments only.
func (r *run) addTo(s *status.Snapshot) {
	byName := map[string]*graph.Node{}
	for _, n := range r.plan.Graph.Nodes {
		byName[n.Name] = n
	}
	taken := r.taken()
	for i := range s.Nodes {
		if n := byName[s.Nodes[i].Name]; n != nil {
			in := taken[n.Name]
			s.Nodes[i].RowsIn += in.TakenRows
			s.Nodes[i].BatchesIn += in.TakenBatches
			s.Nodes[i].BytesIn += in.TakenBytes
			r.addNode(n, &s.Nodes[i])
		}
	}
	type key struct {
		from, to string
		input    int
	}
	at := map[key]int{}
	for i, e := range s.Edges {
		at[key{e.From, e.To, e.Input}] = i
	}
	r.net.Each(func(q *flow.Queue, c flow.Counts, now flow.Fill) {
		i, known := at[key{q.From, q.To, q.Input}]
		if !known {
			return // it is inside of a step with parallel
		}
		e := &s.Edges[i]
		e.Batches += c.Batches
		e.Rows += c.Rows
		e.Bytes += c.Bytes
		e.Growths += c.Growths
		e.Most = max(e.Most, c.Most)
		e.QueueBatches, e.QueueBytes = now.Batches, now.Bytes
		e.LimitBatches, e.LimitBytes = now.LimitBatches, now.LimitBytes
	})
}

// taken adds up what each node has taken from its queues, by name.
func (r *run) taken() map[string]flow.Counts {
	all := map[string]flow.Counts{}
	r.net.Each(func(q *flow.Queue, c flow.Counts, _ flow.Fill) {
		sum := all[q.To]
		sum.TakenBatches += c.TakenBatches
		sum.TakenRows += c.TakenRows
		sum.TakenBytes += c.TakenBytes
		all[q.To] = sum
	})
	return all
}

func (r *run) addNode(n *graph.Node, made *status.Node) {
	c := r.counts[n]
	made.RowsOut += c.rowsOut.Load()
	made.BatchesOut += c.batchesOut.Load()
	made.BytesOut += c.bytesOut.Load()
	made.DeadLetters += c.letters.Load()
	made.TotalRows += c.totalRows.Load()
	if source := r.plan.sources[n]; source != nil {
		made.Broken += source.Broken.Load()
	}
	made.Retries = added(made.Retries, c.of(&c.retries))
	made.Restarts = added(made.Restarts, c.of(&c.restarts))
	made.Errors = added(made.Errors, c.of(&c.errors))
	if text := c.last(); text != "" {
		made.LastError = text
	}
	if made.Durations != nil {
		sum := *made.Durations // that of the past stays as it is
		sum.AddAll(c.durations())
		made.Durations = &sum
	}
	t := r.actors[n].Times()
	made.WorkingSeconds += t.Spent[flow.Working].Seconds()
	made.StarvedSeconds += t.Spent[flow.Starved].Seconds()
	made.BlockedSeconds += t.Spent[flow.Blocked].Seconds()
	switch {
	case t.Ended:
		made.State = status.Done
	case !t.Begun || t.State == flow.Starved:
		made.State = status.Starved
	case t.State == flow.Blocked:
		made.State = status.Blocked
	case c.retrying.Load() > 0:
		made.State = status.Retrying
	default:
		made.State = status.Working
	}
}
