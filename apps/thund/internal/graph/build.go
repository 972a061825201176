// SPDX-License-Identifier: MIT

package graph

import (
	"fmt"
	"net"
	"path/filepath"
	"slices"
	"strings"

	"github.com/ignalina/alloy/apps/thund/internal/fault"
)

// builder makes a graph of a document, and collects the faults of its names and values.
type builder struct {
	file   string
	doc    *document
	lines  Lines
	set    Settings
	faults fault.List
	nodes  map[string]*Node
}

// fault adds a fault at a place of the file.
func (b *builder) fault(path []string, text, help string) {
	f := &fault.Fault{Code: fault.Name, Text: text, File: b.file, Line: b.lines.At(path...),
		At: placeOf(path), Help: help, Exit: fault.ExitUsage}
	if len(path) > 1 && path[0] != "graph" && path[0] != "backend" {
		f.Node = path[1]
	}
	b.faults = append(b.faults, f)
}

// placeOf shows a path as the file has it: [step.km], from.
func placeOf(path []string) string {
	tables := 2
	if path[0] == "graph" {
		tables = 1
	}
	if len(path) <= tables {
		return "[" + strings.Join(path, ".") + "]"
	}
	return fmt.Sprintf("[%s], %s", strings.Join(path[:tables], "."), strings.Join(path[tables:], "."))
}

func (b *builder) build() *Graph {
	d := b.doc
	g := &Graph{File: b.file, Folder: filepath.Dir(b.file), Name: d.Graph.Name, Lines: b.lines,
		Memory: 1 << 30, QueueBatches: 8, DeadLetters: 1000, Backends: map[string]*Backend{}, OnlyTests: b.set.Tests}
	if d.Graph.Format != 1 {
		b.fault([]string{"graph", "format"}, fmt.Sprintf("the format of the file is %d, and this program reads format 1", d.Graph.Format), "write format = 1 in [graph]")
	}
	g.Name = nameOf(b.file, g.Name)
	g.Certificate = resolved(g.Folder, d.Graph.Certificate)
	if b.set.Certificate != "" {
		g.Certificate = b.set.Certificate
	}
	if d.Graph.Memory != "" {
		g.Memory = b.size(d.Graph.Memory, "graph", "memory")
	}
	if _, given := b.lines.of["graph\x00queue\x00batches"]; given {
		if g.QueueBatches = d.Graph.Queue.Batches; g.QueueBatches < 1 {
			b.fault([]string{"graph", "queue", "batches"}, "a queue needs room for at least 1 batch", "write queue = { batches = 8 }")
		}
	}
	g.Drain = b.duration("30s", d.Graph.Drain, "graph", "drain")
	if d.Graph.DeadLetters != nil {
		g.DeadLetters = *d.Graph.DeadLetters
	}
	b.backends(g)
	if b.declare(g) { // otherwise it is not clear which node a name means
		b.connect()
		b.tests(g)
		b.tasks(g)
		b.each(g)
	}
	return g
}

func (b *builder) backends(g *Graph) {
	for _, name := range sorted(b.lines, b.doc.Backend, "backend") {
		keys := b.doc.Backend[name]
		made := &Backend{Name: name, Library: resolved(g.Folder, keys.Library), MayNeed: keys.MayNeed,
			Certificate: resolved(g.Folder, keys.Certificate), Line: b.lines.At("backend", name)}
		if made.Certificate == "" {
			made.Certificate = g.Certificate
		}
		if keys.Library == "" {
			b.fault([]string{"backend", name}, fmt.Sprintf("backend %q has no library", name), `add library = "PATH.so"`)
		}
		g.Backends[name] = made
	}
}

// declare makes all nodes, without their edges, and reports whether their names are unique.
func (b *builder) declare(g *Graph) (unique bool) {
	b.nodes, unique = map[string]*Node{}, true
	add := func(kind Kind, name string) *Node {
		n := &Node{Kind: kind, Name: name, Line: b.lines.At(string(kind), name)}
		if other := b.nodes[name]; other != nil {
			unique = false
			b.fault([]string{string(kind), name}, fmt.Sprintf("the name %q is also that of the %s in line %d", name, other.Kind, other.Line), "give each source, step and sink a name of its own")
		}
		if strings.ContainsAny(name, "/\\\x00") || name == "" {
			b.fault([]string{string(kind), name}, fmt.Sprintf("the name %q is empty, or has a slash", name), "use letters, digits, - and _")
		}
		b.nodes[name] = n
		g.Nodes = append(g.Nodes, n)
		return n
	}
	for _, name := range sorted(b.lines, b.doc.Source, "source") {
		b.source(g, add(Source, name), b.doc.Source[name])
	}
	for _, name := range sorted(b.lines, b.doc.Step, "step") {
		b.step(g, add(Step, name), b.doc.Step[name])
	}
	for _, name := range sorted(b.lines, b.doc.Sink, "sink") {
		n := add(Sink, name)
		keys := b.doc.Sink[name]
		n.Format, n.Path = b.place(g, n, keys.Parquet, keys.CSV, keys.IPC)
		b.socket(n, keys.Connect, 0)
	}
	return unique
}

