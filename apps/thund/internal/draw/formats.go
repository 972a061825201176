// SPDX-License-Identifier: MIT

package draw

import (
	"fmt"
	"strings"
	"text/tabwriter"
)

// Text shows a graph as lines for a terminal: each node, and what it reads.
func Text(_ string, nodes []Node, edges []Edge) string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	for _, n := range nodes {
		what := n.What
		if n.Mode != "" && n.Mode != "in process" {
			what += " (" + n.Mode + ")"
		}
		fmt.Fprintln(w, n.Kind+"\t"+n.Name+"\t"+what+"\t"+n.Note)
		for _, e := range edges {
			if e.To != n.Name {
				continue
			}
			arrow := "<-"
			if e.Weak {
				arrow = "<~" // dead letters
			}
			fmt.Fprintln(w, "\t  "+arrow+" "+e.From+"\t"+e.Label+"\t")
		}
	}
	w.Flush()
	texts := strings.Split(b.String(), "\n")
	for i, text := range texts {
		texts[i] = strings.TrimRight(text, " ")
	}
	return strings.Join(texts, "\n")
}

// Mermaid writes a graph for Markdown pages that draw it.
func Mermaid(_ string, nodes []Node, edges []Edge) string {
	var b strings.Builder
	b.WriteString("flowchart LR\n")
	index := map[string]int{}
	for i, n := range nodes {
		index[n.Name] = i
		open, end := map[string]string{"source": "[(", "sink": "[/"}[n.Kind], map[string]string{"source": ")]", "sink": "/]"}[n.Kind]
		if open == "" {
			open, end = "[", "]"
		}
		fmt.Fprintf(&b, "  n%d%s\"%s\"%s\n", i, open, strings.Join(mapped(lines(n), mermaidText), "<br/>"), end)
	}
	for _, e := range edges {
		line := "-->"
		if e.Weak {
			line = "-.->"
		}
		if e.Label != "" {
			line += fmt.Sprintf("|\"%s\"|", mermaidText(e.Label))
		}
		fmt.Fprintf(&b, "  n%d %s n%d\n", index[e.From], line, index[e.To])
	}
	return b.String()
}

// Dot writes a graph for Graphviz.
func Dot(title string, nodes []Node, edges []Edge) string {
	var b strings.Builder
	fmt.Fprintf(&b, "digraph \"%s\" {\n  rankdir=LR;\n  node [shape=box, style=rounded, fontname=\"sans-serif\"];\n", dotText(title))
	for _, n := range nodes {
		shape := map[string]string{"source": "cylinder", "sink": "note"}[n.Kind]
		if shape == "" {
			shape = "box"
		}
		fmt.Fprintf(&b, "  \"%s\" [label=\"%s\", shape=%s];\n", dotText(n.Name), strings.Join(mapped(lines(n), dotText), "\\n"), shape)
	}
	for _, e := range edges {
		var keys []string
		if e.Label != "" {
			keys = append(keys, fmt.Sprintf("label=\"%s\"", dotText(e.Label)))
		}
		if e.Weak {
			keys = append(keys, "style=dashed")
		}
		fmt.Fprintf(&b, "  \"%s\" -> \"%s\"", dotText(e.From), dotText(e.To))
		if keys != nil {
			fmt.Fprintf(&b, " [%s]", strings.Join(keys, ", "))
		}
		b.WriteString(";\n")
	}
	b.WriteString("}\n")
	return b.String()
}

// lines are what a box shows.
func lines(n Node) []string {
	all := []string{n.Name}
	for _, line := range []string{n.What, n.Mode, n.Note} {
		if line != "" && line != "in process" {
			all = append(all, line)
		}
	}
	return all
}

func mapped(texts []string, f func(string) string) (made []string) {
	for _, text := range texts {
		made = append(made, f(text))
	}
	return made
}

// mermaidText has no character that Mermaid or HTML reads in another way.
func mermaidText(text string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "#quot;", "#", "#35;", "\n", " ").Replace(text)
}

func dotText(text string) string {
	return strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", " ").Replace(text)
}
