// SPDX-License-Identifier: MIT

package flow

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"testing"
)

var errTooMuch = errors.New("too much")

// node is one actor of a random graph: it reads its inputs in one of several ways, and
// writes as many items as the way makes.
type node struct {
	actor *Actor
	in    []*Queue
	out   []*Queue
	way   string
	got   int
}

func (n *node) put(t *testing.T) bool {
	open := false
	for _, q := range n.out {
		switch err := q.Put(n.actor, Item{Bytes: 1}); {
		case err == nil:
			open = true
		case !errors.Is(err, ErrClosed):
			t.Error(err)
			return false
		}
	}
	return open || len(n.out) == 0
}

func (n *node) get(t *testing.T, q *Queue) bool {
	_, more, err := q.Get()
	if err != nil {
		t.Error(err)
	}
	if more {
		n.got++
	}
	return more && err == nil
}

func (n *node) run(t *testing.T, items int) {
	defer n.actor.End()
	switch n.way {
	case "source":
		for range items {
			if !n.put(t) {
				return
			}
		}
	case "each": // a union, or a step on batches
		for n.get(t, n.in[0]) {
			if !n.put(t) {
				return
			}
		}
	case "one after another": // a join reads its inputs so
		for _, q := range n.in {
			for n.get(t, q) {
			}
		}
		for range items {
			if !n.put(t) {
				return
			}
		}
	case "zip":
		for {
			for _, q := range n.in {
				if !n.get(t, q) {
					return
				}
			}
			if !n.put(t) {
				return
			}
		}
	case "stops early":
		for i := 0; i < items/2 && n.get(t, n.in[0]); i++ {
			if !n.put(t) {
				return
			}
		}
	}
}

// randomGraph connects nodes at random, each to nodes before it.
func randomGraph(r *rand.Rand, net *Network) (nodes []*node) {
	ways := []string{"each", "one after another", "zip", "stops early"}
	for i := range 3 + r.IntN(10) {
		n := &node{actor: net.NewActor(fmt.Sprint(i)), way: "source"}
		if i > 0 && r.IntN(5) > 0 {
			n.way = ways[r.IntN(len(ways))]
			inputs := 1 + r.IntN(3)
			var from []*node
			for range inputs {
				from = append(from, nodes[r.IntN(len(nodes))])
			}
			for input, other := range from {
				if n.way != "each" || input == 0 {
					n.in = append(n.in, net.NewQueue(other.actor.Name, n.actor.Name, input, 1+r.IntN(3), 1<<20, n.actor))
				}
				q := n.in[len(n.in)-1]
				q.Connect(other.actor)
				other.out = append(other.out, q)
			}
		}
		nodes = append(nodes, n)
	}
	return nodes
}

// The random DAG suite of section 8: whatever the graph, it ends, and a node that reads all
// of its input gets each item once. THUND_GRAPHS=10000 runs more.
func TestNoRandomGraphDeadlocks(t *testing.T) {
	graphs := 300
	if text := os.Getenv("THUND_GRAPHS"); text != "" {
		graphs, _ = strconv.Atoi(text)
	}
	growths := int64(0)
	for seed := range graphs {
		r := rand.New(rand.NewPCG(uint64(seed), 1))
		net := NewNetwork(1 << 40)
		nodes := randomGraph(r, net)
		items := 1 + r.IntN(40)
		var all sync.WaitGroup
		for _, n := range nodes {
			all.Go(func() { n.run(t, items) })
		}
		all.Wait()
		sent := map[string]int64{}
		net.Each(func(q *Queue, c Counts, _ Fill) { sent[q.To] += c.Batches; growths += c.Growths })
		for _, n := range nodes {
			if n.way == "each" && n.out == nil && int64(n.got) != sent[n.actor.Name] {
				t.Fatalf("graph %d: node %s got %d of %d items", seed, n.actor.Name, n.got, sent[n.actor.Name])
			}
		}
		if net.bytes != 0 {
			t.Fatalf("graph %d: %d bytes are left in queues that have ended", seed, net.bytes)
		}
	}
	if growths == 0 {
		t.Error("no queue of any graph grew, so no graph had a circular wait")
	}
}

// diamond connects a source to a join directly and through a step that reads everything
// before it writes. The join reads that step first.
func diamond(memory int64) (net *Network, nodes []*node, direct *Queue) {
	net = NewNetwork(memory)
	source := &node{actor: net.NewActor("source"), way: "source"}
	drain := &node{actor: net.NewActor("drain"), way: "one after another"}
	join := &node{actor: net.NewActor("join"), way: "one after another"}
	connect := func(from, to *node) *Queue {
		q := net.NewQueue(from.actor.Name, to.actor.Name, len(to.in), 1, 1<<20, to.actor)
		q.Connect(from.actor)
		from.out, to.in = append(from.out, q), append(to.in, q)
		return q
	}
	connect(source, drain)
	connect(drain, join)
	return net, []*node{source, drain, join}, connect(source, join)
}

