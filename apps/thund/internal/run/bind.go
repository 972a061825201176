// SPDX-License-Identifier: MIT

package run

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/ignalina/alloy"

	"github.com/ignalina/alloy/apps/thund/internal/fault"
	"github.com/ignalina/alloy/apps/thund/internal/files"
	"github.com/ignalina/alloy/apps/thund/internal/graph"
)

// bindAll is the stage of the schemas: it binds every step in topological order. Nodes after
// a node that has failed are not checked.
func (p *Plan) bindAll() (faults fault.List) {
	for _, n := range p.Graph.Nodes {
		var schemas []*arrow.Schema
		for _, from := range n.From {
			if schema := p.Schemas[from]; schema != nil {
				schemas = append(schemas, schema)
			}
		}
		if len(schemas) < len(n.From) || p.Schemas[n] != nil { // a second time, what was not known
			continue
		}
		switch {
		case n.Kind == graph.Source:
			if f := p.openSource(n); f != nil {
				faults = append(faults, f)
			}
		case n.Kind == graph.Sink && len(n.LettersOf) > 0:
			if f := p.lettersSchema(n); f != nil {
				faults = append(faults, f)
			}
		case n.Kind == graph.Sink:
			p.Schemas[n] = schemas[0]
		case n.Union:
			if f := p.checkUnion(n, schemas); f != nil {
				faults = append(faults, f)
			}
		case n.Go != "":
			made, f := p.bindGo(n, schemas)
			if f != nil {
				faults = append(faults, f)
				continue
			}
			p.Schemas[n] = made
		default:
			made, err := p.Steps[n].Bridge.Bind(n.Function, alloy.Options(n.Options), schemas...)
			if err != nil {
				faults = append(faults, p.refused(n, schemas, err))
				continue
			}
			p.Schemas[n] = made
		}
	}
	if len(faults) == 0 {
		p.prune()
	}
	return faults
}

func (p *Plan) openSource(n *graph.Node) *fault.Fault {
	open := func() (*files.Source, error) { return files.OpenSource(n, p.Graph.OnlyTests) }
	if n.Each {
		open = func() (*files.Source, error) { return p.openEach(n) }
	}
	if p.sources[n] != nil {
		return nil // it was open before, and its stream has not begun
	}
	source, err := open()
	if errors.Is(err, errLater) {
		return nil
	}
	if err == nil && source.IsLater() {
		p.sources[n] = source
		return nil
	}
	if err == nil {
		p.sources[n], p.Schemas[n] = source, source.Schema
		return nil
	}
	f := p.At(n, fault.Source, n.Format, fmt.Sprintf("source %q cannot be read", n.Name), "correct the path or the columns of the source")
	f.Detail, f.Cause = []string{err.Error()}, err
	var missing *fs.PathError
	if errors.As(err, &missing) || strings.HasPrefix(err.Error(), "there is no file") {
		f.Exit, f.Help = fault.ExitMachine, "make the file, or correct the path, which is relative to the graph file"
	}
	return f
}

func (p *Plan) checkUnion(n *graph.Node, schemas []*arrow.Schema) *fault.Fault {
	for i, schema := range schemas {
		if !schema.Equal(schemas[0]) {
			f := p.At(n, fault.Types, "from", fmt.Sprintf("the inputs of union %q differ", n.Name), "make them equal at the sources, with columns and cast")
			f.Detail = []string{n.From[0].Name + ": " + files.Describe(schemas[0]), n.From[i].Name + ": " + files.Describe(schema)}
			if files.Describe(schemas[0]) == files.Describe(schema) {
				f.Detail = append(f.Detail, "they differ in which columns may be null, or in metadata")
			}
			return f
		}
	}
	p.Schemas[n] = schemas[0]
	return nil
}

