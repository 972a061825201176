// SPDX-License-Identifier: MIT

package graph

import "slices"

// Part returns a copy of a graph with some of its nodes, and the node that each copy is of.
// A node for which cut is true reads nothing, because its data come from elsewhere. Only the
// edges between nodes of the part remain.
func (g *Graph) Part(has func(*Node) bool, cut func(*Node) bool) (*Graph, map[*Node]*Node) {
	made := *g
	made.Nodes = nil
	copies, of := map[*Node]*Node{}, map[*Node]*Node{}
	for _, n := range g.Nodes {
		if has(n) {
			c := *n
			copies[n], of[&c] = &c, n
			made.Nodes = append(made.Nodes, &c)
		}
	}
	swap := func(nodes []*Node) (swapped []*Node) {
		for _, n := range nodes {
			if c := copies[n]; c != nil {
				swapped = append(swapped, c)
			}
		}
		return swapped
	}
	for _, c := range made.Nodes {
		if cut(of[c]) {
			c.From = nil
		}
		c.From, c.Readers, c.LettersOf, c.DeadLetter = swap(c.From), swap(c.Readers), swap(c.LettersOf), copies[c.DeadLetter]
		c.Readers = slices.DeleteFunc(c.Readers, func(reader *Node) bool { return cut(of[reader]) })
	}
	return &made, of
}
