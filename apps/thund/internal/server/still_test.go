// SPDX-License-Identifier: MIT

package server

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/ignalina/alloy/apps/thund/internal/browser"
	"github.com/ignalina/alloy/apps/thund/internal/status"
)

// still is a snapshot that changes only when a test changes it.
type still struct {
	mutex sync.Mutex
	now   status.Snapshot
	newer chan struct{}
}

func (s *still) Next() (status.Snapshot, <-chan struct{}) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return s.now, s.newer
}

func (s *still) change(how func(*status.Snapshot)) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.now.Nodes, s.now.Edges = slices.Clone(s.now.Nodes), slices.Clone(s.now.Edges)
	how(&s.now)
	close(s.newer)
	s.newer = make(chan struct{})
}

// become gives each node this state.
func (s *still) become(state status.NodeState) {
	s.change(func(now *status.Snapshot) {
		for i := range now.Nodes {
			now.Nodes[i].State = state
		}
		now.Bottleneck = now.Nodes[len(now.Nodes)/2].Name
	})
}

// The page shows what the snapshots say, and shows another run when there is one.
func TestThePageShowsTheSnapshot(t *testing.T) {
	b, err := browser.Start()
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	now := &still{now: newGraph().now, newer: make(chan struct{})}
	now.now.Seconds, now.now.PID, now.now.Time = 100, 1, time.Now()
	_, _, url := serve(t, newGraph(), func(o *Options) { o.Snapshots = now })
	p, err := b.Open(url, 1200, 800, false)
	if err != nil {
		t.Fatal(err)
	}
	await := func(expression string) {
		t.Helper()
		if err := p.Await(expression); err != nil {
			t.Error(err)
		}
	}
	edge, node := `document.querySelector('main [data-queue="late>km:0"]`, `document.querySelector('main [data-node="km"]`
	// The bar has its colours from 60 and from 85 %, by batches or by bytes, whichever is more.
	rows := int64(0)
	for permille, class := range map[int]string{0: "fill", 599: "fill", 600: "fill warm", 849: "fill warm", 850: "fill full", 1500: "fill full"} {
		for _, byBytes := range []bool{false, true} {
			now.change(func(s *status.Snapshot) {
				e := &s.Edges[0]
				e.LimitBatches, e.LimitBytes, e.QueueBatches, e.QueueBytes = 1000, 1000, permille, 0
				if byBytes {
					e.QueueBatches, e.QueueBytes = 0, int64(permille)
				}
				rows++
				e.Rows = rows
			})
			await(fmt.Sprintf(`%s title').textContent.includes('; %d row')`, edge, rows)) // the page has this one
			await(fmt.Sprintf(`%s .fill').className.baseVal.trim() === '%s' && %s .fill').getAttribute('width') === '%.1f'`, edge, class, edge, 30*min(1, float64(permille)/1000)))
		}
	}
	now.change(func(s *status.Snapshot) {
		s.Edges[0].Growths, s.Edges[0].BytesPerSecond, s.Bottleneck = 3, 5e6, "km"
		km := &s.Nodes[1]
		km.WorkingSeconds, km.StarvedSeconds, km.BlockedSeconds = 1, 2, 1
		km.LastError = "<b>a text</b> of the worker"
		h := status.Histogram{}
		h.Add(0.002)
		km.Durations = &h
		s.Nodes[2].Paths, s.Nodes[2].State, s.Nodes[2].RowsIn = []string{"out/<i>one</i>.parquet"}, status.Done, 1
	})
	await(edge + `.grown .label')?.textContent === '+3 5.0 MB/s'`)
	await(`parseFloat(getComputedStyle(` + edge + ` .line')).strokeWidth) > 5`)
	await(node + `.bottleneck .box') && getComputedStyle(` + node + ` .box')).strokeWidth === '3px'`)
	await(`document.querySelector('main [data-node="out"] .rate')?.textContent === '1 row'`)
	if err := p.Click(`main [data-node="km"] .box`); err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"25 % working, 50 % starved, 25 % blocked", "p50", "ms", "signal3", "E50013", "rows that became dead letters10", "<b>a text</b> of the worker", "Alloy <dev>", "0123456789abcdef"} {
		await(fmt.Sprintf("document.querySelector('aside').textContent.includes(%q)", text))
	}
	if err := p.Click(`main [data-node="out"] .box`); err != nil {
		t.Fatal(err)
	}
	await(`document.querySelector('aside').textContent.includes('out/<i>one</i>.parquet') && !document.querySelector('aside i')`)
	// A node that has tried again is red for a moment, although it works already.
	now.change(func(s *status.Snapshot) {
		s.Nodes[1].Retries = map[string]int64{"signal": 4}
		s.Seconds = 101
	})
	await(node + `.retrying .state')?.textContent === 'retrying'`)
	now.change(func(s *status.Snapshot) { s.Seconds = 102 })
	await(node + `.working .state')?.textContent === 'working'`)
	now.change(func(s *status.Snapshot) { s.State, s.Error = status.GraphFailed, "no room\non the disk" })
	await(`document.querySelector('#note')?.textContent === 'no room\non the disk' && document.querySelector('#state')?.textContent === 'failed'`)
	if err := p.Eval("window.old = true", nil); err != nil {
		t.Fatal(err)
	}
	now.change(func(s *status.Snapshot) { s.Seconds, s.State, s.Error = 1, status.GraphRunning, "" }) // another run
	await(`!window.old && document.querySelector('#state')?.textContent === 'running'`)
	if found := p.Problems(); len(found) > 0 {
		t.Error(found)
	}
}
