// SPDX-License-Identifier: MIT

package flow

import (
	"sync"
	"time"
)

// Peer adds up how long an actor waits for something that is not a queue, such as the other end
// of a socket. The rule of growth takes the actor for active then, because nobody here can let it
// go on. It has a lock of its own: an actor may wait several times for one batch.
type Peer struct {
	net   *Network
	state State

	mutex sync.Mutex
	waits bool
	since time.Duration
	spent time.Duration
}

// Peer returns the peer of an actor. To wait for it is to be in this state. Call it before the run.
func (a *Actor) Peer(state State) *Peer {
	a.peer = &Peer{net: a.net, state: state}
	return a.peer
}

// Begin says that the actor begins to wait.
func (p *Peer) Begin() {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.waits, p.since = true, time.Since(p.net.begin)
}

// End says that it waits no more.
func (p *Peer) End() {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.waits = false
	p.spent += time.Since(p.net.begin) - p.since
}

// until returns how long the actor has waited, and whether it waits now.
func (p *Peer) until(now time.Duration) (time.Duration, bool) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if p.waits {
		return p.spent + max(0, now-p.since), true
	}
	return p.spent, false
}
