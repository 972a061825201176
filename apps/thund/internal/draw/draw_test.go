// SPDX-License-Identifier: MIT

package draw

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
)

// random returns a graph without cycles, whose nodes come in any order.
func random(seed uint64, count int) (nodes []Node, edges []Edge) {
	r := rand.New(rand.NewPCG(seed, 1))
	for i := range count {
		nodes = append(nodes, Node{Name: fmt.Sprintf("node %d <&>", i), Kind: "step", What: "far.filter", Mode: "2 workers"})
		for input := range min(i, r.IntN(4)) {
			edges = append(edges, Edge{From: nodes[r.IntN(i)].Name, To: nodes[i].Name, Input: input, Label: "999 MB/s"})
		}
	}
	r.Shuffle(count, func(i, j int) { nodes[i], nodes[j] = nodes[j], nodes[i] })
	return nodes, edges
}

// Boxes never touch each other, arrows go from left to right, everything is on the drawing,
// and the same graph is always the same drawing.
func TestALayoutIsReadable(t *testing.T) {
	for seed := range uint64(300) {
		nodes, edges := random(seed, 1+int(seed%40))
		l := newLayout(nodes, edges)
		for _, layer := range l.layers {
			for i, p := range layer {
				if p.y-p.height()/2 < 0 || p.y+p.height()/2 > l.height || p.left() < 0 || p.left()+nodeWidth > l.width {
					t.Fatalf("graph %d: a place is outside of the drawing: %v in %v x %v", seed, p, l.width, l.height)
				}
				if i > 0 && p.y-p.height()/2 < layer[i-1].y+layer[i-1].height()/2+rowGap-0.01 {
					t.Fatalf("graph %d: places %d and %d of a layer touch", seed, i-1, i)
				}
			}
		}
		for i, path := range l.paths {
			for j, p := range path[1:] {
				if p.layer != path[j].layer+1 {
					t.Fatalf("graph %d: edge %v goes from layer %d to %d", seed, edges[i], path[j].layer, p.layer)
				}
			}
		}
		text := SVG("<random>", nodes, edges)
		if text != SVG("<random>", nodes, edges) {
			t.Fatalf("graph %d is drawn in two ways", seed)
		}
		decoder, boxes := xml.NewDecoder(strings.NewReader(text)), 0
		for {
			token, err := decoder.Token()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatalf("graph %d is not XML: %v", seed, err)
			}
			if start, is := token.(xml.StartElement); is && start.Name.Local == "rect" && start.Attr[0].Value == "box" {
				boxes++
			}
		}
		if boxes != len(nodes) {
			t.Fatalf("graph %d has %d nodes and %d boxes", seed, len(nodes), boxes)
		}
	}
}

// A chain is a straight line, and a fan-out has no crossing.
func TestASimpleGraphLooksSimple(t *testing.T) {
	nodes := []Node{{Name: "a"}, {Name: "b"}, {Name: "c"}, {Name: "d"}, {Name: "e"}}
	l := newLayout(nodes, []Edge{{From: "a", To: "b"}, {From: "b", To: "c"}, {From: "c", To: "d"}, {From: "d", To: "e"}})
	for _, p := range l.places {
		if p.y != l.places[0].y {
			t.Errorf("a chain is not straight: %v and %v", p.y, l.places[0].y)
		}
	}
	l = newLayout(nodes, []Edge{{From: "a", To: "b"}, {From: "a", To: "c"}, {From: "b", To: "e"}, {From: "c", To: "d"}})
	if count := l.crossings(); count != 0 {
		t.Errorf("%d crossings", count)
	}
	// A source that a late step reads is next to it.
	l = newLayout(nodes, []Edge{{From: "a", To: "b"}, {From: "b", To: "c"}, {From: "d", To: "c"}})
	if l.places[3].layer != 1 {
		t.Errorf("the source is in layer %d", l.places[3].layer)
	}
}

func TestAnEmptyGraphIsADrawing(t *testing.T) {
	if text := SVG("", nil, nil); !strings.Contains(text, "<svg") {
		t.Error(text)
	}
}

// An edge of a run has a bar as full as its queue was, and a label that a line cannot hide.
func TestARunIsOnTheEdges(t *testing.T) {
	nodes := []Node{{Name: "a"}, {Name: "b"}}
	for fill, want := range map[float64]string{0.5: `class="fill" x="296.0" y="43.0" width="15"`, 0.7: `class="fill warm"`, 0.9: `class="fill full"`, 3: `width="30" height="8" rx="2"/><text`} {
		text := SVG("", nodes, []Edge{{From: "a", To: "b", Label: "7 · 1 kB", Ran: true, Fill: fill}})
		for _, part := range []string{`class="edge ran"`, ">7 · 1 kB<", want, "paint-order: stroke"} {
			if !strings.Contains(text, part) {
				t.Errorf("filled to %v: no %q in\n%s", fill, part, text)
			}
		}
	}
	if text := SVG("", nodes, []Edge{{From: "a", To: "b"}}); strings.Contains(text, `class="edge ran"`) {
		t.Error("without a run there is a bar")
	}
}
