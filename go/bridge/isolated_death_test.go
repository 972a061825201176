// SPDX-License-Identifier: MIT

//go:build linux && cgo && (amd64 || arm64)

package bridge_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/ignalina/alloy"
)

// What the function act of tests/backends/crash.c does, by the first value of its input; the
// numbers are those of tests/isolated/ways.h.
const (
	wayWell       = 0 // each value is doubled
	waySegv       = 1
	wayAbort      = 2
	wayExit       = 3
	wayOverflow   = 4
	wayLoop       = 5
	wayPolite     = 6
	wayTrickle    = 7
	wayStop       = 8
	wayWriteInput = 9
	wayOutside    = 11
	wayHeap       = 13
	wayLastWords  = 14
	wayKilled     = 15
	wayBreakRules = 19
)

// crashers have the function act, in each language.
var crashers = []struct{ language, library, backend string }{
	{"C", "tests/crash", "test.crash"},
	{"C++", "tests/crash_cpp", "test.crash_cpp"},
	{"Rust", "faults_rust", "test.faults"},
}

// crashing makes a bridge whose backend crashes on demand. It is isolated in every mode.
func crashing(t *testing.T, mem memory.Allocator, limits alloy.Limits) *alloy.GoBridge {
	t.Helper()
	return crashingIn(t, mem, "tests/crash", limits)
}

func crashingIn(t *testing.T, mem memory.Allocator, path string, limits alloy.Limits) *alloy.GoBridge {
	t.Helper()
	goBridge := &alloy.GoBridge{GoAllocator: mem, AllowUnsigned: true, Logger: silent, Isolated: true, Limits: limits}
	t.Cleanup(goBridge.Close)
	if err := goBridge.SetImplLib(library(t, path), ""); err != nil {
		t.Fatal(err)
	}
	return goBridge
}

// acts makes a batch of a way and of values that count up.
func acts(mem memory.Allocator, way, first int64, rows int) arrow.RecordBatch {
	builder := array.NewInt64Builder(mem)
	defer builder.Release()
	builder.Append(way)
	for row := range rows - 1 {
		builder.Append(first + int64(row))
	}
	column := builder.NewArray()
	defer column.Release()
	return array.NewRecordBatch(numbersSchema, []arrow.Array{column}, int64(rows))
}

// checkDoubled checks every value of a result, and returns the worker that made it.
func checkDoubled(t *testing.T, out arrow.RecordBatch, first int64, rows int) int64 {
	t.Helper()
	values := out.Column(0).(*array.Int64).Int64Values()
	if len(values) != rows || values[0] != 0 {
		t.Errorf("got %d rows, want %d", len(values), rows)
		return 0
	}
	for row, value := range values[1:] {
		if value != 2*(first+int64(row)) {
			t.Errorf("row %d: got %d, want %d", row+1, value, 2*(first+int64(row)))
			return 0
		}
	}
	return out.Column(1).(*array.Int64).Value(0)
}

