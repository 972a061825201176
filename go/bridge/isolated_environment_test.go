// SPDX-License-Identifier: MIT

//go:build linux && cgo && (amd64 || arm64)

package bridge_test

import (
	"errors"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/ignalina/alloy"
)

// What tests/isolated/environment_test.cc shows for a host in C++, for one in Go. What a
// process cannot take back happens in a child: the test program, started again.

// environments are what surrounds a host. Each works with workers there.
var environments = map[string]func(t *testing.T){
	"SIGCHLD is ignored": func(t *testing.T) {
		signal.Ignore(syscall.SIGCHLD)
		survives(t, crashing(t, memory.DefaultAllocator, alloy.Limits{}))
	},
	"all children are reaped": func(t *testing.T) {
		goBridge := crashing(t, memory.DefaultAllocator, alloy.Limits{})
		var stop atomic.Bool
		var wait sync.WaitGroup
		wait.Go(func() {
			for !stop.Load() {
				_, _ = syscall.Wait4(-1, nil, syscall.WNOHANG, nil)
				time.Sleep(50 * time.Microsecond)
			}
		})
		survives(t, goBridge)
		stop.Store(true)
		wait.Wait()
	},
	"signals without end": func(t *testing.T) {
		arrived := make(chan os.Signal, 1)
		signal.Notify(arrived, syscall.SIGURG, syscall.SIGALRM)
		var stop atomic.Bool
		var wait sync.WaitGroup
		wait.Go(func() {
			for !stop.Load() {
				_ = syscall.Kill(os.Getpid(), syscall.SIGURG)
				_ = syscall.Kill(os.Getpid(), syscall.SIGALRM)
				time.Sleep(20 * time.Microsecond)
			}
		})
		survives(t, crashing(t, memory.DefaultAllocator, alloy.Limits{}))
		stop.Store(true)
		wait.Wait()
	},
	"few descriptors": func(t *testing.T) {
		goBridge := crashing(t, memory.DefaultAllocator, alloy.Limits{})
		callWell(t, goBridge, memory.DefaultAllocator).Release()
		free, err := syscall.Dup(0)
		if err != nil {
			t.Fatal(err)
		}
		_ = syscall.Close(free)
		failed := 0
		for more := range 24 {
			if err := call(goBridge, waySegv); !errors.Is(err, alloy.ErrLost) {
				t.Errorf("got %v", err)
			}
			limit(t, syscall.RLIMIT_NOFILE, uint64(free+more))
			err := call(goBridge, wayWell)
			limit(t, syscall.RLIMIT_NOFILE, 256)
			var e *alloy.Error
			if err != nil {
				failed++
				if !errors.As(err, &e) || (e.Code != alloy.Exhausted && e.Code != alloy.Lost) {
					t.Errorf("%d more: got %v", more, err)
				}
			}
			if err := call(goBridge, wayWell); err != nil {
				t.Errorf("after %d more: got %v", more, err)
			}
		}
		if failed < 4 {
			t.Errorf("only %d calls failed", failed)
		}
	},
	"files are small": func(t *testing.T) {
		goBridge := crashing(t, memory.DefaultAllocator, alloy.Limits{})
		callWell(t, goBridge, memory.DefaultAllocator).Release()
		limit(t, syscall.RLIMIT_FSIZE, 1<<20)
		other := alloy.GoBridge{AllowUnsigned: true, Logger: silent, Isolated: true}
		defer other.Close()
		err := other.SetImplLib(library(t, "tests/crash"), "")
		var e *alloy.Error
		if !errors.As(err, &e) || e.Code != alloy.Exhausted || !strings.Contains(e.Text, "ulimit -f") {
			t.Errorf("got %v", err)
		}
		callWell(t, goBridge, memory.DefaultAllocator).Release()
	},
	"standard error is full": func(t *testing.T) {
		read, write := pipe(t)
		if err := syscall.SetNonblock(write, true); err != nil {
			t.Fatal(err)
		}
		for {
			if _, err := syscall.Write(write, make([]byte, 4096)); err != nil {
				break
			}
		}
		if err := syscall.SetNonblock(write, false); err != nil {
			t.Fatal(err)
		}
		withStandardError(t, write)
		_ = syscall.Close(read)
	},
	"standard error has no reader": func(t *testing.T) {
		read, write := pipe(t)
		_ = syscall.Close(read)
		withStandardError(t, write)
	},
	"standard error is on a full disk": func(t *testing.T) {
		file, err := syscall.Open("/dev/full", syscall.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		withStandardError(t, file)
	},
	"standard error is closed": func(t *testing.T) {
		_ = syscall.Close(2)
		survives(t, crashing(t, memory.DefaultAllocator, alloy.Limits{}))
	},
	"the program is deleted": func(t *testing.T) {
		if err := os.Remove(os.Getenv("ALLOY_TEST_PROGRAM")); err != nil {
			t.Fatal(err)
		}
		survives(t, crashing(t, memory.DefaultAllocator, alloy.Limits{}))
	},
	"a program is started meanwhile": func(t *testing.T) {
		goBridge := crashing(t, memory.DefaultAllocator, alloy.Limits{})
		callWell(t, goBridge, memory.DefaultAllocator).Release()
		open, err := exec.Command("ls", "-l", "/proc/self/fd").Output()
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(open), "memfd:") || strings.Contains(string(open), "pidfd") {
			t.Errorf("a child has what belongs to workers:\n%s", open)
		}
		survives(t, goBridge)
	},
}

