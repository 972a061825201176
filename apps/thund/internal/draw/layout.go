// SPDX-License-Identifier: MIT

// Package draw lays out a graph from left to right, and draws it as SVG. It is a layered
// drawing: layers by longest path, and in each layer the order of the barycentres.
package draw

import (
	"cmp"
	"slices"
)

// Node is a box. Name is unique.
type Node struct {
	Name string
	Kind string // source, step or sink: a class of the drawing
	What string // the second line, such as rel.scale
	Mode string // at its right, such as 2 workers
	Lock string // who signed it; empty: nobody, so there is no lock
	Mark string // below: the digest and the days left; a node with it is higher
	Note string // the third line, such as 336,776 rows
}

// Edge is an arrow. Several edges may have one queue, as those of a union.
type Edge struct {
	From, To string
	Input    int
	Queue    string  // the name of the queue, as in a snapshot: FROM>TO:INPUT
	Label    string  // such as 336,776 rows
	Weak     bool    // of dead letters
	Ran      bool    // the edge has been used: it has a bar
	Fill     float64 // of the bar: 0 to 1, or more after a growth
}

// The sizes of the drawing.
const (
	nodeWidth   = 184
	nodeHeight  = 62
	lockHeight  = 34 // more, with two lines for the signature
	portGap     = 22 // between the edges that enter a node: a line, its label and its bar
	layerGap    = 140
	labelWidth  = 98 // the end of an edge, which is straight
	rowGap      = 26
	margin      = 16
	layerWidth  = nodeWidth + layerGap
	orderRounds = 12
	placeRounds = 24
)

// place is a node, or a bend of an edge that passes a layer.
type place struct {
	node     int // -1: a bend
	layer    int
	tall     float64 // of a node: its height
	y        float64 // of its middle
	in, out  []*place
	position int // in its layer
}

func (p *place) height() float64 {
	if p.node < 0 {
		return 14
	}
	return p.tall
}

// layout is where everything is.
type layout struct {
	nodes         []Node
	edges         []Edge
	places        []*place   // of the nodes
	paths         [][]*place // of the edges: from node over bends to node
	layers        [][]*place
	width, height float64
}

// newLayout lays out a graph without cycles. Nodes come after those that they read.
func newLayout(nodes []Node, edges []Edge) *layout {
	l := &layout{nodes: nodes, edges: edges}
	index := map[string]int{}
	for i, n := range nodes {
		index[n.Name] = i
		l.places = append(l.places, &place{node: i})
	}
	l.rank(index)
	for _, e := range edges {
		from, to := l.places[index[e.From]], l.places[index[e.To]]
		path := []*place{from}
		for layer := from.layer + 1; layer < to.layer; layer++ {
			bend := &place{node: -1, layer: layer}
			l.layers[layer] = append(l.layers[layer], bend)
			path = append(path, bend)
		}
		path = append(path, to)
		for i, p := range path[1:] {
			p.in, path[i].out = append(p.in, path[i]), append(path[i].out, p)
		}
		l.paths = append(l.paths, path)
	}
	for i, p := range l.places {
		if p.tall = nodeHeight; nodes[i].Mark != "" {
			p.tall += lockHeight
		}
		p.tall = max(p.tall, float64(portGap*len(p.in)+14))
	}
	l.order()
	l.spread()
	return l
}

// rank gives each node its layer: behind all that it reads. A source moves next to its first reader.
func (l *layout) rank(index map[string]int) {
	for range l.places { // at most so many rounds; one, if the nodes come in order
		changed := false
		for _, e := range l.edges {
			from, to := l.places[index[e.From]], l.places[index[e.To]]
			if to.layer <= from.layer {
				to.layer, changed = from.layer+1, true
			}
		}
		if !changed {
			break
		}
	}
	last := 0
	for i, p := range l.places {
		first := -1
		reads := false
		for _, e := range l.edges {
			reads = reads || index[e.To] == i
			if to := l.places[index[e.To]]; index[e.From] == i && (first < 0 || to.layer < first) {
				first = to.layer
			}
		}
		if !reads && first > 0 {
			p.layer = first - 1
		}
		last = max(last, p.layer)
	}
	l.layers = make([][]*place, last+1)
	for _, p := range l.places {
		l.layers[p.layer] = append(l.layers[p.layer], p)
	}
}

// order sorts each layer by the barycentres of its neighbours, forwards and backwards, and
// keeps the order with the fewest crossings.
func (l *layout) order() {
	number := func() {
		for _, layer := range l.layers {
			for i, p := range layer {
				p.position = i
			}
		}
	}
	number()
	best, least := l.copyOrder(), l.crossings()
	for round := range orderRounds {
		for i := range l.layers {
			layer, neighbours := l.layers[i], func(p *place) []*place { return p.in }
			if round%2 == 1 {
				layer, neighbours = l.layers[len(l.layers)-1-i], func(p *place) []*place { return p.out }
			}
			slices.SortStableFunc(layer, func(a, b *place) int { return cmp.Compare(centre(a, neighbours(a)), centre(b, neighbours(b))) })
			for j, p := range layer {
				p.position = j
			}
		}
		if count := l.crossings(); count < least {
			best, least = l.copyOrder(), count
		}
	}
	l.layers = best
	number()
}

func (l *layout) copyOrder() [][]*place {
	made := make([][]*place, len(l.layers))
	for i, layer := range l.layers {
		made[i] = slices.Clone(layer)
	}
	return made
}

// centre is the mean position of the neighbours; without any, a place stays where it is.
func centre(p *place, neighbours []*place) float64 {
	if len(neighbours) == 0 {
		return float64(p.position)
	}
	sum := 0
	for _, other := range neighbours {
		sum += other.position
	}
	return float64(sum) / float64(len(neighbours))
}

func (l *layout) crossings() (count int) {
	for _, layer := range l.layers {
		for i, a := range layer {
			for _, b := range layer[i+1:] {
				for _, x := range a.out {
					for _, y := range b.out {
						if x.position > y.position {
							count++
						}
					}
				}
			}
		}
	}
	return count
}
