// SPDX-License-Identifier: MIT

//go:build linux && cgo && (amd64 || arm64)

package bridge_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/ignalina/alloy"
	"github.com/ignalina/alloy/go/cdata"
	"github.com/ignalina/alloy/go/engine"
	"github.com/ignalina/alloy/go/internal/faults"
)

// trees serves batches that Go's own exporter never makes.
type trees struct {
	given []faults.Tree
	next  int
	done  int
}

func (s *trees) Next(out *engine.WrittenArray) error {
	if s.next < len(s.given) {
		// The struct is moved: its addresses, as numbers, and the mark.
		from := s.given[s.next].WrittenArray()
		*out, from.Release = *from, 0
		s.next++
	}
	return nil
}

func (s *trees) Failed() {}
func (s *trees) Done()   { s.done++ }

// TestFaultyBatchesOfAnInput gives every fault as the second batch of a stream, to a
// function on batches and to one on streams.
func TestFaultyBatchesOfAnInput(t *testing.T) {
	for _, backend := range []roundTripBackend{
		{"on batches", "tests/identity", "identity"}, {"on streams", "tests/flows", "relay"},
	} {
		schemas := treeSchemas(t)
		defer schemas.Free()
		calls := map[uint32]*engine.Call{}
		for level := uint32(1); level <= 3; level++ {
			calls[level] = bindTreeOf(t, backend, schemas, level)
		}
		for _, c := range faults.Arrays() {
			t.Run(backend.name+", "+c.Name, func(t *testing.T) {
				call := calls[c.Level]
				good, bad := faults.New(""), faults.New(c.Name)
				source := &trees{given: []faults.Tree{good, bad}}
				in := engine.NewInputs(1)
				in.Serve(source, schemas.First)
				stream, fault := call.Open(in, 0, 0)
				if fault != nil {
					t.Fatal(fault.Text)
				}
				var out engine.Owner
				if fault = stream.Next(&out); fault != nil {
					t.Fatal(fault.Text)
				}
				out.Release()
				for range 2 {
					fault = stream.Next(&out)
					// In a stream, a batch that is released is the end.
					checkFault(t, c, fault, c.Reason == 0 || c.Name == "array_released")
					out.Release()
				}
				stream.Release()
				for _, tree := range source.given {
					if n := tree.Releases(); n != 1 {
						t.Errorf("released %d times", n)
					}
					tree.Free()
				}
				if source.done != 1 {
					t.Errorf("the input was released %d times", source.done)
				}
			})
		}
	}
}

func treeSchemas(t *testing.T) *cdata.Schemas {
	t.Helper()
	tree := faults.New("")
	defer tree.Free()
	schema, err := cdata.ImportSchema(tree.Schema())
	if err != nil {
		t.Fatal(err)
	}
	schemas, err := cdata.ExportSchemas([]*arrow.Schema{schema})
	if err != nil {
		t.Fatal(err)
	}
	return schemas
}

func bindTreeOf(t *testing.T, backend roundTripBackend, schemas *cdata.Schemas, checkInputs uint32) *engine.Call {
	t.Helper()
	host, fault := engine.NewHost(engine.Loading{AllowUnsigned: true}, func(*engine.Line) {})
	if fault != nil {
		t.Fatal(fault.Text)
	}
	b, fault := host.NewBridge(engine.BridgeOptions{CheckInputs: checkInputs})
	if fault != nil {
		t.Fatal(fault.Text)
	}
	if fault = b.Load(library(t, backend.library), ""); fault != nil {
		t.Fatal(fault.Text)
	}
	call, fault := b.Bind(backend.function, schemas.First, 1, nil, nil)
	if fault != nil {
		t.Fatal(fault.Text)
	}
	return call
}

// TestFaultyBatchesOfAResult has a function on streams give every fault as its second
// batch, and one on batches.
func TestFaultyBatchesOfAResult(t *testing.T) {
	mem := checked(t)
	full := alloy.GoBridge{Isolated: isolated, GoAllocator: mem, AllowUnsigned: true, Logger: silent, CheckResults: alloy.CheckFull}
	fullStreams, fullBatches := full, full
	for goBridge, name := range map[*alloy.GoBridge]string{&fullStreams: "tests/flows", &fullBatches: "tests/lie"} {
		t.Cleanup(goBridge.Close)
		if err := goBridge.SetImplLib(library(t, name), ""); err != nil {
			t.Fatal(err)
		}
	}
	safeStreams, safeBatches := open(t, mem, "tests/flows"), open(t, mem, "tests/lie")
	for _, c := range faults.Arrays() {
		streams, batches := safeStreams, safeBatches
		if c.Level > uint32(alloy.CheckSafe) {
			streams, batches = &fullStreams, &fullBatches
		}
		for _, kind := range []struct {
			name     string
			bridge   *alloy.GoBridge
			function string
			options  alloy.Options
			good     int
		}{
			{"on streams", streams, "lies", alloy.Options{"after": "1", "text": c.Name}, 1},
			{"on batches", batches, "lie", alloy.Options{"fault": c.Name}, 0},
		} {
			t.Run(kind.name+", "+c.Name, func(t *testing.T) {
				in := numbers(mem, 2)
				out := openStream(t, kind.bridge, kind.function, kind.options, in)
				got := 0
				for out.Next() {
					got++
				}
				ends := kind.name == "on streams" && c.Name == "array_released"
				if c.Reason == 0 || ends {
					if out.Err() != nil || got == kind.good && !ends {
						t.Errorf("it is valid, and is refused: %v", out.Err())
					}
				} else {
					var e *alloy.Error
					if !errors.As(out.Err(), &e) || got != kind.good {
						t.Fatalf("%d batches, and %v", got, out.Err())
					}
					checkPlace(t, c, int(e.Reason), e.Column)
					if e.Code != alloy.BadData || e.Side != alloy.SideBackend || e.Input != -1 {
						t.Errorf("got %+v", e)
					}
				}
				out.Release()
				in.checkReleased(t)
			})
		}
	}
	in := numbers(mem, 1)
	out := openStream(t, safeStreams, "confesses", nil, in)
	out.Next()
	var given, released, twice int
	var e *alloy.Error
	if !errors.As(out.Err(), &e) {
		t.Fatal(out.Err())
	}
	if _, err := fmt.Sscanf(e.Text, "%d given, %d released, %d twice", &given, &released, &twice); err != nil {
		t.Fatal(err)
	}
	if given == 0 || given != released || twice != 0 {
		t.Errorf("%s", e.Text)
	}
	out.Release()
	in.checkReleased(t)
}
