// SPDX-License-Identifier: MIT

package graph

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
)

// Stem stands for the name of a file without its extension, in the path of a sink.
const Stem = "{stem}"

// EachSource returns the source for each of whose files the graph runs once; nil: there is none.
func (g *Graph) EachSource() *Node {
	if at := slices.IndexFunc(g.Nodes, func(n *Node) bool { return n.Each }); at >= 0 {
		return g.Nodes[at]
	}
	return nil
}

// tasks reads the [task] tables.
func (b *builder) tasks(g *Graph) {
	for _, name := range sorted(b.lines, b.doc.Task, "task") {
		keys, at := b.doc.Task[name], []string{"task", name}
		if other := b.nodes[name]; other != nil {
			b.fault(at, fmt.Sprintf("the name %q is also that of the %s in line %d", name, other.Kind, other.Line), "give each node a name of its own")
		}
		if keys.Go == "" {
			b.fault(at, fmt.Sprintf("task %q has no key go", name), `write go = "NAME" for a task of this program`)
		}
		for _, before := range keys.Before {
			if n := b.nodes[before]; n == nil || n.Kind != Source {
				b.missing(append(at, "before"), "source", before, sorted(b.lines, b.doc.Source, "source"))
			}
		}
		g.Tasks = append(g.Tasks, &Task{name, keys.Go, b.lines.At(at...)})
	}
}

// each reads the keys of files one by one.
func (b *builder) each(g *Graph) {
	var one *Node
	for _, name := range sorted(b.lines, b.doc.Source, "source") {
		n, keys := b.nodes[name], b.doc.Source[name]
		at := func(key string) []string { return []string{"source", name, key} }
		if !keys.Each {
			if keys.Done != "" || keys.Grace != "" || keys.Events != nil {
				b.fault(at("done"), fmt.Sprintf("source %q has done, grace or events, which are for files one by one", name), "add each = true")
			}
			continue
		}
		n.Each, n.Done, n.Events = true, resolved(g.Folder, keys.Done), keys.Events
		n.Grace = b.duration("1s", keys.Grace, at("grace")...)
		switch {
		case n.Socket || n.Path == "-":
			b.fault(at("each"), "each is for files, and not for sockets and standard input", "remove each")
		case keys.Done == "":
			b.fault(at("each"), fmt.Sprintf("source %q has no folder for the markers of its files", name), `add done = "FOLDER"`)
		case strings.ContainsAny(filepath.Dir(n.Path), "*?["):
			b.fault(at(n.Format), "the files of each are in one folder, because their markers are", "write the pattern in the last part of the path only")
		case one != nil:
			b.fault(at("each"), fmt.Sprintf("sources %q and %q have each, and a graph has one such source", one.Name, name), "remove one of them")
		}
		one = n
	}
	for _, name := range sorted(b.lines, b.doc.Sink, "sink") {
		n := b.nodes[name]
		at := []string{"sink", name, n.Format}
		hasStem := strings.Contains(n.Path, Stem)
		switch {
		case one == nil && hasStem:
			b.fault(at, fmt.Sprintf("sink %q has %s in its path, but no source has each = true", name, Stem), "write a path without it")
		case one != nil && !n.Socket && !hasStem:
			b.fault(at, fmt.Sprintf("the graph runs once for each file of %q, and sink %q would be replaced each time", one.Name, name), "write "+Stem+" in its path, which stands for the name of the file")
		}
	}
	for _, name := range sorted(b.lines, b.doc.Source, "source") {
		if n := b.nodes[name]; one != nil && n.Socket && n.Connections == 0 {
			b.fault([]string{"source", name}, fmt.Sprintf("source %q never ends, and the graph runs once for each file of %q", name, one.Name), "add connections = 1")
		}
	}
}
