// SPDX-License-Identifier: MIT

package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/ignalina/alloy/apps/thund/internal/fault"
	"github.com/ignalina/alloy/apps/thund/internal/run"
	"github.com/ignalina/alloy/apps/thund/internal/status"
)

func (c *command) run() *cobra.Command {
	var deadline time.Duration
	var watch bool
	var traces string
	var seen shown
	var told told
	made := &cobra.Command{
		Use:     "run GRAPH.toml",
		Short:   "Run a graph to its end",
		Long:    "Run a graph to its end. Files of sinks appear after the last batch of the whole graph,\nall or none.\n\nThe first SIGTERM lets the sources end, within the time drain of [graph]. Ctrl-C cancels\nthe run, and nothing is written; with an endless source it does what SIGTERM does.",
		Example: example,
		RunE: func(_ *cobra.Command, args []string) error {
			if err := errors.Join(seen.check(), told.check()); err != nil {
				return err
			}
			plan, err := c.prepare(args[0])
			if err != nil {
				return err
			}
			defer plan.Close()
			if watch {
				if err := watched(plan); err != nil {
					return err
				}
			}
			viewers, err := c.show(plan, &seen, told.verbose)
			if err != nil {
				return err
			}
			defer viewers.close()
			closeTraces, err := c.trace(plan, traces)
			if err != nil {
				return err
			}
			defer closeTraces()
			if err := c.runPlan(plan, viewers.Sampler, &told, watch, deadline); err != nil {
				if !seen.stay || isEnded(err) {
					return err
				}
				c.exit = c.fail(err)
			}
			if seen.stay && !plan.IsDraining() { // nobody has asked for the end yet
				viewers.stay(c)
			}
			return nil
		},
	}
	c.flags(made)
	seen.flags(made)
	told.flags(made)
	made.Flags().BoolVarP(&c.quiet, "quiet", "q", false, "print no summary and no progress; errors are printed")
	made.Flags().BoolVar(&watch, "watch", false, "with a source that has each: run new files until a signal ends it")
	made.Flags().StringVar(&traces, "trace", "", "send a trace of OpenTelemetry to this collector, such as http://127.0.0.1:4318, or append it\nto this file: one for each run or file. TRACEPARENT may name its parent")
	made.Flags().DurationVar(&deadline, "deadline", 0, "cancel the run after this time, with exit code 5")
	return made
}

// runPlan runs a graph to its end, and prints what it did.
func (c *command) runPlan(plan *run.Plan, sampler *status.Sampler, t *told, watch bool, deadline time.Duration) error {
	log, end := c.follow(plan, sampler, t)
	ctx, stop := interruptible(plan, watch || plan.IsEndless(), deadline, log)
	defer stop()
	var report *run.Report
	err := plan.SetUp()
	switch {
	case err != nil:
	case plan.Graph.EachSource() != nil:
		report, err = run.RunEach(ctx, plan, watch, func(o run.Outcome) { c.tell(log, o) })
	default:
		if err = plan.RunTasks(); err == nil {
			report, err = run.Run(ctx, plan)
		}
	}
	end()
	if err = writeReport(t.report, report, err); err != nil {
		return err
	}
	if report.DeadLetters > 0 || report.Files != nil && report.Files.Ignored > 0 {
		c.exit = fault.ExitDeadLetters
	}
	if !c.quiet {
		fmt.Fprintln(c.err, report.Summary())
	}
	if c.asJSON {
		c.print(report)
	}
	return nil
}

// tell says how the run of a file has ended.
func (c *command) tell(log io.Writer, o run.Outcome) {
	if o.Err != nil { // also with --quiet: it needs somebody
		fmt.Fprintf(log, "ignored %s:\n%v\n", o.Path, o.Err)
	} else if !c.quiet {
		fmt.Fprintf(log, "done %s in %.2f s\n", o.Path, o.Seconds)
	}
}

// ended is the fault of a run that was ended from outside.
func ended(text, help string, exit int) error {
	return &fault.Fault{Code: fault.Ended, Text: text + "; nothing was written", Help: help, Exit: exit}
}

// interruptible returns a context that ends by signals and by the deadline.
func interruptible(plan *run.Plan, isEndless bool, deadline time.Duration, log io.Writer) (context.Context, func()) {
	drain := plan.Graph.Drain
	ctx, cancel := context.WithCancelCause(context.Background())
	if deadline > 0 {
		time.AfterFunc(deadline, func() {
			cancel(ended(fmt.Sprintf("the deadline of %v has passed", deadline), "raise --deadline", fault.ExitLate))
		})
	}
	// A pipe whose reader has ended is an error of a write, so that other files are cleaned up.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	signals := make(chan os.Signal, 3)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	done := make(chan struct{})
	go func() {
		for count := 0; ; count++ {
			var got os.Signal
			select {
			case <-done:
				return
			case got = <-signals:
			}
			exit := fault.ExitInterrupted
			if got == syscall.SIGTERM {
				exit = fault.ExitTerminated
			}
			switch {
			case count == 0 && (got == syscall.SIGTERM || isEndless):
				plan.Drain()
				fmt.Fprintf(log, "ending: the run goes on to its end for at most %v\n", drain)
				time.AfterFunc(drain, func() {
					cancel(ended(fmt.Sprintf("the run did not end within %v of the signal", drain), "raise drain in [graph]", fault.ExitLate))
				})
			case count < 2:
				cancel(ended("interrupted", "", exit))
			default:
				os.Exit(exit)
			}
		}
	}()
	return ctx, func() {
		signal.Stop(signals)
		close(done)
		cancel(errors.New("the run has ended"))
	}
}
