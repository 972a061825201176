// SPDX-License-Identifier: MIT

package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/ipc"
)

// byHand is a number that somebody may raise: THUND_KILLS=2000 THUND_BATCHES=8640000 go test
// ./internal/cli -run 'Storm|Flat|Killed' -timeout 24h
func byHand(t *testing.T, name string, usual int) int {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return usual
	}
	count, err := strconv.Atoi(text)
	if err != nil || count < 1 {
		t.Fatalf("%s is no number: %q", name, text)
	}
	return count
}

// held is what a process holds: open files, threads and mappings.
func held(t *testing.T, process int) (files, threads, maps int) {
	t.Helper()
	count := func(folder string) int {
		entries, err := os.ReadDir(fmt.Sprintf("/proc/%d/%s", process, folder))
		if err != nil {
			t.Fatal(err)
		}
		return len(entries)
	}
	return count("fd"), count("task"), strings.Count(read(t, fmt.Sprintf("/proc/%d/maps", process)), "\n")
}

// children lists the workers of a process.
func children(process int) (found []int) {
	tasks, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", process))
	for _, task := range tasks {
		text, _ := os.ReadFile(task)
		for _, word := range strings.Fields(string(text)) {
			if pid, err := strconv.Atoi(word); err == nil {
				found = append(found, pid)
			}
		}
	}
	return found
}

// Section 8: workers are killed again and again, while a producer sends rows. Each row arrives
// once, in order, and Thund holds as many files, threads and mappings as before.
func TestAStormOfKillsLeavesNothingBehind(t *testing.T) {
	kills := byHand(t, "THUND_KILLS", 40)
	f := newFolder(t)
	g := f.graph("", `
[source]
late = { ipc = "unix:late.sock", connections = 1, schema = { id = "int64" } }
[step.work]
call = "rel.scale"
from = "late"
options = { column = "id", factor = "2" }
isolated = true
parallel = 2
retries = 1000
backoff = "1ms"
[sink]
out = { from = "work", ipc = "unix:feed.sock" }
`)
	c := process("run", g, "--json", "-q")
	var out, failure bytes.Buffer
	c.Stdout, c.Stderr = &out, &failure
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Process.Kill() })
	conn, feed := f.dial("late.sock"), f.dial("feed.sock")
	var arrived atomic.Int64 // rows
	sums := make(chan int64, 1)
	go func() {
		sum := int64(0)
		defer func() { sums <- sum }()
		reader, err := ipc.NewReader(feed)
		for err == nil && reader.Next() {
			for _, id := range reader.RecordBatch().Column(0).(*array.Int64).Int64Values() {
				if id != 2*arrived.Load() {
					t.Errorf("row %d is %d", arrived.Load(), id)
					return
				}
				arrived.Add(1)
				sum += id
			}
		}
		if err = errors.Join(err, reader.Err()); err != nil {
			t.Error(err)
		}
	}()
	stop, sent := make(chan struct{}), make(chan int64)
	go func() {
		w, next, ids := ipc.NewWriter(conn, ipc.WithSchema(batch(0).Schema())), int64(0), make([]int64, 500)
		defer func() { w.Close(); conn.Close(); sent <- next }()
		for {
			select {
			case <-stop:
				return
			default:
			}
			for i := range ids {
				ids[i] = next
				next++
			}
			one := batch(ids...)
			err := w.Write(one)
			one.Release()
			if err != nil {
				t.Error(err)
				return
			}
		}
	}()
	var files, threads, maps int
	for killed, before := 0, int64(-1); killed < kills && !t.Failed(); {
		workers := children(c.Process.Pid)
		// The engine waits longer and longer for a worker after deaths without any result.
		if len(workers) == 0 || arrived.Load() == before {
			time.Sleep(time.Millisecond)
			continue
		}
		if killed == kills/4 {
			files, threads, maps = held(t, c.Process.Pid)
		}
		before = arrived.Load()
		if syscall.Kill(workers[killed%len(workers)], syscall.SIGKILL) == nil {
			killed++
		}
	}
	time.Sleep(100 * time.Millisecond) // until the workers of the last kills are replaced
	filesNow, threadsNow, mapsNow := held(t, c.Process.Pid)
	if filesNow > files+8 || threadsNow > threads+8 || mapsNow > maps+80 {
		t.Errorf("files %d and then %d, threads %d and %d, mappings %d and %d", files, filesNow, threads, threadsNow, maps, mapsNow)
	}
	close(stop)
	rows := <-sent
	sum := <-sums
	_ = c.Wait() // the exit code says more
	r := outcome{t, c.ProcessState.ExitCode(), out.String(), failure.String(), 0}.wants(0).report()
	t.Logf("%d kills, %d rows, retries %v", kills, rows, r.Retries)
	if r.DeadLetters != 0 || r.Retries["signal"] == 0 {
		t.Errorf("retries %v, %d dead letters", r.Retries, r.DeadLetters)
	}
	if arrived.Load() != rows || sum != rows*(rows-1) {
		t.Errorf("%d of %d rows, with the sum %d", arrived.Load(), rows, sum)
	}
	eventually(t, "no process remains", func() bool { return len(others(t)) == 0 })
}

