// SPDX-License-Identifier: MIT

//go:build linux && cgo && (amd64 || arm64)

package bridge_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/ignalina/alloy"
)

// TestTheReadersOwnErrorComesBack as that very value, from each place where a backend may
// pull, and is repeated. A function that takes it for the end does not hide it.
func TestTheReadersOwnErrorComesBack(t *testing.T) {
	cases := append(slices.Clone(relays),
		roundTripBackend{"one that reads all at once", "tests/flows", "last"},
		roundTripBackend{"one that takes it for the end", "tests/flows", "swallows"})
	for _, backend := range cases {
		t.Run(backend.name, func(t *testing.T) {
			mem := checked(t)
			own := errors.New("the disk is on fire")
			in := newFeed(numbersSchema, func(i int) (arrow.RecordBatch, error) {
				if i == 2 {
					return nil, own
				}
				return numbersBatch(mem, i), nil
			})
			out := openStream(t, backend.open(t, mem), backend.function, nil, in)
			firsts(t, out)
			for range 3 {
				if out.Err() != own || out.Next() {
					t.Errorf("got %v", out.Err())
				}
			}
			out.Release()
			in.checkReleased(t)
		})
	}
}

func TestAnErrorWhileAStreamIsOpenedIsTheReadersOwn(t *testing.T) {
	mem := checked(t)
	own := errors.New("")
	in := newFeed(numbersSchema, func(i int) (arrow.RecordBatch, error) { return nil, own })
	_, err := open(t, mem, "tests/flows").Stream(ctx, "last_in_open", nil, in)
	if err != own {
		t.Errorf("got %v", err)
	}
	in.checkReleased(t)
}

func TestTheSecondInputsErrorIsToldApart(t *testing.T) {
	mem := checked(t)
	own := errors.New("the second")
	first := numbers(mem, 3)
	second := newFeed(numbersSchema, func(int) (arrow.RecordBatch, error) { return nil, own })
	out := openStream(t, open(t, mem, "tests/flows"), "turns", nil, first, second)
	if got := firsts(t, out); len(got) != 1 || out.Err() != own {
		t.Errorf("got %v, %v", got, out.Err())
	}
	out.Release()
	first.checkReleased(t)
	second.checkReleased(t)
}

// panicky panics when its third batch is asked for.
func panicky(mem memory.Allocator, with any) *feed {
	return newFeed(numbersSchema, func(i int) (arrow.RecordBatch, error) {
		if i == 2 {
			panic(with)
		}
		return numbersBatch(mem, i), nil
	})
}

func TestAPanicOfAReaderIsAnError(t *testing.T) {
	for _, backend := range relays {
		t.Run(backend.name, func(t *testing.T) {
			mem := checked(t)
			cause := errors.New("out of ideas")
			in := panicky(mem, cause)
			out := openStream(t, backend.open(t, mem), backend.function, nil, in)
			if got := firsts(t, out); len(got) != 2 {
				t.Errorf("%d batches came before the panic", len(got))
			}
			var e *alloy.Error
			if !errors.As(out.Err(), &e) || e.Code != alloy.Failed || e.Side != alloy.SideCaller || e.Input != 0 {
				t.Fatalf("got %v", out.Err())
			}
			if !errors.Is(e, cause) || !strings.Contains(e.Text, "batch 2: the reader panicked: out of ideas (") ||
				!strings.Contains(e.Text, "stream_errors_test.go:") {
				t.Errorf("got %v", e)
			}
			out.Release()
			in.checkReleased(t)
		})
	}
}

// badError panics when its text is read.
type badError struct{}

func (badError) Error() string { panic("no words") }

func TestAnErrorThatPanicsOverItsTextComesBack(t *testing.T) {
	mem := checked(t)
	in := newFeed(numbersSchema, func(int) (arrow.RecordBatch, error) { return nil, badError{} })
	out := openStream(t, open(t, mem, ""), "echo", nil, in)
	if out.Next() || out.Err() != (badError{}) {
		t.Error("it is another error")
	}
	out.Release()
	in.checkReleased(t)
}

func TestABackendsErrorArrivesWhole(t *testing.T) {
	for _, c := range []struct {
		function, text string
		code           alloy.Code
	}{
		{"fails", "come again", alloy.Retry},
		{"fails_by_text", "the other way round", alloy.Failed},
		{"throws", "thrown out", alloy.Failed},
	} {
		t.Run(c.function, func(t *testing.T) {
			mem := checked(t)
			goBridge := open(t, mem, "tests/flows")
			in := numbers(mem, 5)
			out := openStream(t, goBridge, c.function, alloy.Options{"after": "2", "text": c.text}, in)
			if got := firsts(t, out); len(got) != 2 {
				t.Errorf("got %v", got)
			}
			first := out.Err()
			var e *alloy.Error
			if !errors.As(first, &e) || e.Code != c.code || e.Side != alloy.SideBackend || !strings.Contains(e.Text, c.text) {
				t.Errorf("got %v", first)
			}
			if out.Next() || out.Err() != first {
				t.Errorf("%v became %v", first, out.Err())
			}
			out.Release()
			in.checkReleased(t)
			again := numbers(mem, 1)
			out = openStream(t, goBridge, "relay", nil, again)
			if got := firsts(t, out); len(got) != 1 {
				t.Errorf("the next stream: got %v, %v", got, out.Err())
			}
			out.Release()
			again.checkReleased(t)
		})
	}
}

func TestWhatIsThrownWhileAStreamIsOpenedIsAnError(t *testing.T) {
	mem := checked(t)
	in := numbers(mem, 5)
	_, err := open(t, mem, "tests/flows").Stream(ctx, "throws_in_open", alloy.Options{"text": "at the door"}, in)
	var e *alloy.Error
	if !errors.As(err, &e) || e.Code != alloy.Failed || !strings.Contains(e.Text, "at the door") {
		t.Errorf("got %v", err)
	}
	in.checkReleased(t)
}
