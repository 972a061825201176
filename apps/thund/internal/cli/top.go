// SPDX-License-Identifier: MIT

package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ignalina/alloy/apps/thund/internal/control"
	"github.com/ignalina/alloy/apps/thund/internal/fault"
	"github.com/ignalina/alloy/apps/thund/internal/graph"
	"github.com/ignalina/alloy/apps/thund/internal/show"
	"github.com/ignalina/alloy/apps/thund/internal/status"
)

// sharesOf is how many snapshots the shares of time in a live table cover: two seconds.
const sharesOf = 4

func (c *command) top() *cobra.Command {
	var once bool
	made := &cobra.Command{
		Use:   "top [GRAPH|URL]",
		Short: "Show a running graph as a live table",
		Long: `Show a graph that runs on this machine: the rows, the queues, and where the time goes. The
graph is a graph file, its name, the path of a control socket, or the URL of --listen. Without
it, there must be only one graph that runs.

Working, starved (waits for input) and blocked (waits for room in a queue) add up to 100 % of the
time of a node: with --once since its begin, and otherwise of the last two seconds. The
bottleneck is the node that works most while others wait. QUEUE is the fullest queue before a node.`,
		Example: `  thund top
  thund top flights.toml --once
  thund top http://127.0.0.1:9464 --json`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			client, err := find(args)
			if err != nil {
				return err
			}
			if once {
				s, err := client.Snapshot(context.Background())
				if err == nil {
					c.snapshot(&s, nil)
				}
				return err
			}
			terminal := show.NewTerminal(c.out)
			var past []status.Snapshot
			return client.Follow(context.Background(), func(s status.Snapshot) bool {
				past = append(past, s)
				past = past[max(0, len(past)-sharesOf):]
				recent := show.Since(&s, &past[0])
				c.snapshot(&recent, terminal)
				return true
			})
		},
	}
	made.Flags().BoolVar(&once, "once", false, "print one table, and end")
	made.Flags().BoolVar(&c.asJSON, "json", false, "print snapshots as JSON, one in a line")
	return made
}

// snapshot prints a snapshot; a terminal is redrawn in place.
func (c *command) snapshot(s *status.Snapshot, terminal *show.Terminal) {
	if c.asJSON {
		text, err := json.Marshal(s)
		if err == nil {
			fmt.Fprintf(c.out, "%s\n", text)
		}
		return
	}
	lines := show.Table(s, show.Columns{Shares: true, Durations: true, Retries: true})
	if terminal != nil {
		terminal.Draw(lines)
		return
	}
	fmt.Fprintln(c.out, strings.Join(lines, "\n"))
}

// find finds the run that an argument names: a graph file, its name, a socket, or a URL.
func find(args []string) (*control.Client, error) {
	if len(args) == 0 {
		return control.Find("")
	}
	what := args[0]
	if info, err := os.Stat(what); err == nil && info.Mode().IsRegular() || strings.HasSuffix(what, ".toml") {
		name, err := graph.NameOf(what)
		if err != nil {
			return nil, &fault.Fault{Code: fault.Syntax, Text: "cannot read the graph file", File: what, Detail: []string{err.Error()},
				Help: "pass the name of the graph instead", Exit: fault.ExitMachine, Cause: err}
		}
		what = name
	}
	return control.Find(what)
}
