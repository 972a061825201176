// SPDX-License-Identifier: MIT

package run

import (
	"maps"
	"os"
	"sync"
	"time"

	"github.com/ignalina/alloy/apps/thund/internal/fault"
	"github.com/ignalina/alloy/apps/thund/internal/graph"
	"github.com/ignalina/alloy/apps/thund/internal/status"
)

// mostPaths is how many finished files of a sink are shown.
const mostPaths = 10

// live is what a plan shows at any time: the runs that have ended, and the one that runs now.
// The plans of single files share it.
type live struct {
	plan *Plan // the whole one
	taps map[string]*taps
	done chan struct{} // closed at the end

	mutex sync.Mutex
	state status.GraphState
	begin time.Time
	end   time.Time // zero: it has not ended
	err   error
	past  status.Snapshot // the counts of the runs that have ended
	now   *run            // nil: none
	paths map[string][]string
	files *status.Files
}

func newLive(p *Plan) *live {
	l := &live{plan: p, state: status.GraphStarting, begin: time.Now(), paths: map[string][]string{}, taps: map[string]*taps{}, done: make(chan struct{})}
	if p.Graph.EachSource() != nil {
		l.files = &status.Files{}
	}
	for _, n := range p.Graph.Nodes {
		l.taps[n.Name] = &taps{}
	}
	l.past = l.empty()
	return l
}

// Status is what the graph does now. Any goroutine may call it at any time, before the run and
// after it too. Rates and the bottleneck are not in it: see [status.Sampler].
func (p *Plan) Status() status.Snapshot {
	l := p.live
	l.mutex.Lock()
	defer l.mutex.Unlock()
	s := l.past
	s.Nodes, s.Edges = append([]status.Node(nil), l.past.Nodes...), append([]status.Edge(nil), l.past.Edges...)
	if l.now != nil {
		s.Memory = l.now.net.Memory()
		l.now.addTo(&s)
	}
	s.Time = time.Now()
	s.State, s.Seconds = l.state, s.Time.Sub(l.begin).Seconds()
	if !l.end.IsZero() {
		s.Seconds = l.end.Sub(l.begin).Seconds()
	}
	if s.State == status.GraphRunning && p.IsDraining() {
		s.State = status.GraphDraining
	}
	if l.files != nil {
		copied := *l.files
		s.Files = &copied
	}
	failed := map[string]*fault.Fault{}
	for _, f := range fault.All(l.err) {
		if failed[f.Node] == nil {
			failed[f.Node] = f
		}
	}
	if l.err != nil {
		s.Error = l.err.Error()
	}
	s.DeadLetters = 0
	for i := range s.Nodes {
		n := &s.Nodes[i]
		n.Paths = append([]string(nil), l.paths[n.Name]...)
		s.DeadLetters += n.DeadLetters
		switch f := failed[n.Name]; {
		case f != nil:
			n.State, n.LastError = status.Failed, f.Error()
		case l.now == nil && l.end.IsZero():
			n.State = status.Starved // between two files
		}
	}
	return s
}

// empty is a snapshot before any run: all nodes and queues, and no counts.
func (l *live) empty() status.Snapshot {
	p := l.plan
	s := status.Snapshot{Graph: p.Graph.Name, File: p.Graph.File, PID: os.Getpid(), MemoryLimit: p.Graph.Memory}
	for _, n := range p.Graph.Nodes {
		made := status.Node{Name: n.Name, Kind: string(n.Kind), What: whatOf(n), State: status.Starved}
		if n.Isolated && n.Backend != nil {
			made.Workers = max(1, n.Parallel)
		}
		if f := p.Steps[n]; f != nil {
			made.Backend = &status.Backend{Library: n.Backend.Library, Signer: f.Backend.Signer, SHA256: f.Backend.SHA256}
			if f.Backend.Signer != "" && n.Backend.Certificate != "" {
				made.Backend.Expires = expiryOf(n.Backend.Certificate)
			}
			if !f.Stream {
				made.Durations = &status.Histogram{}
			}
		}
		s.Nodes = append(s.Nodes, made)
	}
	for _, q := range queuesOf(p.Graph) {
		s.Edges = append(s.Edges, status.Edge{From: q.from, To: q.to.Name, Input: q.input, LimitBatches: p.Graph.QueueBatches, LimitBytes: queueBytesOf(p.Graph)})
	}
	return s
}

func whatOf(n *graph.Node) string {
	switch {
	case n.Union:
		return "union"
	case n.Backend != nil:
		return n.Backend.Name + "." + n.Function
	case n.Go != "":
		return "go " + n.Go
	case n.Socket:
		return n.Format + " socket"
	}
	return n.Format
}

// started says that batches may flow from here on, and lets the snapshot show a run, if there is
// one already. All of its actors and queues are there.
func (l *live) started(r *run) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	l.state, l.now = status.GraphRunning, r
}

// detach keeps the counts of a run that has ended.
func (l *live) detach(r *run, err error) {
	for _, f := range fault.All(err) {
		for n, c := range r.counts {
			if n.Name == f.Node {
				c.ended(f)
			}
		}
	}
	l.mutex.Lock()
	defer l.mutex.Unlock()
	for n, sink := range r.sinks {
		if err == nil && sink.SHA256 != "" && sink.Path != "-" {
			paths := append(l.paths[n.Name], sink.Path)
			l.paths[n.Name] = paths[max(0, len(paths)-mostPaths):]
		}
	}
	r.addTo(&l.past)
	for i := range l.past.Edges { // what is left was dropped with the run
		e := &l.past.Edges[i]
		e.QueueBatches, e.QueueBytes = 0, 0
	}
	l.now = nil
}

// file counts a file of a graph that runs once for each.
func (l *live) file(report *FilesReport) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	*l.files = status.Files{Done: report.Done, Ignored: report.Ignored, Bytes: report.Bytes, Rows: report.Rows}
}

// ended keeps how the whole has ended.
func (l *live) ended(err error) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	if l.end.IsZero() {
		close(l.done)
	}
	l.end, l.err = time.Now(), err
	if l.state = status.GraphDone; err != nil {
		l.state = status.GraphFailed
	}
}

func added(a, b map[string]int64) map[string]int64 {
	if len(b) == 0 {
		return a
	}
	sum := maps.Clone(a)
	if sum == nil {
		sum = map[string]int64{}
	}
	for key, count := range b {
		sum[key] += count
	}
	return sum
}
