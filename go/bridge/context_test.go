// SPDX-License-Identifier: MIT

//go:build linux && cgo && (amd64 || arm64)

package bridge_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/ignalina/alloy"
)

// TestACancelledContextReachesTheBackend calls functions that work until they are
// cancelled, or for a minute.
func TestACancelledContextReachesTheBackend(t *testing.T) {
	for _, name := range []string{"tests/unruly", "faults_rust"} {
		t.Run(name, func(t *testing.T) {
			goBridge := open(t, nil, name)
			for range 3 {
				limited, cancel := context.WithCancel(ctx)
				time.AfterFunc(5*time.Millisecond, cancel)
				_, err := goBridge.Call(limited, "slow", nil, int64BatchOnce)
				checkContext(t, err, alloy.Cancelled, context.Canceled)
				cancel()
			}
			for range 3 {
				limited, cancel := context.WithTimeout(ctx, 5*time.Millisecond)
				_, err := goBridge.Call(limited, "slow", nil, int64BatchOnce)
				checkContext(t, err, alloy.Timeout, context.DeadlineExceeded)
				cancel()
			}
			// A cancel that came late must not hit the next call.
			limited, cancel := context.WithCancel(ctx)
			out, err := goBridge.Call(limited, "empty", nil, int64BatchOnce)
			cancel()
			if err != nil {
				t.Fatal(err)
			}
			out.Release()
			if out, err = goBridge.Call(ctx, "empty", nil, int64BatchOnce); err != nil {
				t.Fatal(err)
			}
			out.Release()
		})
	}
}

func checkContext(t *testing.T, err error, code alloy.Code, sentinel error) {
	t.Helper()
	var e *alloy.Error
	if !errors.As(err, &e) || e.Code != code || !errors.Is(err, sentinel) {
		t.Errorf("got %v, want %v", err, code)
	}
}

func TestAContextThatHasEndedCallsNothing(t *testing.T) {
	goBridge := open(t, nil, "tests/unruly")
	ended, cancel := context.WithCancel(ctx)
	cancel()
	_, err := goBridge.Call(ended, "fails", nil, int64BatchOnce)
	checkContext(t, err, alloy.Cancelled, context.Canceled)
	late, cancel := context.WithDeadline(ctx, time.Now().Add(-time.Second))
	defer cancel()
	_, err = goBridge.Call(late, "fails", nil, int64BatchOnce)
	checkContext(t, err, alloy.Timeout, context.DeadlineExceeded)
}

func TestAResultThatComesLateIsAResult(t *testing.T) {
	goBridge := open(t, nil, "tests/unruly")
	limited, cancel := context.WithTimeout(ctx, 250*time.Millisecond)
	defer cancel()
	out, err := goBridge.Call(limited, "slow_but_sure", nil, int64BatchOnce)
	if err != nil {
		t.Fatal(err)
	}
	out.Release()
}
