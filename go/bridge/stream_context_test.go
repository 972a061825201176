// SPDX-License-Identifier: MIT

//go:build linux && cgo && (amd64 || arm64)

package bridge_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/ignalina/alloy"
)

// TestACancelledContextEndsAStream, in the backend, in the reader, and between two batches.
func TestACancelledContextEndsAStream(t *testing.T) {
	cause := errors.New("the user went home")
	check := func(t *testing.T, err error) {
		t.Helper()
		checkContext(t, err, alloy.Cancelled, context.Canceled)
		if !errors.Is(err, cause) || !strings.Contains(err.Error(), cause.Error()) {
			t.Errorf("got %v, and not the cause", err)
		}
	}
	t.Run("in the backend", func(t *testing.T) {
		mem := checked(t)
		limited, cancel := context.WithCancelCause(ctx)
		in := numbers(mem, 5)
		out, err := open(t, mem, "tests/flows").Stream(limited, "slow", alloy.Options{"after": "2"}, in)
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if !out.Next() {
				t.Fatal(out.Err())
			}
		}
		time.AfterFunc(5*time.Millisecond, func() { cancel(cause) })
		if out.Next() {
			t.Error("a batch came")
		}
		first := out.Err()
		check(t, first)
		if out.Next() || out.Err() != first {
			t.Errorf("%v became %v", first, out.Err())
		}
		out.Release()
		in.checkReleased(t)
	})
	for _, backend := range relays {
		t.Run("in the reader, "+backend.name, func(t *testing.T) {
			mem := checked(t)
			limited, cancel := context.WithCancelCause(ctx)
			in := newFeed(numbersSchema, func(i int) (arrow.RecordBatch, error) {
				if i == 1 {
					cancel(cause)
				}
				return numbersBatch(mem, i), nil
			})
			out, err := backend.open(t, mem).Stream(limited, backend.function, nil, in)
			if err != nil {
				t.Fatal(err)
			}
			if !out.Next() {
				t.Fatal(out.Err())
			}
			// The batch that was made meanwhile may still come.
			for range 2 {
				if !out.Next() {
					break
				}
			}
			check(t, out.Err())
			if in.made != 2 {
				t.Errorf("%d batches were made", in.made)
			}
			out.Release()
			in.checkReleased(t)
		})
		t.Run("between two batches, "+backend.name, func(t *testing.T) {
			mem := checked(t)
			limited, cancel := context.WithCancelCause(ctx)
			in := numbers(mem, 5)
			out, err := backend.open(t, mem).Stream(limited, backend.function, nil, in)
			if err != nil {
				t.Fatal(err)
			}
			out.Next()
			cancel(cause)
			if out.Next() || in.made != 1 {
				t.Errorf("%d batches were made", in.made)
			}
			check(t, out.Err())
			out.Release()
			in.checkReleased(t)
		})
	}
}

func TestAReadersOwnWordOnTheContextIsItsOwn(t *testing.T) {
	for _, waits := range []time.Duration{0, time.Millisecond} { // until C hears of the cancel first
		mem := checked(t)
		limited, cancel := context.WithCancel(ctx)
		in := newFeed(numbersSchema, func(int) (arrow.RecordBatch, error) {
			cancel()
			time.Sleep(waits)
			return nil, limited.Err()
		})
		out, err := open(t, mem, "").Stream(limited, "echo", nil, in)
		if err != nil {
			t.Fatal(err)
		}
		if out.Next() || out.Err() != context.Canceled {
			t.Errorf("got %v", out.Err())
		}
		out.Release()
		in.checkReleased(t)
	}
}

func TestADeadlineOfTheContextIsForTheWholeStream(t *testing.T) {
	mem := checked(t)
	limited, cancel := context.WithTimeout(ctx, 20*time.Millisecond)
	defer cancel()
	in := numbers(mem, 5)
	out, err := open(t, mem, "tests/flows").Stream(limited, "slow", nil, in)
	if err != nil {
		t.Fatal(err)
	}
	if out.Next() {
		t.Error("a batch came")
	}
	checkContext(t, out.Err(), alloy.Timeout, context.DeadlineExceeded)
	out.Release()
	in.checkReleased(t)
}

func TestAContextThatHasEndedOpensNothing(t *testing.T) {
	mem := checked(t)
	ended, cancel := context.WithCancel(ctx)
	cancel()
	in := numbers(mem, 1)
	_, err := open(t, mem, "").Stream(ended, "echo", nil, in)
	checkContext(t, err, alloy.Cancelled, context.Canceled)
	in.checkReleased(t)
}

// TestEachBatchHasItsTime, which that of its inputs is no part of.
func TestEachBatchHasItsTime(t *testing.T) {
	mem := checked(t)
	goBridge := open(t, mem, "tests/flows")
	quick := *goBridge
	quick.BatchTimeout = 30 * time.Millisecond
	in := newFeed(numbersSchema, func(i int) (arrow.RecordBatch, error) {
		// Longer than a batch may take: work of the host's own.
		for end := time.Now().Add(2 * quick.BatchTimeout); time.Now().Before(end); {
		}
		return numbersBatch(mem, i), nil
	})
	out := openStream(t, &quick, "slow", alloy.Options{"after": "3"}, in)
	if got := firsts(t, out); len(got) != 3 {
		t.Errorf("got %v", got)
	}
	checkContext(t, out.Err(), alloy.Timeout, context.DeadlineExceeded)
	out.Release()
	in.checkReleased(t)
}

// TestACancelThatCameLateHitsNoOther: a call serves one stream after another.
func TestACancelThatCameLateHitsNoOther(t *testing.T) {
	mem := checked(t)
	goBridge := open(t, mem, "tests/flows")
	for range 20 {
		limited, cancel := context.WithCancel(ctx)
		in := numbers(mem, 1)
		out, err := goBridge.Stream(limited, "relay", nil, in)
		if err != nil {
			t.Fatal(err)
		}
		out.Next()
		cancel()
		out.Release()
		in.checkReleased(t)
		in = numbers(mem, 2)
		out = openStream(t, goBridge, "relay", nil, in)
		if got := firsts(t, out); len(got) != 2 || out.Err() != nil {
			t.Fatalf("got %v, %v", got, out.Err())
		}
		out.Release()
		in.checkReleased(t)
	}
}
