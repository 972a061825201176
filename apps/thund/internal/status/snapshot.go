// SPDX-License-Identifier: MIT

// Package status has what a running graph shows: `top`, the page, the metrics and the
// progress all read one snapshot.
package status

import "time"

// GraphState says how far a run is.
type GraphState string

// The states of a graph.
const (
	GraphStarting GraphState = "starting" // it opens its nodes, or waits for a schema
	GraphRunning  GraphState = "running"
	GraphDraining GraphState = "draining" // asked to end: no new input
	GraphDone     GraphState = "done"
	GraphFailed   GraphState = "failed"
)

// NodeState says what a node does.
type NodeState string

// The states of a node.
const (
	Starved  NodeState = "starved" // waits for input
	Working  NodeState = "working"
	Blocked  NodeState = "blocked" // waits for room in a queue
	Retrying NodeState = "retrying"
	Failed   NodeState = "failed"
	Done     NodeState = "done"
)

// Snapshot is a running graph at one time. Counts grow from the begin of the run, and over
// all files of a graph that runs once for each.
type Snapshot struct {
	Graph       string     `json:"graph"`
	File        string     `json:"file"` // the graph file
	PID         int        `json:"pid"`
	State       GraphState `json:"state"`
	Error       string     `json:"error,omitempty"`
	Time        time.Time  `json:"time"`
	Seconds     float64    `json:"seconds"` // since the begin
	Memory      int64      `json:"memory_bytes"`
	MemoryLimit int64      `json:"memory_limit_bytes"`
	// Bottleneck is the node that works most while others starve or block; it may be empty.
	Bottleneck  string `json:"bottleneck,omitempty"`
	DeadLetters int64  `json:"dead_letters"`
	Nodes       []Node `json:"nodes"` // each after the nodes that it reads
	Edges       []Edge `json:"edges"`
	Files       *Files `json:"files,omitempty"` // of a graph that runs once for each file
}

// Node is one source, step or sink.
type Node struct {
	Name  string    `json:"name"`
	Kind  string    `json:"kind"` // source, step, sink
	What  string    `json:"what"` // backend.function, a format, or union
	State NodeState `json:"state"`

	RowsIn     int64 `json:"rows_in"`
	RowsOut    int64 `json:"rows_out"`
	BatchesIn  int64 `json:"batches_in"`
	BatchesOut int64 `json:"batches_out"`
	BytesIn    int64 `json:"bytes_in"`
	BytesOut   int64 `json:"bytes_out"`
	// TotalRows is what a source will deliver; 0 if it does not know.
	TotalRows int64 `json:"total_rows,omitempty"`
	// RowsPerSecond is over the last half second: rows out; of a sink, rows in.
	RowsPerSecond float64 `json:"rows_per_second"`

	// Seconds in each state since the begin. Their sum is the time that the node has run.
	WorkingSeconds float64 `json:"working_seconds"`
	StarvedSeconds float64 `json:"starved_seconds"`
	BlockedSeconds float64 `json:"blocked_seconds"`

	Durations *Histogram `json:"durations,omitempty"` // of a batch; of steps that work on batches

	Workers  int              `json:"workers"`           // 0: in process
	Retries  map[string]int64 `json:"retries,omitempty"` // by cause: signal, exit, hang, memory, violation, or a code
	Restarts map[string]int64 `json:"restarts,omitempty"`
	Errors   map[string]int64 `json:"errors,omitempty"` // by code, such as E1030; also those that a retry has cured

	DeadLetters int64  `json:"dead_letters,omitempty"`
	Broken      int64  `json:"broken,omitempty"` // producers whose stream broke off
	LastError   string `json:"last_error,omitempty"`

	Backend *Backend `json:"backend,omitempty"` // of a native step
	Paths   []string `json:"paths,omitempty"`   // of a sink: the last files that it finished
}

// Backend says who signed the library of a step.
type Backend struct {
	Library string     `json:"library"`
	Signer  string     `json:"signer,omitempty"` // empty: not signed
	SHA256  string     `json:"sha256"`
	Expires *time.Time `json:"expires,omitempty"` // of the certificate
}

// Edge is one queue.
type Edge struct {
	From  string `json:"from"`
	To    string `json:"to"`
	Input int    `json:"input"`

	Batches        int64   `json:"batches"` // that have passed
	Rows           int64   `json:"rows"`
	Bytes          int64   `json:"bytes"`
	BytesPerSecond float64 `json:"bytes_per_second"` // over the last half second

	QueueBatches int   `json:"queue_batches"` // that wait now
	QueueBytes   int64 `json:"queue_bytes"`
	LimitBatches int   `json:"limit_batches"`
	LimitBytes   int64 `json:"limit_bytes"`
	Growths      int64 `json:"growths"`
	Most         int   `json:"most_batches"` // at one time
}

// Fill is how full the queue is: 0 to 1, or more after a growth.
func (e *Edge) Fill() float64 {
	if e.LimitBatches == 0 || e.LimitBytes == 0 {
		return 0
	}
	return max(float64(e.QueueBatches)/float64(e.LimitBatches), float64(e.QueueBytes)/float64(e.LimitBytes))
}

// Files counts the files of a graph that runs once for each.
type Files struct {
	Done    int64 `json:"done"`
	Ignored int64 `json:"ignored"`
	Bytes   int64 `json:"bytes"`
	Rows    int64 `json:"rows"`
}

// Bounds are the upper bounds of the classes of a [Histogram], in seconds.
var Bounds = [...]float64{1e-5, 2.5e-5, 1e-4, 2.5e-4, 1e-3, 2.5e-3, 1e-2, 2.5e-2, 0.1, 0.25, 1, 2.5, 10}

// Histogram counts durations. Counts has one class more than Bounds.
type Histogram struct {
	Counts [len(Bounds) + 1]int64 `json:"counts"`
	Sum    float64                `json:"sum"` // in seconds
}

// Add counts one duration, in seconds.
func (h *Histogram) Add(seconds float64) {
	h.Counts[ClassOf(seconds)]++
	h.Sum += seconds
}

// AddAll adds the durations of another histogram.
func (h *Histogram) AddAll(other *Histogram) {
	for class, count := range other.Counts {
		h.Counts[class] += count
	}
	h.Sum += other.Sum
}

// ClassOf returns the class of a duration, in seconds.
func ClassOf(seconds float64) (class int) {
	for class < len(Bounds) && seconds > Bounds[class] {
		class++
	}
	return class
}

// Quantile estimates a quantile from the classes, for example 0.99. It is 0 if nothing was counted.
func (h *Histogram) Quantile(q float64) float64 {
	total := int64(0)
	for _, count := range h.Counts {
		total += count
	}
	if total == 0 {
		return 0
	}
	rank, below := q*float64(total), int64(0)
	for class, count := range h.Counts {
		if float64(below+count) < rank || count == 0 {
			below += count
			continue
		}
		low := 0.0
		if class > 0 {
			low = Bounds[class-1]
		}
		if class == len(Bounds) {
			return low
		}
		return low + (Bounds[class]-low)*(rank-float64(below))/float64(count)
	}
	return Bounds[len(Bounds)-1]
}
