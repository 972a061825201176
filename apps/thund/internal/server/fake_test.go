// SPDX-License-Identifier: MIT

package server

import (
	"bufio"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ignalina/alloy/apps/thund/internal/draw"
	"github.com/ignalina/alloy/apps/thund/internal/status"
)

// graph is a run whose numbers a test moves.
type graph struct {
	mutex sync.Mutex
	now   status.Snapshot
	looks atomic.Int64
}

func newGraph() *graph {
	expires := time.Now().Add(100*24*time.Hour + time.Hour)
	return &graph{now: status.Snapshot{Graph: "flights", State: status.GraphRunning, MemoryLimit: 1 << 30, Nodes: []status.Node{
		{Name: "late", Kind: "source", What: "ipc socket", State: status.Working, RowsOut: 1000, Broken: 2},
		{Name: "km", Kind: "step", What: "rel.scale", State: status.Working, RowsIn: 900, RowsOut: 890, Workers: 2, DeadLetters: 10,
			Durations: &status.Histogram{Sum: 1}, Retries: map[string]int64{"signal": 3}, Restarts: map[string]int64{"signal": 3},
			Errors:  map[string]int64{"E5001": 3},
			Backend: &status.Backend{Library: "rel.so", Signer: "Alloy <dev>", SHA256: "0123456789abcdef", Expires: &expires}},
		{Name: "out", Kind: "sink", What: "parquet", State: status.Starved, RowsIn: 890},
	}, Edges: []status.Edge{
		{From: "late", To: "km", QueueBatches: 7, LimitBatches: 8, LimitBytes: 1 << 20, Growths: 1},
		{From: "km", To: "out", LimitBatches: 8, LimitBytes: 1 << 20},
	}, Files: &status.Files{Done: 4, Ignored: 1, Bytes: 100, Rows: 10}}}
}

func (g *graph) snapshot() status.Snapshot {
	g.looks.Add(1)
	g.mutex.Lock()
	defer g.mutex.Unlock()
	now := g.now
	now.Time = time.Now()
	now.Nodes = append([]status.Node(nil), g.now.Nodes...)
	now.Edges = append([]status.Edge(nil), g.now.Edges...)
	return now
}

func (g *graph) change(how func(*status.Snapshot)) {
	g.mutex.Lock()
	defer g.mutex.Unlock()
	how(&g.now)
}

var drawn = []draw.Node{{Name: "late", Kind: "source"}, {Name: "km", Kind: "step", Mode: "workers"}, {Name: "out", Kind: "sink"}}
var arrows = []draw.Edge{{From: "late", To: "km", Queue: "late>km:0"}, {From: "km", To: "out", Queue: "km>out:0"}}

// serve starts a server at an address of this machine.
func serve(t *testing.T, g *graph, how func(*Options)) (s *Server, sampler *status.Sampler, url string) {
	t.Helper()
	sampler = status.NewSampler(g.snapshot, 10*time.Millisecond)
	o := Options{Snapshots: sampler, Nodes: drawn, Edges: arrows, Version: "1.2.3"}
	if how != nil {
		how(&o)
	}
	s = New(o)
	l, err := Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go s.Serve(l, s.RemoteHandler())
	t.Cleanup(s.Close)
	return s, sampler, "http://" + l.Addr().String()
}

func get(t *testing.T, url string) (int, string, http.Header) {
	t.Helper()
	answer, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, string(text), answer.Header
}

// viewer opens a stream of events.
func viewer(t *testing.T, url string) (*http.Response, *bufio.Reader) {
	t.Helper()
	answer, err := http.Get(url + "/events")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { answer.Body.Close() })
	return answer, bufio.NewReader(answer.Body)
}

// event returns the next event and its data.
func event(t *testing.T, from *bufio.Reader) (name, data string) {
	t.Helper()
	for {
		line, err := from.ReadString('\n')
		if err != nil {
			t.Fatalf("after %q %q: %v", name, data, err)
		}
		switch line = strings.TrimSuffix(line, "\n"); {
		case line == "" && data != "":
			return name, data
		case strings.HasPrefix(line, "event: "):
			name = line[7:]
		case strings.HasPrefix(line, "data: "):
			data = line[6:]
		}
	}
}
