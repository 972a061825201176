// SPDX-License-Identifier: MIT

package flow

import "time"

// State is what a node does, as its queues show it.
type State int

// The states of a node.
const (
	Working State = iota
	Starved       // it waits for a batch
	Blocked       // it waits for room
)

// Clock adds up how long a node was in each state. The actors of one node share one clock,
// which changes only when an actor begins or ends to wait: a batch that passes costs nothing.
type Clock struct {
	net    *Network
	actors []*Actor // the last one delivers
	left   int      // actors that have not ended
	runs   bool     // it has begun, and has not ended
	state  State
	since  time.Duration // since the begin of the network
	spent  [3]time.Duration
}

// Times is what a clock shows.
type Times struct {
	State State
	Begun bool
	Ended bool
	Spent [3]time.Duration // by State; their sum is the time that the node has run
}

// Share makes an actor a part of the node of another one, which it delivers for.
func (a *Actor) Share(with *Actor) {
	a.clock = with.clock
	a.clock.actors = append(a.clock.actors, a)
	a.clock.left++
}

// Begin starts the clock of the actor's node.
func (a *Actor) Begin() {
	a.net.mu.Lock()
	defer a.net.mu.Unlock()
	if c := a.clock; !c.runs {
		c.runs, c.since, c.state = true, time.Since(c.net.begin), c.now()
	}
}

// Times returns what the clock of the actor's node shows.
func (a *Actor) Times() Times {
	a.net.mu.Lock()
	defer a.net.mu.Unlock()
	c, now := a.clock, time.Since(a.net.begin)
	t := Times{State: c.state, Begun: c.runs || c.left == 0, Ended: c.left == 0, Spent: c.spent}
	if c.runs {
		t.Spent[c.state] += now - c.since
	}
	if a.peer != nil {
		waited, waits := a.peer.until(now)
		waited = min(waited, t.Spent[Working])
		t.Spent[Working] -= waited
		t.Spent[a.peer.state] += waited
		if waits && t.State == Working {
			t.State = a.peer.state
		}
	}
	return t
}

// turn is called when an actor may have begun or ended to wait. The network is locked.
func (a *Actor) turn() {
	c := a.clock
	if !c.runs {
		return
	}
	if state := c.now(); state != c.state {
		c.add()
		c.state = state
	}
}

// add counts the time until now.
func (c *Clock) add() {
	now := time.Since(c.net.begin)
	c.spent[c.state] += now - c.since
	c.since = now
}

// end counts an actor no more. The clock stops with the last one.
func (c *Clock) end() {
	if c.left--; c.left == 0 && c.runs {
		c.add()
		c.runs = false
	}
}

// now is the state of the node: blocked if what it has made waits for room, and starved if
// all of its actors wait for a batch.
func (c *Clock) now() State {
	last := c.actors[len(c.actors)-1]
	if last.put != nil {
		return Blocked
	}
	for _, a := range c.actors {
		if a.put != nil || len(a.gets) == 0 || a.outside {
			return Working
		}
	}
	return Starved
}
