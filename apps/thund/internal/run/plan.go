// SPDX-License-Identifier: MIT

// Package run validates a graph against its backends and files, and runs it.
package run

import (
	"fmt"
	"sync"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/ignalina/alloy"

	"github.com/ignalina/alloy/apps/thund/internal/fault"
	"github.com/ignalina/alloy/apps/thund/internal/files"
	"github.com/ignalina/alloy/apps/thund/internal/graph"
	"github.com/ignalina/alloy/apps/thund/internal/own"
)

// Plan is a graph that may run: every edge has a schema.
type Plan struct {
	Graph   *graph.Graph
	Schemas map[*graph.Node]*arrow.Schema // of what a node makes; of a sink: of what it gets
	Steps   map[*graph.Node]*Function
	Notes   []string
	Own     *own.Set
	Trace   func(*Traced) // gets each run that has ended; it may be nil

	sources map[*graph.Node]*files.Source
	// Of a test: the sinks whose batches are kept in memory.
	collectors map[*graph.Node]*files.Collector
	bridges    map[bridgeKey]*alloy.GoBridge
	file       string        // that the run is for; empty: the whole graph
	drain      chan struct{} // closed when no new file is to be taken
	drainOnce  sync.Once
	live       *live
	pruned     []string // notes: sources that leave columns out
}

// Function is what a step calls.
type Function struct {
	alloy.Function
	Bridge  *alloy.GoBridge
	Backend alloy.Backend
}

// bridgeKey says which steps share a bridge: those of a backend, in one mode.
type bridgeKey struct {
	backend  string
	isolated bool
	heap     int64
}

func keyOf(n *graph.Node) bridgeKey { return bridgeKey{n.Backend.Name, n.Isolated, n.Heap} }

// Prepare does the stages of the validation that need backends and files. It reads headers
// and metadata, and no row. Close the plan after use.
func Prepare(g *graph.Graph, set *own.Set, allowUnsigned bool) (*Plan, error) {
	p := &Plan{Graph: g, Own: set, drain: make(chan struct{}), Schemas: map[*graph.Node]*arrow.Schema{}, Steps: map[*graph.Node]*Function{},
		sources: map[*graph.Node]*files.Source{}, bridges: map[bridgeKey]*alloy.GoBridge{}}
	for _, stage := range []func() fault.List{
		func() fault.List { return append(p.loadBackends(allowUnsigned), p.checkOwn()...) }, p.checkRules, p.bindAll, p.checkTests, p.checkSinks,
	} {
		if faults := stage(); len(faults) > 0 {
			p.Close()
			return nil, faults
		}
	}
	p.notes()
	p.live = newLive(p)
	return p, nil
}

// Close closes the bridges.
func (p *Plan) Close() {
	for _, bridge := range p.bridges {
		bridge.Close()
	}
}

// IsEndless reports whether a source ends only when it is asked to.
func (p *Plan) IsEndless() bool {
	for _, source := range p.sources {
		if source.IsEndless() {
			return true
		}
	}
	return false
}

// Drain lets endless sources end; finite ones are read to their end. Any goroutine may call it.
func (p *Plan) Drain() {
	p.drainOnce.Do(func() { close(p.drain) })
	for _, source := range p.sources {
		source.Drain()
	}
}

// IsDraining reports whether the plan was asked to end.
func (p *Plan) IsDraining() bool {
	select {
	case <-p.drain:
		return true
	default:
		return false
	}
}

// At makes a fault at a key of a node.
func (p *Plan) At(n *graph.Node, code, key, text, help string) *fault.Fault {
	path, place := []string{string(n.Kind), n.Name}, fmt.Sprintf("[%s.%s]", n.Kind, n.Name)
	if key != "" {
		path, place = append(path, key), place+", "+key
	}
	return &fault.Fault{Code: code, Text: text, File: p.Graph.File, Line: p.Graph.Lines.At(path...), Node: n.Name,
		At: place, Help: help, Exit: fault.ExitUsage}
}

// checkRules is the stage of the rules of steps.
func (p *Plan) checkRules() (faults fault.List) {
	for _, n := range p.Graph.Nodes {
		f := p.Steps[n]
		if f == nil {
			continue
		}
		place := fmt.Sprintf("%s.%s of %s", n.Backend.Name, n.Function, n.Backend.Library)
		add := func(key, text, help string, detail ...string) {
			made := p.At(n, fault.Rule, key, text, help)
			made.At, made.Detail = fmt.Sprintf("[step.%s], %s", n.Name, place), detail
			faults = append(faults, made)
		}
		if count := len(n.From); count < f.MinInputs || f.MaxInputs >= 0 && count > f.MaxInputs {
			wanted := fmt.Sprint(f.MinInputs)
			if f.MaxInputs < 0 {
				wanted += " or more"
			} else if f.MaxInputs != f.MinInputs {
				wanted += fmt.Sprintf(" to %d", f.MaxInputs)
			}
			add("from", fmt.Sprintf("step %q has %d inputs, and its function takes %s", n.Name, count, wanted), "correct from")
		} else if !f.Stream && count != 1 {
			add("from", fmt.Sprintf("step %q has %d inputs, and a function on batches reads one", n.Name, count), "correct from")
		}
		if n.HoldGiven && !(f.Stream && f.Idempotent && n.Isolated) {
			add("hold", fmt.Sprintf("step %q has hold, which is for isolated steps whose function is idempotent and works on a whole stream", n.Name), "remove hold")
		}
		if n.PartitionBy != nil && (!f.Stream || len(n.PartitionBy) == 0) {
			add("partition_by", fmt.Sprintf("step %q has partition_by, which names columns for a function on a whole stream", n.Name), "remove partition_by")
		}
		if f.Stream {
			for key, given := range map[string]bool{"parallel": n.Parallel > 1, "retries": n.Retries > 0, "dead_letter": n.DeadLetter != nil} {
				if given {
					add(key, fmt.Sprintf("step %q has %s, but its function works on a whole stream", n.Name, key), fmt.Sprintf("remove %s; it is for functions on batches", key))
				}
			}
		} else if n.Retries > 0 && !f.Idempotent {
			add("retries", fmt.Sprintf("step %q has retries = %d, but its function is not declared idempotent", n.Name, n.Retries),
				"remove retries and set dead_letter, or build the function with #[flags(idempotent)]", "a second run of a batch may repeat its effects")
		}
	}
	return faults
}
