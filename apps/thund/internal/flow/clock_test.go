// SPDX-License-Identifier: MIT

package flow

import (
	"math/rand/v2"
	"sync"
	"testing"
	"time"
)

// until waits until an actor is in a state.
func until(t *testing.T, a *Actor, state State) {
	t.Helper()
	for begin := time.Now(); a.Times().State != state; {
		if time.Since(begin) > 10*time.Second {
			t.Fatalf("%s is in state %d, and not in %d", a.Name, a.Times().State, state)
		}
		time.Sleep(time.Millisecond)
	}
}

func TestAClockKnowsWhoWaitsForWhat(t *testing.T) {
	net := NewNetwork(1 << 20)
	source, sink := net.NewActor("source"), net.NewActor("sink")
	q := net.NewQueue("source", "sink", 0, 1, 1<<20, sink)
	q.Connect(source)
	if times := sink.Times(); times.Begun || times.Ended {
		t.Errorf("it has not begun: %+v", times)
	}
	source.Begin()
	sink.Begin()
	until(t, sink, Working)
	var all sync.WaitGroup
	step := make(chan bool)
	all.Go(func() {
		defer sink.End()
		for {
			if _, more, _ := q.Get(); !more {
				return
			}
			<-step
		}
	})
	until(t, sink, Starved)
	all.Go(func() {
		defer source.End()
		for range 3 { // one is in work, one waits, and one has no room
			if err := q.Put(source, Item{Bytes: 1}); err != nil {
				t.Error(err)
			}
		}
	})
	until(t, source, Blocked)
	until(t, sink, Working)
	for range 3 {
		step <- true
	}
	all.Wait()
	for _, a := range []*Actor{source, sink} {
		times := a.Times()
		if !times.Ended || times.Spent != a.Times().Spent {
			t.Errorf("the clock of %s goes on after its end", a.Name)
		}
	}
	if spent := source.Times().Spent; spent[Blocked] == 0 || spent[Starved] != 0 {
		t.Errorf("the source: %v", spent)
	}
}

// Something outside counts as waiting, but never as a part of a circular wait.
func TestAwaitingAPeerLetsNoQueueGrow(t *testing.T) {
	net, nodes, direct := diamond(1 << 20)
	source, join := nodes[0], nodes[2]
	peer := join.actor.Peer(Starved)
	join.actor.Begin()
	peer.Begin()
	until(t, join.actor, Starved)
	if err := direct.Put(source.actor, Item{Bytes: 1}); err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	all.Go(func() {
		if err := direct.Put(source.actor, Item{Bytes: 1}); err != nil {
			t.Error(err)
		}
	})
	source.actor.Begin()
	until(t, source.actor, Blocked)
	net.Each(func(q *Queue, c Counts, _ Fill) {
		if c.Growths > 0 {
			t.Errorf("%s -> %s grew", q.From, q.To)
		}
	})
	if _, more, err := direct.Get(); !more || err != nil {
		t.Error(more, err)
	}
	all.Wait()
	peer.End()
	until(t, join.actor, Working)
	if times := join.actor.Times(); times.Spent[Starved] == 0 || times.Spent[Working] < 0 {
		t.Errorf("it has waited %v", times.Spent)
	}
}

// A node of two actors starves only if both wait, and is blocked if its results have no room.
func TestTwoActorsOfANodeHaveOneClock(t *testing.T) {
	net := NewNetwork(1 << 20)
	intake, delivery, sink := net.NewActor("step"), net.NewActor("step (delivery)"), net.NewActor("sink")
	in := net.NewQueue("source", "step", 0, 1, 1<<20, intake)
	in.Connect(net.NewActor("source"))
	between := net.NewQueue("step", "step (delivery)", 0, 1, 1<<20, delivery)
	between.Connect(intake)
	out := net.NewQueue("step", "sink", 0, 1, 1<<20, sink)
	out.Connect(delivery)
	delivery.Share(intake)
	intake.Begin()
	delivery.Begin()
	put := func(q *Queue, a *Actor) {
		if err := q.Put(a, Item{Bytes: 1}); err != nil {
			t.Error(err)
		}
	}
	get := func(q *Queue) {
		if _, more, err := q.Get(); !more || err != nil {
			t.Error(more, err)
		}
	}
	var all sync.WaitGroup
	all.Go(func() { get(between) })
	time.Sleep(10 * time.Millisecond)
	if state := intake.Times().State; state != Working {
		t.Errorf("only the delivery waits, and the state is %d", state)
	}
	all.Go(func() { get(in) })
	until(t, intake, Starved)
	put(in, in.writers[0])
	until(t, intake, Working)
	put(between, intake)
	all.Wait()
	put(out, delivery)
	all.Go(func() { put(out, delivery) })
	until(t, delivery, Blocked)
	get(out)
	all.Wait()
	intake.End()
	if times := delivery.Times(); times.Ended {
		t.Error("the delivery has not ended")
	}
	delivery.End()
	if times := intake.Times(); !times.Ended {
		t.Error("both have ended")
	}
}

// Whatever the graph: the three times of a node are the time that it has run, they only grow, and
// to look at them disturbs nothing.
func TestTheTimesOfRandomGraphsAddUp(t *testing.T) {
	for seed := range 60 {
		r := rand.New(rand.NewPCG(uint64(seed), 2))
		net := NewNetwork(1 << 40)
		nodes := randomGraph(r, net)
		items := 1 + r.IntN(40)
		ran := make([]time.Duration, len(nodes))
		var all, watcher sync.WaitGroup
		done := make(chan struct{})
		watcher.Go(func() {
			before := make([]Times, len(nodes))
			for {
				for i, n := range nodes {
					now := n.actor.Times()
					for state := range now.Spent {
						if now.Spent[state] < before[i].Spent[state] {
							t.Errorf("graph %d: a time of node %d became smaller: %v, then %v", seed, i, before[i].Spent, now.Spent)
						}
					}
					before[i] = now
				}
				net.Each(func(*Queue, Counts, Fill) {})
				select {
				case <-done:
					return
				default:
				}
			}
		})
		for i, n := range nodes {
			all.Go(func() {
				begin := time.Now()
				n.actor.Begin()
				n.run(t, items)
				ran[i] = time.Since(begin)
			})
		}
		all.Wait()
		close(done)
		watcher.Wait()
		for i, n := range nodes {
			spent := n.actor.Times().Spent
			if sum := spent[Working] + spent[Starved] + spent[Blocked]; sum > ran[i] || ran[i]-sum > 200*time.Millisecond {
				t.Errorf("graph %d: node %d ran %v, and its times are %v", seed, i, ran[i], spent)
			}
		}
	}
}
