// SPDX-License-Identifier: MIT

package status

import (
	"sync"
	"testing"
	"time"
)

// at is a graph of two nodes after so many seconds: the step works, the sink starves.
func at(seconds float64, state GraphState) Snapshot {
	return Snapshot{
		State: state, Time: time.Unix(0, int64(seconds*1e9)),
		Nodes: []Node{
			{Name: "step", Kind: "step", RowsOut: int64(100 * seconds), WorkingSeconds: 0.9 * seconds, StarvedSeconds: 0.1 * seconds},
			{Name: "sink", Kind: "sink", RowsIn: int64(40 * seconds), WorkingSeconds: 0.2 * seconds, StarvedSeconds: 0.8 * seconds},
		},
		Edges: []Edge{{From: "step", To: "sink", Bytes: int64(800 * seconds)}},
	}
}

func TestRatesAreOfTheLastInterval(t *testing.T) {
	var mutex sync.Mutex
	now := at(1, GraphRunning)
	s := NewSampler(func() Snapshot { mutex.Lock(); defer mutex.Unlock(); return now }, time.Hour)
	first, next := s.Next()
	if first.Nodes[0].RowsPerSecond != 0 || first.Bottleneck != "" {
		t.Errorf("one snapshot has no rates: %+v", first)
	}
	mutex.Lock()
	now = at(1.5, GraphRunning)
	mutex.Unlock()
	s.Close()
	<-next
	got := s.Snapshot()
	if got.Nodes[0].RowsPerSecond != 100 || got.Nodes[1].RowsPerSecond != 40 || got.Edges[0].BytesPerSecond != 800 || got.Bottleneck != "step" {
		t.Errorf("%+v", got)
	}
}

// All viewers get the same snapshots, however many ask.
func TestViewersShareASnapshot(t *testing.T) {
	var mutex sync.Mutex
	made := 0
	s := NewSampler(func() Snapshot {
		mutex.Lock()
		defer mutex.Unlock()
		made++
		return at(float64(made), GraphRunning)
	}, 20*time.Millisecond)
	var all sync.WaitGroup
	seen := make([]time.Time, 50)
	for i := range seen {
		all.Go(func() {
			_, next := s.Next()
			for range 1000 {
				s.Snapshot()
			}
			<-next
			seen[i] = s.Snapshot().Time
		})
	}
	all.Wait()
	s.Close()
	if made > 500 {
		t.Errorf("%d snapshots were made", made)
	}
	for _, time := range seen {
		if time.IsZero() {
			t.Error("a viewer saw nothing new")
		}
	}
}

func TestTheBottleneckWorksMostWhileOthersWait(t *testing.T) {
	node := func(name string, working, starved, blocked float64) Node {
		return Node{Name: name, WorkingSeconds: working, StarvedSeconds: starved, BlockedSeconds: blocked}
	}
	for name, c := range map[string]struct {
		nodes []Node
		want  string
	}{
		"the slow one":      {[]Node{node("a", 0.2, 0, 0.8), node("b", 0.9, 0.1, 0), node("c", 0.6, 0.4, 0)}, "b"},
		"nobody waits":      {[]Node{node("a", 1, 0, 0), node("b", 0.9, 0.1, 0)}, ""},
		"all wait":          {[]Node{node("a", 0.1, 0.9, 0), node("b", 0.1, 0.9, 0)}, ""},
		"nothing has begun": {[]Node{node("a", 0, 0, 0)}, ""},
	} {
		if got := Bottleneck(&Snapshot{Nodes: c.nodes}, nil); got != c.want {
			t.Errorf("%s: %q, not %q", name, got, c.want)
		}
	}
	// What was before does not count.
	before := Snapshot{Nodes: []Node{node("a", 100, 0, 0), node("b", 0, 100, 0)}}
	now := Snapshot{Nodes: []Node{node("a", 100, 1, 0), node("b", 1, 100, 0)}}
	if got := Bottleneck(&now, &before); got != "b" {
		t.Errorf("since the earlier snapshot: %q", got)
	}
}

func TestSharesAddUpToOne(t *testing.T) {
	n := Node{WorkingSeconds: 1, StarvedSeconds: 2, BlockedSeconds: 5}
	if working, starved, blocked := n.Shares(); working != 0.125 || starved != 0.25 || blocked != 0.625 {
		t.Error(working, starved, blocked)
	}
	if working, starved, blocked := (&Node{}).Shares(); working+starved+blocked != 0 {
		t.Error("it has not run")
	}
}
