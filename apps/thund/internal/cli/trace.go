// SPDX-License-Identifier: MIT

package cli

import (
	"fmt"
	"os"

	"github.com/ignalina/alloy/apps/thund/internal/fault"
	"github.com/ignalina/alloy/apps/thund/internal/run"
	"github.com/ignalina/alloy/apps/thund/internal/trace"
)

// trace lets a plan write traces; without a place it does nothing. A run that never ends has
// metrics instead.
func (c *command) trace(plan *run.Plan, place string) (end func(), err error) {
	if place == "" {
		return func() {}, nil
	}
	if plan.IsEndless() {
		return nil, &fault.Fault{Code: fault.Rule, Text: "--trace is for runs that end, and a source of this graph is endless", File: plan.Graph.File,
			Help: "use --listen and its /metrics, or give the source connections = 1", Exit: fault.ExitUsage}
	}
	exporter, err := trace.Open(place, os.Getenv("TRACEPARENT"), version(), func(text string) { fmt.Fprintln(c.err, "warning:", text) })
	if err != nil {
		return nil, err
	}
	plan.Trace = exporter.Add
	return exporter.Close, nil
}
