// SPDX-License-Identifier: MIT

package draw

import (
	"fmt"

	"github.com/ignalina/alloy/apps/thund/internal/graph"
)

// Of returns the boxes and arrows of a graph. Finish adds what the graph file does not say; it may be nil.
func Of(g *graph.Graph, finish func(n *graph.Node, made *Node)) (nodes []Node, edges []Edge) {
	for _, n := range g.Nodes {
		made := Node{Name: n.Name, Kind: string(n.Kind), What: n.Path}
		switch {
		case n.Union:
			made.What = "union"
		case n.Backend != nil:
			made.What, made.Mode = n.Backend.Name+"."+n.Function, "in process"
			if n.Isolated {
				made.Mode = "workers"
			}
		default:
			made.What = n.Format
			if n.Socket {
				made.What += " socket"
			}
		}
		if finish != nil {
			finish(n, &made)
		}
		nodes = append(nodes, made)
		for i, from := range n.From {
			queue := fmt.Sprintf("%s>%s:%d", from.Name, n.Name, i)
			if n.Union {
				queue = "all inputs>" + n.Name + ":0"
			}
			edges = append(edges, Edge{From: from.Name, To: n.Name, Input: i, Queue: queue})
		}
		for i, step := range n.LettersOf {
			edges = append(edges, Edge{From: step.Name, To: n.Name, Input: i, Weak: true, Queue: "dead letters>" + n.Name + ":0"})
		}
	}
	return nodes, edges
}