// Acceptance 5, the rule: only the queue of the diamond grows.
func TestOnlyTheQueueOfTheDiamondGrows(t *testing.T) {
	net, nodes, direct := diamond(1 << 20)
	var all sync.WaitGroup
	for _, n := range nodes {
		all.Go(func() { n.run(t, 50) })
	}
	all.Wait()
	net.Each(func(q *Queue, c Counts, _ Fill) {
		if grew := c.Growths > 0; grew != (q == direct) {
			t.Errorf("%s -> %s grew %d times", q.From, q.To, c.Growths)
		}
	})
}

// Acceptance 5, the limit: beyond the memory, everybody gets the error, and nothing hangs.
func TestADiamondBeyondTheMemoryFails(t *testing.T) {
	net, nodes, direct := diamond(10)
	named := false
	net.Full = func(cycle []*Queue, needed int64) error {
		named = len(cycle) == 1 && cycle[0] == direct && needed > 10
		return errTooMuch
	}
	var all sync.WaitGroup
	for _, n := range nodes {
		all.Go(func() {
			defer n.actor.End()
			for n.way == "source" {
				for _, q := range n.out {
					if err := q.Put(n.actor, Item{Bytes: 1}); err != nil {
						if !errors.Is(err, errTooMuch) {
							t.Errorf("Put failed with %v", err)
						}
						return
					}
				}
			}
			for {
				if _, _, err := n.in[0].Get(); err != nil {
					if !errors.Is(err, errTooMuch) {
						t.Errorf("Get failed with %v", err)
					}
					return
				}
			}
		})
	}
	all.Wait()
	if !named {
		t.Error("the error does not name the queue of the diamond")
	}
}

// A slow reader causes backpressure, never growth: it is active.
func TestASlowReaderLetsNoQueueGrow(t *testing.T) {
	net := NewNetwork(1 << 20)
	source, sink := net.NewActor("source"), net.NewActor("sink")
	q := net.NewQueue("source", "sink", 0, 2, 1<<20, sink)
	q.Connect(source)
	var all sync.WaitGroup
	all.Go(func() {
		defer source.End()
		for range 100 {
			if err := q.Put(source, Item{Bytes: 1}); err != nil {
				t.Error(err)
			}
		}
	})
	got := 0
	for {
		if _, more, err := q.Get(); err != nil || !more {
			break
		}
		got++
	}
	all.Wait()
	if got != 100 || q.counts.Growths != 0 || q.counts.Most > 2 {
		t.Errorf("got %d of 100 items, with %d growths and %d at one time", got, q.counts.Growths, q.counts.Most)
	}
}

// Bytes bound a queue as batches do, and an empty queue takes any single batch.
func TestAQueueIsBoundedByBytes(t *testing.T) {
	net := NewNetwork(1 << 40)
	sink := net.NewActor("sink")
	q := net.NewQueue("source", "sink", 0, 8, 100, sink)
	for _, c := range []struct {
		bytes int64
		fits  bool
	}{{1000, true}, {1, false}} {
		if q.hasRoom(c.bytes) != c.fits {
			t.Errorf("room for %d bytes: %v", c.bytes, !c.fits)
		}
		q.Connect(net.NewActor("source"))
		if c.fits {
			if err := q.Put(q.writers[0], Item{Bytes: c.bytes}); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// A thread of a backend may ask for a batch while the actor waits for room.
func TestAnActorThatReadsAheadIsNotStuck(t *testing.T) {
	net := NewNetwork(1 << 20)
	source, step, sink := net.NewActor("source"), net.NewActor("step"), net.NewActor("sink")
	in := net.NewQueue("source", "step", 0, 1, 1<<20, step)
	out := net.NewQueue("step", "sink", 0, 1, 1<<20, sink)
	in.Connect(source)
	out.Connect(step)
	step.Leave()
	var all sync.WaitGroup
	read := make(chan bool)
	all.Go(func() {
		defer close(read)
		for i := range 3 {
			if _, more, err := in.Get(); err != nil || more != (i < 2) {
				t.Errorf("item %d: %v %v", i, more, err)
			}
		}
	})
	all.Go(func() {
		defer step.End()
		for range 3 {
			if err := out.Put(step, Item{Bytes: 1}); err != nil {
				t.Error(err)
			}
		}
		<-read // the end of an actor closes its inputs
	})
	all.Go(func() {
		for range 3 {
			if _, more, err := out.Get(); !more || err != nil {
				t.Error(more, err)
			}
		}
	})
	all.Go(func() {
		defer source.End()
		for range 2 {
			if err := in.Put(source, Item{Bytes: 1}); err != nil && !errors.Is(err, ErrClosed) {
				t.Error(err)
			}
		}
	})
	all.Wait()
}
