// SPDX-License-Identifier: MIT

package cli

import (
	"errors"
	"fmt"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/ignalina/alloy/apps/thund/internal/fault"
	"github.com/ignalina/alloy/apps/thund/internal/run"
	"github.com/ignalina/alloy/apps/thund/internal/server"
	"github.com/ignalina/alloy/apps/thund/internal/status"
)

// shown is what the flags of a run say about its viewers.
type shown struct {
	listen   string
	allowTap bool
	stay     bool
}

func (s *shown) flags(made *cobra.Command) {
	flags := made.Flags()
	flags.StringVar(&s.listen, "listen", "", "show the run at this address, such as 127.0.0.1:9464: a page at /, and /metrics for\nPrometheus; port 0 takes a free one. Without a loopback address, all who can reach this\nmachine can read names, paths, numbers and errors of the run; nobody can change it")
	flags.BoolVar(&s.allowTap, "allow-tap", false, "with --listen: its viewers may also read passing rows, at /tap?node=NAME")
	flags.BoolVar(&s.stay, "stay", false, "with --listen: after the end, show the last state until Ctrl-C")
}

func (s *shown) check() error {
	for name, given := range map[string]bool{"--allow-tap": s.allowTap, "--stay": s.stay} {
		if given && s.listen == "" {
			return fmt.Errorf("%s needs --listen ADDRESS", name)
		}
	}
	return nil
}

// viewers are those who look at a run. One snapshot is made for all of them.
type viewers struct {
	*status.Sampler
	server *server.Server
	page   string // empty: nobody listens
}

// show lets others look at a run, from before it begins until close.
func (c *command) show(plan *run.Plan, s *shown, verbose bool) (*viewers, error) {
	nodes, edges := boxes(plan.Graph, true)
	sampler := status.NewSampler(plan.Status, status.Interval)
	v := &viewers{Sampler: sampler, server: server.New(server.Options{Snapshots: sampler, Nodes: nodes, Edges: edges,
		Tap: plan.Tap, AllowTap: s.allowTap, Version: version()})}
	if s.listen == "" {
		c.listen(plan, v.server, verbose)
		return v, nil
	}
	l, err := server.Listen(s.listen)
	if err != nil {
		sampler.Close()
		return nil, err
	}
	c.listen(plan, v.server, verbose)
	go v.server.Serve(l, v.server.RemoteHandler())
	v.page = server.PageAt(l)
	if server.IsPublic(l) {
		fmt.Fprintf(c.err, "page: %s (every machine that can reach this one can read it)\n", v.page)
	} else if !c.quiet {
		fmt.Fprintf(c.err, "page: %s\n", v.page)
	}
	return v, nil
}

// stay shows the last state of the run until somebody ends it.
func (v *viewers) stay(c *command) {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	defer signal.Stop(signals)
	fmt.Fprintf(c.err, "the run has ended; %s shows its last state until Ctrl-C\n", v.page)
	<-signals
}

// isEnded reports whether a run was ended from outside.
func isEnded(err error) bool {
	var f *fault.Fault
	return errors.As(err, &f) && f.Code == fault.Ended
}

// close sends the last snapshot to all viewers, and ends.
func (v *viewers) close() {
	v.Sampler.Close()
	v.server.Close()
}

// version is that of the module, which only an installed program has.
func version() string {
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "(devel)"
}

// watched makes sure that --watch has a folder to look at.
func watched(plan *run.Plan) error {
	if plan.Graph.EachSource() != nil {
		return nil
	}
	return &fault.Fault{Code: fault.Rule, Text: "--watch needs a source with files one by one", File: plan.Graph.File,
		Help: "add each = true and done = \"FOLDER\" to a source", Exit: fault.ExitUsage}
}