func callWell(t *testing.T, goBridge *alloy.GoBridge, mem memory.Allocator) arrow.RecordBatch {
	t.Helper()
	in := acts(mem, wayWell, 7, 100)
	defer in.Release()
	out, err := goBridge.Call(ctx, "act", nil, in)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestADeathOfAWorkerIsAnErrorThatSaysWhatDied, and the next call works. A result from before
// stays as it was.
func TestADeathOfAWorkerIsAnErrorThatSaysWhatDied(t *testing.T) {
	for _, crasher := range crashers {
		t.Run(crasher.language, func(t *testing.T) { testDeaths(t, crasher.library, crasher.backend) })
	}
}

func testDeaths(t *testing.T, path, backend string) {
	for _, c := range []struct {
		name string
		way  int64
		want string
		why  alloy.Reason
	}{
		{"segv", waySegv, "the worker of " + backend + " died by SIGSEGV in act, batch 2 (rows 0 to 99)", alloy.ReasonWorkerSignal},
		{"abort", wayAbort, "died by SIGABRT in act, batch 2", alloy.ReasonWorkerSignal},
		{"exit", wayExit, "ended itself with exit status 7 in act", alloy.ReasonWorkerExit},
		{"stack", wayOverflow, "died by SIGSEGV in act", alloy.ReasonWorkerSignal},
		{"write to the input", wayWriteInput, "died by SIGSEGV in act", alloy.ReasonWorkerSignal},
		{"result outside", wayOutside, "died by SIGSEGV in act", alloy.ReasonWorkerSignal},
		{"kill", wayKilled, "died by SIGKILL in act", alloy.ReasonWorkerSignal},
		{"heap", wayHeap, "ran out of memory (heap_bytes is 268435456) in act", alloy.ReasonWorkerMemory},
		{"rules", wayBreakRules, "was killed, because it broke the rules: it closed its mailbox in act", alloy.ReasonWorkerViolation},
		{"last words", wayLastWords, "its last words: the model has a hole | at line 3; the next call starts a new worker", alloy.ReasonWorkerSignal},
	} {
		if c.way == wayBreakRules && path != "tests/crash_cpp" {
			continue // only there; the language of the backend makes no difference
		}
		t.Run(c.name, func(t *testing.T) {
			mem := checked(t)
			goBridge := crashingIn(t, mem, path, alloy.Limits{HeapBytes: 256 << 20})
			before := callWell(t, goBridge, mem)
			defer before.Release()
			worker := checkDoubled(t, before, 7, 100)

			bad := acts(mem, c.way, 7, 100)
			_, err := goBridge.Call(ctx, "act", nil, bad)
			bad.Release()
			var e *alloy.Error
			if c.way == wayHeap && path == "tests/crash_cpp" {
				// bad_alloc is an exception, and the worker stays.
				if !errors.As(err, &e) || e.Code != alloy.Exhausted {
					t.Fatalf("got %v", err)
				}
				after := callWell(t, goBridge, mem)
				if next := checkDoubled(t, after, 7, 100); next != worker {
					t.Errorf("worker %d answers after an exception in %d", next, worker)
				}
				after.Release()
				return
			}
			if !errors.Is(err, alloy.ErrLost) || !errors.As(err, &e) || e.Side != alloy.SideWorker || !strings.Contains(e.Text, c.want) {
				t.Fatalf("got %v, want %q", err, c.want)
			}
			if e.Reason != c.why {
				t.Errorf("the reason is %v, want %v", e.Reason, c.why)
			}
			if errors.Is(err, alloy.ErrRefused) || errors.Is(err, context.Canceled) {
				t.Errorf("%v is another error as well", err)
			}
			after := callWell(t, goBridge, mem)
			if next := checkDoubled(t, after, 7, 100); next == worker || next == int64(os.Getpid()) {
				t.Errorf("worker %d answers after the death of %d", next, worker)
			}
			after.Release()
			checkDoubled(t, before, 7, 100)
		})
	}
}

// TestADeadlineEndsAWorkerThatIsDeaf, and a polite one goes on to serve.
func TestADeadlineEndsAWorkerThatIsDeaf(t *testing.T) {
	for _, crasher := range crashers {
		t.Run(crasher.language, func(t *testing.T) { testDeadlines(t, crasher.library) })
	}
}

func testDeadlines(t *testing.T, path string) {
	mem := checked(t)
	for _, c := range []struct {
		name  string
		way   int64
		stays bool
	}{{"polite", wayPolite, true}, {"loop", wayLoop, false}, {"trickle", wayTrickle, false}, {"stopped", wayStop, false}} {
		grace := 100 * time.Millisecond
		if c.stays {
			grace = 5 * time.Minute // what a slow machine wants
		}
		goBridge := crashingIn(t, mem, path, alloy.Limits{Workers: 1, Grace: grace})
		out := callWell(t, goBridge, mem)
		worker := checkDoubled(t, out, 7, 100)
		out.Release()
		for _, end := range []string{"deadline", "cancel"} {
			limited, cancel := context.WithTimeout(ctx, 50*time.Millisecond)
			want := context.DeadlineExceeded
			if end == "cancel" {
				cancel()
				limited, cancel = context.WithCancel(ctx)
				want = context.Canceled
				time.AfterFunc(50*time.Millisecond, cancel)
			}
			in := acts(mem, c.way, 7, 100)
			began := time.Now()
			_, err := goBridge.Call(limited, "act", nil, in)
			took := time.Since(began)
			cancel()
			in.Release()
			if !errors.Is(err, want) && (c.stays || !errors.Is(err, alloy.ErrLost)) {
				t.Errorf("%s, %s: got %v", c.name, end, err)
			}
			var e *alloy.Error
			why := alloy.ReasonWorkerHang
			if c.stays {
				why = 0
			}
			if !errors.As(err, &e) || e.Reason != why {
				t.Errorf("%s, %s: the reason of %v, want %v", c.name, end, err, why)
			}
			if took > time.Minute {
				t.Errorf("%s, %s: took %v", c.name, end, took)
			}
			out := callWell(t, goBridge, mem)
			next := checkDoubled(t, out, 7, 100)
			out.Release()
			if (next == worker) != c.stays {
				t.Errorf("%s, %s: worker %d answers after %d", c.name, end, next, worker)
			}
			worker = next
		}
	}
}

// TestAWorkerThatNeverBindsEndsAfterItsSetup, long before the default of a minute.
func TestAWorkerThatNeverBindsEndsAfterItsSetup(t *testing.T) {
	for _, crasher := range crashers {
		t.Run(crasher.language, func(t *testing.T) {
			mem := checked(t)
			goBridge := crashingIn(t, mem, crasher.library, alloy.Limits{Setup: 2 * time.Second})
			in := acts(mem, wayWell, 7, 100)
			defer in.Release()
			_, err := goBridge.Call(ctx, "act", alloy.Options{"bind": strconv.Itoa(wayLoop)}, in)
			var e *alloy.Error
			if !errors.As(err, &e) || !errors.Is(err, alloy.ErrLost) || e.Reason != alloy.ReasonWorkerHang || !strings.Contains(e.Text, "did not answer within 2 s") {
				t.Errorf("got %v", err)
			}
			out := callWell(t, goBridge, mem)
			checkDoubled(t, out, 7, 100)
			out.Release()
		})
	}
}

// TestADeathInAStreamIsItsError. What the stream gave before stays.
func TestADeathInAStreamIsItsError(t *testing.T) {
	mem := checked(t)
	goBridge := crashing(t, mem, alloy.Limits{})
	in := newFeed(numbersSchema, func(i int) (arrow.RecordBatch, error) {
		if i == 3 {
			return acts(mem, waySegv, 0, 10), nil
		}
		return acts(mem, wayWell, int64(i), 10), nil
	})
	out := openStream(t, goBridge, "act", nil, in)
	var kept []arrow.RecordBatch
	for out.Next() {
		batch := out.RecordBatch()
		batch.Retain()
		kept = append(kept, batch)
	}
	for range 2 {
		if err := out.Err(); !errors.Is(err, alloy.ErrLost) || !strings.Contains(err.Error(), "SIGSEGV in act, batch 4") {
			t.Errorf("got %v", err)
		}
	}
	out.Release()
	in.checkReleased(t)
	if len(kept) != 3 {
		t.Errorf("%d batches came before the death", len(kept))
	}
	for i, batch := range kept {
		checkDoubled(t, batch, int64(i), 10)
		batch.Release()
	}
	callWell(t, goBridge, mem).Release()
}

// TestKillsAtRandomMoments kills workers while batches flow. Each call gives the right values
// or ErrLost, results from before stay right, and nothing is left over. ALLOY_TEST_KILLS is
// the number of kills.
func TestKillsAtRandomMoments(t *testing.T) {
	kills := 150
	if text := os.Getenv("ALLOY_TEST_KILLS"); text != "" {
		var err error
		if kills, err = strconv.Atoi(text); err != nil {
			t.Fatal(err)
		}
	}
	mem := checked(t)
	run(t, mem, 5) // what the first use costs for good
	// A closed bridge ends its workers when the collector has found the last use of it.
	before := settled(t, func(h holdings) bool { return h.children == 0 && h.shared == 0 })
	good, lost := run(t, mem, kills)
	t.Logf("%d kills: %d calls gave the right values, %d were lost", kills, good, lost)
	if good == 0 || lost == 0 {
		t.Error("nothing was tested")
	}
	// Fewer are right too: the collector may end what earlier tests left.
	kept := func(h holdings) bool {
		return h.children == 0 && h.shared == 0 && h.descriptors <= before.descriptors && h.goroutines <= before.goroutines
	}
	after := settled(t, kept)
	if !kept(after) || before.children != 0 || before.shared != 0 {
		t.Errorf("held %+v before, and %+v after", before, after)
	}
}

// settled waits until what the process holds is as wanted, and returns what it holds.
func settled(t *testing.T, wanted func(holdings) bool) holdings {
	t.Helper()
	end := time.Now().Add(time.Minute)
	for {
		runtime.GC()
		if held := holding(t); wanted(held) || time.Now().After(end) {
			return held
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func run(t *testing.T, mem memory.Allocator, kills int) (good, lost int64) {
	goBridge := crashing(t, mem, alloy.Limits{Workers: 8})
	defer goBridge.Close()
	var stop atomic.Bool
	var goods, losts atomic.Int64
	var wait sync.WaitGroup
	for i := range 4 {
		wait.Go(func() {
			random := rand.New(rand.NewPCG(1, uint64(i)))
			for !stop.Load() {
				flow(t, goBridge, mem, random, i%2 == 0, &goods, &losts)
			}
		})
	}
	random := rand.New(rand.NewPCG(2, 3))
	end := time.Now().Add(time.Duration(kills)*time.Second + time.Minute)
	for killed := 0; killed < kills && !t.Failed(); {
		time.Sleep(time.Duration(random.IntN(4000)) * time.Microsecond)
		if workers := workers(t); len(workers) > 0 && syscall.Kill(workers[random.IntN(len(workers))], syscall.SIGKILL) == nil {
			killed++
		}
		if time.Now().After(end) {
			t.Errorf("only %d kills", killed)
			break
		}
	}
	stop.Store(true)
	wait.Wait()
	return goods.Load(), losts.Load()
}

// flow sends some batches, as calls or as a stream, and checks what it kept at the end.
func flow(t *testing.T, goBridge *alloy.GoBridge, mem memory.Allocator, random *rand.Rand, stream bool, good, lost *atomic.Int64) {
	type result struct {
		batch arrow.RecordBatch
		first int64
		rows  int
	}
	var kept []result
	made := make([]result, 20)
	for i := range made {
		made[i] = result{first: random.Int64N(1 << 40), rows: 2 + random.IntN(3000)}
	}
	check := func(out arrow.RecordBatch, i int) {
		checkDoubled(t, out, made[i].first, made[i].rows)
		good.Add(1)
		out.Retain()
		kept = append(kept, result{out, made[i].first, made[i].rows})
	}
	fail := func(err error) {
		if lost.Add(1); !errors.Is(err, alloy.ErrLost) {
			t.Errorf("got %v", err)
		}
	}
	if stream {
		in := newFeed(numbersSchema, func(i int) (arrow.RecordBatch, error) {
			if i == len(made) {
				return nil, nil
			}
			return acts(mem, wayWell, made[i].first, made[i].rows), nil
		})
		out, err := goBridge.Stream(ctx, "act", nil, in)
		if err == nil {
			for i := 0; out.Next(); i++ {
				check(out.RecordBatch(), i)
			}
			err = out.Err()
			out.Release()
		}
		if err != nil {
			fail(err)
		}
		in.checkReleased(t)
	} else {
		for i := range made {
			in := acts(mem, wayWell, made[i].first, made[i].rows)
			out, err := goBridge.Call(ctx, "act", nil, in)
			in.Release()
			if err != nil {
				fail(err)
				continue
			}
			check(out, i)
			out.Release()
		}
	}
	for _, r := range kept {
		checkDoubled(t, r.batch, r.first, r.rows)
		r.batch.Release()
	}
}

// workers lists the workers of this process that live. Zombies have no arguments.
func workers(t *testing.T) []int {
	t.Helper()
	var pids []int
	for _, pid := range children(t) {
		line, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/cmdline")
		if err == nil && strings.Contains(string(line), "--alloy-worker") {
			pids = append(pids, pid)
		}
	}
	return pids
}

func children(t *testing.T) []int {
	t.Helper()
	tasks, err := filepath.Glob("/proc/self/task/*/children")
	if err != nil {
		t.Fatal(err)
	}
	var pids []int
	for _, task := range tasks {
		text, err := os.ReadFile(task)
		if err != nil {
			continue // the thread has ended
		}
		for _, field := range strings.Fields(string(text)) {
			pid, err := strconv.Atoi(field)
			if err != nil {
				t.Fatal(err)
			}
			pids = append(pids, pid)
		}
	}
	return pids
}

// holdings are what a process holds of the system. Zombies are children, and shared are the
// mappings of memory that is shared with workers, not those of libraries.
type holdings struct{ descriptors, children, shared, goroutines int }

func holding(t *testing.T) holdings {
	t.Helper()
	descriptors, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	maps, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		t.Fatal(err)
	}
	shared := 0
	for _, name := range []string{"alloy-input", "alloy-output", "alloy-control"} {
		shared += strings.Count(string(maps), "memfd:"+name)
	}
	return holdings{len(descriptors), len(children(t)), shared, runtime.NumGoroutine()}
}
