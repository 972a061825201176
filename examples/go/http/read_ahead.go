// SPDX-License-Identifier: MIT
package main

import (
	"context"
	"io"
	"net/http"
	"sync/atomic"
	"time"
)

const (
	chunkBytes  = 64 << 10
	chunksAhead = 16
)

// readAhead reads the body of a request on a goroutine of its own, up to 1 MiB ahead. An
// HTTP/1 server notices that a client has gone only while somebody reads. So without it, a
// client that goes away during a long batch would not stop the backend.
type readAhead struct {
	ctx    context.Context
	chunks chan []byte
	rest   []byte
	err    error       // set before chunks is closed
	ended  atomic.Bool // the body was read to its end
}

// newReadAhead starts to read body. If body fails, it cancels ctx by cancel.
func newReadAhead(ctx context.Context, cancel context.CancelCauseFunc, body io.Reader) *readAhead {
	a := &readAhead{ctx: ctx, chunks: make(chan []byte, chunksAhead)}
	go func() {
		defer close(a.chunks)
		for {
			chunk := make([]byte, chunkBytes)
			n, err := body.Read(chunk)
			if n > 0 {
				select {
				case a.chunks <- chunk[:n]:
				case <-ctx.Done():
					err = context.Cause(ctx)
				}
			}
			if err != nil {
				a.err = err
				if a.ended.Store(err == io.EOF); err != io.EOF {
					cancel(err)
				}
				return
			}
		}
	}()
	return a
}

// Read returns when there are bytes, when the body has ended, or when ctx ends.
func (a *readAhead) Read(p []byte) (int, error) {
	if len(a.rest) == 0 {
		select {
		case chunk, ok := <-a.chunks:
			if !ok {
				return 0, a.err
			}
			a.rest = chunk
		case <-a.ctx.Done():
			return 0, context.Cause(a.ctx)
		}
	}
	n := copy(p, a.rest)
	a.rest = a.rest[n:]
	return n, nil
}

// stop waits until nobody reads the body any more; the handler may return only then. What a
// client still sends is dropped, for a moment: a connection that is closed with bytes in it is
// reset, and the client may lose the response.
func (a *readAhead) stop(control *http.ResponseController) {
	const moment = 500 * time.Millisecond
	if !a.ended.Load() {
		_ = control.SetReadDeadline(time.Now().Add(moment))
	}
	for range a.chunks {
	}
}
