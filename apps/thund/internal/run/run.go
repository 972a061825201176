// SPDX-License-Identifier: MIT

package run

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ignalina/alloy/apps/thund/internal/fault"
	"github.com/ignalina/alloy/apps/thund/internal/files"
	"github.com/ignalina/alloy/apps/thund/internal/flow"
	"github.com/ignalina/alloy/apps/thund/internal/graph"
)

// patience is how long a run that has failed waits for its steps. Alloy asks them to stop,
// but a step in this process may not listen.
const patience = 3 * time.Second

// run is one run of a plan.
type run struct {
	plan    *Plan
	net     *flow.Network
	ctx     context.Context
	cancel  context.CancelCauseFunc
	inputs  map[*graph.Node][]*flow.Queue
	outputs map[*graph.Node][]*flow.Queue
	letters map[*graph.Node]*flow.Queue // of a step with dead_letter
	actors  map[*graph.Node]*flow.Actor
	counts  map[*graph.Node]*counts
	sinks   map[*graph.Node]*files.Sink

	queueBytes  int64 // the byte limit of each queue
	deadLetters atomic.Int64
	begin       time.Time
	started     time.Time    // all nodes are open; zero: they never were
	givenUp     atomic.Int64 // grows when what is held for restarts is needed elsewhere
	failure     struct {
		sync.Mutex
		first error
	}
}

// errNoReader ends a node quietly: nobody reads it any more.
var errNoReader = errors.New("every reader has ended")

// Run runs a plan until its sources end, it fails, or the context ends. The report is
// complete also when the run has failed.
func Run(ctx context.Context, p *Plan) (*Report, error) {
	report, err := runOnce(ctx, p)
	p.live.ended(err)
	return report, err
}

// runOnce runs a plan for the whole graph, or for one of its files.
func runOnce(ctx context.Context, p *Plan) (*Report, error) {
	begin := time.Now()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	if isComplete, err := p.settle(ctx); err != nil || !isComplete {
		report := newReport(p)
		report.Files = nil
		return report, err
	}
	r := &run{plan: p, begin: begin, net: flow.NewNetwork(p.Graph.Memory), ctx: ctx, cancel: cancel,
		inputs: map[*graph.Node][]*flow.Queue{}, outputs: map[*graph.Node][]*flow.Queue{}, letters: map[*graph.Node]*flow.Queue{},
		actors: map[*graph.Node]*flow.Actor{}, counts: map[*graph.Node]*counts{}, sinks: map[*graph.Node]*files.Sink{}}
	r.net.Full, r.net.Grew = r.full, r.grew
	stop := context.AfterFunc(ctx, func() { r.fail(context.Cause(ctx)) })
	defer stop()
	r.connect()
	err := r.work()
	if err == nil {
		err = r.publish()
	}
	if err != nil {
		for _, sink := range r.sinks {
			sink.Abandon()
		}
	}
	p.live.detach(r, err)
	if p.Trace != nil {
		p.Trace(r.trace(begin, err))
	}
	return r.report(time.Since(begin)), err
}

// work opens all nodes, then runs them. Nothing runs if one cannot open.
func (r *run) work() error {
	var bodies []func() error
	var closers []func()
	defer func() {
		for _, closer := range closers {
			closer()
		}
	}()
	for _, n := range r.plan.Graph.Nodes {
		body, closer, err := r.open(n)
		if closer != nil {
			closers = append(closers, closer)
		}
		if err != nil {
			return err
		}
		bodies = append(bodies, body...)
	}
	r.plan.live.started(r)
	r.started = time.Now()
	done := make(chan struct{})
	var all sync.WaitGroup
	for _, body := range bodies {
		all.Go(func() {
			defer func() { // arrow-go panics on data that it cannot hold
				if cause := recover(); cause != nil {
					r.fail(&fault.Fault{Code: fault.Defect, Text: fmt.Sprintf("a node panicked: %v", cause),
						Detail: strings.Split(string(debug.Stack()), "\n"), Help: "report this as a defect, with the graph file", Exit: fault.ExitStep})
				}
			}()
			if err := body(); err != nil && !errors.Is(err, errNoReader) {
				r.fail(err)
			}
		})
	}
	go func() { all.Wait(); close(done) }()
	select {
	case <-done:
	case <-r.ctx.Done():
		select {
		case <-done:
		case <-time.After(patience):
			closers = nil // a step is still inside
			return r.err()
		}
	}
	r.net.Drain()
	return r.err()
}

// open prepares a node, and returns what its goroutines do.
func (r *run) open(n *graph.Node) (bodies []func() error, closer func(), err error) {
	actor := r.actors[n]
	body := func(work func() error) []func() error {
		return []func() error{func() error {
			actor.Begin()
			defer actor.End()
			return work()
		}}
	}
	switch {
	case n.Kind == graph.Source:
		r.writer(n, actor)
		source := r.plan.sources[n]
		source.Waits = actor.Peer(flow.Starved)
		if err := r.plan.listen(r.ctx, n); err != nil {
			return nil, nil, err
		}
		r.counts[n].totalRows.Store(source.TotalRows())
		return body(func() error { return r.source(n, source) }), func() { source.Close() }, nil
	case n.Kind == graph.Sink:
		if kept := r.plan.collectors[n]; kept != nil {
			sink := kept.Sink()
			r.sinks[n] = sink
			return body(func() error { return r.sink(n, sink) }), nil, nil
		}
		sink, err := files.OpenSink(r.ctx, n, r.plan.Schemas[n])
		if err != nil {
			f := r.plan.At(n, fault.Sink, n.Format, fmt.Sprintf("sink %q cannot be written", n.Name), "correct the path, or make room on the disk")
			f.Detail, f.Exit = []string{err.Error()}, fault.ExitMachine
			return nil, nil, f
		}
		sink.Waits = actor.Peer(flow.Blocked)
		r.sinks[n] = sink
		return body(func() error { return r.sink(n, sink) }), nil, nil
	case n.Union:
		r.writer(n, actor)
		return body(func() error { return r.union(n) }), nil, nil
	case n.Go != "":
		r.writer(n, actor)
		return body(func() error { return r.goStep(n) }), nil, nil
	case r.plan.Steps[n].Stream:
		r.writer(n, actor)
		s := r.newStream(n)
		if err := s.open(); err != nil {
			return nil, nil, r.stepFault(n, 0, err)
		}
		return body(s.work), s.close, nil
	case n.Parallel > 1:
		return r.openParallel(n), nil, nil
	}
	r.writer(n, actor)
	return body(func() error { return r.batches(n) }), nil, nil
}

// fail ends the run. The first error is the one that counts.
func (r *run) fail(err error) {
	r.failure.Lock()
	first := r.failure.first == nil
	if first {
		r.failure.first = err
	}
	r.failure.Unlock()
	if first {
		r.net.Fail(err)
		r.cancel(err)
	}
}

func (r *run) err() error {
	r.failure.Lock()
	defer r.failure.Unlock()
	return r.failure.first
}
