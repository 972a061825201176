// SPDX-License-Identifier: MIT

package run

import (
	"fmt"
	"slices"
	"sort"
	"strings"

	"github.com/ignalina/alloy"

	"github.com/ignalina/alloy/apps/thund/internal/fault"
	"github.com/ignalina/alloy/apps/thund/internal/graph"
)

// loadBackends verifies and loads the library of each backend, once for each mode.
func (p *Plan) loadBackends(allowUnsigned bool) (faults fault.List) {
	workers := map[bridgeKey]int{}
	failed := map[string]bool{}
	for _, n := range p.Graph.Nodes {
		if n.Backend != nil {
			workers[keyOf(n)] += n.Parallel
		}
	}
	for _, n := range p.Graph.Nodes {
		if n.Backend == nil || failed[n.Backend.Name] {
			continue
		}
		key := keyOf(n)
		if p.bridges[key] == nil {
			if workers[key] > 64 {
				faults = append(faults, p.At(n, fault.Rule, "parallel", fmt.Sprintf("the steps of backend %q use %d workers, and the most is 64", key.backend, workers[key]), "lower parallel"))
				failed[n.Backend.Name] = true
				continue
			}
			bridge, f := p.load(n, uint32(workers[key]), allowUnsigned)
			if f != nil {
				faults = append(faults, f)
				failed[n.Backend.Name] = true
				continue
			}
			p.bridges[key] = bridge
		}
		function, f := p.find(n, p.bridges[key])
		if f != nil {
			faults = append(faults, f)
			continue
		}
		p.Steps[n] = function
	}
	return faults
}

func (p *Plan) load(n *graph.Node, workers uint32, allowUnsigned bool) (*alloy.GoBridge, *fault.Fault) {
	b := n.Backend
	wrong := func(err error) *fault.Fault {
		f := fault.FromEngine(err, fmt.Sprintf("backend %q may not be used", b.Name))
		f.File, f.Line, f.At = p.Graph.File, b.Line, fmt.Sprintf("[backend], %s = %s", b.Name, b.Library)
		if f.Help = "arrowalloy inspect " + b.Library + " shows why"; f.Exit == 10 && b.Certificate == "" {
			f.Help = "add certificate = \"FILE\" to [graph], or pass --allow-unsigned"
		}
		return f
	}
	certificate := ""
	if b.Certificate != "" {
		var err error
		if certificate, err = alloy.ReadCertificate(b.Certificate); err != nil {
			return nil, wrong(err)
		}
	}
	bridge := &alloy.GoBridge{Isolated: n.Isolated, AllowUnsigned: allowUnsigned, MayNeed: b.MayNeed}
	if n.Isolated {
		bridge.Limits = alloy.Limits{Workers: workers, HeapBytes: n.Heap}
	}
	if err := bridge.SetImplLib(b.Library, certificate); err != nil {
		bridge.Close()
		return nil, wrong(err)
	}
	return bridge, nil
}

// find finds the function of a step. Functions that share a name are flagged as all of them are.
func (p *Plan) find(n *graph.Node, bridge *alloy.GoBridge) (*Function, *fault.Fault) {
	functions, err := bridge.Functions()
	var backend alloy.Backend
	if err == nil {
		backend, err = bridge.Backend()
	}
	if err != nil {
		f := fault.FromEngine(err, fmt.Sprintf("backend %q does not list its functions", n.Backend.Name))
		f.File, f.Line = p.Graph.File, n.Backend.Line
		return nil, f
	}
	var found *Function
	var names []string
	for _, f := range functions {
		names = append(names, f.Name)
		if f.Name != n.Function {
			continue
		}
		if found == nil {
			found = &Function{Function: f, Bridge: bridge, Backend: backend}
			continue
		}
		found.Idempotent = found.Idempotent && f.Idempotent
		found.Rowwise = found.Rowwise && f.Rowwise
		found.Stream = found.Stream || f.Stream
		if !sameColumns(found.Columns, f.Columns) {
			found.Columns = nil // as if it read all
		}
		found.MinInputs = min(found.MinInputs, f.MinInputs)
		if found.MaxInputs = max(found.MaxInputs, f.MaxInputs); f.MaxInputs < 0 {
			found.MaxInputs = -1
		}
	}
	if found == nil {
		sort.Strings(names)
		f := p.At(n, fault.Name, "call", fmt.Sprintf("backend %q has no function %q", n.Backend.Name, n.Function),
			"the functions are: "+strings.Join(names, ", "))
		if near := graph.Nearest(n.Function, names); near != "" {
			f.Help = fmt.Sprintf(`write call = "%s.%s"`, n.Backend.Name, near)
		}
		return nil, f
	}
	return found, nil
}

// sameColumns reports whether two functions read the same columns.
func sameColumns(a, b [][]alloy.Column) bool {
	return slices.EqualFunc(a, b, func(x, y []alloy.Column) bool {
		return slices.EqualFunc(x, y, func(c, d alloy.Column) bool { return c.Name == d.Name })
	})
}
