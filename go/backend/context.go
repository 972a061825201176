// SPDX-License-Identifier: MIT

package backend

import (
	"context"
	"sync"
	"time"
)

// callContext is the context of a call. The engine does not tell a backend that a call was
// cancelled, so the channel of Done needs a goroutine that asks. It exists only if somebody
// wants the channel.
type callContext struct {
	scope *scope

	mu      sync.Mutex
	done    chan struct{}
	end     chan struct{} // closed by finish
	watched sync.WaitGroup
}

// How often the engine is asked while somebody waits for Done.
const askEvery = time.Millisecond

func (c *callContext) Deadline() (time.Time, bool) { return time.Time{}, false }
func (c *callContext) Value(any) any               { return nil }

func (c *callContext) Err() error {
	if c.scope.cancelled() {
		return context.Canceled
	}
	return nil
}

func (c *callContext) Done() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.done != nil {
		return c.done
	}
	c.done, c.end = make(chan struct{}), make(chan struct{})
	c.watched.Go(func() { c.watch(c.done, c.end) })
	return c.done
}

func (c *callContext) watch(done, end chan struct{}) {
	ticker := time.NewTicker(askEvery)
	defer ticker.Stop()
	for c.Err() == nil {
		select {
		case <-end:
			return
		case <-ticker.C:
		}
	}
	close(done)
}

// finish ends the watch, before the scope of the call ends.
func (c *callContext) finish() {
	c.mu.Lock()
	if c.end != nil {
		close(c.end)
		c.end = nil
	}
	c.mu.Unlock()
	c.watched.Wait()
}
