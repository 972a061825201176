// SPDX-License-Identifier: MIT

package status

import (
	"sync"
	"time"
)

// Interval is the time between two snapshots: what `top`, the page and the progress show.
const Interval = 500 * time.Millisecond

// window is how many intervals the bottleneck is judged by.
const window = 4

// Sampler makes one snapshot per interval for all viewers, and adds what needs two of them: the
// rates and the bottleneck. Any goroutine may use it.
type Sampler struct {
	source   func() Snapshot
	interval time.Duration
	stop     chan struct{}
	done     chan struct{}

	mutex sync.Mutex
	past  []Snapshot // the last is the one to show
	next  chan struct{}
}

// NewSampler starts to look at a source. Close it after use.
func NewSampler(source func() Snapshot, interval time.Duration) *Sampler {
	s := &Sampler{source: source, interval: interval, stop: make(chan struct{}), done: make(chan struct{}), next: make(chan struct{})}
	s.sample()
	go func() {
		defer close(s.done)
		ticker := time.NewTicker(interval)
		defer ticker.Stop()
		for {
			select {
			case <-ticker.C:
				s.sample()
			case <-s.stop:
				return
			}
		}
	}()
	return s
}

// Close makes one more snapshot, which has the end of the run, and then no others.
func (s *Sampler) Close() {
	close(s.stop)
	<-s.done
	s.sample()
}

// Refresh makes a snapshot now, for example of the end of a run.
func (s *Sampler) Refresh() { s.sample() }

// Snapshot returns the newest snapshot. Its slices are shared, so do not change them.
func (s *Sampler) Snapshot() Snapshot {
	now, _ := s.Next()
	return now
}

// Next returns the newest snapshot, and a channel that is closed when there is a newer one.
func (s *Sampler) Next() (Snapshot, <-chan struct{}) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return s.past[len(s.past)-1], s.next
}

func (s *Sampler) sample() {
	now := s.source()
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if last := len(s.past) - 1; last >= 0 {
		// Rates need some time: one more snapshot, soon after another, replaces it.
		if last > 0 && now.Time.Sub(s.past[last].Time) < s.interval/2 {
			s.past = s.past[:last]
			last--
		}
		rate(&now, &s.past[last])
		now.Bottleneck = Bottleneck(&now, &s.past[0])
	}
	if now.State == GraphDone || now.State == GraphFailed {
		now.Bottleneck = Bottleneck(&now, nil) // of the whole run
	}
	s.past = append(s.past, now)
	s.past = s.past[max(0, len(s.past)-window):]
	close(s.next)
	s.next = make(chan struct{})
}

// rate computes the rates between two snapshots of one graph.
func rate(now, before *Snapshot) {
	took := now.Time.Sub(before.Time).Seconds()
	if took <= 0 || len(now.Nodes) != len(before.Nodes) || len(now.Edges) != len(before.Edges) {
		return
	}
	for i := range now.Nodes {
		n := &now.Nodes[i]
		n.RowsPerSecond = float64(n.Rows()-before.Nodes[i].Rows()) / took
	}
	for i := range now.Edges {
		e := &now.Edges[i]
		e.BytesPerSecond = float64(e.Bytes-before.Edges[i].Bytes) / took
	}
}

// Rows is what a node has made; of a sink, what it got.
func (n *Node) Rows() int64 {
	if n.Kind == "sink" {
		return n.RowsIn
	}
	return n.RowsOut
}

// Shares are the parts of its time that a node worked, starved and was blocked. They add up to
// 1, or are all 0 if it has not run.
func (n *Node) Shares() (working, starved, blocked float64) {
	all := n.WorkingSeconds + n.StarvedSeconds + n.BlockedSeconds
	if all <= 0 {
		return 0, 0, 0
	}
	return n.WorkingSeconds / all, n.StarvedSeconds / all, n.BlockedSeconds / all
}

// Bottleneck returns the node that works most while others starve or are blocked, since an
// earlier snapshot; nil: since the begin. A graph in which nobody works half of its time, or
// nobody waits half of its time, has none: it waits for its sources, or all have enough to do.
func Bottleneck(now, before *Snapshot) string {
	var most Node
	mostShare, waits := 0.5, 0.0
	for i, n := range now.Nodes {
		if before != nil && i < len(before.Nodes) {
			n.WorkingSeconds -= before.Nodes[i].WorkingSeconds
			n.StarvedSeconds -= before.Nodes[i].StarvedSeconds
			n.BlockedSeconds -= before.Nodes[i].BlockedSeconds
		}
		working, starved, blocked := n.Shares()
		if working > mostShare {
			most, mostShare = n, working
		}
		waits = max(waits, starved+blocked)
	}
	if waits < 0.5 {
		return ""
	}
	return most.Name
}

// InputFill is how full the fullest queue before a node is.
func (s *Snapshot) InputFill(node string) (fill float64, has bool) {
	for i := range s.Edges {
		if e := &s.Edges[i]; e.To == node {
			fill, has = max(fill, e.Fill()), true
		}
	}
	return fill, has
}
