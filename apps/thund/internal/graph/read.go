// SPDX-License-Identifier: MIT

package graph

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2"

	"github.com/ignalina/alloy/apps/thund/internal/fault"
)

// Settings are what the command line sets.
type Settings struct {
	Params      map[string]string
	Certificate string // instead of that of [graph]
	Isolated    bool   // all steps
	Tests       bool   // only tests run: sources that have a schema need no file
}

// Read reads a graph file. It reports all errors of a stage: syntax, names, shape.
func Read(path string, set Settings) (*Graph, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, &fault.Fault{Code: fault.Syntax, Text: "cannot read the graph file", File: path,
			Detail: []string{err.Error()}, Help: "pass the path of a graph file: thund run GRAPH.toml",
			Exit: fault.ExitMachine, Cause: err}
	}
	return parse(path, text, set)
}

// NameOf reads only the name of a graph, for a graph that runs already.
func NameOf(path string) (string, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	var d struct{ Graph struct{ Name string } }
	if err := toml.Unmarshal(text, &d); err != nil {
		return "", err
	}
	return nameOf(path, d.Graph.Name), nil
}

// nameOf is the name of a graph; without one, that of its file.
func nameOf(path, name string) string {
	if name != "" {
		return name
	}
	return strings.TrimSuffix(filepath.Base(path), filepath.Ext(path))
}

func parse(path string, text []byte, set Settings) (*Graph, error) {
	var d document
	if err := decode(path, text, &d); err != nil {
		return nil, err
	}
	b := &builder{file: path, doc: &d, lines: readLines(text), set: set}
	if err := b.substitute(); err != nil {
		return nil, err
	}
	g := b.build()
	if len(b.faults) > 0 {
		return nil, b.faults
	}
	if faults := g.checkShape(); len(faults) > 0 {
		return nil, faults
	}
	return g, nil
}

// decode is the stage of the syntax. It names every unknown key.
func decode(path string, text []byte, d *document) error {
	decoder := toml.NewDecoder(bytes.NewReader(text)).DisallowUnknownFields()
	err := decoder.Decode(d)
	var unknown *toml.StrictMissingError
	var wrong *toml.DecodeError
	var faults fault.List
	switch {
	case err == nil:
		return nil
	case errors.As(err, &unknown):
		for i := range unknown.Errors {
			faults = append(faults, unknownKey(path, &unknown.Errors[i]))
		}
	case errors.As(err, &wrong):
		line, column := wrong.Position()
		faults = append(faults, &fault.Fault{Code: fault.Syntax, Text: "the graph file is not correct TOML",
			File: path, Line: line, At: fmt.Sprintf("column %d", column),
			Detail: []string{strings.TrimPrefix(wrong.Error(), "toml: ")},
			Help:   "correct this line; thund run --help shows a whole graph file", Exit: fault.ExitUsage})
	default:
		faults = append(faults, &fault.Fault{Code: fault.Syntax, Text: "the graph file is not correct TOML",
			File: path, Detail: []string{err.Error()}, Help: "correct the file", Exit: fault.ExitUsage})
	}
	return faults
}

func unknownKey(path string, e *toml.DecodeError) *fault.Fault {
	line, _ := e.Position()
	key := e.Key()
	last := key[len(key)-1]
	if key[0] == "test" && len(key) > 1 {
		last = key[1] // its rows have the keys of a node
	}
	f := &fault.Fault{Code: fault.Syntax, Text: fmt.Sprintf("there is no key %q", last), File: path, Line: line,
		At: strings.Join(key, "."), Exit: fault.ExitUsage}
	known := keysOf(key)
	if near := Nearest(last, known); near != "" {
		f.Help = fmt.Sprintf("write %s", near)
	} else {
		f.Help = "the keys here are: " + strings.Join(known, ", ")
	}
	return f
}

// keysOf returns the keys that a table has.
func keysOf(path []string) []string {
	of := reflect.TypeFor[document]()
	switch path[0] {
	case "graph":
		of = of.Field(0).Type
	case "backend":
		of = reflect.TypeFor[backendKeys]()
	case "source":
		of = reflect.TypeFor[sourceKeys]()
	case "step":
		of = reflect.TypeFor[stepKeys]()
	case "sink":
		of = reflect.TypeFor[sinkKeys]()
	case "task":
		of = reflect.TypeFor[taskKeys]()
	case "test":
		of = reflect.TypeFor[testKeys]()
	}
	if len(path) == 1 {
		of = reflect.TypeFor[document]()
	}
	var keys []string
	for i := range of.NumField() {
		key := of.Field(i).Tag.Get("toml")
		if key == "" {
			key = strings.ToLower(of.Field(i).Name)
		}
		keys = append(keys, key)
	}
	return keys
}

// substitute replaces ${name} in every string of the document.
func (b *builder) substitute() error {
	params := maps.Clone(b.doc.Graph.Params)
	if params == nil {
		params = map[string]string{}
	}
	maps.Copy(params, b.set.Params)
	known := slices.Sorted(maps.Keys(params))
	for _, v := range b.lines.variable {
		if _, ok := params[v.name]; ok || strings.HasPrefix(v.path, "graph.params") {
			continue
		}
		help := fmt.Sprintf("add it to [graph] params, or pass --set %s=VALUE", v.name)
		if near := Nearest(v.name, known); near != "" {
			help = fmt.Sprintf("write ${%s}, or pass --set %s=VALUE", near, v.name)
		}
		b.faults = append(b.faults, &fault.Fault{Code: fault.Name, Text: fmt.Sprintf("${%s} has no value", v.name),
			File: b.file, Line: v.line, At: v.path, Help: help, Exit: fault.ExitUsage})
	}
	replace(reflect.ValueOf(b.doc).Elem(), params)
	return nil
}

// replace walks a value and replaces variables in its strings.
func replace(v reflect.Value, params map[string]string) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			replace(v.Elem(), params)
		}
	case reflect.Interface:
		if !v.IsNil() {
			inner := reflect.New(v.Elem().Type()).Elem()
			inner.Set(v.Elem())
			replace(inner, params)
			v.Set(inner)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			replace(v.Field(i), params)
		}
	case reflect.Slice:
		for i := range v.Len() {
			replace(v.Index(i), params)
		}
	case reflect.Map:
		for _, key := range v.MapKeys() {
			inner := reflect.New(v.Type().Elem()).Elem()
			inner.Set(v.MapIndex(key))
			replace(inner, params)
			v.SetMapIndex(key, inner)
		}
	case reflect.String:
		v.SetString(replaced(v.String(), params))
	}
}

// resolved returns a path of the file relative to the folder of the file.
func resolved(folder, path string) string {
	if path == "" || filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(folder, path)
}