// resident is the resident set of a process in KiB.
func resident(t *testing.T, process int) (size int) {
	t.Helper()
	_, rest, found := strings.Cut(read(t, fmt.Sprintf("/proc/%d/status", process)), "VmRSS:")
	if _, err := fmt.Sscan(rest, &size); !found || err != nil {
		t.Fatal(err)
	}
	return size
}

// Section 8: as many batches as in a day by hand, some in CI: the memory does not grow.
func TestTheMemoryIsFlatOverManyBatches(t *testing.T) {
	batches := byHand(t, "THUND_BATCHES", 8000)
	f := newFolder(t)
	c := process("run", "-q", f.graph("", `
[source]
in = { ipc = "-", schema = { id = "int64" } }
[step.a]
call = "rel.scale"
from = "in"
options = { column = "id", factor = "2" }
[step.b]
call = "rel.scale"
from = "a"
options = { column = "id", factor = "3" }
isolated = true
[sink]
out = { from = "b", ipc = "-" }
`))
	in, err1 := c.StdinPipe()
	out, err2 := c.StdoutPipe()
	if err1 != nil || err2 != nil || c.Start() != nil {
		t.Fatal(err1, err2)
	}
	var early, late, earlyWorker, lateWorker int
	worker := func() int {
		found := children(c.Process.Pid)
		if len(found) != 1 {
			t.Fatalf("%d workers", len(found))
		}
		return found[0]
	}
	got := make(chan int)
	go func() {
		defer func() { _, _ = io.Copy(io.Discard, out) }()
		reader, err := ipc.NewReader(out)
		if err != nil {
			t.Error(err)
			got <- 0
			return
		}
		count := 0
		for reader.Next() {
			count++
		}
		if reader.Err() != nil {
			t.Error(reader.Err())
		}
		got <- count
	}()
	one := batch(make([]int64, 1000)...)
	w := ipc.NewWriter(in, ipc.WithSchema(one.Schema()))
	for i := range batches {
		if err := w.Write(one); err != nil {
			t.Fatal(err)
		}
		switch i {
		case batches / 4:
			early, earlyWorker = resident(t, c.Process.Pid), resident(t, worker())
		case batches - 1:
			late, lateWorker = resident(t, c.Process.Pid), resident(t, worker())
		}
	}
	w.Close()
	in.Close()
	if count := <-got; count != batches {
		t.Errorf("%d of %d batches", count, batches)
	}
	if err := c.Wait(); err != nil {
		t.Error(err)
	}
	t.Logf("%d batches: %d KiB and then %d; the worker %d and %d", batches, early, late, earlyWorker, lateWorker)
	if late > early+32<<10 || lateWorker > earlyWorker+16<<10 {
		t.Errorf("the memory grew from %d to %d KiB, that of the worker from %d to %d", early, late, earlyWorker, lateWorker)
	}
}
