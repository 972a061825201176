// SPDX-License-Identifier: MIT

package files

import (
	"context"
	"crypto/sha256"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/ignalina/alloy/apps/thund/internal/graph"
)

// NewRows returns a source of one batch that is in memory. It takes the caller's reference.
func NewRows(n *graph.Node, batch arrow.RecordBatch) *Source {
	return &Source{Schema: batch.Schema(), Paths: []string{"-"}, node: &graph.Node{}, now: &rows{batch}, files: 1}
}

// rows are the rows of a batch; no rows are no batch.
type rows struct{ batch arrow.RecordBatch }

func (r *rows) next(context.Context) (arrow.RecordBatch, error) {
	batch := r.batch
	r.batch = nil
	if batch != nil && batch.NumRows() == 0 {
		batch.Release()
		batch = nil
	}
	return batch, nil
}

func (r *rows) close() error {
	if r.batch != nil {
		r.batch.Release()
	}
	return nil
}

// Collector keeps the batches that a sink gets.
type Collector struct{ Batches []arrow.RecordBatch }

// Sink returns a sink that gives its batches to the collector.
func (c *Collector) Sink() *Sink { return &Sink{Path: "-", hash: sha256.New(), writer: c} }

// Write keeps a batch of the caller.
func (c *Collector) Write(batch arrow.RecordBatch) error {
	batch.Retain()
	c.Batches = append(c.Batches, batch)
	return nil
}

// Close keeps what there is.
func (c *Collector) Close() error { return nil }

// Release releases the batches.
func (c *Collector) Release() {
	for _, batch := range c.Batches {
		batch.Release()
	}
	c.Batches = nil
}
