// SPDX-License-Identifier: MIT

//go:build linux && cgo && (amd64 || arm64)

package bridge_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/ignalina/alloy"
)

// chain gives the result of each bridge to the next.
func chain(t *testing.T, in array.RecordReader, bridges ...*alloy.GoBridge) array.RecordReader {
	t.Helper()
	for _, goBridge := range bridges {
		out := openStream(t, goBridge, "echo", nil, in)
		in.Release()
		in = out
	}
	return in
}

func TestAStreamIsTheInputOfAnother(t *testing.T) {
	mem := checked(t)
	in := numbers(mem, 4)
	in.Retain() // the chain gives up the reference that it is given
	out := chain(t, in, open(t, mem, ""), open(t, mem, "echo_rust"), open(t, mem, "echo_cpp"))
	if in.made != 0 {
		t.Errorf("%d batches were read before one was asked for", in.made)
	}
	if !out.Next() || in.made != 1 {
		t.Errorf("%d batches were read for one: %v", in.made, out.Err())
	}
	sent := in.batch.Column(0).Data().Buffers()[1].Bytes()
	came := out.RecordBatch().Column(0).Data().Buffers()[1].Bytes()
	if (&sent[0] != &came[0]) != isolated {
		t.Error("it was copied on the way, or was not between processes")
	}
	if got := firsts(t, out); !slices.Equal(got, []int64{10, 20, 30}) || out.Err() != nil {
		t.Errorf("got %v, %v", got, out.Err())
	}
	out.Release()
	in.checkReleased(t)
}

// TestAnErrorComesThroughAChain as that very value.
func TestAnErrorComesThroughAChain(t *testing.T) {
	mem := checked(t)
	own := errors.New("at the source")
	in := newFeed(numbersSchema, func(i int) (arrow.RecordBatch, error) {
		if i == 1 {
			return nil, own
		}
		return numbersBatch(mem, i), nil
	})
	in.Retain()
	out := chain(t, in, open(t, mem, ""), open(t, mem, "echo_rust"), open(t, mem, "echo_cpp"))
	if got := firsts(t, out); len(got) != 1 || out.Err() != own {
		t.Errorf("got %v, %v", got, out.Err())
	}
	out.Release()
	in.checkReleased(t)
}

func TestABackendsErrorComesThroughAChain(t *testing.T) {
	mem := checked(t)
	in := numbers(mem, 4)
	failing := openStream(t, open(t, mem, "tests/flows"), "fails", alloy.Options{"after": "1", "text": "halfway"}, in)
	out := openStream(t, open(t, mem, ""), "echo", nil, failing)
	if got := firsts(t, out); len(got) != 1 {
		t.Errorf("got %v", got)
	}
	var e *alloy.Error
	if !errors.As(out.Err(), &e) || e.Code != alloy.Retry || e.Side != alloy.SideBackend || e.Text != "halfway" {
		t.Errorf("got %v", out.Err())
	}
	out.Release()
	if failing.Next() || failing.Err() != error(e) {
		t.Errorf("the one before says %v", failing.Err())
	}
	failing.Release()
	in.checkReleased(t)
}

// TestAStreamThatFailedFailsAgainAsAnInput, not as an early end.
func TestAStreamThatFailedFailsAgainAsAnInput(t *testing.T) {
	mem := checked(t)
	own := errors.New("broken before")
	in := newFeed(numbersSchema, func(int) (arrow.RecordBatch, error) { return nil, own })
	failed := openStream(t, open(t, mem, ""), "echo", nil, in)
	failed.Next()
	for _, goBridge := range []*alloy.GoBridge{open(t, mem, ""), open(t, mem, "echo_rust")} {
		out := openStream(t, goBridge, "echo", nil, failed)
		if out.Next() || out.Err() != own {
			t.Errorf("got %v", out.Err())
		}
		out.Release()
	}
	failed.Release()
	in.checkReleased(t)
}

