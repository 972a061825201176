// SPDX-License-Identifier: MIT

//go:build linux && cgo && (amd64 || arm64)

package alloy

import (
	"context"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
)

func oneColumn(name string) *arrow.Schema {
	return arrow.NewSchema([]arrow.Field{{Name: name, Type: arrow.PrimitiveTypes.Int64}}, nil)
}

func echoGeneration(t *testing.T) *generation {
	t.Helper()
	g, err := new(core).current(&GoBridge{})
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// TestARepeatedCallBindsNothing: acquire returns the same bound call again, so no schema is
// exported and nothing is bound.
func TestARepeatedCallBindsNothing(t *testing.T) {
	g := echoGeneration(t)
	schemas := []*arrow.Schema{oneColumn("a")}
	first, err := g.acquire(context.Background(), "echo", nil, schemas)
	if err != nil {
		t.Fatal(err)
	}
	second, err := g.acquire(context.Background(), "echo", nil, schemas)
	if err != nil {
		t.Fatal(err)
	}
	if first == second || first.binding != second.binding {
		t.Error("two users at the same time need two calls of one binding")
	}
	first.giveBack()
	second.giveBack()
	for range 5 {
		again, err := g.acquire(context.Background(), "echo", nil, schemas)
		if err != nil {
			t.Fatal(err)
		}
		if again != first {
			t.Error("a call that was idle is bound anew")
		}
		again.giveBack()
	}
}

// TestACallStaysWithTheBackendItBeganOn, even if it must bind once more after a load: the
// binding that it found decides how the result is read.
func TestACallStaysWithTheBackendItBeganOn(t *testing.T) {
	c := new(core)
	g, err := c.current(&GoBridge{})
	if err != nil {
		t.Fatal(err)
	}
	schemas := []*arrow.Schema{oneColumn("a")}
	first, err := g.acquire(context.Background(), "echo", nil, schemas)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // the first load changes the host as well
		if err := c.load(&GoBridge{}, "/nowhere.so", "", false); err == nil {
			t.Fatal("nothing was loaded")
		}
		second, err := g.acquire(context.Background(), "echo", nil, schemas)
		if err != nil {
			t.Fatal(err)
		}
		if second.binding != first.binding || second == first {
			t.Error("the second call has another binding")
		}
		before, after := *first.call.Schema(), *second.call.Schema()
		if before.NumChildren != after.NumChildren {
			t.Errorf("%d columns became %d", before.NumChildren, after.NumChildren)
		}
	}
}

func TestKeysTellFunctionsOptionsAndSchemasApart(t *testing.T) {
	a, b, c := oneColumn("a"), oneColumn("b"), oneColumn("c")
	seen := map[key]int{}
	for i, k := range []key{
		keyOf("f", "", nil),
		keyOf("g", "", nil),
		keyOf("f", "x\x00y", nil),
		keyOf("f", "", []*arrow.Schema{a}),
		keyOf("f", "", []*arrow.Schema{b}),
		keyOf("f", "", []*arrow.Schema{a, b}),
		keyOf("f", "", []*arrow.Schema{b, a}),
		keyOf("f", "", []*arrow.Schema{a, b, c}),
		keyOf("f", "", []*arrow.Schema{a, b, a}),
		keyOf("f", "", []*arrow.Schema{a, b, c, a}),
	} {
		if j, there := seen[k]; there {
			t.Errorf("%d is %d", i, j)
		}
		seen[k] = i
	}
	if keyOf("f", "", []*arrow.Schema{a, b, c}) != keyOf("f", "", []*arrow.Schema{a, b, c}) {
		t.Error("the same schemas have two keys")
	}
}

// TestTheCacheIsBounded, so a program that makes a schema for each batch keeps few of them.
func TestTheCacheIsBounded(t *testing.T) {
	g := echoGeneration(t)
	for range 3 * maxKeys {
		schemas := []*arrow.Schema{oneColumn("a")}
		for range 2 {
			call, err := g.acquire(context.Background(), "echo", nil, schemas)
			if err != nil {
				t.Fatal(err)
			}
			call.giveBack()
		}
	}
	if n := len(*g.bindings.frequent.Load()) + len(g.bindings.once); n > 2*maxKeys {
		t.Errorf("%d bindings are kept", n)
	}
}
