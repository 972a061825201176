// SPDX-License-Identifier: MIT

// Package server shows a running graph over HTTP: a page, snapshots as JSON and as events, and
// metrics. It only reads. The control socket and the address of --listen have the same handler.
package server

import (
	"context"
	"io"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/net/netutil"

	"github.com/ignalina/alloy/apps/thund/internal/draw"
	"github.com/ignalina/alloy/apps/thund/internal/status"
)

// The limits of a server. A viewer that is too slow loses its connection; the run never waits.
const (
	mostStreams     = 16 // events and taps
	mostConnections = 64
	headerTime      = 5 * time.Second
	writeTime       = 10 * time.Second // for one piece of an answer
	idleTime        = time.Minute
	goodbyeTime     = time.Second // for the last snapshot of the viewers
)

// Snapshots makes one snapshot for all viewers: a [status.Sampler].
type Snapshots interface {
	// Next returns the newest snapshot, and a channel that is closed when there is a newer one.
	Next() (status.Snapshot, <-chan struct{})
}

// Options are what a server shows.
type Options struct {
	Snapshots Snapshots
	// Nodes and Edges are what the page draws: those of [draw.Of].
	Nodes []draw.Node
	Edges []draw.Edge
	// Tap writes the next batches of a node as an Arrow IPC stream, until the context ends or
	// limit batches are written; 0: no limit. Nil: there is no tap.
	Tap func(ctx context.Context, node string, limit int64, out io.Writer) error
	// AllowTap lets viewers of --listen tap too. The control socket always may.
	AllowTap bool
	Version  string
}

// Server answers viewers. Any goroutine may use it.
type Server struct {
	options Options
	feed    feed
	page    page
	metrics http.Handler
	streams atomic.Int32
	ending  chan struct{}

	mutex   sync.Mutex
	servers []*http.Server
	closed  bool
}

// New returns a server that listens nowhere yet.
func New(o Options) *Server {
	s := &Server{options: o, ending: make(chan struct{})}
	s.feed.source = o.Snapshots
	s.page = newPage(o)
	s.metrics = newMetrics(o)
	return s
}

// Handler answers the viewers of the control socket, who are this user.
func (s *Server) Handler() http.Handler { return readOnly(s.routes(true)) }

// RemoteHandler answers the viewers of an address, where a browser may ask for any page.
func (s *Server) RemoteHandler() http.Handler {
	return readOnly(onlyThisMachine(s.routes(s.options.AllowTap)))
}

func (s *Server) routes(mayTap bool) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/{$}", s.page.serve)
	mux.HandleFunc("/snapshot", s.snapshot)
	mux.HandleFunc("/events", s.events)
	mux.HandleFunc("/tap", func(w http.ResponseWriter, r *http.Request) { s.tap(w, r, mayTap) })
	mux.Handle("/metrics", s.metrics)
	mux.HandleFunc("/healthz", s.health(func(state status.GraphState) bool { return state != status.GraphFailed }))
	mux.HandleFunc("/readyz", s.health(func(state status.GraphState) bool {
		return state == status.GraphRunning || state == status.GraphDraining
	}))
	return mux
}

// Serve answers at a listener until the server is closed. It closes the listener.
func (s *Server) Serve(l net.Listener, handler http.Handler) {
	made := &http.Server{
		Handler: handler, ReadHeaderTimeout: headerTime, WriteTimeout: writeTime, IdleTimeout: idleTime, MaxHeaderBytes: 16 << 10,
		// A viewer that breaks off is no news.
		ErrorLog: quiet(),
	}
	s.mutex.Lock()
	if s.closed {
		s.mutex.Unlock()
		l.Close()
		return
	}
	s.servers = append(s.servers, made)
	s.mutex.Unlock()
	// It returns when the server is closed. Other errors leave the run as it is.
	_ = made.Serve(netutil.LimitListener(l, mostConnections))
}

// Close sends the newest snapshot to all viewers, and ends. It takes at most about a second.
func (s *Server) Close() {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if s.closed {
		return
	}
	s.closed = true
	close(s.ending)
	ctx, cancel := context.WithTimeout(context.Background(), goodbyeTime)
	defer cancel()
	var all sync.WaitGroup
	for _, one := range s.servers {
		all.Go(func() {
			if one.Shutdown(ctx) != nil {
				one.Close()
			}
		})
	}
	all.Wait()
}
