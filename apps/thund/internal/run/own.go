// SPDX-License-Identifier: MIT

package run

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/ignalina/alloy/apps/thund/internal/fault"
	"github.com/ignalina/alloy/apps/thund/internal/graph"
	"github.com/ignalina/alloy/apps/thund/internal/own"
)

// checkOwn checks that this program has the Go steps, tasks and events of the graph.
func (p *Plan) checkOwn() (faults fault.List) {
	missing := func(f *fault.Fault, what, name string, known []string) {
		f.Text = fmt.Sprintf("this program has no %s %q", what, name)
		if f.Help = "the names are: " + strings.Join(known, ", "); len(known) == 0 {
			f.Help = fmt.Sprintf("build a program that has it: thund.Main(thund.%s(%q, ...)); see apps/thund/README.md", strings.ToUpper(what[:1])+what[1:], name)
		} else if near := graph.Nearest(name, known); near != "" {
			f.Help = "write " + near
		}
		faults = append(faults, f)
	}
	for _, n := range p.Graph.Nodes {
		if n.Go != "" && p.Own.Steps[n.Go] == nil {
			missing(p.At(n, fault.Name, "go", "", ""), "step", n.Go, slices.Sorted(maps.Keys(p.Own.Steps)))
		}
		for _, name := range n.Events {
			if p.Own.Events[name] == nil {
				missing(p.At(n, fault.Name, "events", "", ""), "event", name, slices.Sorted(maps.Keys(p.Own.Events)))
			}
		}
	}
	for _, t := range p.Graph.Tasks {
		if p.Own.Tasks[t.Go] == nil {
			missing(&fault.Fault{Code: fault.Name, File: p.Graph.File, Line: t.Line, Node: t.Name, At: fmt.Sprintf("[task.%s], go", t.Name), Exit: fault.ExitUsage}, "task", t.Go, slices.Sorted(maps.Keys(p.Own.Tasks)))
		}
	}
	return faults
}

// SetUp sets the tasks and events up, once for the whole program.
func (p *Plan) SetUp() (err error) {
	defer func() { p.stopped(err) }()
	for _, t := range p.Graph.Tasks {
		if err := own.Panicked(func() error { return p.Own.Tasks[t.Go].Setup(nil) }); err != nil {
			return p.taskFault(t, "cannot be set up", err)
		}
	}
	for _, n := range p.Graph.Nodes {
		for _, name := range n.Events {
			err := own.Panicked(func() error {
				if !p.Own.Events[name].Setup(nil) {
					return fmt.Errorf("it returned false")
				}
				return nil
			})
			if err != nil {
				f := p.At(n, fault.Step, "events", fmt.Sprintf("event %q cannot be set up", name), "correct the event")
				f.Detail, f.Exit, f.Cause = []string{err.Error()}, fault.ExitStep, err
				return f
			}
		}
	}
	return nil
}

// RunTasks runs each task once.
func (p *Plan) RunTasks() (err error) {
	defer func() { p.stopped(err) }()
	for _, t := range p.Graph.Tasks {
		if err := own.Panicked(p.Own.Tasks[t.Go].Process); err != nil {
			return p.taskFault(t, "failed", err)
		}
	}
	return nil
}

// stopped lets viewers see an error before a run.
func (p *Plan) stopped(err error) {
	if err != nil {
		p.live.ended(err)
	}
}

func (p *Plan) taskFault(t *graph.Task, what string, err error) error {
	return &fault.Fault{Code: fault.Step, Text: fmt.Sprintf("task %q %s", t.Name, what), File: p.Graph.File, Line: t.Line, Node: t.Name,
		At: fmt.Sprintf("[task.%s], go = %s", t.Name, t.Go), Detail: []string{err.Error()}, Help: "correct the task", Exit: fault.ExitStep, Cause: err}
}

// bindGo asks a Go step for its schema: what it makes of no rows.
func (p *Plan) bindGo(n *graph.Node, schemas []*arrow.Schema) (*arrow.Schema, *fault.Fault) {
	readers := make([]array.RecordReader, len(schemas))
	var err error
	for i, schema := range schemas {
		if readers[i], err = array.NewRecordReader(schema, nil); err != nil {
			return nil, p.goFault(n, err)
		}
		defer readers[i].Release()
	}
	var made array.RecordReader
	err = own.Panicked(func() (err error) {
		made, err = p.Own.Steps[n.Go](context.Background(), readers)
		if err == nil && made == nil {
			err = fmt.Errorf("it returned no reader")
		}
		return err
	})
	if err != nil {
		f := p.goFault(n, err)
		f.Code, f.Exit = fault.Types, fault.ExitUsage
		return nil, f
	}
	defer made.Release()
	return made.Schema(), nil
}

func (p *Plan) goFault(n *graph.Node, err error) *fault.Fault {
	f := p.At(n, fault.Step, "go", fmt.Sprintf("Go step %q failed", n.Name), "correct the data or the step")
	f.Detail, f.Exit, f.Cause = []string{err.Error()}, fault.ExitStep, err
	return f
}

// borrowed is an input of a Go step, which stays open until the step has ended.
type borrowed struct{ *queueReader }

func (borrowed) Release() {}

// goStep runs a step in Go.
func (r *run) goStep(n *graph.Node) error {
	readers := make([]array.RecordReader, len(n.From))
	s := &stream{run: r, node: n}
	for i, from := range n.From {
		reader := &queueReader{stream: s, input: i, schema: r.plan.Schemas[from]}
		defer reader.Release()
		readers[i] = borrowed{reader}
	}
	err := own.Panicked(func() error {
		made, err := r.plan.Own.Steps[n.Go](r.ctx, readers)
		if err != nil {
			return err
		}
		defer made.Release()
		for made.Next() {
			batch := made.RecordBatch()
			if !batch.Schema().Equal(r.plan.Schemas[n]) {
				return fmt.Errorf("it made the columns %v, and for no rows it made %v", batch.Schema(), r.plan.Schemas[n])
			}
			batch.Retain()
			if err := r.emit(n, r.actors[n], batch); err != nil {
				return err
			}
		}
		return made.Err()
	})
	if err == nil || r.ctx.Err() != nil || err == errNoReader {
		return err
	}
	return r.plan.goFault(n, err)
}
