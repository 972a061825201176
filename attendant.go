// SPDX-License-Identifier: MIT

package alloy

import (
	"sync"
	"sync/atomic"
)

// attendant runs the methods of readers where Go programs expect them to run: on the
// goroutine that asks the stream of results for a batch, and not inside of a callback from C.
// A reader may depend on that. The coroutines of iter.Pull end the whole program if they are
// resumed in a callback, because Go locks the goroutine to its thread there. A reader may also
// have locked its thread on purpose, and it may end its goroutine.
//
// While the goroutine of the program waits in attend, another one is inside C. If C asks for a
// batch when nobody attends, which a thread of a backend may do between two batches, the
// reader runs on a goroutine of its own.
//
// A stream that was passed to another stream has the attendant of that one.
type attendant struct {
	inside  atomic.Bool // a goroutine of the program is inside C, or waits for one that is
	pending atomic.Bool // there are things to do afterwards
	parent  atomic.Pointer[attendant]

	mutex     sync.Mutex
	attending bool
	visits    []*visit
	signal    chan struct{} // of one: there are visits
	later     []func()      // to do when C has returned
}

// visit is something that C waits for.
type visit struct {
	body func()
	done chan struct{}
}

// run also ends the visit if its body ends the goroutine.
func (v *visit) run() {
	defer close(v.done)
	v.body()
}

func (a *attendant) root() *attendant {
	for {
		parent := a.parent.Load()
		if parent == nil {
			return a
		}
		a = parent
	}
}

// enter enters C on this goroutine.
func (a *attendant) enter(c func()) {
	a.inside.Store(true)
	c()
	a.leave()
}

// attend enters C on another goroutine, and runs visits on this one meanwhile. If a visit
// ends this goroutine, attend still waits until C has returned.
func (a *attendant) attend(c func()) {
	done := make(chan struct{})
	a.inside.Store(true)
	a.mutex.Lock()
	a.attending = true
	if a.signal == nil {
		a.signal = make(chan struct{}, 1)
	}
	a.mutex.Unlock()
	defer func() {
		a.depart()
		<-done
		a.leave()
	}()
	go func() {
		defer close(done)
		c()
	}()
	for {
		select {
		case <-done:
			return
		case <-a.signal:
			for v, ok := take(a, &a.visits); ok; v, ok = take(a, &a.visits) {
				v.run()
			}
		}
	}
}

// depart gives the visits that remain goroutines of their own.
func (a *attendant) depart() {
	a.mutex.Lock()
	a.attending = false
	rest := a.visits
	a.visits = nil
	a.mutex.Unlock()
	for _, v := range rest {
		go v.run()
	}
}

// do runs a body outside of C, and waits for it. It is called in a callback from C.
func (a *attendant) do(body func()) {
	a = a.root()
	v := &visit{body, make(chan struct{})}
	a.mutex.Lock()
	if a.attending {
		a.visits = append(a.visits, v)
		select {
		case a.signal <- struct{}{}:
		default: // it is signalled already
		}
	} else {
		go v.run()
	}
	a.mutex.Unlock()
	<-v.done
}

// afterwards runs a body when C has returned, or soon if nobody is inside C. It does not
// wait. It is called in a callback from C.
func (a *attendant) afterwards(body func()) {
	a = a.root()
	a.mutex.Lock()
	a.later = append(a.later, body)
	a.mutex.Unlock()
	a.pending.Store(true)
	// In this order: either this goroutine or the one that leaves C sees what the other wrote.
	if !a.inside.Load() {
		go a.finish()
	}
}

// leave is called when C has returned.
func (a *attendant) leave() {
	a.inside.Store(false)
	if a.pending.Load() {
		a.finish()
	}
}

func (a *attendant) finish() {
	a.pending.Store(false)
	for body, ok := take(a, &a.later); ok; body, ok = take(a, &a.later) {
		guarded(body)
	}
}

// guarded drops a panic of a reader's Release, which nobody waits for.
func guarded(body func()) {
	defer func() { _ = recover() }()
	body()
}

// take removes the first of one of the queues of a; ok is false if the queue is empty.
func take[T any](a *attendant, queue *[]T) (first T, ok bool) {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	if len(*queue) == 0 {
		return first, false
	}
	first = (*queue)[0]
	*queue = (*queue)[1:]
	return first, true
}
