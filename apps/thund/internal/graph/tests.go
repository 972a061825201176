// SPDX-License-Identifier: MIT

package graph

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/ignalina/alloy/apps/thund/internal/fault"
)

// Test is one [[test]]: rows that go in, and rows that must come out.
type Test struct {
	Name          string
	Line          int
	Given, Expect []Rows
}

// Rows are the rows of one node in a test. What a row does not name is null.
type Rows struct {
	Node *Node
	Rows []map[string]any
	Line int
}

// tests reads the [[test]] tables.
func (b *builder) tests(g *Graph) {
	for i, keys := range b.doc.Test {
		at := []string{"test", strconv.Itoa(i)}
		t := &Test{Name: keys.Name, Line: b.lines.At(at...)}
		if t.Name == "" {
			t.Name = fmt.Sprintf("test %d", i+1)
		}
		if len(keys.Given) == 0 || len(keys.Expect) == 0 {
			b.testFault(t.Line, fmt.Sprintf("test %q needs rows that go in and rows that come out", t.Name), "add given.SOURCE = [{ COLUMN = VALUE }] and expect.STEP = [{ COLUMN = VALUE }]")
		}
		t.Given = b.rows(t, keys.Given, append(at, "given"), false)
		t.Expect = b.rows(t, keys.Expect, append(at, "expect"), true)
		b.checkTest(t)
		g.Tests = append(g.Tests, t)
	}
}

func (b *builder) testFault(line int, text, help string) {
	b.faults = append(b.faults, &fault.Fault{Code: fault.Name, Text: text, File: b.file, Line: line, At: "[[test]]", Help: help, Exit: fault.ExitUsage})
}

func (b *builder) rows(t *Test, of map[string][]map[string]any, at []string, sinks bool) (all []Rows) {
	var known []string
	for name, n := range b.nodes {
		if n.Kind != Sink || sinks {
			known = append(known, name)
		}
	}
	slices.Sort(known)
	for _, name := range sorted(b.lines, of, at...) {
		line := b.lines.At(append(slices.Clone(at), name)...)
		if !slices.Contains(known, name) {
			help := "name a source or a step"
			if near := Nearest(name, known); near != "" {
				help = "write " + near
			}
			b.testFault(line, fmt.Sprintf("test %q names %q, which %s cannot have", t.Name, name, at[len(at)-1]), help)
			continue
		}
		all = append(all, Rows{b.nodes[name], of[name], line})
	}
	return all
}

// gives reports whether a test gives the rows of a node.
func (t *Test) gives(n *Node) bool {
	return slices.ContainsFunc(t.Given, func(r Rows) bool { return r.Node == n })
}

// checkTest checks that each expected node gets its rows from given ones.
func (b *builder) checkTest(t *Test) {
	needed := t.Nodes()
	for _, given := range t.Given {
		if !needed[given.Node] {
			b.testFault(given.Line, fmt.Sprintf("test %q gives rows of %q, which no expected node reads", t.Name, given.Node.Name), "remove them, or expect rows of a node after it")
		}
	}
	for n := range needed {
		if n.Kind == Source && !t.gives(n) {
			b.testFault(t.Line, fmt.Sprintf("test %q gives no rows of source %q, which the expected nodes read", t.Name, n.Name), fmt.Sprintf("add given.%s = [{ COLUMN = VALUE }]; [] is no rows", n.Name))
		}
	}
	for _, expected := range t.Expect {
		if t.gives(expected.Node) {
			b.testFault(expected.Line, fmt.Sprintf("test %q expects what it gives: the rows of %q", t.Name, expected.Node.Name), "expect rows of a node after it")
		}
	}
}

// Nodes returns the nodes between what the test gives and what it expects, with both.
func (t *Test) Nodes() map[*Node]bool {
	needed := map[*Node]bool{}
	var visit func(n *Node)
	visit = func(n *Node) {
		if needed[n] {
			return
		}
		needed[n] = true
		if t.gives(n) {
			return
		}
		for _, from := range slices.Concat(n.From, n.LettersOf) {
			visit(from)
		}
	}
	for _, expected := range t.Expect {
		visit(expected.Node)
	}
	return needed
}
