// SPDX-License-Identifier: MIT

//go:build linux && cgo && (amd64 || arm64)

package bridge_test

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/ignalina/alloy"
)

func TestAStreamIsReleasedInTheMiddle(t *testing.T) {
	for _, backend := range relays {
		for _, after := range []int{0, 1, 3} {
			t.Run(fmt.Sprintf("%s, after %d", backend.name, after), func(t *testing.T) {
				mem := checked(t)
				in := numbers(mem, 5)
				out := openStream(t, backend.open(t, mem), backend.function, nil, in)
				for range after {
					out.Next()
				}
				out.Retain()
				out.Release()
				var wait sync.WaitGroup
				wait.Go(out.Release)
				wait.Wait()
				in.checkReleased(t)
			})
		}
	}
}

// TestAReleaseStopsWhoIsInside: it does not wait, and the one inside ends the stream.
func TestAReleaseStopsWhoIsInside(t *testing.T) {
	mem := checked(t)
	in := numbers(mem, 5)
	out := openStream(t, open(t, mem, "tests/flows"), "slow", alloy.Options{"after": "1"}, in)
	if !out.Next() {
		t.Fatal(out.Err())
	}
	var wait sync.WaitGroup
	wait.Go(func() {
		if out.Next() {
			t.Error("a batch came, and the stream was released")
		}
	})
	out.Release()
	wait.Wait()
	in.checkReleased(t)
}

// TestAReleaseFromInsideTheReader is one while the engine is in the middle of the stream.
func TestAReleaseFromInsideTheReader(t *testing.T) {
	mem := checked(t)
	var out array.RecordReader
	in := newFeed(numbersSchema, func(i int) (arrow.RecordBatch, error) {
		out.Release()
		return numbersBatch(mem, i), nil
	})
	out = openStream(t, open(t, mem, ""), "echo", nil, in)
	var e *alloy.Error
	if out.Next() || !errors.As(out.Err(), &e) || out.RecordBatch() != nil {
		t.Errorf("got %v, %v", out.RecordBatch(), out.Err())
	}
	in.checkReleased(t)
}

func TestAReaderThatReadsItsOwnResultIsToldSo(t *testing.T) {
	mem := checked(t)
	var out array.RecordReader
	in := newFeed(numbersSchema, func(i int) (arrow.RecordBatch, error) {
		out.Next()
		return nil, out.Err()
	})
	out = openStream(t, open(t, mem, ""), "echo", nil, in)
	var e *alloy.Error
	if out.Next() || !errors.As(out.Err(), &e) || e.Code != alloy.Busy {
		t.Errorf("got %v", out.Err())
	}
	out.Release()
	in.checkReleased(t)
}

// TestAGoroutineMayExitInsideItsReader: what it leaves behind fails and is freed, and
// everything else goes on.
func TestAGoroutineMayExitInsideItsReader(t *testing.T) {
	goBridge := open(t, nil, "tests/flows")
	echo := open(t, nil, "")
	for _, c := range []struct {
		function string
		bridge   *alloy.GoBridge
	}{{"relay", goBridge}, {"last", goBridge}, {"threads", goBridge}, {"echo", echo}} {
		mem := checked(t)
		in := newFeed(numbersSchema, func(i int) (arrow.RecordBatch, error) {
			if i == 1 {
				runtime.Goexit()
			}
			return numbersBatch(mem, i), nil
		})
		out := openStream(t, c.bridge, c.function, nil, in)
		var wait sync.WaitGroup
		wait.Go(func() {
			for out.Next() {
			}
			t.Error("it came back")
		})
		wait.Wait()
		var e *alloy.Error
		if out.Next() || !errors.As(out.Err(), &e) || e.Code != alloy.Failed || !strings.Contains(e.Text, "goroutine") {
			t.Errorf("%s: got %v", c.function, out.Err())
		}
		out.Release()
		in.checkReleased(t)
		if c.bridge.Outstanding() != (alloy.Outstanding{}) {
			t.Errorf("%s: %+v", c.function, c.bridge.Outstanding())
		}
	}
	// A function that reads its input when it opens.
	in := newFeed(numbersSchema, func(int) (arrow.RecordBatch, error) {
		runtime.Goexit()
		return nil, nil
	})
	var wait sync.WaitGroup
	wait.Go(func() {
		out, err := goBridge.Stream(ctx, "last_in_open", nil, in)
		t.Errorf("it came back: %v, %v", out, err)
	})
	wait.Wait()
	in.checkReleased(t)
	mem := checked(t)
	again := numbers(mem, 3)
	out := openStream(t, goBridge, "relay", nil, again)
	if got := firsts(t, out); len(got) != 3 {
		t.Errorf("got %v, %v", got, out.Err())
	}
	out.Release()
	again.checkReleased(t)
}

func TestAClosedBridgeEndsItsStreams(t *testing.T) {
	mem := checked(t)
	for _, backend := range relays {
		goBridge := backend.open(t, mem)
		in := numbers(mem, 5)
		out := openStream(t, goBridge, backend.function, nil, in)
		if !out.Next() {
			t.Fatal(out.Err())
		}
		goBridge.Close()
		var e *alloy.Error
		if out.Next() || !errors.As(out.Err(), &e) || e.Code != alloy.Closed {
			t.Errorf("%s: got %v", backend.name, out.Err())
		}
		out.Release()
		in.checkReleased(t)
	}
}
