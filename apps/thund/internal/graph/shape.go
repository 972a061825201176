// SPDX-License-Identifier: MIT

package graph

import (
	"fmt"
	"slices"
	"strings"

	"github.com/ignalina/alloy/apps/thund/internal/fault"
)

// mostNodes is the most nodes of a graph: a waiting input of a stream step blocks a thread.
const mostNodes = 256

// checkShape is the stage of the shape. It sorts the nodes in topological order.
func (g *Graph) checkShape() (faults fault.List) {
	add := func(code string, n *Node, text, at, help string) {
		f := &fault.Fault{Code: code, Text: text, File: g.File, At: at, Help: help, Exit: fault.ExitUsage, Line: 1}
		if n != nil {
			f.Node, f.Line = n.Name, n.Line
		}
		faults = append(faults, f)
	}
	if len(g.Nodes) == 0 {
		add(fault.Shape, nil, "the graph has no nodes", "", "add a source and a sink; thund run --help shows a graph file")
	}
	if len(g.Nodes) > mostNodes {
		add(fault.Shape, nil, fmt.Sprintf("the graph has %d nodes, and the most is %d", len(g.Nodes), mostNodes), "", "split it into several graphs")
	}
	for _, n := range g.Nodes {
		at := fmt.Sprintf("[%s.%s]", n.Kind, n.Name)
		switch {
		case n.Kind != Sink && len(n.Readers) == 0:
			add(fault.Shape, n, fmt.Sprintf("nobody reads %s %q", n.Kind, n.Name), at, fmt.Sprintf(`remove it, or add a sink with from = "%s"`, n.Name))
		case n.Union && len(n.From) == 0:
			add(fault.Shape, n, fmt.Sprintf("union %q reads nothing", n.Name), at, `add from = ["NODE", "NODE"]`)
		case n.Kind == Sink && len(n.From) == 0 && len(n.LettersOf) == 0:
			add(fault.Shape, n, fmt.Sprintf("sink %q gets nothing", n.Name), at, fmt.Sprintf(`add from = "NODE", or add dead_letter = "%s" to a step`, n.Name))
		}
	}
	if cycle := g.shortestCycle(); cycle != nil {
		// Shown so that the last node can lose an input: it has another one, if any node has.
		closing := slices.IndexFunc(cycle, func(n *Node) bool {
			return slices.ContainsFunc(n.From, func(from *Node) bool { return !slices.Contains(cycle, from) })
		})
		cycle = slices.Concat(cycle[closing+1:], cycle[:closing+1])
		var names, from []string
		for _, n := range cycle {
			names = append(names, n.Name)
		}
		last := cycle[len(cycle)-1]
		for _, n := range last.From {
			from = append(from, fmt.Sprintf("%q", n.Name))
		}
		add(fault.Cycle, last, "the graph has a cycle: "+strings.Join(append(names, names[0]), " -> "),
			fmt.Sprintf("[step.%s], from = [%s]", last.Name, strings.Join(from, ", ")),
			fmt.Sprintf("remove %q from this list, or write its output to a file for the next run", cycle[max(0, len(cycle)-2)].Name))
		return faults
	}
	g.sort()
	return faults
}

// shortestCycle returns the nodes of a shortest cycle, in the order of the data. It begins
// with the node that the file names first.
func (g *Graph) shortestCycle() (best []*Node) {
	for _, start := range g.Nodes {
		before := map[*Node]*Node{}
		queue := []*Node{start}
		for len(queue) > 0 {
			n := queue[0]
			queue = queue[1:]
			for _, reader := range n.Readers {
				if reader == start {
					var cycle []*Node
					for at := n; at != start; at = before[at] {
						cycle = append(cycle, at)
					}
					cycle = append(cycle, start)
					slices.Reverse(cycle)
					if best == nil || len(cycle) < len(best) {
						best = cycle
					}
					queue = nil
					break
				}
				if _, seen := before[reader]; !seen {
					before[reader] = n
					queue = append(queue, reader)
				}
			}
		}
	}
	return best
}

// sort puts each node after those that it reads, and otherwise keeps the order of the file.
func (g *Graph) sort() {
	done := map[*Node]bool{}
	sorted := make([]*Node, 0, len(g.Nodes))
	for len(sorted) < len(g.Nodes) {
		for _, n := range g.Nodes {
			needs := append(slices.Clone(n.From), n.LettersOf...)
			if !done[n] && !slices.ContainsFunc(needs, func(from *Node) bool { return !done[from] }) {
				done[n] = true
				sorted = append(sorted, n)
			}
		}
	}
	g.Nodes = sorted
}

// Diamond is a fan-out whose branches meet again, and the input of the node where they meet
// whose queue may grow.
type Diamond struct{ From, To *Node }

// Diamonds lists the edges that may grow: from a node directly or through others to a step
// with several inputs that also gets the node's data on another input.
func (g *Graph) Diamonds() (found []Diamond) {
	for _, to := range g.Nodes {
		if to.Union || len(to.From) < 2 {
			continue
		}
		for i, from := range to.From {
			for j, other := range to.From {
				if i != j && meets(from, other) && !slices.Contains(found, Diamond{from, to}) {
					found = append(found, Diamond{from, to})
				}
			}
		}
	}
	return found
}

// meets reports whether two nodes get data of one node.
func meets(a, b *Node) bool {
	above := ancestors(a)
	for n := range ancestors(b) {
		if above[n] {
			return true
		}
	}
	return false
}

// ancestors returns a node and all nodes whose data it gets.
func ancestors(n *Node) map[*Node]bool {
	all := map[*Node]bool{n: true}
	for pending := []*Node{n}; len(pending) > 0; {
		last := pending[len(pending)-1]
		pending = pending[:len(pending)-1]
		for _, from := range last.From {
			if !all[from] {
				all[from] = true
				pending = append(pending, from)
			}
		}
	}
	return all
}
