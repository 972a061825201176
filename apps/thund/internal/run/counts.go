// SPDX-License-Identifier: MIT

package run

import (
	"errors"
	"maps"
	"sync"
	"sync/atomic"
	"time"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/ignalina/alloy"

	"github.com/ignalina/alloy/apps/thund/internal/fault"
	"github.com/ignalina/alloy/apps/thund/internal/status"
)

// counts is what has passed a node in one run. A batch costs a few atomic additions.
type counts struct {
	batchesOut, rowsOut, bytesOut, letters atomic.Int64 // what came in is counted by its queues
	totalRows                              atomic.Int64 // of a source that knows them

	classes     [len(status.Bounds) + 1]atomic.Int64 // of the durations of calls
	nanoseconds atomic.Int64                         // of all calls together
	retrying    atomic.Int32                         // batches that wait for another try
	taps        *taps                                // of the plan

	mutex                     sync.Mutex
	retries, restarts, errors map[string]int64 // by cause; errors by code
	lastError                 string
	events                    events
}

func newCounts(viewers *taps) *counts {
	return &counts{taps: viewers, retries: map[string]int64{}, restarts: map[string]int64{}, errors: map[string]int64{}}
}

func (c *counts) out(batch arrow.RecordBatch, bytes int64) {
	c.batchesOut.Add(1)
	c.rowsOut.Add(batch.NumRows())
	c.bytesOut.Add(bytes)
}

// took counts the duration of one call.
func (c *counts) took(d time.Duration) {
	c.classes[status.ClassOf(d.Seconds())].Add(1)
	c.nanoseconds.Add(int64(d))
}

func (c *counts) durations() *status.Histogram {
	h := &status.Histogram{Sum: time.Duration(c.nanoseconds.Load()).Seconds()}
	for i := range c.classes {
		h.Counts[i] = c.classes[i].Load()
	}
	return h
}

func (c *counts) retried(cause string) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.retries[cause]++
	c.events.add("retry", cause)
}

// failed counts an error of a call, also if another try cures it.
func (c *counts) failed(err error) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.errors[fault.FromEngine(err, "").Code]++
	c.lastError = err.Error()
	var e *alloy.Error
	if errors.As(err, &e) && causes[e.Reason] != "" {
		c.restarts[causes[e.Reason]]++
		c.events.add("crash", causes[e.Reason])
	}
}

// ended keeps the fault of the node that ends the run. Its call has counted it already.
func (c *counts) ended(f *fault.Fault) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.errors[f.Code] = max(1, c.errors[f.Code])
	c.lastError = f.Error()
}

// of copies one of the maps.
func (c *counts) of(counted *map[string]int64) map[string]int64 {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	return maps.Clone(*counted)
}

func (c *counts) last() string {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	return c.lastError
}

// causes are the names of the ways in which a worker ends, by the engine's reasons.
var causes = map[alloy.Reason]string{alloy.ReasonWorkerSignal: "signal", alloy.ReasonWorkerExit: "exit",
	alloy.ReasonWorkerHang: "hang", alloy.ReasonWorkerMemory: "memory", alloy.ReasonWorkerViolation: "violation"}

// causeOf names why a call failed: what its worker died of, or the code of the error.
func causeOf(err error) string {
	var e *alloy.Error
	if !errors.As(err, &e) {
		return "FAILED"
	}
	if cause := causes[e.Reason]; cause != "" {
		return cause
	}
	return e.Code.String()
}
