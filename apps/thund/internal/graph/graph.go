// SPDX-License-Identifier: MIT

// Package graph reads the graph file. It checks the syntax, the names and the shape, which
// need no backend and no data.
package graph

import "time"

// Kind is what a node is.
type Kind string

// The kinds of a node.
const (
	Source Kind = "source"
	Step   Kind = "step"
	Sink   Kind = "sink"
)

// Graph is a graph whose names and shape are correct.
type Graph struct {
	File, Folder string
	Name         string
	Certificate  string // path; empty: none
	Memory       int64  // bytes of all queues
	QueueBatches int
	Drain        time.Duration
	DeadLetters  int64 // the most rows
	Backends     map[string]*Backend
	Nodes        []*Node // each after the nodes that it reads
	Tasks        []*Task
	Tests        []*Test
	OnlyTests    bool // sources that have a schema need no file
	Lines        Lines
}

// Backend is a library.
type Backend struct {
	Name, Library, Certificate string
	MayNeed                    []string
	Line                       int
}

// Node is a source, a step or a sink. Only the fields of its kind are set.
type Node struct {
	Kind Kind
	Name string
	Line int
	From []*Node
	// Readers are the nodes that read this one, once for each of their inputs.
	Readers []*Node

	// Of a source and a sink. Format is parquet, csv or ipc. The path of a socket begins with
	// unix: or tcp:.
	Format, Path string
	Socket       bool
	Connect      bool // dial, and do not listen
	Connections  int  // of a source: how many producers come; 0: endless

	// Of a source.
	Columns   []Column // the schema of the file, in the order of the graph file; nil: from the file
	Casts     []Column
	Only      []string // the columns to read; nil: all
	BatchRows int
	Comma     rune
	Nulls     []string
	Limit     int64 // rows; 0: all
	Each      bool  // the graph runs once for each file
	Done      string
	Grace     time.Duration
	Events    []string

	// Of a step. Union steps have no backend.
	Union      bool
	Backend    *Backend
	Function   string
	Go         string // instead of a backend: the name of a step of this program
	Options    map[string]string
	Isolated   bool
	Parallel   int
	Heap       int64
	Hold       int64 // bytes of input that an isolated function on streams keeps for a restart
	HoldGiven  bool  // the graph file says so
	Timeout    time.Duration
	Retries    int
	Backoff    time.Duration
	DeadLetter *Node
	// PartitionBy are columns: a function on a stream may see the rows of each key separately.
	PartitionBy []string

	// Of a sink: the steps whose dead letters it gets.
	LettersOf []*Node
}

// Task is Go work that runs before the graph.
type Task struct {
	Name, Go string
	Line     int
}

// Column is a name and a type, such as utf8.
type Column struct {
	Name, Type string
	Line       int
}

// Edge is one input of a node. A union and a sink of dead letters have one queue for all.
type Edge struct {
	From, To *Node
	Input    int
}
