// SPDX-License-Identifier: MIT

// Package api has the names of the first Thund, so that steps for it compile when only their
// import paths change. A program registers them with package thund.
package api

import "io"

// NodeProcessor is a task: work in Go that runs before a graph. Setup is called once.
type NodeProcessor interface {
	Setup(customParams interface{}) error
	Process() error
}

// IOEvent is called for each file, after its run. The reader has the bytes of the file, and
// customParams is a *FileEntity. False, or a panic, marks the file as ignored. Setup is called
// once, with nil.
type IOEvent interface {
	Setup(customParams interface{}) bool
	Process(reader io.Reader, customParams interface{}) bool
}

// Thund runs a graph of Go nodes. Package impl has one.
type Thund interface {
	Deploy(dag DAG, customParams interface{}) error
	Start() error
}

// DAG is the nodes of a graph, in the order in which they run.
type DAG struct{ Nodes []DAGNode }

// DAGNode is a node and its name.
type DAGNode struct {
	Name          string
	NodeProcessor NodeProcessor
}