// place returns the format and the path of a source or a sink, which has exactly one.
func (b *builder) place(g *Graph, n *Node, parquet, csv, ipc string) (format, path string) {
	count := 0
	for _, p := range []struct{ format, path string }{{"parquet", parquet}, {"csv", csv}, {"ipc", ipc}} {
		if p.path != "" {
			format, path = p.format, p.path
			count++
		}
	}
	if count != 1 {
		b.fault([]string{string(n.Kind), n.Name}, fmt.Sprintf("%s %q has %d of the keys parquet, csv and ipc, and needs one", n.Kind, n.Name, count), `write for example parquet = "PATH"`)
	}
	if path == "-" {
		if format != "ipc" {
			b.fault([]string{string(n.Kind), n.Name, format}, "only ipc can be standard input or output", `write ipc = "-"`)
		}
		return format, path
	}
	if format == "ipc" && (strings.HasPrefix(path, "unix:") || strings.HasPrefix(path, "tcp:")) {
		n.Socket = true
		if file, ok := strings.CutPrefix(path, "unix:"); ok {
			path = "unix:" + resolved(g.Folder, file)
		}
		return format, path
	}
	return format, resolved(g.Folder, path)
}

// socket checks the keys of a socket. TCP is for this machine only: nothing is encrypted.
func (b *builder) socket(n *Node, connect bool, connections int) {
	at := func(key string) []string { return []string{string(n.Kind), n.Name, key} }
	n.Connect, n.Connections = connect, connections
	if (connect || connections != 0) && !n.Socket || connections < 0 {
		b.fault(at("connect"), "connect and connections are for sockets, and connections is positive", `write ipc = "unix:PATH"`)
	}
	if address, ok := strings.CutPrefix(n.Path, "tcp:"); ok && n.Socket {
		host, _, err := net.SplitHostPort(address)
		if ip := net.ParseIP(host); err != nil || ip == nil || !ip.IsLoopback() {
			b.fault(at("ipc"), fmt.Sprintf("%q is not an address of this machine", address), `write ipc = "tcp:127.0.0.1:PORT" or "unix:PATH"`)
		}
	}
}

func (b *builder) source(g *Graph, n *Node, keys *sourceKeys) {
	at := func(key string) []string { return []string{"source", n.Name, key} }
	n.Format, n.Path = b.place(g, n, keys.Parquet, keys.CSV, keys.IPC)
	b.socket(n, keys.Connect, keys.Connections)
	n.Columns = columnsOf(b.lines, keys.Schema, "source", n.Name, "schema")
	n.Casts = columnsOf(b.lines, keys.Cast, "source", n.Name, "cast")
	n.Only, n.Nulls, n.Limit, n.BatchRows, n.Comma = keys.Columns, keys.Nulls, keys.Limit, 65536, ','
	if keys.BatchRows != 0 {
		n.BatchRows = keys.BatchRows
	}
	if n.BatchRows < 1 || n.Limit < 0 {
		b.fault(at("batch_rows"), "batch_rows and limit must be positive", "write batch_rows = 65536")
	}
	if n.Format == "csv" && len(n.Columns) == 0 {
		b.fault(at("csv"), fmt.Sprintf("source %q has no schema, and a run never guesses types", n.Name), `add schema = { NAME = "utf8" }; columns that it does not list are not read`)
	}
	if keys.Comma != "" {
		runes := []rune(keys.Comma)
		if len(runes) != 1 {
			b.fault(at("comma"), "comma must be one character", `write comma = ";"`)
		}
		n.Comma = runes[0]
	}
	only := map[string]bool{"comma": keys.Comma != "", "nulls": keys.Nulls != nil, "batch_rows": keys.BatchRows != 0}
	for key, given := range only {
		if given && n.Format != "csv" && (key != "batch_rows" || n.Format == "ipc") {
			b.fault(at(key), fmt.Sprintf("a source of %s files has no key %s", n.Format, key), "remove it")
		}
	}
}

func columnsOf(l Lines, table map[string]string, path ...string) []Column {
	var columns []Column
	for _, name := range sorted(l, table, path...) {
		columns = append(columns, Column{name, table[name], l.At(append(slices.Clone(path), name)...)})
	}
	return columns
}
