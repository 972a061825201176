// SPDX-License-Identifier: MIT

package run

import (
	"context"
	"fmt"
	"io"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/ipc"

	"github.com/ignalina/alloy/apps/thund/internal/fault"
	"github.com/ignalina/alloy/apps/thund/internal/graph"
	"github.com/ignalina/alloy/apps/thund/internal/status"
)

// mostTapped is how many batches wait for one viewer. They are held beside the queues, so few.
const mostTapped = 4

// taps are the viewers of a node, most often none. The slice is never changed, only replaced,
// so that a node that emits reads one pointer.
type taps struct{ atomic.Pointer[[]*tap] }

// tap is one viewer. It misses batches if it is slow: the node never waits for it.
type tap struct {
	batches chan arrow.RecordBatch
	missed  atomic.Int64

	mutex  sync.Mutex // the node only tries it
	closed bool
}

// offer shows a batch of the caller to the viewers.
func (t *taps) offer(batch arrow.RecordBatch) {
	all := t.Load()
	if all == nil {
		return
	}
	for _, one := range *all {
		one.offer(batch)
	}
}

func (t *tap) offer(batch arrow.RecordBatch) {
	if !t.mutex.TryLock() {
		t.missed.Add(1)
		return
	}
	defer t.mutex.Unlock()
	if t.closed {
		return
	}
	batch.Retain()
	select {
	case t.batches <- batch:
	default:
		batch.Release()
		t.missed.Add(1)
	}
}

// close releases what the viewer has not taken.
func (t *tap) close() {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	t.closed = true
	for {
		select {
		case batch := <-t.batches:
			batch.Release()
		default:
			return
		}
	}
}

// replace puts another slice of viewers in place.
func (t *taps) replace(change func([]*tap) []*tap) {
	for {
		before := t.Load()
		var all []*tap
		if before != nil {
			all = slices.Clone(*before)
		}
		var after *[]*tap
		if all = change(all); len(all) > 0 {
			after = &all
		}
		if t.CompareAndSwap(before, after) {
			return
		}
	}
}

// Tap writes the next batches of a node as an Arrow IPC stream: those that it makes, or of a
// sink, those that it gets. It returns when the run or the context ends, after limit batches, or
// if a batch has other columns; limit 0 is no limit. Batches that come faster than they can be
// written are left out. Any goroutine may call it, at any time.
func (p *Plan) Tap(ctx context.Context, node string, limit int64, out io.Writer) error {
	viewers := p.live.taps[node]
	if viewers == nil {
		return &fault.Fault{Code: fault.Name, Text: fmt.Sprintf("the graph has no node %q", node), Node: node, Help: "thund top shows its nodes", Exit: fault.ExitUsage}
	}
	t := &tap{batches: make(chan arrow.RecordBatch, mostTapped)}
	viewers.replace(func(all []*tap) []*tap { return append(all, t) })
	defer func() {
		viewers.replace(func(all []*tap) []*tap { return slices.DeleteFunc(all, func(one *tap) bool { return one == t }) })
		t.close()
	}()
	var writer *ipc.Writer
	var schema *arrow.Schema
	begin := func(of *arrow.Schema) {
		schema, writer = of, ipc.NewWriter(out, ipc.WithSchema(of))
	}
	write := func(batch arrow.RecordBatch) (bool, error) {
		defer batch.Release()
		if writer == nil {
			begin(batch.Schema())
		}
		if !batch.Schema().Equal(schema) { // of another file
			return false, nil
		}
		return true, writer.Write(batch)
	}
	for count := int64(0); limit == 0 || count < limit; count++ {
		var batch arrow.RecordBatch
		select {
		case batch = <-t.batches:
		case <-ctx.Done():
		case <-p.live.done: // what has come before its end is shown
			select {
			case batch = <-t.batches:
			default:
			}
		}
		if batch == nil {
			break
		}
		if more, err := write(batch); err != nil || !more {
			if err != nil {
				return err
			}
			break
		}
	}
	if writer == nil {
		of := p.live.schemaOf(node)
		if of == nil {
			return nil // its columns are not known, and no batch has come
		}
		begin(of)
	}
	return writer.Close()
}

// schemaOf returns the columns of a node as far as they are known.
func (l *live) schemaOf(node string) *arrow.Schema {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	p := l.plan
	if l.now != nil {
		p = l.now.plan
	}
	at := slices.IndexFunc(p.Graph.Nodes, func(n *graph.Node) bool { return n.Name == node })
	if at < 0 || l.state == status.GraphStarting {
		return nil // stage 6 may still write the schemas
	}
	return p.Schemas[p.Graph.Nodes[at]]
}
