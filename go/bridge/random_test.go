// SPDX-License-Identifier: MIT

//go:build linux && cgo && (amd64 || arm64)

package bridge_test

import (
	"errors"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/arrow/memory/mallocator"

	"github.com/ignalina/alloy"
	"github.com/ignalina/alloy/go/internal/random"
)

// seed is fixed, so every run tests the same arrays. To try others, set the environment
// variable ALLOY_SEED. A failure prints its seed.
func seed(t *testing.T) uint64 {
	t.Helper()
	text := os.Getenv("ALLOY_SEED")
	if text == "" {
		return 1
	}
	value, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return value
}

// slowly reports whether everything takes ten times as long as usual: under the race
// detector, or with GOGC=1.
func slowly() bool { return raceDetector || os.Getenv("GOGC") == "1" }

// TestRandomArraysComeBackTheSame sends arrays of every type and nesting through every
// backend, and compares them by arrow-go's own equality. A backend whose Arrow library cannot
// hold a type must return an error; such arrays are not counted.
func TestRandomArraysComeBackTheSame(t *testing.T) {
	arrays, columns := 5000, 4
	if slowly() {
		arrays = 500
	}
	first := seed(t)
	mem := memory.NewCheckedAllocator(memory.NewGoAllocator())
	defer mem.AssertSize(t, 0)
	for _, backend := range roundTripBackends {
		t.Run(backend.name, func(t *testing.T) {
			goBridge := backend.open(t, mem)
			compared, refused := 0, 0
			for number := first; compared < arrays; number++ {
				var place memory.Allocator = mem
				if number%2 == 0 {
					place = mallocator.NewMallocator()
				}
				batch := random.New(number, place).Batch(columns, 3)
				out, err := goBridge.Call(ctx, backend.function, nil, batch)
				switch {
				case isNotHeld(err):
					refused += columns
				case err != nil:
					t.Errorf("%v: %v", batch.Schema(), err)
				default:
					if !array.RecordEqual(out, batch) {
						t.Errorf("got %v, want %v", out, batch)
					}
					sameSchema(t, out.Schema(), batch.Schema())
					compared += columns
				}
				if out != nil {
					out.Release()
				}
				batch.Release()
				if t.Failed() {
					t.Fatalf("ALLOY_SEED=%d", number)
				}
			}
			if refused > compared/10 {
				t.Errorf("%d arrays are refused, %d come back", refused, compared)
			}
		})
	}
}

// isNotHeld reports whether the Arrow library of a backend cannot hold a type.
func isNotHeld(err error) bool {
	var e *alloy.Error
	return errors.As(err, &e) && e.Code == alloy.Unsupported && strings.Contains(e.Text, "cannot hold")
}

// TestRandomArraysHaveEveryType keeps the test above honest.
func TestRandomArraysHaveEveryType(t *testing.T) {
	seen := make(map[arrow.Type]int)
	var look func(arrow.DataType)
	look = func(dtype arrow.DataType) {
		seen[dtype.ID()]++
		switch t := dtype.(type) {
		case arrow.ExtensionType:
			look(t.StorageType())
		case *arrow.DictionaryType:
			look(t.ValueType)
		case arrow.NestedType:
			for _, field := range t.Fields() {
				look(field.Type)
			}
		}
	}
	maker := random.New(1, memory.NewGoAllocator())
	for range 3000 {
		look(maker.Type(3))
	}
	for id := arrow.NULL; id <= arrow.LARGE_LIST_VIEW; id++ {
		if seen[id] == 0 {
			t.Errorf("never a type %v", id)
		}
	}
}
