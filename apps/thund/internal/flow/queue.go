// SPDX-License-Identifier: MIT

// Package flow has the queues between nodes. A queue is bounded by batches and by bytes, and
// never drops. A circular wait, which a diamond can cause, makes the smallest full queue on
// the cycle grow by one batch: the rule of Parks, with the local detection of Geilen and
// Basten. There is no timer.
package flow

import (
	"errors"
	"sync"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
)

// ErrClosed is returned by Put when the reader of the queue has ended.
var ErrClosed = errors.New("the reader of the queue has ended")

// Network is all queues of one run. They share one mutex, so that a wait can be followed
// from queue to queue.
type Network struct {
	mu     sync.Mutex
	memory int64
	bytes  int64
	held   int64 // of input that is kept for restarts
	queues []*Queue
	actors []*Actor
	failed error     // the first error: everybody who waits gets it
	begin  time.Time // clocks count from here, because a difference is cheaper than a time
	// Full is called when a queue would have to grow beyond the memory; it makes the error.
	Full func(cycle []*Queue, needed int64) error
	// GiveUp is called, with the network locked, when a queue needs the memory that is held.
	GiveUp func()
	// Grew is called, with the network locked, when a queue has grown; it may be nil.
	Grew func(q *Queue)
}

// NewNetwork returns queues that hold this many bytes together.
func NewNetwork(memory int64) *Network { return &Network{memory: memory, begin: time.Now()} }

// Item is what a queue holds: a batch, or a job whose result is not there yet.
type Item struct {
	Batch arrow.RecordBatch
	Job   any
	Bytes int64
}

// Queue is one input of a node. Its reader is one actor; a union has several writers.
type Queue struct {
	From, To string // what the queue connects, for reports
	Input    int

	net          *Network
	items        []Item
	bytes        int64
	limitBatches int
	limitBytes   int64
	writers      []*Actor // that have not ended
	reader       *Actor
	closed       bool
	counts       Counts
}

// Actor is a goroutine that reads or writes queues.
type Actor struct {
	Name    string
	net     *Network
	wake    *sync.Cond
	reads   []*Queue
	writes  []*Queue
	put     *Queue   // where it waits for room
	needs   int64    // bytes of the batch that waits there
	gets    []*Queue // where it waits for a batch: threads of a backend may ask for several
	outside bool     // those threads ask, and the actor itself does something else
	ended   bool
	clock   *Clock
	peer    *Peer
}

// NewActor returns an actor.
func (n *Network) NewActor(name string) *Actor {
	a := &Actor{Name: name, net: n, wake: sync.NewCond(&n.mu)}
	a.clock = &Clock{net: n, actors: []*Actor{a}, left: 1}
	n.actors = append(n.actors, a)
	return a
}

// NewQueue returns a queue to a reader. Connect its writers before the run.
func (n *Network) NewQueue(from, to string, input, batches int, bytes int64, reader *Actor) *Queue {
	q := &Queue{From: from, To: to, Input: input, net: n, limitBatches: batches, limitBytes: bytes, reader: reader}
	reader.reads = append(reader.reads, q)
	n.queues = append(n.queues, q)
	return q
}

// Connect makes an actor a writer of a queue.
func (q *Queue) Connect(writer *Actor) {
	q.writers = append(q.writers, writer)
	writer.writes = append(writer.writes, q)
}

// Put adds an item and waits for room. It takes the caller's reference to the batch, also
// when it fails: with ErrClosed, or with the error of the run.
func (q *Queue) Put(writer *Actor, item Item) error {
	n := q.net
	n.mu.Lock()
	defer n.mu.Unlock()
	for n.failed == nil && !q.closed && !q.hasRoom(item.Bytes) {
		writer.waitToPut(q, item.Bytes)
	}
	if n.failed != nil || q.closed {
		release(item)
		if n.failed != nil {
			return n.failed
		}
		return ErrClosed
	}
	q.items = append(q.items, item)
	q.bytes += item.Bytes
	n.bytes += item.Bytes
	q.counts.Batches++
	q.counts.Bytes += item.Bytes
	if item.Batch != nil {
		q.counts.Rows += item.Batch.NumRows()
	}
	q.counts.Most = max(q.counts.Most, len(q.items))
	q.reader.wakeFor(q)
	return nil
}

// hasRoom reports whether a batch fits. An empty queue takes any single batch.
func (q *Queue) hasRoom(bytes int64) bool {
	return len(q.items) == 0 || len(q.items) < q.limitBatches && q.bytes+bytes <= q.limitBytes
}

// Get removes the next item, and waits for it. More is false at the end: all writers have
// ended. The caller gets the reference to the batch.
func (q *Queue) Get() (item Item, more bool, err error) {
	n := q.net
	n.mu.Lock()
	defer n.mu.Unlock()
	for n.failed == nil && len(q.items) == 0 && len(q.writers) > 0 {
		q.reader.waitToGet(q)
	}
	if n.failed != nil {
		return Item{}, false, n.failed
	}
	if len(q.items) == 0 {
		return Item{}, false, nil
	}
	item = q.items[0]
	q.items[0] = Item{}
	q.items = q.items[1:]
	q.bytes -= item.Bytes
	n.bytes -= item.Bytes
	q.counts.TakenBatches++
	q.counts.TakenBytes += item.Bytes
	if item.Batch != nil {
		q.counts.TakenRows += item.Batch.NumRows()
	}
	for _, writer := range q.writers {
		writer.wakeFor(q)
	}
	return item, true, nil
}

// Close ends the reading of a queue: what it holds is released, and its writers get ErrClosed.
func (q *Queue) Close() {
	n := q.net
	n.mu.Lock()
	defer n.mu.Unlock()
	q.close()
}

func (q *Queue) close() {
	q.closed = true
	for _, item := range q.items {
		release(item)
	}
	q.net.bytes -= q.bytes
	q.items, q.bytes = nil, 0
	for _, writer := range q.writers {
		writer.wakeFor(q)
	}
}

// End ends an actor: it reads and writes nothing more.
func (a *Actor) End() {
	n := a.net
	n.mu.Lock()
	defer n.mu.Unlock()
	if !a.ended {
		a.ended = true
		a.clock.end()
	}
	for _, q := range a.reads {
		q.close()
	}
	for _, q := range a.writes {
		for i, writer := range q.writers {
			if writer == a {
				q.writers = append(q.writers[:i:i], q.writers[i+1:]...)
				break
			}
		}
		if len(q.writers) == 0 {
			q.reader.wakeFor(q)
		}
		// The reader may now wait only for writers that wait for it.
		if len(q.writers) > 0 {
			n.grow(q.reader)
		}
	}
	a.writes = nil
}

// Fail wakes everybody with an error. Only the first error counts.
func (n *Network) Fail(err error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.fail(err)
}

func (n *Network) fail(err error) {
	if n.failed != nil {
		return
	}
	n.failed = err
	for _, a := range n.actors {
		a.put, a.gets = nil, nil
		a.wake.Broadcast()
	}
}

// Drain releases what is left in the queues of a run that has failed.
func (n *Network) Drain() {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, q := range n.queues {
		q.close()
	}
}

func release(item Item) {
	if item.Batch != nil {
		item.Batch.Release()
	}
}
