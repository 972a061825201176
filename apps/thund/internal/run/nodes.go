// SPDX-License-Identifier: MIT

package run

import (
	"errors"
	"fmt"
	"syscall"

	"github.com/ignalina/alloy/apps/thund/internal/fault"
	"github.com/ignalina/alloy/apps/thund/internal/files"
	"github.com/ignalina/alloy/apps/thund/internal/graph"
)

// source reads a source to its end.
func (r *run) source(n *graph.Node, source *files.Source) error {
	for {
		if r.ctx.Err() != nil {
			return r.err()
		}
		batch, err := source.Next(r.ctx)
		if err != nil {
			if r.ctx.Err() != nil {
				return r.err()
			}
			f := r.plan.At(n, fault.Source, n.Format, fmt.Sprintf("source %q cannot be read on", n.Name), "correct the data, or the schema of the source")
			f.Detail, f.Exit, f.Cause = []string{err.Error()}, fault.ExitMachine, err
			return f
		}
		if batch == nil {
			return nil
		}
		if err := r.emit(n, r.actors[n], batch); err != nil {
			return err
		}
	}
}

// union passes batches on in the order of their arrival: its inputs share one queue.
func (r *run) union(n *graph.Node) error {
	for {
		batch, err := r.take(r.inputs[n][0])
		if err != nil || batch == nil {
			return err
		}
		if err := r.emit(n, r.actors[n], batch); err != nil {
			return err
		}
	}
}

// sink writes a sink, and completes its file under another name.
func (r *run) sink(n *graph.Node, sink *files.Sink) error {
	for {
		batch, err := r.take(r.inputs[n][0])
		if err != nil {
			return err
		}
		if batch == nil {
			if err := sink.Finish(); err != nil {
				return r.sinkFault(n, err)
			}
			return nil
		}
		r.counts[n].taps.offer(batch)
		err = sink.Write(batch)
		batch.Release()
		if err != nil {
			return r.sinkFault(n, err)
		}
	}
}

func (r *run) sinkFault(n *graph.Node, err error) error {
	f := r.plan.At(n, fault.Sink, n.Format, fmt.Sprintf("sink %q cannot be written", n.Name), "make room on the disk, or correct the path")
	f.Detail, f.Exit, f.Cause = []string{err.Error()}, fault.ExitMachine, err
	if errors.Is(err, syscall.EPIPE) {
		f.Help, f.Exit = "let the program that reads the output read to its end", fault.ExitBrokenPipe
	}
	return f
}

// publish gives all files their names, after the last batch of the whole graph.
func (r *run) publish() error {
	for _, n := range r.plan.Graph.Nodes {
		if sink := r.sinks[n]; sink != nil {
			if err := sink.Publish(); err != nil {
				return r.sinkFault(n, err)
			}
		}
	}
	return nil
}
