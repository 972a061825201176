// SPDX-License-Identifier: MIT

package flow

import "slices"

// waitToPut lets an actor wait for room, until it is woken. The network is locked.
func (a *Actor) waitToPut(q *Queue, needs int64) {
	a.put, a.needs = q, needs
	a.net.grow(a)
	a.turn()
	for a.put != nil && a.net.failed == nil {
		a.wake.Wait()
	}
	a.put = nil
	a.turn()
}

// waitToGet lets an actor, or a thread of its backend, wait for a batch.
func (a *Actor) waitToGet(q *Queue) {
	a.gets = append(a.gets, q)
	a.net.grow(a)
	a.turn()
	for slices.Contains(a.gets, q) && a.net.failed == nil {
		a.wake.Wait()
	}
	a.turn()
}

// wakeFor wakes an actor that waits for a queue. It is active from here on, even before its
// goroutine runs, so that nobody takes it for a part of a circular wait.
func (a *Actor) wakeFor(q *Queue) {
	if a.put == q {
		a.put = nil
	} else if i := slices.Index(a.gets, q); i >= 0 {
		a.gets = slices.Delete(a.gets, i, i+1)
	} else {
		return
	}
	a.wake.Broadcast()
}

// Enter says that the actor is inside a backend from here on. Threads of a backend may ask
// for batches at other times too, but the actor does not wait for them then.
func (a *Actor) Enter() { a.setOutside(false) }

// Leave says that the actor has left the backend.
func (a *Actor) Leave() { a.setOutside(true) }

func (a *Actor) setOutside(outside bool) {
	a.net.mu.Lock()
	defer a.net.mu.Unlock()
	a.outside = outside
	a.net.grow(a)
	a.turn()
}

// waits reports whether an actor waits.
func (a *Actor) waits() bool { return a.put != nil || len(a.gets) > 0 && !a.outside }

// waitsFor returns the actors of which one must act before this one can go on.
func (a *Actor) waitsFor() (others []*Actor) {
	if a.put != nil {
		return []*Actor{a.put.reader}
	}
	for _, q := range a.gets {
		others = append(others, q.writers...)
	}
	return others
}

// grow looks for a circular wait from an actor that may have begun to wait. If everybody
// on the way waits, the smallest full queue on a cycle gets room for one more batch.
func (n *Network) grow(from *Actor) {
	reached := []*Actor{from}
	for i := 0; i < len(reached); i++ {
		if !reached[i].waits() {
			return // it is active, and will act
		}
		for _, next := range reached[i].waitsFor() {
			if !slices.Contains(reached, next) {
				reached = append(reached, next)
			}
		}
	}
	// A full queue is on a cycle if its writer waits for it, and its reader leads back to
	// the writer. A queue that only leads to the cycle does not grow.
	var least *Actor
	var cycle []*Queue
	for _, a := range reached {
		if a.put != nil && leadsTo(a.put.reader, a) {
			cycle = append(cycle, a.put)
			if least == nil || a.put.bytes < least.put.bytes {
				least = a
			}
		}
	}
	if least == nil {
		return
	}
	if n.held > 0 && n.bytes+n.held+least.needs > n.memory {
		n.held = 0 // what is held is given up first, so it never ends a run
		n.GiveUp()
	}
	q := least.put
	if n.bytes+least.needs > n.memory {
		n.fail(n.Full(cycle, n.bytes+least.needs))
		return
	}
	q.limitBatches = max(q.limitBatches, len(q.items)+1)
	q.limitBytes = max(q.limitBytes, q.bytes+least.needs)
	q.counts.Growths++
	if n.Grew != nil {
		n.Grew(q)
	}
	least.wakeFor(q)
}

// Hold counts bytes that are kept for a restart, if the memory has room for them.
func (n *Network) Hold(bytes int64) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.bytes+n.held+bytes > n.memory {
		return false
	}
	n.held += bytes
	return true
}

// Unhold counts them no more.
func (n *Network) Unhold(bytes int64) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.held = max(0, n.held-bytes)
}

// leadsTo reports whether the waits lead from one actor to another.
func leadsTo(from, to *Actor) bool {
	reached := []*Actor{from}
	for i := 0; i < len(reached); i++ {
		if reached[i] == to {
			return true
		}
		if !reached[i].waits() {
			continue
		}
		for _, next := range reached[i].waitsFor() {
			if !slices.Contains(reached, next) {
				reached = append(reached, next)
			}
		}
	}
	return false
}
