// SPDX-License-Identifier: MIT
package main

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"sync/atomic"

	"github.com/ignalina/alloy"
)

const streamType = "application/vnd.apache.arrow.stream"

// errorTrailer has the error of a response that had begun. Such a response has no Arrow end
// marker, so a client notices even if it does not read trailers.
const errorTrailer = "Alloy-Error"

var errStopping = errors.New("the service is stopping")

// service serves the functions of one bridge.
type service struct {
	bridge   alloy.GoBridge
	metrics  metrics
	stopping atomic.Bool
}

func newService() *service {
	s := &service{}
	s.bridge.Logger = slog.Default()
	s.bridge.Observe = s.metrics.observe
	return s
}

func (s *service) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /functions/{name}", s.call)
	mux.HandleFunc("PUT /functions/{name}", s.call) // curl -T
	mux.HandleFunc("GET /functions", s.list)
	mux.HandleFunc("GET /ready", s.ready)
	mux.HandleFunc("GET /metrics", func(w http.ResponseWriter, _ *http.Request) {
		s.metrics.write(w, s.bridge.Outstanding())
	})
	return mux
}

// call streams a request through a function. The query has the options of the function.
func (s *service) call(w http.ResponseWriter, r *http.Request) {
	// HTTP/1 servers would otherwise read the whole request before the response begins.
	control := http.NewResponseController(w)
	if err := control.EnableFullDuplex(); err != nil {
		answer(w, err)
		return
	}
	ctx, cancel := context.WithCancelCause(r.Context())
	defer cancel(nil)
	body := newReadAhead(ctx, cancel, r.Body)
	defer body.stop(control)
	response := &response{ResponseWriter: w, request: r, body: body}

	in, err := alloy.ReadIPC(body)
	if err != nil {
		answer(response, err)
		return
	}
	defer in.Release()
	out, err := s.bridge.Stream(ctx, r.PathValue("name"), optionsOf(r), in)
	if err != nil {
		answer(response, err)
		return
	}
	defer out.Release()

	w.Header().Set("Content-Type", streamType)
	w.Header().Set("Trailer", errorTrailer)
	err = alloy.WriteIPC(response, out)
	switch {
	case err == nil:
	case !response.begun: // WriteIPC writes nothing before the first batch
		w.Header().Del("Trailer")
		answer(response, err)
	default:
		w.Header().Set(errorTrailer, oneLine(err.Error()))
	}
}

// response notices when the response begins.
type response struct {
	http.ResponseWriter
	request *http.Request
	body    *readAhead
	begun   bool
}

// begin closes the connection after this response if the request has not ended yet. What is
// left of it must not be read as the next request, and net/http does not see to that in full
// duplex.
func (r *response) begin() {
	if !r.begun && r.request.ProtoMajor == 1 && !r.body.ended.Load() {
		r.Header().Set("Connection", "close")
	}
	r.begun = true
}

func (r *response) WriteHeader(status int) {
	r.begin()
	r.ResponseWriter.WriteHeader(status)
}

func (r *response) Write(p []byte) (int, error) {
	r.begin()
	return r.ResponseWriter.Write(p)
}

// FlushError lets WriteIPC send each batch at once.
func (r *response) FlushError() error {
	return http.NewResponseController(r.ResponseWriter).Flush()
}

func optionsOf(r *http.Request) alloy.Options {
	options := alloy.Options{}
	for name, values := range r.URL.Query() {
		options[name] = values[len(values)-1]
	}
	return options
}

func (s *service) list(w http.ResponseWriter, _ *http.Request) {
	functions, err := s.bridge.Functions()
	if err != nil {
		answer(w, err)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(functions) // the client may have gone
}

// ready is 503 while the service stops, so that a load balancer sends no more requests.
func (s *service) ready(w http.ResponseWriter, _ *http.Request) {
	backend, err := s.bridge.Backend()
	if s.stopping.Load() {
		err = &alloy.Error{Code: alloy.Closed, Input: -1, Column: -1, Text: errStopping.Error()}
	}
	if err != nil {
		answer(w, err)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(backend)
}
