// SPDX-License-Identifier: MIT

package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ignalina/alloy/apps/thund/internal/draw"
	"github.com/ignalina/alloy/apps/thund/internal/fault"
	"github.com/ignalina/alloy/apps/thund/internal/graph"
	"github.com/ignalina/alloy/apps/thund/internal/run"
	"github.com/ignalina/alloy/apps/thund/internal/status"
)

// formats are the ways to draw a graph.
var formats = map[string]func(title string, nodes []draw.Node, edges []draw.Edge) string{
	"text": draw.Text, "mermaid": draw.Mermaid, "dot": draw.Dot, "svg": draw.SVG,
}

func (c *command) graph() *cobra.Command {
	var format, report string
	made := &cobra.Command{
		Use:   "graph GRAPH.toml",
		Short: "Draw a graph as text, for Mermaid or Graphviz, or as SVG",
		Long:  "Draw a graph. Only the graph file is read: no library and no data. With --run, the edges have\nthe rows, the bytes and the fullest moment of a run.",
		Example: `  thund graph flights.toml
  thund graph flights.toml --format mermaid
  thund run flights.toml --json > report.json
  thund graph flights.toml --format svg --run report.json > flights.svg`,
		RunE: func(_ *cobra.Command, args []string) error {
			drawer := formats[format]
			if drawer == nil {
				return fmt.Errorf("there is no format %q; the formats are %s", format, strings.Join(slices.Sorted(maps.Keys(formats)), ", "))
			}
			g, err := c.read(args[0])
			if err != nil {
				return err
			}
			counts, err := readReport(report, g)
			if err != nil {
				return err
			}
			nodes, edges := boxes(g, format == "svg")
			label(counts, nodes, edges, g.QueueBatches, format == "svg")
			if c.asJSON {
				c.print(map[string]any{"graph": g.Name, "nodes": nodes, "edges": edges})
				return nil
			}
			_, err = io.WriteString(c.out, drawer(g.Name, nodes, edges))
			return err
		},
	}
	c.flags(made)
	made.Flags().StringVar(&format, "format", "text", "text, mermaid, dot or svg")
	made.Flags().StringVar(&report, "run", "", "the report of a run: what thund run --json printed")
	return made
}

// boxes are the nodes and edges of a drawing. Narrow: there is room for the name of a file only.
func boxes(g *graph.Graph, isNarrow bool) ([]draw.Node, []draw.Edge) {
	return draw.Of(g, func(n *graph.Node, made *draw.Node) {
		if n.Kind != graph.Step {
			if made.What = relative(n.Path, g.Folder); isNarrow {
				made.What = filepath.Base(made.What)
			}
		} else if n.Go != "" {
			made.What, made.Mode = "go "+n.Go, ""
		}
		if n.Parallel > 1 {
			made.Mode = fmt.Sprintf("%d at once", n.Parallel)
			if n.Isolated {
				made.Mode = fmt.Sprintf("%d workers", n.Parallel)
			}
		}
	})
}

// relative shows a path as the graph file has it.
func relative(path, folder string) string {
	kind, file, isSocket := strings.Cut(path, "unix:")
	if !isSocket {
		file = path
	}
	if short, err := filepath.Rel(folder, file); err == nil && !filepath.IsAbs(folder) == !filepath.IsAbs(file) && file != "-" {
		file = short
	}
	if isSocket {
		return kind + "unix:" + file
	}
	return file
}

// readReport reads the report of a run of this graph; without a path it is nil.
func readReport(path string, g *graph.Graph) (*run.Report, error) {
	if path == "" {
		return nil, nil
	}
	text, err := os.ReadFile(path)
	report := &run.Report{}
	if err == nil {
		err = json.Unmarshal(text, report)
	}
	if err != nil {
		return nil, &fault.Fault{Code: fault.Source, Text: "the report of the run cannot be read", File: path, Detail: []string{err.Error()}, Help: "make it with: thund run GRAPH.toml --json > report.json", Exit: fault.ExitMachine, Cause: err}
	}
	known := map[string]bool{}
	for _, n := range g.Nodes {
		known[n.Name] = true
	}
	for _, n := range report.Nodes {
		if !known[n.Name] {
			return nil, &fault.Fault{Code: fault.Name, Text: fmt.Sprintf("the report is of another graph: it has a node %q", n.Name), File: path, Help: "run this graph with --json, and pass that report", Exit: fault.ExitUsage}
		}
	}
	return report, nil
}

// label puts the counts of a run on nodes and edges. The edges of a union, and of dead letters,
// share one queue, so only the first of them has its counts. Short: a bar shows the fill.
func label(report *run.Report, nodes []draw.Node, edges []draw.Edge, limit int, short bool) {
	if report == nil {
		return
	}
	for i := range nodes {
		for _, n := range report.Nodes {
			if n.Name != nodes[i].Name {
				continue
			}
			rows := n.RowsOut
			if n.Kind == graph.Sink {
				rows = n.RowsIn
			}
			nodes[i].Note = status.Grouped(rows) + " rows"
		}
	}
	labelled := map[string]bool{}
	for i, e := range edges {
		for _, counts := range report.Edges {
			isShared := counts.From == "all inputs" && !e.Weak || counts.From == "dead letters" && e.Weak
			key := fmt.Sprint(counts.To, counts.Input, counts.From)
			if counts.To != e.To || labelled[key] || !isShared && (counts.From != e.From || counts.Input != e.Input) {
				continue
			}
			labelled[key] = true
			edges[i].Ran, edges[i].Fill = true, float64(counts.Most)/float64(limit)
			edges[i].Label = fmt.Sprintf("%s rows, %s, most %d of %d", status.Grouped(counts.Rows), status.Size(counts.Bytes), counts.Most, limit)
			if short {
				edges[i].Label = status.Grouped(counts.Rows) + " · " + status.Size(counts.Bytes)
			}
			break
		}
	}
}
