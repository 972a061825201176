// SPDX-License-Identifier: MIT

package ray

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/ignalina/alloy/apps/thund/internal/files"
	"github.com/ignalina/alloy/apps/thund/internal/graph"
)

// columnTypes are the types of a CSV file, before a cast.
func columnTypes(n *graph.Node) string {
	var types []string
	for _, column := range n.Columns {
		if of, err := files.TypeOf(column.Type); err == nil { // otherwise the validation has failed
			types = append(types, fmt.Sprintf("%s: %s", quoted(column.Name), typeOf(of)))
		}
	}
	return strings.Join(types, ", ")
}

// typeOf writes a type of the graph file for pyarrow.
func typeOf(of arrow.DataType) string {
	switch of := of.(type) {
	case *arrow.BooleanType:
		return "pa.bool_()"
	case *arrow.TimestampType:
		if of.TimeZone != "" {
			return fmt.Sprintf("pa.timestamp(%s, %s)", quoted(of.Unit.String()), quoted(of.TimeZone))
		}
		return fmt.Sprintf("pa.timestamp(%s)", quoted(of.Unit.String()))
	case *arrow.Time32Type:
		return fmt.Sprintf("pa.time32(%s)", quoted(of.Unit.String()))
	case *arrow.Time64Type:
		return fmt.Sprintf("pa.time64(%s)", quoted(of.Unit.String()))
	case *arrow.Decimal128Type:
		return fmt.Sprintf("pa.decimal128(%d, %d)", of.Precision, of.Scale)
	}
	names := map[string]string{"utf8": "string", "large_utf8": "large_string"}
	name := of.Name()
	if python := names[name]; python != "" {
		name = python
	}
	return "pa." + name + "()"
}

// variable is the Python name of a node.
func variable(n *graph.Node) string {
	clean := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
			return r
		}
		return '_'
	}, n.Name)
	return fmt.Sprintf("%s_%s_%d", n.Kind, clean, n.Line) // two names may have the same letters
}

func list(nodes []*graph.Node) string {
	var names []string
	for _, n := range nodes {
		names = append(names, variable(n))
	}
	return strings.Join(names, ", ")
}

// quoted writes a text, a list or a table as Python has it, which is as JSON has it.
func quoted(value any) string {
	text, err := json.Marshal(value)
	if err != nil {
		panic(err) // texts, and lists and tables of texts
	}
	return string(text)
}

func absolute(path string) string {
	if full, err := filepath.Abs(path); err == nil {
		return full
	}
	return path
}
