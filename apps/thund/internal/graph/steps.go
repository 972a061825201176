// SPDX-License-Identifier: MIT

package graph

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

func (b *builder) step(g *Graph, n *Node, keys *stepKeys) {
	at := func(key string) []string { return []string{"step", n.Name, key} }
	n.Union, n.Options, n.Parallel, n.Retries, n.PartitionBy = keys.Union, keys.Options, keys.Parallel, keys.Retries, keys.Partition
	n.Timeout = b.duration("0s", keys.Timeout, at("timeout")...)
	n.Backoff = b.duration("100ms", keys.Backoff, at("backoff")...)
	if keys.Heap != "" {
		n.Heap = b.size(keys.Heap, at("heap")...)
	}
	n.Hold, n.HoldGiven = 64<<20, keys.Hold != ""
	if n.HoldGiven {
		n.Hold = b.size(keys.Hold, at("hold")...)
	}
	if n.Parallel == 0 {
		n.Parallel = 1
	}
	if n.Parallel < 1 || n.Parallel > 64 {
		b.fault(at("parallel"), "parallel must be from 1 to 64", "write parallel = 2")
	}
	if n.Retries < 0 {
		b.fault(at("retries"), "retries must not be negative", "write retries = 3")
	}
	ways := 0
	for _, given := range []bool{keys.Union, keys.Call != "", keys.Go != ""} {
		if given {
			ways++
		}
	}
	if ways != 1 {
		b.fault([]string{"step", n.Name}, fmt.Sprintf("step %q needs one of the keys call, union and go", n.Name), `write call = "BACKEND.FUNCTION", union = true, or go = "NAME" for a step of this program`)
		return
	}
	if keys.Call == "" {
		n.Go = keys.Go
		if keys.Isolated || keys.Parallel != 0 || keys.Retries != 0 || keys.Timeout != "" || keys.Heap != "" || keys.DeadLetter != "" || keys.Hold != "" || len(keys.Options) > 0 || keys.Backoff != "" {
			what := "union"
			if keys.Go != "" {
				what = "Go step"
			}
			b.fault([]string{"step", n.Name}, fmt.Sprintf("step %q is a %s, which has only the key from", n.Name, what), "remove the other keys")
		}
		return
	}
	backend, function, found := strings.Cut(keys.Call, ".")
	n.Function, n.Backend = function, g.Backends[backend]
	if !found || function == "" {
		b.fault(at("call"), fmt.Sprintf("%q names no function", keys.Call), `write call = "BACKEND.FUNCTION"`)
	} else if n.Backend == nil {
		b.missing(at("call"), "backend", backend, slices.Sorted(maps.Keys(g.Backends)))
	} else {
		n.Isolated = keys.Isolated || b.set.Isolated || b.doc.Graph.Isolated || b.doc.Backend[backend].Isolated
	}
	if keys.Heap != "" && !n.Isolated {
		b.fault(at("heap"), "heap limits a worker, and the step runs in this process", "add isolated = true")
	}
}

// missing reports a name that nothing has.
func (b *builder) missing(path []string, what, name string, known []string) {
	help := "the names are: " + strings.Join(known, ", ")
	if near := Nearest(name, known); near != "" {
		help = "write " + near
	} else if len(known) == 0 {
		help = "the file has none; add one"
	}
	b.fault(path, fmt.Sprintf("there is no %s %q", what, name), help)
}

// connect resolves the names in from and dead_letter.
func (b *builder) connect() {
	var readable []string
	for name, n := range b.nodes {
		if n.Kind != Sink {
			readable = append(readable, name)
		}
	}
	slices.Sort(readable)
	for _, name := range sorted(b.lines, b.doc.Step, "step") {
		n, keys := b.nodes[name], b.doc.Step[name]
		b.from(n, keys.From, readable)
		if keys.DeadLetter == "" {
			continue
		}
		at := []string{"step", name, "dead_letter"}
		sink := b.nodes[keys.DeadLetter]
		switch {
		case sink == nil || sink.Kind != Sink:
			var sinks []string
			for _, known := range sorted(b.lines, b.doc.Sink, "sink") {
				if b.doc.Sink[known].From == nil {
					sinks = append(sinks, known)
				}
			}
			b.missing(at, "sink", keys.DeadLetter, sinks)
		case b.doc.Sink[keys.DeadLetter].From != nil:
			b.fault(at, fmt.Sprintf("sink %q reads a node, so it cannot get dead letters", keys.DeadLetter), "name a sink without from")
		default:
			n.DeadLetter = sink
			sink.LettersOf = append(sink.LettersOf, n)
		}
	}
	for _, name := range sorted(b.lines, b.doc.Sink, "sink") {
		if keys := b.doc.Sink[name]; keys.From != nil {
			b.from(b.nodes[name], keys.From, readable)
			if n := b.nodes[name]; len(n.From) > 1 {
				b.fault([]string{"sink", name, "from"}, fmt.Sprintf("sink %q reads %d nodes, and a sink reads one", name, len(n.From)), "add a step with union = true, and read that")
			}
		}
	}
}

// from reads a name or a list of names.
func (b *builder) from(n *Node, value any, readable []string) {
	at := []string{string(n.Kind), n.Name, "from"}
	var names []string
	switch value := value.(type) {
	case nil:
		return // a step with no input, or a sink of dead letters
	case string:
		names = []string{value}
	case []any:
		for _, one := range value {
			name, ok := one.(string)
			if !ok {
				b.fault(at, fmt.Sprintf("from has %v, which is not a text", one), `write from = ["NODE"]`)
				return
			}
			names = append(names, name)
		}
	default:
		b.fault(at, fmt.Sprintf("from is %v, which is not a text", value), `write from = "NODE" or from = ["NODE"]`)
		return
	}
	for _, name := range names {
		other := b.nodes[name]
		if other == nil || other.Kind == Sink {
			b.missing(at, "source or step", name, readable)
			continue
		}
		n.From = append(n.From, other)
		other.Readers = append(other.Readers, n)
	}
}

// size reads a number of bytes, such as 512MiB.
func (b *builder) size(text string, path ...string) int64 {
	units := []struct {
		name  string
		bytes int64
	}{{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {"TiB", 1 << 40}, {"B", 1}}
	for _, unit := range units {
		if digits, ok := strings.CutSuffix(text, unit.name); ok {
			number, err := strconv.ParseInt(strings.TrimSpace(digits), 10, 64)
			if err == nil && number > 0 && number <= (1<<62)/unit.bytes {
				return number * unit.bytes
			}
		}
	}
	b.fault(path, fmt.Sprintf("%q is not a number of bytes", text), `write for example "512MiB"; the units are B, KiB, MiB, GiB and TiB`)
	return 0
}

func (b *builder) duration(fallback, text string, path ...string) time.Duration {
	if text == "" {
		text = fallback
	}
	d, err := time.ParseDuration(text)
	if err != nil || d < 0 {
		b.fault(path, fmt.Sprintf("%q is not a duration", text), `write for example "2s" or "200ms"`)
	}
	return d
}
