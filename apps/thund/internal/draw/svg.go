// SPDX-License-Identifier: MIT

package draw

import (
	_ "embed"
	"fmt"
	"html"
	"slices"
	"strings"
)

// style has the colours of both themes. The page uses it too.
//
//go:embed style.css
var style string

// Style is the style sheet of a drawing.
func Style() string { return style }

// SVG draws a graph as a file of its own.
func SVG(title string, nodes []Node, edges []Edge) string {
	return draw(title, nodes, edges, "<style>\n"+style+"</style>\n")
}

// Inline draws a graph for a page that has the style sheet.
func Inline(title string, nodes []Node, edges []Edge) string { return draw(title, nodes, edges, "") }

func draw(title string, nodes []Node, edges []Edge, head string) string {
	var b strings.Builder
	if len(nodes) == 0 {
		nodes = []Node{{Name: "empty"}}
	}
	l := newLayout(nodes, edges)
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" class="graph" viewBox="0 0 %.0f %.0f" width="%.0f" height="%.0f" role="img">`+"\n",
		l.width, l.height, l.width, l.height)
	fmt.Fprintf(&b, "<title>%s</title>\n%s", escape(title), head)
	for i := range l.edges {
		l.edge(&b, i)
	}
	for i := range l.nodes {
		l.node(&b, i)
	}
	b.WriteString("</svg>\n")
	return b.String()
}

func escape(text string) string { return html.EscapeString(text) }

func (p *place) left() float64 { return float64(margin + p.layer*layerWidth) }

// port is the height at which an edge enters a node: one below the other.
func (l *layout) port(edge int) float64 {
	to := l.paths[edge][len(l.paths[edge])-1]
	var before []int
	for i, path := range l.paths {
		if path[len(path)-1] == to {
			before = append(before, i)
		}
	}
	slices.SortStableFunc(before, func(a, b int) int {
		return int(l.paths[a][len(l.paths[a])-2].y - l.paths[b][len(l.paths[b])-2].y)
	})
	gap := min(18, float64(nodeHeight-12)/float64(len(before)))
	return to.y + gap*(float64(slices.Index(before, edge))-float64(len(before)-1)/2)
}

// edge draws a line, and next to its end a bar for how full the queue is.
func (l *layout) edge(b *strings.Builder, i int) {
	e, path := l.edges[i], l.paths[i]
	x, y := path[0].left()+nodeWidth, path[0].y
	var d strings.Builder
	fmt.Fprintf(&d, "M%.1f %.1f", x, y)
	for j, p := range path[1:] {
		toX, toY := p.left(), p.y
		if j == len(path)-2 {
			toX, toY = toX-6, l.port(i)
		}
		half := (toX - x) / 2
		fmt.Fprintf(&d, " C%.1f %.1f %.1f %.1f %.1f %.1f", x+half, y, toX-half, toY, toX, toY)
		if x, y = toX, toY; p.node < 0 {
			x += nodeWidth
			fmt.Fprintf(&d, " H%.1f", x)
		}
	}
	class := "edge"
	if e.Weak {
		class += " weak"
	}
	if e.Ran {
		class += " ran"
	}
	fmt.Fprintf(b, `<g class="%s" id="edge-%s-%s-%d" data-to="%s" data-queue="%d">`, class, escape(e.From), escape(e.To), e.Input, escape(e.To), e.Queue)
	fmt.Fprintf(b, `<path class="line" d="%s"/><path class="head" d="M%.1f %.1fl-7 -4v8z"/>`, d.String(), x+6, y)
	fmt.Fprintf(b, `<rect class="bar" x="%.1f" y="%.1f" width="30" height="5" rx="1"/><rect class="%s" x="%.1f" y="%.1f" width="%.0f" height="5" rx="1"/>`,
		x-40, y-9, FillClass(e.Fill), x-40, y-9, 30*min(1, e.Fill))
	fmt.Fprintf(b, `<text class="label" x="%.1f" y="%.1f" text-anchor="end">%s</text></g>`+"\n", x-8, y-12, escape(e.Label))
}

// FillClass is the class of a bar: as in NiFi, it changes at 60 and at 85 %.
func FillClass(fill float64) string {
	switch {
	case fill >= 0.85:
		return "fill full"
	case fill >= 0.6:
		return "fill warm"
	}
	return "fill"
}

// node draws a box with three lines.
func (l *layout) node(b *strings.Builder, i int) {
	n, p := l.nodes[i], l.places[i]
	x, y := p.left(), p.y-nodeHeight/2
	fmt.Fprintf(b, `<g class="node %s" id="node-%s" data-node="%s" transform="translate(%.1f %.1f)">`, escape(n.Kind), escape(n.Name), escape(n.Name), x, y)
	fmt.Fprintf(b, "<title>%s</title>", escape(strings.TrimSpace(n.Name+" "+n.What)))
	fmt.Fprintf(b, `<rect class="box" width="%d" height="%d" rx="6"/><rect class="mark" width="5" height="%d" rx="2"/>`, nodeWidth, nodeHeight, nodeHeight)
	fmt.Fprintf(b, `<text class="name" x="14" y="20">%s</text>`, escape(shorten(n.Name, 20)))
	fmt.Fprintf(b, `<text class="what" x="14" y="36">%s</text>`, escape(shorten(n.What, 26-len(n.Mode)*5/6)))
	fmt.Fprintf(b, `<text class="mode" x="%d" y="36" text-anchor="end">%s</text>`, nodeWidth-10, escape(n.Mode))
	fmt.Fprintf(b, `<text class="state" x="14" y="53">%s</text><text class="rate" x="%d" y="53" text-anchor="end"></text>`, escape(n.Note), nodeWidth-10)
	if n.Lock != "" {
		fmt.Fprintf(b, `<g class="lock" transform="translate(%d 8)"><title>%s</title><path class="shackle" d="M3 6V4a3 3 0 0 1 6 0v2"/><rect x="1" y="6" width="10" height="8" rx="1.5"/></g>`,
			nodeWidth-22, escape(n.Lock))
	}
	b.WriteString("</g>\n")
}

func shorten(text string, most int) string {
	if runes := []rune(text); len(runes) > most && most > 1 {
		return string(runes[:most-1]) + "…"
	}
	return text
}
