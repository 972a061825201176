// SPDX-License-Identifier: MIT

package run

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/ignalina/alloy/apps/thund/internal/fault"
	"github.com/ignalina/alloy/apps/thund/internal/files"
	"github.com/ignalina/alloy/apps/thund/internal/graph"
)

// TestResult is how a [[test]] has ended.
type TestResult struct {
	Name        string      `json:"name"`
	Line        int         `json:"line"`
	Passed      bool        `json:"passed"`
	Seconds     float64     `json:"seconds"`
	Errors      fault.List  `json:"errors,omitempty"` // of a step
	Differences []Different `json:"differences,omitempty"`
}

// checkTests checks that the columns of the tests exist and that their values fit.
func (p *Plan) checkTests() (faults fault.List) {
	for _, t := range p.Graph.Tests {
		for _, rows := range slices.Concat(t.Given, t.Expect) {
			if p.Schemas[rows.Node] == nil {
				faults = append(faults, p.At(rows.Node, fault.Types, "", fmt.Sprintf("test %q needs the types of %q, which are not known before data come", t.Name, rows.Node.Name), "add schema to the source"))
				continue
			}
			batch, err := batchOf(p.Schemas[rows.Node], rows.Rows, nil)
			if err != nil {
				faults = append(faults, &fault.Fault{Code: fault.Types, Text: fmt.Sprintf("test %q has rows that %q cannot have", t.Name, rows.Node.Name), File: p.Graph.File, Line: rows.Line, Node: rows.Node.Name, At: "[[test]]",
					Detail: []string{err.Error(), rows.Node.Name + ": " + files.Describe(p.Schemas[rows.Node])}, Help: "correct the row", Exit: fault.ExitUsage})
				continue
			}
			batch.Release()
		}
	}
	return faults
}

// Test runs the nodes between what a test gives and what it expects, and compares.
func (p *Plan) Test(ctx context.Context, t *graph.Test) (result TestResult) {
	begin := time.Now()
	result = TestResult{Name: t.Name, Line: t.Line}
	part, collectors, err := p.forTest(t)
	if err == nil {
		part.live = newLive(part)
		_, err = Run(ctx, part)
	}
	result.Seconds = time.Since(begin).Seconds()
	result.Errors = fault.All(err)
	isMixed := slices.ContainsFunc(part.Graph.Nodes, func(n *graph.Node) bool { return n.Union })
	for _, n := range p.Graph.Nodes {
		got := collectors[n]
		if got == nil {
			continue
		}
		at := slices.IndexFunc(t.Expect, func(r graph.Rows) bool { return r.Node == n })
		if err == nil && (at >= 0 || len(got.Batches) > 0) { // dead letters that nobody expects are a difference
			var rows []map[string]any
			if at >= 0 {
				rows = t.Expect[at].Rows
			}
			result.Differences = append(result.Differences, differences(n.Name, p.Schemas[n], rows, got.Batches, isMixed)...)
		}
		got.Release()
	}
	result.Passed = err == nil && len(result.Differences) == 0
	return result
}

// forTest makes a plan of the nodes of a test: what is given is a source, and what is expected is
// collected. The steps are those of the whole plan.
func (p *Plan) forTest(t *graph.Test) (*Plan, map[*graph.Node]*files.Collector, error) {
	needed := t.Nodes()
	given := map[*graph.Node]graph.Rows{}
	for _, rows := range t.Given {
		given[rows.Node] = rows
	}
	for n := range maps.Clone(needed) { // faulty rows need a place, also if the test does not expect them
		if n.DeadLetter != nil && given[n].Node == nil {
			needed[n.DeadLetter] = true
		}
	}
	g, of := p.Graph.Part(func(n *graph.Node) bool { return needed[n] }, func(n *graph.Node) bool { return given[n].Node != nil })
	part := &Plan{Graph: g, Own: p.Own, drain: p.drain, Schemas: map[*graph.Node]*arrow.Schema{}, Steps: map[*graph.Node]*Function{},
		sources: map[*graph.Node]*files.Source{}, collectors: map[*graph.Node]*files.Collector{}}
	collectors := map[*graph.Node]*files.Collector{} // of the nodes of p
	collect := func(sink, of *graph.Node) {
		collectors[of] = &files.Collector{}
		part.collectors[sink] = collectors[of]
	}
	for _, c := range slices.Clone(g.Nodes) {
		n := of[c]
		part.Schemas[c], part.Steps[c] = p.Schemas[n], p.Steps[n]
		if rows, isGiven := given[n]; isGiven {
			batch, err := batchOf(p.Schemas[n], rows.Rows, nil)
			if err != nil {
				return part, nil, err
			}
			c.Kind, c.Union, c.Go, c.DeadLetter = graph.Source, false, "", nil
			part.sources[c] = files.NewRows(c, batch)
		}
		switch isExpected := slices.ContainsFunc(t.Expect, func(r graph.Rows) bool { return r.Node == n }); {
		case c.Kind == graph.Sink:
			collect(c, n)
		case isExpected:
			sink := &graph.Node{Kind: graph.Sink, Name: "what is expected of " + n.Name, From: []*graph.Node{c}, Line: t.Line}
			c.Readers = append(c.Readers, sink)
			g.Nodes = append(g.Nodes, sink)
			part.Schemas[sink] = p.Schemas[n]
			collect(sink, n)
		}
	}
	return part, collectors, nil
}