// TestAStreamThatWasGivenAwayComesBack with what is left of it. Meanwhile its batches go
// from engine to engine, and it has none.
func TestAStreamThatWasGivenAwayComesBack(t *testing.T) {
	mem := checked(t)
	goBridge := open(t, mem, "")
	in := numbers(mem, 4)
	first := openStream(t, goBridge, "echo", nil, in)
	first.Next()
	second := openStream(t, goBridge, "echo", nil, first)
	if _, err := goBridge.Stream(ctx, "echo", nil, first); !isBusy(err) {
		t.Errorf("it went to two: %v", err)
	}
	if !second.Next() {
		t.Fatal(second.Err())
	}
	if got := first.RecordBatch().Column(0).(*array.Int64).Value(0); got != 0 {
		t.Errorf("Go read the batch that begins with %d", got)
	}
	second.Release()
	if got := firsts(t, first); !slices.Equal(got, []int64{20, 30}) || first.Err() != nil {
		t.Errorf("got %v, %v", got, first.Err())
	}
	first.Release()
	in.checkReleased(t)
}

func TestAStreamThatWasGivenAwayIsBusy(t *testing.T) {
	mem := checked(t)
	goBridge := open(t, mem, "")
	in := numbers(mem, 4)
	first := openStream(t, goBridge, "echo", nil, in)
	second := openStream(t, goBridge, "echo", nil, first)
	if first.Next() || !isBusy(first.Err()) {
		t.Errorf("got %v", first.Err())
	}
	if got := firsts(t, second); len(got) != 4 || second.Err() != nil {
		t.Errorf("got %v, %v", got, second.Err())
	}
	second.Release()
	first.Release()
	in.checkReleased(t)
}

func isBusy(err error) bool {
	var e *alloy.Error
	return errors.As(err, &e) && e.Code == alloy.Busy
}

func TestOneStreamIsNotBothInputs(t *testing.T) {
	mem := checked(t)
	in := numbers(mem, 4)
	first := openStream(t, open(t, mem, ""), "echo", nil, in)
	if _, err := open(t, mem, "tests/flows").Stream(ctx, "turns", nil, first, first); err == nil {
		t.Error("one stream was taken as two inputs")
	} else {
		expectError(t, err, alloy.Invalid, "SAME_STREAM")
	}
	if got := firsts(t, first); len(got) != 4 {
		t.Errorf("got %v, %v", got, first.Err())
	}
	first.Release()
	in.checkReleased(t)
}

// TestTheContextOfTheFirstEndsTheLast of a chain.
func TestTheContextOfTheFirstEndsTheLast(t *testing.T) {
	mem := checked(t)
	limited, cancel := context.WithCancel(ctx)
	in := numbers(mem, 4)
	slow, err := open(t, mem, "tests/flows").Stream(limited, "slow", alloy.Options{"after": "1"}, in)
	if err != nil {
		t.Fatal(err)
	}
	out := openStream(t, open(t, mem, ""), "echo", nil, slow)
	if !out.Next() {
		t.Fatal(out.Err())
	}
	cancel()
	if out.Next() {
		t.Error("a batch came")
	}
	checkContext(t, out.Err(), alloy.Cancelled, context.Canceled)
	out.Release()
	slow.Release()
	in.checkReleased(t)
}

// TestAChainIsReleasedInAnyOrder, in the middle: whoever lets go last ends it.
func TestAChainIsReleasedInAnyOrder(t *testing.T) {
	mem := checked(t)
	for order := range 3 {
		in := numbers(mem, 4)
		goBridge := open(t, mem, "tests/flows")
		first := openStream(t, goBridge, "relay", nil, in)
		second := openStream(t, goBridge, "relay", nil, first)
		readers := []array.RecordReader{in, first, second}
		in.Retain()
		second.Next()
		for i := range readers {
			readers[(i+order)%len(readers)].Release()
		}
		in.checkReleased(t)
	}
}
