// SPDX-License-Identifier: MIT

package trace

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/ignalina/alloy/apps/thund/internal/fault"
	"github.com/ignalina/alloy/apps/thund/internal/run"
)

const (
	mostWaiting = 64 // traces that wait for a slow collector; others are dropped
	tries       = 3
	tryTime     = 5 * time.Second
	endTime     = 10 * time.Second // for the traces that wait at the end
)

// Exporter sends traces to a collector, or appends them to a file, one line for each. The run
// does not wait for it, and does not fail with it.
type Exporter struct {
	place   string
	parent  Parent
	version string
	file    *os.File // nil: a collector
	warn    func(text string)
	waiting chan *run.Traced
	done    chan struct{}
	ctx     context.Context
	cancel  context.CancelFunc
}

// Open opens a file, or takes the URL of a collector, such as http://127.0.0.1:4318. Parent is a
// traceparent, or empty. Warn is called for what cannot be sent.
func Open(place, parent, version string, warn func(text string)) (*Exporter, error) {
	e := &Exporter{place: place, version: version, warn: warn, waiting: make(chan *run.Traced, mostWaiting), done: make(chan struct{})}
	if parent != "" {
		known := false
		if e.parent, known = ParseParent(parent); !known {
			warn(fmt.Sprintf("the variable TRACEPARENT is not a traceparent of W3C, so the trace has no parent: %q", parent))
		}
	}
	at, err := url.Parse(place)
	switch {
	case strings.HasPrefix(place, "http://") || strings.HasPrefix(place, "https://"):
		if err == nil && at.Host != "" {
			if strings.Trim(at.Path, "/") == "" {
				at.Path = "/v1/traces"
			}
			e.place = at.String()
			break
		}
		return nil, &fault.Fault{Code: fault.Listen, Text: "--trace needs the URL of a collector, or a file", At: "--trace " + place, Help: "write for example --trace http://127.0.0.1:4318", Exit: fault.ExitUsage}
	default:
		if e.file, err = os.OpenFile(place, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o666); err != nil {
			return nil, &fault.Fault{Code: fault.Listen, Text: "the file of --trace cannot be written", At: "--trace " + place, Detail: []string{err.Error()}, Help: "correct the path, or make room on the disk", Exit: fault.ExitMachine, Cause: err}
		}
	}
	e.ctx, e.cancel = context.WithCancel(context.Background())
	go e.work()
	return e, nil
}

// Add takes the trace of a run that has ended. It never waits.
func (e *Exporter) Add(t *run.Traced) {
	select {
	case e.waiting <- t:
	default:
		e.warn("a trace was dropped, because its collector is too slow: " + e.place)
	}
}

// Close sends what waits, for a few seconds at most.
func (e *Exporter) Close() {
	close(e.waiting)
	stop := time.AfterFunc(endTime, e.cancel)
	<-e.done
	stop.Stop()
	e.cancel()
}

func (e *Exporter) work() {
	defer close(e.done)
	for t := range e.waiting {
		text, err := Encode(t, e.parent, e.version)
		if err == nil && e.file != nil {
			_, err = e.file.Write(append(text, '\n'))
		} else if err == nil {
			err = e.send(text)
		}
		if err != nil {
			e.warn(fmt.Sprintf("a trace could not be written to %s: %v", e.place, err))
		}
	}
	if e.file != nil {
		if err := e.file.Close(); err != nil {
			e.warn(err.Error())
		}
	}
}

// send posts a trace. A collector that is busy is asked again.
func (e *Exporter) send(text []byte) error {
	for try := 1; ; try++ {
		again, err := e.post(text)
		if err == nil || !again || try == tries {
			return err
		}
		select {
		case <-time.After(time.Duration(try) * 200 * time.Millisecond):
		case <-e.ctx.Done():
			return err
		}
	}
}

func (e *Exporter) post(text []byte) (again bool, err error) {
	ctx, cancel := context.WithTimeout(e.ctx, tryTime)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, e.place, bytes.NewReader(text))
	if err != nil {
		return false, err
	}
	request.Header.Set("Content-Type", "application/json")
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return true, err
	}
	defer answer.Body.Close()
	said, _ := io.ReadAll(io.LimitReader(answer.Body, 1000)) // only for people
	switch answer.StatusCode {
	case http.StatusOK, http.StatusAccepted, http.StatusNoContent:
		return false, nil
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		again = true
	}
	return again, fmt.Errorf("%s: %s", answer.Status, strings.TrimSpace(string(said)))
}
