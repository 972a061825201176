// SPDX-License-Identifier: MIT

//go:build linux && cgo && (amd64 || arm64)

package bridge_test

import (
	"context"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/ignalina/alloy"
)

func expectProgress(t *testing.T, progress *alloy.Progress, done, total int64) {
	t.Helper()
	if d, n := progress.Get(); d != done || n != total {
		t.Errorf("got %d of %d, want %d of %d", d, n, done, total)
	}
}

func TestTheProgressOfACallIsSeenWhileItRuns(t *testing.T) {
	goBridge := open(t, nil, "tests/logs")
	var progress alloy.Progress
	expectProgress(t, &progress, 0, 0)
	limited, cancel := context.WithCancel(alloy.WithProgress(ctx, &progress))
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		// An empty batch runs until it is cancelled.
		out, err := goBridge.Call(limited, "say", nil, int64Batch(memory.DefaultAllocator, 1, 0))
		if err == nil {
			out.Release()
		}
	}()
	for start := time.Now(); ; time.Sleep(time.Millisecond) {
		if done, _ := progress.Get(); done == 1 {
			break
		}
		if time.Since(start) > time.Minute {
			t.Fatal("it reports nothing")
		}
	}
	expectProgress(t, &progress, 1, 2)
	cancel()
	<-ended
	expectProgress(t, &progress, 2, 2)

	// Another run, which nobody follows, changes nothing.
	out, err := goBridge.Call(ctx, "say", nil, int64BatchOnce)
	if err != nil {
		t.Fatal(err)
	}
	out.Release()
	expectProgress(t, &progress, 2, 2)
}

func TestTheProgressOfAStreamIsSeenBetweenItsBatches(t *testing.T) {
	goBridge := open(t, nil, "tests/logs")
	var progress alloy.Progress
	stream, err := goBridge.Stream(alloy.WithProgress(ctx, &progress), "pass", nil, numbers(memory.DefaultAllocator, 2))
	if err != nil {
		t.Fatal(err)
	}
	expectProgress(t, &progress, 3, 0)
	stream.Release()
	expectProgress(t, &progress, 3, 0)
	// The next stream begins with no report, although it uses the same call.
	other := openStream(t, open(t, nil, ""), "echo", nil, numbers(memory.DefaultAllocator, 2))
	other.Release()
	stream, err = goBridge.Stream(alloy.WithProgress(ctx, &progress), "say", nil, numbers(memory.DefaultAllocator, 2))
	if err != nil {
		t.Fatal(err)
	}
	expectProgress(t, &progress, 0, 0)
	if !stream.Next() {
		t.Fatal(stream.Err())
	}
	expectProgress(t, &progress, 2, 2)
	stream.Release()
}
