// SPDX-License-Identifier: MIT

package alloy

import (
	"context"
	"sync"
	"sync/atomic"

	"github.com/ignalina/alloy/go/engine"
)

// Progress shows how far a Call or a Stream is. The zero value is ready to use. Pass it with
// [WithProgress], to one Call or Stream at a time, and read it from any goroutine.
type Progress struct {
	mutex       sync.Mutex
	call        *engine.Call // while it runs
	done, total int64
}

// Get returns what the backend has reported last, in a unit of its own. A total of 0 is not
// known. Both are 0 before the first report. After the end it returns the last report.
func (p *Progress) Get() (done, total int64) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if p.call != nil {
		p.done, p.total = p.call.Progress()
	}
	return p.done, p.total
}

type progressKey struct{}

// usesProgress is set by the first WithProgress. Programs without one do not search their
// contexts, which may be long chains, in each call.
var usesProgress atomic.Bool

// WithProgress returns a context with which a Call or a Stream shows its progress.
func WithProgress(ctx context.Context, progress *Progress) context.Context {
	usesProgress.Store(true)
	return context.WithValue(ctx, progressKey{}, progress)
}

// progressOf returns the progress that a context carries; nil: none.
func progressOf(ctx context.Context) *Progress {
	if !usesProgress.Load() {
		return nil
	}
	progress, _ := ctx.Value(progressKey{}).(*Progress)
	return progress
}

// follow is called before a call runs.
func (p *Progress) follow(call *engine.Call) {
	if p == nil {
		return
	}
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.call, p.done, p.total = call, 0, 0
}

// leave is called before another one may use the call.
func (p *Progress) leave() {
	if p == nil {
		return
	}
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if p.call != nil {
		p.done, p.total = p.call.Progress()
		p.call = nil
	}
}
