// SPDX-License-Identifier: MIT

package run

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/ignalina/alloy/apps/thund/internal/flow"
	"github.com/ignalina/alloy/apps/thund/internal/graph"
	"github.com/ignalina/alloy/apps/thund/internal/status"
)

// Report is what `thund run --json` prints.
type Report struct {
	Graph       string           `json:"graph"`
	Seconds     float64          `json:"seconds"`
	Retries     map[string]int64 `json:"retries"` // by cause: signal, exit, hang, memory, violation, or a code
	DeadLetters int64            `json:"dead_letters"`
	Nodes       []NodeReport     `json:"nodes"`
	Edges       []EdgeReport     `json:"edges"`
	Sinks       []SinkReport     `json:"sinks"`
	Files       *FilesReport     `json:"files,omitempty"` // of a graph with each
}

// FilesReport counts the files of a graph that runs once for each.
type FilesReport struct {
	Done         int64    `json:"done"`
	Ignored      int64    `json:"ignored"`
	Bytes        int64    `json:"bytes"`
	Rows         int64    `json:"rows"`
	IgnoredPaths []string `json:"ignored_paths,omitempty"` // the first 100
}

// NodeReport counts what has passed a node.
type NodeReport struct {
	Name        string           `json:"name"`
	Kind        graph.Kind       `json:"kind"`
	RowsIn      int64            `json:"rows_in"`
	RowsOut     int64            `json:"rows_out"`
	BatchesIn   int64            `json:"batches_in"`
	BatchesOut  int64            `json:"batches_out"`
	Retries     map[string]int64 `json:"retries,omitempty"`
	DeadLetters int64            `json:"dead_letters,omitempty"`
	Broken      int64            `json:"broken,omitempty"`   // producers whose stream broke off
	Restarts    map[string]int64 `json:"restarts,omitempty"` // of workers, by cause
	Errors      map[string]int64 `json:"errors,omitempty"`   // by code, also those that a retry has cured
	// The seconds in each state. Their sum is the time that the node has run.
	Working float64 `json:"working_seconds"`
	Starved float64 `json:"starved_seconds"`
	Blocked float64 `json:"blocked_seconds"`
}

// EdgeReport counts what has passed a queue.
type EdgeReport struct {
	From    string `json:"from"`
	To      string `json:"to"`
	Input   int    `json:"input"`
	Batches int64  `json:"batches"`
	Rows    int64  `json:"rows"`
	Bytes   int64  `json:"bytes"`
	Growths int64  `json:"growths"`
	Most    int    `json:"most_batches"` // at one time
}

// SinkReport describes a file that was written.
type SinkReport struct {
	Name   string `json:"name"`
	Path   string `json:"path"`
	Rows   int64  `json:"rows"`
	SHA256 string `json:"sha256,omitempty"`
}

func (r *run) report(took time.Duration) *Report {
	report := &Report{Graph: r.plan.Graph.Name, Seconds: took.Seconds(), Retries: map[string]int64{}, DeadLetters: r.deadLetters.Load()}
	taken := r.taken()
	for _, n := range r.plan.Graph.Nodes {
		c := r.counts[n]
		retries := c.of(&c.retries)
		report.Nodes = append(report.Nodes, NodeReport{Name: n.Name, Kind: n.Kind, RowsIn: taken[n.Name].TakenRows, RowsOut: c.rowsOut.Load(),
			BatchesIn: taken[n.Name].TakenBatches, BatchesOut: c.batchesOut.Load(), Retries: retries, DeadLetters: c.letters.Load(), Restarts: c.of(&c.restarts), Errors: c.of(&c.errors)})
		spent, made := r.actors[n].Times().Spent, &report.Nodes[len(report.Nodes)-1]
		made.Working, made.Starved, made.Blocked = spent[flow.Working].Seconds(), spent[flow.Starved].Seconds(), spent[flow.Blocked].Seconds()
		if source := r.plan.sources[n]; source != nil {
			made.Broken = source.Broken.Load()
		}
		for code, count := range retries {
			report.Retries[code] += count
		}
		// A run that was given up may still write.
		if sink := r.sinks[n]; sink != nil && r.err() == nil {
			report.Sinks = append(report.Sinks, SinkReport{n.Name, sink.Path, sink.Rows, sink.SHA256})
		}
	}
	r.net.Each(func(q *flow.Queue, c flow.Counts, _ flow.Fill) {
		report.Edges = append(report.Edges, EdgeReport{q.From, q.To, q.Input, c.Batches, c.Rows, c.Bytes, c.Growths, c.Most})
	})
	return report
}

