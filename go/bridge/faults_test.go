// SPDX-License-Identifier: MIT

//go:build linux && cgo && (amd64 || arm64)

package bridge_test

import (
	"context"
	"errors"
	"testing"

	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/ignalina/alloy"
	"github.com/ignalina/alloy/go/engine"
	"github.com/ignalina/alloy/go/internal/faults"
)

// echoOf makes a bridge of the engine itself, on which structs are given that Go's own
// exporter never makes.
func echoOf(t *testing.T, checkInputs uint32) *engine.Bridge {
	t.Helper()
	host, fault := engine.NewHost(engine.Loading{}, func(*engine.Line) {})
	if fault != nil {
		t.Fatal(fault.Text)
	}
	b, fault := host.NewBridge(engine.BridgeOptions{CheckInputs: checkInputs})
	if fault != nil {
		t.Fatal(fault.Text)
	}
	return b
}

func bindTree(t *testing.T, b *engine.Bridge) *engine.Call {
	t.Helper()
	tree := faults.New("")
	defer tree.Free()
	call, fault := b.Bind("echo", tree.Schema(), 1, nil, nil)
	tree.ReleaseSchema()
	if fault != nil {
		t.Fatal(fault.Text)
	}
	return call
}

func checkPlace(t *testing.T, c faults.Case, reason, column int) {
	t.Helper()
	if c.Reason == faults.AnyFormatReason {
		if name := alloy.Reason(reason).String(); name != "FORMAT_UNKNOWN" && name != "FORMAT_PARAMETER" {
			t.Errorf("reason %s, want one of the formats", name)
		}
	} else if reason != c.Reason {
		t.Errorf("reason %s, want %s", alloy.Reason(reason), alloy.Reason(c.Reason))
	}
	if c.Column != faults.AnyColumn && column != c.Column {
		t.Errorf("column %d, want %d", column, c.Column)
	}
}

// checkFault checks what the engine returns for a case on the first input.
func checkFault(t *testing.T, c faults.Case, fault *engine.Fault, valid bool) {
	t.Helper()
	switch {
	case valid && fault != nil:
		t.Errorf("it is valid, but is refused: %s", fault.Text)
	case !valid && fault == nil:
		t.Error("the fault is not found")
	case fault != nil:
		checkPlace(t, c, int(fault.Reason), int(fault.Column))
		if fault.Code != int32(alloy.BadData) || fault.Side != uint16(alloy.SideCaller) || fault.Input != 0 {
			t.Errorf("code %d, side %d, input %d", fault.Code, fault.Side, fault.Input)
		}
	}
}

// TestFaultyInputs gives every fault to one call, which has to serve a good batch after
// each.
func TestFaultyInputs(t *testing.T) {
	calls := map[uint32]*engine.Call{}
	for level := uint32(1); level <= 3; level++ {
		calls[level] = bindTree(t, echoOf(t, level))
	}
	for _, c := range faults.Arrays() {
		t.Run(c.Name, func(t *testing.T) {
			call := calls[c.Level]
			tree := faults.New(c.Name)
			var out engine.Owner
			fault := call.Run(tree.Array(), &out, 0, 0)
			checkFault(t, c, fault, c.Reason == 0)
			out.Release()
			if n := tree.Releases(); n != 1 {
				t.Errorf("released %d times", n)
			}
			tree.Free()

			good := faults.New("")
			if fault := call.Run(good.Array(), &out, 0, 0); fault != nil {
				t.Errorf("the next call: %s", fault.Text)
			}
			out.Release()
			if n := good.Releases(); n != 1 {
				t.Errorf("the next call: released %d times", n)
			}
			good.Free()
		})
	}
}

func TestFaultySchemas(t *testing.T) {
	b := echoOf(t, 0)
	for _, c := range faults.Schemas() {
		t.Run(c.Name, func(t *testing.T) {
			tree := faults.New(c.Name)
			defer tree.Free()
			_, fault := b.Bind("echo", tree.Schema(), 1, nil, nil)
			tree.ReleaseSchema()
			checkFault(t, c, fault, c.Reason == 0)
			bindTree(t, b)
		})
	}
}

// TestFaultyResults has a backend give every fault.
func TestFaultyResults(t *testing.T) {
	mem := memory.NewCheckedAllocator(memory.NewGoAllocator())
	defer mem.AssertSize(t, 0)
	byDefault := open(t, mem, "tests/lie")
	inFull := &alloy.GoBridge{Isolated: isolated, GoAllocator: mem, AllowUnsigned: true, Logger: silent, CheckResults: alloy.CheckFull}
	t.Cleanup(inFull.Close)
	if err := inFull.SetImplLib(library(t, "tests/lie"), ""); err != nil {
		t.Fatal(err)
	}
	batch := int64Batch(mem, 1, 4)
	defer batch.Release()
	for _, kind := range []struct {
		function string
		cases    []faults.Case
	}{{"lie", faults.Arrays()}, {"lie_in_schema", faults.Schemas()}} {
		for _, c := range kind.cases {
			t.Run(c.Name, func(t *testing.T) {
				goBridge := byDefault
				if c.Level > uint32(alloy.CheckSafe) {
					goBridge = inFull
				}
				before := ledger(t, goBridge)
				options := alloy.Options{"fault": c.Name}
				out, err := goBridge.Call(context.Background(), kind.function, options, batch)
				if c.Reason == 0 && kind.function == "lie" {
					if err != nil {
						t.Fatalf("it is valid, and is refused: %v", err)
					}
					out.Release()
				} else if c.Reason != 0 {
					var e *alloy.Error
					if !errors.As(err, &e) {
						t.Fatalf("it is not noticed: %v", err)
					}
					checkPlace(t, c, int(e.Reason), e.Column)
					if e.Code != alloy.BadData || e.Side != alloy.SideBackend || e.Input != -1 {
						t.Errorf("got %+v", e)
					}
				}
				after := ledger(t, goBridge)
				if after.twice {
					t.Error("something was released twice")
				}
				if kind.function == "lie" && c.Name != "array_released" &&
					after.arrays-before.arrays != after.trees-before.trees {
					t.Errorf("%d of %d released", after.arrays-before.arrays, after.trees-before.trees)
				}
			})
		}
	}
}

type sums struct {
	trees, arrays int64
	twice         bool
}

// ledger also shows that the bridge serves the next call.
func ledger(t *testing.T, goBridge *alloy.GoBridge) sums {
	t.Helper()
	out, err := goBridge.Call(context.Background(), "ledger", nil, int64BatchOnce)
	if err != nil {
		t.Fatal(err)
	}
	defer out.Release()
	return sums{
		trees:  out.Column(0).(*array.Int64).Value(0),
		arrays: out.Column(1).(*array.Int64).Value(0),
		twice:  out.Column(3).(*array.Boolean).Value(0),
	}
}

var int64BatchOnce = int64Batch(memory.DefaultAllocator, 1, 1)