// refused is the fault of a step that does not bind. Its detail is the backend's own text.
func (p *Plan) refused(n *graph.Node, schemas []*arrow.Schema, err error) *fault.Fault {
	names := make([]string, len(n.From))
	for i, from := range n.From {
		names[i] = fmt.Sprintf("%q", from.Name)
	}
	text := fmt.Sprintf("step %q cannot read the output of %s", n.Name, strings.Join(names, " and "))
	f := fault.FromEngine(err, text)
	// A failure of the machine or of a worker keeps the code of the engine.
	var e *alloy.Error
	if errors.As(err, &e) && e.Side != alloy.SideWorker && e.Code != alloy.Exhausted {
		f.Code, f.Exit = fault.Types, fault.ExitUsage
	}
	f.File, f.Line, f.Node = p.Graph.File, n.Line, n.Name
	f.At = fmt.Sprintf("[step.%s], %s.%s", n.Name, n.Backend.Name, n.Function)
	for i, schema := range schemas {
		if e == nil || e.Input < 0 || e.Input == i {
			f.At += fmt.Sprintf(", input %d (%s)", i, files.Describe(schema))
		}
	}
	f.Help = "correct options or from; arrowalloy inspect " + n.Backend.Library + " --functions lists what each function takes"
	if column, source := p.textColumn(n, schemas); source != nil {
		f.Help = fmt.Sprintf(`convert the column at the source: [source.%s] cast = { %s = "float64" }`, source.Name, column)
	}
	return f
}

// textColumn returns the column that an option names, if it is a text that a source reads.
func (p *Plan) textColumn(n *graph.Node, schemas []*arrow.Schema) (string, *graph.Node) {
	name := n.Options["column"]
	for i, schema := range schemas {
		at := schema.FieldIndices(name)
		if len(at) == 0 || schema.Field(at[0]).Type.ID() != arrow.STRING {
			continue
		}
		for from := n.From[i]; ; from = from.From[0] {
			if from.Kind == graph.Source {
				return name, from
			}
			if len(from.From) == 0 {
				break
			}
		}
	}
	return "", nil
}

// lettersSchema makes the schema of a sink of dead letters: that of the input, and five columns.
func (p *Plan) lettersSchema(n *graph.Node) *fault.Fault {
	first := n.LettersOf[0]
	input := p.Schemas[first.From[0]]
	for _, step := range n.LettersOf[1:] {
		if other := p.Schemas[step.From[0]]; input != nil && other != nil && !other.Equal(input) {
			f := p.At(n, fault.Sink, "", fmt.Sprintf("steps %q and %q share sink %q, and their inputs differ", first.Name, step.Name, n.Name), "add a sink for each step")
			f.Detail = []string{first.Name + ": " + files.Describe(input), step.Name + ": " + files.Describe(other)}
			return f
		}
	}
	if input == nil {
		return nil // its own fault is reported
	}
	p.Schemas[n] = arrow.NewSchema(slices.Concat(input.Fields(), letterFields), nil)
	return nil
}

// checkSinks is the stage of the sinks.
func (p *Plan) checkSinks() (faults fault.List) {
	written := map[string]*graph.Node{}
	read := map[string]*graph.Node{}
	for n, source := range p.sources {
		for _, path := range source.Paths {
			read[absolute(path)] = n
		}
	}
	for _, n := range p.Graph.Nodes {
		if n.Kind != graph.Sink {
			continue
		}
		if p.Schemas[n] == nil {
			continue // its types are checked later
		}
		if err := files.CheckSink(n, p.Schemas[n]); err != nil {
			f := p.At(n, fault.Sink, n.Format, fmt.Sprintf("sink %q cannot store its input as %s", n.Name, n.Format), "use parquet or ipc, or another step before it")
			f.Detail = []string{err.Error(), "input: " + files.Describe(p.Schemas[n])}
			faults = append(faults, f)
		}
		path := absolute(n.Path)
		if other := written[path]; other != nil {
			faults = append(faults, p.At(n, fault.Sink, n.Format, fmt.Sprintf("sinks %q and %q write the same file %s", other.Name, n.Name, n.Path), "give each sink a file of its own"))
		}
		if source := read[path]; source != nil && path != "-" {
			faults = append(faults, p.At(n, fault.Sink, n.Format, fmt.Sprintf("sink %q writes %s, which source %q reads", n.Name, n.Path, source.Name), "write another file"))
		}
		written[path] = n
	}
	return faults
}

func absolute(path string) string {
	if path == "-" {
		return path
	}
	if full, err := filepath.Abs(path); err == nil {
		return full
	}
	return path
}
