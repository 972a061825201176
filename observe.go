// SPDX-License-Identifier: MIT

package alloy

import (
	"context"
	"sync/atomic"
	"time"
)

// Outstanding counts what a program has not released yet. See [GoBridge.Outstanding].
type Outstanding struct {
	Results int64 // batches of Call and of streams
	Streams int64
}

// The kinds of an [Operation].
const (
	CallOperation   = "call"   // a Call or a FromChunks
	StreamOperation = "stream" // a Stream
	LoadOperation   = "load"   // a SetImplLib or a Replace
)

// Operation is one use of a bridge, as the field Observe of [GoBridge] gets it.
type Operation struct {
	Kind     string // CallOperation, StreamOperation or LoadOperation
	Function string // empty for a load
	Library  string // of a load: the path
	Inputs   int    // how many batches, arrays or readers were passed
	Rows     int64  // of all batches or arrays that were passed; a stream reads its own later
}

// Outcome is how an [Operation] ended.
type Outcome struct {
	Err     error         // nil: it succeeded, or its stream was released before the end
	Batches int64         // batches of results
	Rows    int64         // their rows
	Time    time.Duration // of a stream: from its begin to its end, with the time between batches
}

// ending reports the end of one operation. Nil: nobody observes it.
type ending struct {
	start         time.Time
	tell          func(Outcome)
	told          atomic.Bool // by any goroutine: a stream that was passed on may fail in C
	batches, rows int64
}

func (b *GoBridge) begin(ctx context.Context, operation Operation) (context.Context, *ending) {
	if b.Observe == nil {
		return ctx, nil
	}
	e := &ending{start: time.Now()}
	inner, tell := b.Observe(ctx, operation)
	if inner != nil {
		ctx = inner
	}
	e.tell = tell
	return ctx, e
}

// add counts one batch of results.
func (e *ending) add(rows int64) {
	if e != nil {
		e.batches++
		e.rows += rows
	}
}

// report tells the observer, the first time that it is called.
func (e *ending) report(err error) {
	if e == nil || e.tell == nil || e.told.Swap(true) {
		return
	}
	e.tell(Outcome{Err: err, Batches: e.batches, Rows: e.rows, Time: time.Since(e.start)})
}
