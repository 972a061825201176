// SPDX-License-Identifier: MIT

package graph

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/pelletier/go-toml/v2/unstable"
)

// Lines has the line of each key, by its path, such as step.km.from. It also keeps the order
// of keys, which is the order of columns in a schema.
type Lines struct {
	of       map[string]int
	order    map[string]int
	variable []variable
	tests    int // [[test]] tables so far
}

// variable is one ${name} in a string.
type variable struct {
	name, path string
	line       int
}

// At returns the line of a path, or of the nearest one above it that the file has.
func (l Lines) At(path ...string) int {
	for n := len(path); n > 0; n-- {
		if line, ok := l.of[strings.Join(path[:n], "\x00")]; ok {
			return line
		}
	}
	return 1
}

// sorted returns the keys of a table in the order of the file.
func sorted[T any](l Lines, table map[string]T, path ...string) []string {
	prefix := strings.Join(path, "\x00") + "\x00"
	keys := make([]string, 0, len(table))
	for key := range table {
		keys = append(keys, key)
	}
	slices.SortFunc(keys, func(a, b string) int { return cmp.Compare(l.order[prefix+a], l.order[prefix+b]) })
	return keys
}

// readLines walks a document that is known to be TOML.
func readLines(text []byte) Lines {
	l := Lines{of: map[string]int{}, order: map[string]int{}}
	var p unstable.Parser
	p.Reset(text)
	var table []string
	for p.NextExpression() {
		e := p.Expression()
		switch e.Kind {
		case unstable.ArrayTable:
			l.tests++ // each [[test]] has lines of its own
			table = l.add(&p, nil, e)
		case unstable.Table:
			table = l.add(&p, nil, e)
		case unstable.KeyValue:
			l.walk(&p, table, e)
		}
	}
	return l
}

func (l *Lines) walk(p *unstable.Parser, above []string, pair *unstable.Node) {
	path := l.add(p, above, pair)
	l.value(p, path, pair.Value())
}

func (l *Lines) value(p *unstable.Parser, path []string, value *unstable.Node) {
	switch value.Kind {
	case unstable.InlineTable:
		for it := value.Children(); it.Next(); {
			l.walk(p, path, it.Node())
		}
	case unstable.Array:
		for it := value.Children(); it.Next(); {
			l.value(p, path, it.Node())
		}
	case unstable.String:
		for _, name := range variables(string(value.Data)) {
			l.variable = append(l.variable, variable{name, strings.Join(path, "."), l.At(path...)})
		}
	}
}

// add records a key and the tables above it.
func (l *Lines) add(p *unstable.Parser, above []string, node *unstable.Node) []string {
	path := slices.Clone(above)
	for it := node.Key(); it.Next(); {
		key := it.Node()
		path = append(path, string(key.Data))
		if len(path) == 1 && path[0] == "test" && l.tests > 0 {
			path = append(path, strconv.Itoa(l.tests-1))
		}
		joined := strings.Join(path, "\x00")
		if _, known := l.of[joined]; !known {
			l.of[joined] = p.Shape(key.Raw).Start.Line
			l.order[joined] = len(l.order)
		}
	}
	return path
}

// variables returns the names of the ${name} in a string.
func variables(text string) (names []string) {
	for {
		_, rest, found := strings.Cut(text, "${")
		if !found {
			return names
		}
		name, after, closed := strings.Cut(rest, "}")
		if !closed {
			return append(names, rest)
		}
		names, text = append(names, name), after
	}
}

// replaced returns a string with the values of its variables.
func replaced(text string, params map[string]string) string {
	for _, name := range variables(text) {
		text = strings.ReplaceAll(text, "${"+name+"}", params[name])
	}
	return text
}
