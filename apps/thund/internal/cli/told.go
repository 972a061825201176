// SPDX-License-Identifier: MIT

package cli

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ignalina/alloy/apps/thund/internal/control"
	"github.com/ignalina/alloy/apps/thund/internal/run"
	"github.com/ignalina/alloy/apps/thund/internal/server"
	"github.com/ignalina/alloy/apps/thund/internal/show"
	"github.com/ignalina/alloy/apps/thund/internal/status"
)

// told is what the flags of a run say about its progress and its report.
type told struct {
	progress string
	verbose  bool
	report   string
}

func (t *told) flags(made *cobra.Command) {
	flags := made.Flags()
	flags.StringVar(&t.progress, "progress", "auto", "auto: a table on a terminal, otherwise a line each 5 s; plain: only lines;\njson: a snapshot each second; none")
	flags.BoolVarP(&t.verbose, "verbose", "v", false, "print the notes of validate, the control socket, and at the end where the time went")
	flags.StringVar(&t.report, "report", "", "write what --json prints to this file, also if the run fails")
}

func (t *told) check() error {
	if !slices.Contains(show.Modes, t.progress) {
		return fmt.Errorf("there is no progress %q; write one of %s", t.progress, strings.Join(show.Modes, ", "))
	}
	return nil
}

// listen makes the control socket, over which top and tap see the run. Without one, the run
// goes on: it matters more.
func (c *command) listen(plan *run.Plan, viewers *server.Server, verbose bool) {
	socket, err := control.Listen(plan.Graph.Name)
	if err != nil {
		if !c.quiet {
			fmt.Fprintf(c.err, "warning: thund top cannot show this run: %v\n", err)
		}
		return
	}
	if verbose {
		fmt.Fprintf(c.err, "note: thund top shows this run at %s\n", socket.Addr())
	}
	go viewers.Serve(socket, viewers.Handler())
}

// follow shows the progress of a run on standard error, until the function that it returns is
// called. Everything else that is printed there goes to out.
func (c *command) follow(plan *run.Plan, sampler *status.Sampler, t *told) (out io.Writer, end func()) {
	if t.verbose {
		for _, note := range plan.Notes {
			fmt.Fprintln(c.err, "note:", note)
		}
	}
	mode := t.progress
	if c.quiet && mode == "auto" {
		mode = "none"
	}
	out = c.err
	progress := show.NewProgress(sampler, mode, c.err)
	if progress != nil {
		out = progress.Out()
	}
	return out, func() {
		sampler.Refresh()
		if progress != nil {
			progress.Close()
		}
		if t.verbose {
			last := sampler.Snapshot()
			for _, line := range show.Table(&last, show.Columns{Shares: true, Durations: true, Retries: true}) {
				fmt.Fprintln(c.err, line)
			}
		}
	}
}
