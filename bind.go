// SPDX-License-Identifier: MIT

package alloy

import (
	"context"
	"fmt"
	"runtime"
	"sort"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/ignalina/alloy/go/cdata"
	"github.com/ignalina/alloy/go/engine"
)

// boundCall is a call of the engine that one user has, with the exporter of its inputs.
type boundCall struct {
	binding  *binding
	call     *engine.Call
	exporter *cdata.Exporter
	results  cdata.Results
	ticket   uint64
	first    bool // the backend's function was never run

	lines *callLines // nil: no run was logged
	level int32      // that the engine has, if logs
	logs  bool
}

// acquire returns a call for one user, who gives it back after use. An idle call is used
// again; otherwise the function is bound once more.
func (g *generation) acquire(ctx context.Context, function string, options Options, schemas []*arrow.Schema) (*boundCall, error) {
	list, text, err := flatten(options)
	if err != nil {
		return nil, err
	}
	k := keyOf(function, text, schemas)
	known := g.bindings.find(k)
	if known != nil {
		if call := known.takeIdle(); call != nil {
			return call, nil
		}
	}
	return g.bind(ctx, k, known, list, schemas)
}

// flatten returns options as a list, sorted by name, and as a text that identifies them.
func flatten(options Options) (list []string, text string, err error) {
	if len(options) == 0 {
		return nil, "", nil
	}
	names := make([]string, 0, len(options))
	for name, value := range options {
		if hasNUL(name) || hasNUL(value) {
			return nil, "", nulError(fmt.Sprintf("option %q", name))
		}
		names = append(names, name)
	}
	sort.Strings(names)
	list = make([]string, 0, 2*len(names))
	for _, name := range names {
		list = append(list, name, options[name])
	}
	return list, strings.Join(list, "\x00"), nil
}

// bind makes a call in the engine. Known is the binding of the key, nil for the first call.
func (g *generation) bind(ctx context.Context, k key, known *binding, options []string, schemas []*arrow.Schema) (*boundCall, error) {
	if hasNUL(k.function) {
		e := callerError(NotFound, "the function name %q contains a NUL byte; Functions lists the names", k.function)
		e.Reason = reasonNULByte
		return nil, e
	}
	exported, err := cdata.ExportSchemas(schemas)
	if err != nil {
		return nil, typeError(-1, err)
	}
	first := g.isFirst(k.function)
	var call *engine.Call
	var fault *engine.Fault
	var lines any
	if g.logger != nil {
		carried := &callLines{}
		carried.ctx.Store(&ctx)
		lines = carried
	}
	enter := func() { call, fault = g.bridge.Bind(k.function, exported.First, len(schemas), options, lines) }
	repaired := ""
	if first {
		repaired = engine.WatchSignals(enter)
	} else {
		enter()
	}
	exported.Free()
	warnOfSignals(ctx, g.logger, g.library, "bind of "+k.function, repaired)
	if fault != nil {
		return nil, fromFault(fault)
	}
	if known == nil {
		made, err := newBinding(schemas, call)
		if err != nil {
			return nil, err
		}
		made.isMap = g.isMap(k.function)
		made.function, made.library, made.logger = k.function, g.library, g.logger
		known = g.bindings.add(k, made)
	}
	made := &boundCall{binding: known, call: call, exporter: cdata.NewExporter(known.inputs), first: first, results: g.resultsOf(k.function)}
	runtime.AddCleanup(made, func(x *cdata.Exporter) { x.Close() }, made.exporter)
	return made, nil
}

// isMap reports whether every function of this name is run on batches.
func (g *generation) isMap(name string) bool {
	g.kinds.Do(func() {
		functions, fault := g.bridge.Functions()
		if fault != nil {
			return
		}
		g.streams = map[string]bool{}
		for _, f := range functions {
			g.streams[f.Name] = g.streams[f.Name] || f.Stream
		}
	})
	isStream, known := g.streams[name]
	return known && !isStream
}

func newBinding(schemas []*arrow.Schema, call *engine.Call) (*binding, error) {
	b := &binding{schemas: append([]*arrow.Schema(nil), schemas...), inputs: make([]*cdata.Plan, len(schemas))}
	var err error
	for i, schema := range schemas {
		if b.inputs[i], err = cdata.NewPlan(schema); err != nil {
			return nil, typeError(i, err)
		}
	}
	out, err := cdata.ImportSchema(call.Schema())
	if err == nil {
		b.output, err = cdata.NewPlan(out)
	}
	runtime.KeepAlive(call)
	if err != nil {
		return nil, resultError(Unsupported, err)
	}
	return b, nil
}