// newReport is the report of a graph that runs once for each file, before the first one.
func newReport(p *Plan) *Report {
	report := &Report{Graph: p.Graph.Name, Retries: map[string]int64{}, Files: &FilesReport{}}
	for _, n := range p.Graph.Nodes {
		report.Nodes = append(report.Nodes, NodeReport{Name: n.Name, Kind: n.Kind, Retries: map[string]int64{}})
		if n.Kind == graph.Sink {
			report.Sinks = append(report.Sinks, SinkReport{Name: n.Name, Path: n.Path})
		}
	}
	return report
}

// addFile adds the run of one file. The report may be nil, if nothing ran.
func (r *Report) addFile(path string, bytes int64, source string, one *Report, err error) {
	if err == nil {
		r.Files.Done++
	} else if r.Files.Ignored++; len(r.Files.IgnoredPaths) < 100 {
		r.Files.IgnoredPaths = append(r.Files.IgnoredPaths, path)
	}
	r.Files.Bytes += bytes
	if one == nil {
		return
	}
	r.DeadLetters += one.DeadLetters
	for code, count := range one.Retries {
		r.Retries[code] += count
	}
	for _, n := range one.Nodes {
		at := slices.IndexFunc(r.Nodes, func(other NodeReport) bool { return other.Name == n.Name })
		r.Nodes[at].add(n)
		if n.Name == source {
			r.Files.Rows += n.RowsOut
		}
	}
	for i, edge := range one.Edges {
		if i == len(r.Edges) {
			r.Edges = append(r.Edges, edge)
			continue
		}
		r.Edges[i].Batches += edge.Batches
		r.Edges[i].Rows += edge.Rows
		r.Edges[i].Bytes += edge.Bytes
		r.Edges[i].Growths += edge.Growths
		r.Edges[i].Most = max(r.Edges[i].Most, edge.Most)
	}
	for _, sink := range one.Sinks {
		at := slices.IndexFunc(r.Sinks, func(other SinkReport) bool { return other.Name == sink.Name })
		r.Sinks[at].Rows += sink.Rows
	}
}

func (n *NodeReport) add(other NodeReport) {
	n.RowsIn += other.RowsIn
	n.RowsOut += other.RowsOut
	n.BatchesIn += other.BatchesIn
	n.BatchesOut += other.BatchesOut
	n.DeadLetters += other.DeadLetters
	n.Broken += other.Broken
	n.Working += other.Working
	n.Starved += other.Starved
	n.Blocked += other.Blocked
	n.Retries, n.Restarts, n.Errors = added(n.Retries, other.Retries), added(n.Restarts, other.Restarts), added(n.Errors, other.Errors)
}

// Summary is the last line of a run.
func (r *Report) Summary() string {
	var parts []string
	if r.Files != nil {
		parts = append(parts, fmt.Sprintf("%s files done, %s ignored", status.Grouped(r.Files.Done), status.Grouped(r.Files.Ignored)))
	}
	for _, n := range r.Nodes {
		rows := n.RowsOut
		if n.Kind == graph.Sink {
			rows = n.RowsIn
		}
		parts = append(parts, fmt.Sprintf("%s %s rows", n.Name, status.Grouped(rows)))
		if n.Broken > 0 {
			parts = append(parts, fmt.Sprintf("%d producers of %s broke off", n.Broken, n.Name))
		}
	}
	for _, code := range slices.Sorted(maps.Keys(r.Retries)) {
		parts = append(parts, fmt.Sprintf("retries %d (%s)", r.Retries[code], code))
	}
	return fmt.Sprintf("%s, %s dead letters, %.2f s", strings.Join(parts, ", "), status.Grouped(r.DeadLetters), r.Seconds)
}
