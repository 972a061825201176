// SPDX-License-Identifier: MIT

package run

import (
	"fmt"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/ignalina/alloy"

	"github.com/ignalina/alloy/apps/thund/internal/graph"
)

// prune lets each source leave out the columns that no reader needs. The steps have been bound
// with all columns, so that a fault shows all of them.
func (p *Plan) prune() {
	for _, n := range p.Graph.Nodes {
		source := p.sources[n]
		if source == nil || p.Schemas[n] == nil {
			continue
		}
		var keep []string
		all := p.Schemas[n].NumFields()
		needed := p.needed(n)
		for _, field := range p.Schemas[n].Fields() {
			if needed == nil || needed[field.Name] {
				keep = append(keep, field.Name)
			}
		}
		if len(keep) == 0 || len(keep) == all || !p.bindsAlike(n, keep) {
			continue
		}
		source.Keep(keep)
		p.Schemas[n] = source.Schema
		p.pruned = append(p.pruned, fmt.Sprintf("%s: %d of %d columns are read, because no step reads the others", n.Name, len(keep), all))
	}
}

// needed returns the columns of a node that its readers read; nil: all. Only a step whose
// function declares its columns, and that makes no dead letters, does not need all.
func (p *Plan) needed(n *graph.Node) map[string]bool {
	needed := map[string]bool{}
	for _, reader := range n.Readers {
		f := p.Steps[reader]
		if f == nil || reader.DeadLetter != nil {
			return nil
		}
		for input, from := range reader.From {
			if from != n {
				continue
			}
			if input >= len(f.Columns) {
				return nil
			}
			for _, column := range f.Columns[input] {
				needed[column.Name] = true
			}
		}
	}
	for _, t := range p.Graph.Tests { // its rows may have any column
		if slices.ContainsFunc(t.Given, func(r graph.Rows) bool { return r.Node == n }) {
			return nil
		}
	}
	return needed
}

// bindsAlike reports whether each reader makes the same of fewer columns.
func (p *Plan) bindsAlike(n *graph.Node, keep []string) bool {
	var fields []arrow.Field
	for _, name := range keep {
		fields = append(fields, p.Schemas[n].Field(p.Schemas[n].FieldIndices(name)[0]))
	}
	fewer := arrow.NewSchema(fields, nil)
	for _, reader := range n.Readers {
		schemas := make([]*arrow.Schema, len(reader.From))
		for i, from := range reader.From {
			if schemas[i] = p.Schemas[from]; from == n {
				schemas[i] = fewer
			}
			if schemas[i] == nil {
				return false // it is bound later
			}
		}
		made, err := p.Steps[reader].Bridge.Bind(reader.Function, alloy.Options(reader.Options), schemas...)
		if err != nil || p.Schemas[reader] == nil || !made.Equal(p.Schemas[reader]) {
			return false
		}
	}
	return true
}
