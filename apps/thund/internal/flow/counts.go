// SPDX-License-Identifier: MIT

package flow

// Counts is what has passed a queue.
type Counts struct {
	Batches, Rows, Bytes int64
	Growths              int64
	// What its reader has taken. The lock of the network is held anyway, so it costs nothing.
	TakenBatches, TakenRows, TakenBytes int64
	Most                                int // batches at one time
}

// Fill is what a queue holds, and its limits.
type Fill struct {
	Batches, LimitBatches int
	Bytes, LimitBytes     int64
}

// Each calls f with each queue, its counts, and what it holds now.
func (n *Network) Each(f func(q *Queue, c Counts, now Fill)) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, q := range n.queues {
		f(q, q.counts, Fill{len(q.items), q.limitBatches, q.bytes, q.limitBytes})
	}
}

// Memory returns the bytes that the queues hold, with the input that is kept for restarts.
func (n *Network) Memory() int64 {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.bytes + n.held
}
