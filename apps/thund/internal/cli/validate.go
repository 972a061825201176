// SPDX-License-Identifier: MIT

package cli

import (
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/ignalina/alloy/apps/thund/internal/files"
	"github.com/ignalina/alloy/apps/thund/internal/graph"
	"github.com/ignalina/alloy/apps/thund/internal/run"
)

// row is one node of a graph that is correct.
type row struct {
	Name   string     `json:"name"`
	Kind   graph.Kind `json:"kind"`
	From   []string   `json:"from,omitempty"`
	In     []string   `json:"in,omitempty"`
	Out    string     `json:"out,omitempty"`
	Call   string     `json:"call,omitempty"`
	Mode   string     `json:"mode,omitempty"`
	Signer string     `json:"signer,omitempty"`
	SHA256 string     `json:"sha256,omitempty"`
	Path   string     `json:"path,omitempty"`
}

func (c *command) validate() *cobra.Command {
	made := &cobra.Command{
		Use:     "validate GRAPH.toml",
		Short:   "Check a graph: names, shape, signatures, and the types of every edge; read no row",
		Example: "  thund validate flights.toml",
		RunE: func(_ *cobra.Command, args []string) error {
			plan, err := c.prepare(args[0])
			if err != nil {
				return err
			}
			defer plan.Close()
			rows := rowsOf(plan)
			if c.asJSON {
				c.print(map[string]any{"graph": plan.Graph.Name, "nodes": rows, "notes": plan.Notes})
				return nil
			}
			w := tabwriter.NewWriter(c.out, 0, 0, 2, ' ', 0)
			fmt.Fprintln(w, "NODE\tKIND\tIN\tOUT\tCALL\tSIGNER\tDIGEST")
			for _, r := range rows {
				what, signer, digest := r.Call, r.Signer, r.SHA256
				if r.Path != "" {
					what = r.Path
				} else if r.Mode == "workers" {
					what += " (workers)"
				}
				if digest != "" {
					digest = digest[:12]
				}
				fmt.Fprintln(w, strings.Join([]string{r.Name, string(r.Kind), strings.Join(r.In, " | "), r.Out, what, signer, digest}, "\t"))
			}
			w.Flush()
			for _, note := range plan.Notes {
				fmt.Fprintln(c.out, note)
			}
			return nil
		},
	}
	c.flags(made)
	return made
}

// read reads a graph file, with the settings of the command line.
func (c *command) read(path string) (*graph.Graph, error) {
	c.settings.Params = map[string]string{}
	for _, pair := range c.set {
		name, value, found := strings.Cut(pair, "=")
		if !found {
			return nil, fmt.Errorf("--set %s has no value; write --set NAME=VALUE", pair)
		}
		c.settings.Params[name] = value
	}
	return graph.Read(path, c.settings)
}

func (c *command) prepare(path string) (*run.Plan, error) {
	g, err := c.read(path)
	if err != nil {
		return nil, err
	}
	return run.Prepare(g, c.own, c.unsigned)
}

func rowsOf(plan *run.Plan) (rows []row) {
	for _, n := range plan.Graph.Nodes {
		r := row{Name: n.Name, Kind: n.Kind, Path: n.Path}
		for _, from := range n.From {
			r.From = append(r.From, from.Name)
			r.In = append(r.In, described(plan, from))
		}
		if n.Kind == graph.Sink {
			r.In = []string{described(plan, n)}
		} else {
			r.Out = described(plan, n)
		}
		if f := plan.Steps[n]; f != nil {
			r.Call, r.Mode = n.Backend.Name+"."+n.Function, "in process"
			r.Signer, r.SHA256 = f.Backend.Signer, f.Backend.SHA256
			if n.Isolated {
				r.Mode = "workers"
			}
		} else if n.Go != "" {
			r.Call, r.Mode = "go "+n.Go, "in process"
		} else if n.Union {
			r.Call = "union"
		}
		rows = append(rows, r)
	}
	return rows
}

// described shows the types of a node; those of a stream may not be known yet.
func described(plan *run.Plan, n *graph.Node) string {
	if plan.Schemas[n] == nil {
		return "(not known yet)"
	}
	return files.Describe(plan.Schemas[n])
}
