// SPDX-License-Identifier: MIT

package server

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/ignalina/alloy/apps/thund/internal/status"
)

// aliveTime is how often a stream of events says that it is there.
var aliveTime = 15 * time.Second

// feed keeps the newest snapshot as JSON, made once for all viewers.
type feed struct {
	source Snapshots

	mutex sync.Mutex
	newer <-chan struct{} // of the snapshot in text
	text  []byte
}

// shown is a snapshot with what is computed for viewers.
type shown struct {
	status.Snapshot
	Nodes []shownNode `json:"nodes"`
}

type shownNode struct {
	status.Node
	P50 float64 `json:"p50_seconds,omitempty"`
	P99 float64 `json:"p99_seconds,omitempty"`
}

// newest returns the newest snapshot, and a channel that is closed when there is a newer one.
func (f *feed) newest() (text []byte, newer <-chan struct{}) {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	now, newer := f.source.Next()
	if newer == f.newer {
		return f.text, newer
	}
	all := shown{Snapshot: now, Nodes: make([]shownNode, len(now.Nodes))}
	for i, n := range now.Nodes {
		all.Nodes[i] = shownNode{Node: n}
		if n.Durations != nil {
			all.Nodes[i].P50, all.Nodes[i].P99 = n.Durations.Quantile(0.5), n.Durations.Quantile(0.99)
		}
	}
	text, err := json.Marshal(all)
	if err != nil { // a rate that is not a number, for example
		text = fmt.Appendf(nil, `{"error":%q}`, err)
	}
	f.text, f.newer = text, newer
	return f.text, newer
}

func (s *Server) snapshot(w http.ResponseWriter, _ *http.Request) {
	text, _ := s.feed.newest()
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(text) // a viewer that has gone needs no answer
}

// enter counts a stream, and refuses one too many.
func (s *Server) enter(w http.ResponseWriter) (leave func(), ok bool) {
	if s.streams.Add(1) > mostStreams {
		s.streams.Add(-1)
		w.Header().Set("Retry-After", "5")
		http.Error(w, fmt.Sprintf("%d viewers are there already; close one of them", mostStreams), http.StatusServiceUnavailable)
		return nil, false
	}
	return func() { s.streams.Add(-1) }, true
}

// patient writes pieces of an answer, each within its own time.
type patient struct {
	http.ResponseWriter
	control *http.ResponseController
}

func (p patient) Write(text []byte) (int, error) {
	if err := p.control.SetWriteDeadline(time.Now().Add(writeTime)); err != nil {
		return 0, err
	}
	n, err := p.ResponseWriter.Write(text)
	if err == nil {
		err = p.control.Flush()
	}
	return n, err
}

// events sends each snapshot that a viewer is fast enough for. The newest always comes next, so
// a slow one sees fewer.
func (s *Server) events(w http.ResponseWriter, r *http.Request) {
	leave, ok := s.enter(w)
	if !ok {
		return
	}
	defer leave()
	w.Header().Set("Content-Type", "text/event-stream")
	out := patient{w, http.NewResponseController(w)}
	alive := time.NewTicker(aliveTime)
	defer alive.Stop()
	var sent <-chan struct{}
	for {
		text, newer := s.feed.newest()
		if newer != sent {
			if _, err := fmt.Fprintf(out, "data: %s\n\n", text); err != nil {
				return
			}
			sent = newer
		}
		select {
		case <-newer:
		case <-alive.C:
			if _, err := out.Write([]byte(": here\n\n")); err != nil {
				return
			}
		case <-s.ending:
			if text, newer := s.feed.newest(); newer != sent {
				fmt.Fprintf(out, "data: %s\n\n", text)
			}
			fmt.Fprint(out, "event: end\ndata: {}\n\n")
			return
		case <-r.Context().Done():
			return
		}
	}
}

// tap sends passing batches of a node. A slow viewer misses batches.
func (s *Server) tap(w http.ResponseWriter, r *http.Request, mayTap bool) {
	if !mayTap {
		http.Error(w, "rows are not shown at this address; start the run with --allow-tap, or use thund tap on this machine", http.StatusForbidden)
		return
	}
	node, limit := r.URL.Query().Get("node"), int64(0)
	if text := r.URL.Query().Get("limit"); text != "" {
		var err error
		if limit, err = strconv.ParseInt(text, 10, 64); err != nil || limit < 1 {
			http.Error(w, fmt.Sprintf("limit is not a number above 0: %q", text), http.StatusBadRequest)
			return
		}
	}
	now, _ := s.options.Snapshots.Next()
	known := false
	for _, n := range now.Nodes {
		known = known || n.Name == node
	}
	if !known || s.options.Tap == nil {
		http.Error(w, fmt.Sprintf("the graph has no node %q whose batches can be shown", node), http.StatusNotFound)
		return
	}
	leave, ok := s.enter(w)
	if !ok {
		return
	}
	defer leave()
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	go func() {
		select {
		case <-s.ending:
			cancel()
		case <-ctx.Done():
		}
	}()
	w.Header().Set("Content-Type", "application/vnd.apache.arrow.stream")
	// The stream ends without its end mark if this fails, and a reader of Arrow sees that.
	_ = s.options.Tap(ctx, node, limit, patient{w, http.NewResponseController(w)})
}

// health answers 200 or 503 by the state of the graph.
func (s *Server) health(isGood func(status.GraphState) bool) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		now, _ := s.options.Snapshots.Next()
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		if !isGood(now.State) {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		fmt.Fprintln(w, now.State)
	}
}