func TestAHostInGoUsesWorkersWhere(t *testing.T) {
	for name := range environments {
		t.Run(name, func(t *testing.T) {
			program := filepath.Join(t.TempDir(), "host")
			copyFile(t, os.Args[0], program)
			child := exec.Command(program, "-test.run", "^TestChildOfEnvironment$", "-test.v", "-test.timeout", "5m")
			child.Env = append(os.Environ(), "ALLOY_TEST_ENVIRONMENT="+name, "ALLOY_TEST_PROGRAM="+program)
			said := filepath.Join(t.TempDir(), "said") // a pipe would change what is tested
			file, err := os.Create(said)
			if err != nil {
				t.Fatal(err)
			}
			child.Stdout = file
			err = child.Run()
			text, _ := os.ReadFile(said)
			if err != nil || !strings.Contains(string(text), "--- PASS: TestChildOfEnvironment") {
				t.Errorf("%v:\n%s", err, text)
			}
		})
	}
}

// TestWithoutProcALoadIsRefused, and the error says how to mount it.
func TestWithoutProcALoadIsRefused(t *testing.T) {
	hide := []string{"-m", "--propagation", "private", "sh", "-c", `umount -l /proc && exec "$@"`, "sh"}
	if out, err := exec.Command("unshare", append(hide, "true")...).CombinedOutput(); err != nil {
		t.Skipf("SKIPPED: this user may not take /proc away: %v: %s", err, out)
	}
	program, err := filepath.Abs(os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	child := exec.Command("unshare", append(hide, program, "-test.run", "^TestChildWithoutProc$", "-test.v")...)
	child.Env = append(os.Environ(), "ALLOY_TEST_NO_PROC=1")
	if out, err := child.CombinedOutput(); err != nil || !strings.Contains(string(out), "--- PASS: TestChildWithoutProc") {
		t.Errorf("%v:\n%s", err, out)
	}
}

func TestChildWithoutProc(t *testing.T) {
	if os.Getenv("ALLOY_TEST_NO_PROC") == "" {
		return // it is not a child
	}
	for range 2 {
		goBridge := alloy.GoBridge{AllowUnsigned: true, Logger: silent, Isolated: true}
		err := goBridge.SetImplLib(library(t, "tests/crash"), "")
		goBridge.Close()
		var e *alloy.Error
		if !errors.As(err, &e) || !errors.Is(err, alloy.ErrRefused) || e.Reason.String() != "NO_PROC" || !strings.Contains(e.Text, "mount -t proc proc /proc") {
			t.Errorf("got %v", err)
		}
	}
}

func TestChildOfEnvironment(t *testing.T) {
	if act := environments[os.Getenv("ALLOY_TEST_ENVIRONMENT")]; act != nil {
		act(t)
	}
}

// survives checks that workers work, that a death is an error, and that the next call works.
func survives(t *testing.T, goBridge *alloy.GoBridge) {
	t.Helper()
	for range 5 {
		callWell(t, goBridge, memory.DefaultAllocator).Release()
		if err := call(goBridge, waySegv); !errors.Is(err, alloy.ErrLost) {
			t.Errorf("got %v", err)
		}
		if err := call(goBridge, wayLastWords); !errors.Is(err, alloy.ErrLost) || !strings.Contains(err.Error(), "its last words: the model has a hole") {
			t.Errorf("got %v", err)
		}
	}
	callWell(t, goBridge, memory.DefaultAllocator).Release()
}

// withStandardError replaces the standard error of this process for good.
func withStandardError(t *testing.T, fd int) {
	t.Helper()
	if err := syscall.Dup3(fd, 2, 0); err != nil {
		t.Fatal(err)
	}
	_ = syscall.Close(fd)
	survives(t, crashing(t, memory.DefaultAllocator, alloy.Limits{}))
}

func call(goBridge *alloy.GoBridge, way int64) error {
	in := acts(memory.DefaultAllocator, way, 7, 100)
	defer in.Release()
	out, err := goBridge.Call(ctx, "act", nil, in)
	if err == nil {
		out.Release()
	}
	return err
}

func limit(t *testing.T, resource int, most uint64) {
	t.Helper()
	var now syscall.Rlimit
	if err := syscall.Getrlimit(resource, &now); err != nil {
		t.Fatal(err)
	}
	now.Cur = most
	if err := syscall.Setrlimit(resource, &now); err != nil {
		t.Fatal(err)
	}
}

func pipe(t *testing.T) (read, write int) {
	t.Helper()
	var ends [2]int
	if err := syscall.Pipe2(ends[:], syscall.O_CLOEXEC); err != nil {
		t.Fatal(err)
	}
	return ends[0], ends[1]
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	source, err := os.Open(from)
	if err != nil {
		t.Fatal(err)
	}
	defer source.Close()
	target, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY, 0o700)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(target, source); err != nil {
		t.Fatal(err)
	}
	if err := target.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestManyGoroutinesOnOneBridge: each crash is the error of one call.
func TestManyGoroutinesOnOneBridge(t *testing.T) {
	mem := checked(t)
	goBridge := crashing(t, mem, alloy.Limits{Workers: 4})
	var right, lost atomic.Int64
	var wait sync.WaitGroup
	for thread := range 32 {
		wait.Go(func() {
			for turn := range 25 {
				way := int64(wayWell)
				if turn%16 == 8 && thread%4 == 0 {
					way = waySegv
				}
				in := acts(mem, way, 7, 1000)
				out, err := goBridge.Call(ctx, "act", nil, in)
				in.Release()
				switch {
				case err == nil:
					checkDoubled(t, out, 7, 1000)
					out.Release()
					right.Add(1)
				case errors.Is(err, alloy.ErrLost):
					lost.Add(1)
				default:
					t.Error(err)
				}
			}
		})
	}
	wait.Wait()
	if lost.Load() != 16 || right.Load() != 32*25-16 {
		t.Errorf("%d right, %d lost", right.Load(), lost.Load())
	}
}
