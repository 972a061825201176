// SPDX-License-Identifier: MIT

//go:build linux && cgo && (amd64 || arm64)

package bridge_test

import (
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/ignalina/alloy"
)

// TestBackendsDoNotCorruptTheSignalsOfAGoProgram, whatever they install, and whether they do
// it when they are loaded, bound or run. Each case needs a process of its own.
func TestBackendsDoNotCorruptTheSignalsOfAGoProgram(t *testing.T) {
	for _, c := range []struct {
		changes string
		want    []string // in the warning
	}{
		{"u", []string{"SIGUSR1: the flag SA_ONSTACK is added"}},
		{"r", []string{"SA_ONSTACK is added"}},
		{"o", nil},
		{"i", nil},
		{"g", []string{"SIGURG: Go's own handler is put back"}},
		{"G", []string{"SIGURG: Go's own handler is put back"}},
		{"p", []string{"SIGPROF: Go's own handler is put back"}},
		{"s", []string{"SIGSEGV: Go's own handler is put back"}},
		{"d", []string{"SIGSEGV: Go's own handler is put back"}},
		{"S", []string{"SIGSEGV: the flag SA_ONSTACK is added"}},
		{"m", []string{"signal mask is put back"}},
		{"k", []string{"stack for signals is put back"}},
		{"ugspmk", []string{"SIGUSR1", "SIGURG", "SIGSEGV", "SIGPROF", "mask", "stack for signals"}},
		{"", nil},
	} {
		for _, moment := range []string{"load", "bind", "run"} {
			t.Run(c.changes+" at "+moment, func(t *testing.T) {
				t.Parallel()
				child := exec.Command(os.Args[0], "-test.run", "^TestChildOfSignals$", "-test.v")
				child.Env = append(os.Environ(), "ALLOY_TEST_CHILD="+library(t, "tests/signals"),
					"ALLOY_TEST_MOMENT="+moment, "ALLOY_TEST_CHANGES="+c.changes)
				if moment == "load" {
					child.Env = append(child.Env, "ALLOY_TEST_SIGNALS="+c.changes)
				}
				out, err := child.CombinedOutput()
				text := string(out)
				if err != nil || !strings.Contains(text, "the program goes on") {
					t.Fatalf("%v:\n%s", err, text)
				}
				want := c.want
				if isolated {
					want = nil // the signals of a worker are its own: nothing is put back
				}
				if want == nil && strings.Contains(text, "changed the handling of signals") {
					t.Errorf("a warning without a cause:\n%s", text)
				}
				for _, want := range want {
					if !strings.Contains(text, want) {
						t.Errorf("%q is missing in:\n%s", want, text)
					}
				}
			})
		}
	}
}

func TestChildOfSignals(t *testing.T) {
	path := os.Getenv("ALLOY_TEST_CHILD")
	if path == "" {
		return // it is not a child
	}
	goBridge := alloy.GoBridge{Isolated: isolated, AllowUnsigned: true, Logger: slog.New(slog.NewTextHandler(os.Stdout, nil))}
	if err := goBridge.SetImplLib(path, ""); err != nil {
		t.Fatal(err)
	}
	options := alloy.Options{}
	if moment := os.Getenv("ALLOY_TEST_MOMENT"); moment != "load" {
		options[moment] = os.Getenv("ALLOY_TEST_CHANGES")
	}
	out, err := goBridge.Call(ctx, "count", options, int64BatchOnce)
	if err != nil {
		t.Fatal(err)
	}
	out.Release()
	expectPanic(t)
	signalsArriveOnSmallStacks()
	expectPanic(t)
	fmt.Println("the program goes on")
}

// expectPanic checks that a fault of the program is a panic, on any thread.
func expectPanic(t *testing.T) {
	var wait sync.WaitGroup
	for range 4 {
		wait.Go(func() {
			defer func() {
				if recover() == nil {
					t.Error("no panic")
				}
			}()
			var nowhere *[4]int
			nowhere[3] = 1
		})
	}
	wait.Wait()
}

// signalsArriveOnSmallStacks: a handler that runs on the stack of a goroutine writes beyond
// it.
func signalsArriveOnSmallStacks() {
	end := time.Now().Add(150 * time.Millisecond)
	var wait sync.WaitGroup
	for range 4 {
		wait.Go(func() {
			for time.Now().Before(end) {
				done := make(chan int)
				go func() { done <- deep(50) }()
				<-done
			}
		})
	}
	for time.Now().Before(end) {
		runtime.GC()
		for _, number := range []syscall.Signal{syscall.SIGURG} {
			_ = syscall.Kill(os.Getpid(), number)
		}
	}
	wait.Wait()
}

func deep(n int) int {
	if n == 0 {
		return 0
	}
	return deep(n-1) + 1
}
