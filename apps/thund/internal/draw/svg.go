// SPDX-License-Identifier: MIT

package draw

import (
	"cmp"
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
	return draw(title, nodes, edges, false)
}

// Inline draws a graph for a page that has the style sheet. Its nodes can be chosen by mouse and
// keyboard.
func Inline(title string, nodes []Node, edges []Edge) string { return draw(title, nodes, edges, true) }

// drawing is a layout that becomes text.
type drawing struct {
	*layout
	strings.Builder
	isLive bool
}

func draw(title string, nodes []Node, edges []Edge, isLive bool) string {
	if len(nodes) == 0 {
		nodes = []Node{{Name: "empty"}}
	}
	d := drawing{layout: newLayout(nodes, edges), isLive: isLive}
	role, style := "img", "<style>\n"+style+"</style>\n"
	if isLive {
		role, style = "group", ""
	}
	fmt.Fprintf(&d, `<svg xmlns="http://www.w3.org/2000/svg" class="graph" viewBox="0 0 %.0f %.0f" width="%.0f" height="%.0f" role="%s">`+"\n",
		d.width, d.height, d.width, d.height, role)
	fmt.Fprintf(&d, "<title>%s</title>\n%s", escape(title), style)
	for i := range d.edges {
		d.edge(i)
	}
	for i := range d.nodes {
		d.node(i)
	}
	d.WriteString("</svg>\n")
	return d.String()
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
		return cmp.Compare(l.paths[a][len(l.paths[a])-2].y, l.paths[b][len(l.paths[b])-2].y)
	})
	return to.y + portGap*(float64(slices.Index(before, edge))-float64(len(before)-1)/2)
}

// edge draws a line. Its end before a layer is straight, so that nothing crosses the label and
// the bar there, which says how full the queue is.
func (d *drawing) edge(i int) {
	e, path := d.edges[i], d.paths[i]
	x, y := path[0].left()+nodeWidth, path[0].y
	var line strings.Builder
	fmt.Fprintf(&line, "M%.1f %.1f", x, y)
	for j, p := range path[1:] {
		toX, toY, end := p.left(), p.y, p.left()+nodeWidth
		if j == len(path)-2 {
			toY, end = d.port(i), toX-6
		}
		bend := toX - labelWidth
		half := (bend - x) / 2
		fmt.Fprintf(&line, " C%.1f %.1f %.1f %.1f %.1f %.1f H%.1f", x+half, y, bend-half, toY, bend, toY, end)
		x, y = end, toY
	}
	class, title := "edge", ""
	if e.Weak {
		class += " weak"
	}
	if e.Ran || d.isLive {
		class += " ran"
	}
	if d.isLive {
		title = "<title></title>"
	}
	fmt.Fprintf(d, `<g class="%s" id="edge-%s-%s-%d" data-queue="%s">%s`, class, escape(e.From), escape(e.To), e.Input, escape(e.Queue), title)
	fmt.Fprintf(d, `<path class="line" d="%s"/><path class="head" d="M%.1f %.1fl-7 -4v8z"/>`, line.String(), x+6, y)
	fmt.Fprintf(d, `<rect class="bar" x="%.1f" y="%.1f" width="30" height="8" rx="2"/><rect class="%s" x="%.1f" y="%.1f" width="%.0f" height="8" rx="2"/>`,
		x-38, y-4, FillClass(e.Fill), x-38, y-4, 30*min(1, e.Fill))
	fmt.Fprintf(d, `<text class="label" x="%.1f" y="%.1f" text-anchor="end">%s</text></g>`+"\n", x-3, y-7, escape(e.Label))
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

// node draws a box with three lines, and two more for the signature.
func (d *drawing) node(i int) {
	n, p := d.nodes[i], d.places[i]
	x, y, button := p.left(), p.y-p.height()/2, ""
	if d.isLive {
		button = ` tabindex="0" role="button" aria-pressed="false"`
	}
	fmt.Fprintf(d, `<g class="node %s" id="node-%s" data-node="%s"%s transform="translate(%.1f %.1f)">`, escape(n.Kind), escape(n.Name), escape(n.Name), button, x, y)
	fmt.Fprintf(d, "<title>%s</title>", escape(strings.TrimSpace(n.Name+" "+n.What)))
	fmt.Fprintf(d, `<rect class="box" width="%d" height="%.0f" rx="6"/><rect class="mark" width="5" height="%.0f" rx="2"/>`, nodeWidth, p.tall, p.tall)
	fmt.Fprintf(d, `<text class="name" x="14" y="20">%s</text>`, escape(shorten(n.Name, 18)))
	fmt.Fprintf(d, `<text class="what" x="14" y="36">%s</text>`, escape(shorten(n.What, 22-len(n.Mode))))
	fmt.Fprintf(d, `<text class="mode" x="%d" y="36" text-anchor="end">%s</text>`, nodeWidth-10, escape(n.Mode))
	fmt.Fprintf(d, `<text class="state" x="14" y="53">%s</text><text class="rate" x="%d" y="53" text-anchor="end"></text>`, escape(n.Note), nodeWidth-10)
	if n.Mark != "" {
		signer, class, left := n.Lock, "signed", 30
		if n.Lock == "" {
			signer, class, left = "not signed", "open", 14
		} else {
			fmt.Fprintf(d, `<g class="lock" transform="translate(13 58)"><path class="shackle" d="M3 6V4a3 3 0 0 1 6 0v2"/><rect x="1" y="6" width="10" height="8" rx="1.5"/></g>`)
		}
		fmt.Fprintf(d, `<text class="%s" x="%d" y="71">%s</text><text class="signed" x="14" y="87">%s</text>`, class, left, escape(shorten(signer, 21)), escape(shorten(n.Mark, 26)))
	}
	d.WriteString("</g>\n")
}

func shorten(text string, most int) string {
	if runes := []rune(text); len(runes) > most && most > 1 {
		return string(runes[:most-1]) + "…"
	}
	return text
}
