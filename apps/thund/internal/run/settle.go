// SPDX-License-Identifier: MIT

package run

import (
	"context"
	"fmt"

	"github.com/ignalina/alloy/apps/thund/internal/fault"
	"github.com/ignalina/alloy/apps/thund/internal/graph"
)

// settle waits for the schemas that come with a stream, and binds the nodes after it: still
// before a row moves. It returns false if the run was asked to end before they came.
func (p *Plan) settle(ctx context.Context) (isComplete bool, err error) {
	var later []*graph.Node
	for _, n := range p.Graph.Nodes {
		if source := p.sources[n]; source != nil && source.IsLater() {
			if f := p.listen(ctx, n); f != nil {
				return false, f
			}
			later = append(later, n)
		}
	}
	if len(later) == 0 {
		return true, nil
	}
	for _, n := range later {
		source := p.sources[n]
		begun, err := source.Settle(ctx)
		switch {
		case ctx.Err() != nil:
			return false, context.Cause(ctx)
		case err != nil:
			f := p.At(n, fault.Source, n.Format, fmt.Sprintf("source %q cannot be read", n.Name), "correct the producer, or the columns of the source")
			f.Detail, f.Exit, f.Cause = []string{err.Error()}, fault.ExitMachine, err
			return false, f
		case !begun:
			return false, nil
		}
		p.Schemas[n] = source.Schema
	}
	if faults := p.bindAll(); len(faults) > 0 {
		return false, faults
	}
	if faults := p.checkSinks(); len(faults) > 0 {
		return false, faults
	}
	return true, nil
}

// listen opens the socket of a source.
func (p *Plan) listen(ctx context.Context, n *graph.Node) error {
	if err := p.sources[n].Start(ctx); err != nil {
		f := p.At(n, fault.Source, n.Format, fmt.Sprintf("source %q cannot listen", n.Name), "correct the path, or end the other program")
		f.Detail, f.Exit = []string{err.Error()}, fault.ExitMachine
		return f
	}
	return nil
}
