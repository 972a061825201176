// SPDX-License-Identifier: MIT

package cli

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// faulty is a graph with one step over the numbers up to rows.
func (f folder) faulty(rows, batchRows int, extra, keys string) string {
	f.ids(rows)
	return f.graph(extra, fmt.Sprintf(`
[source]
ids = { csv = "ids.csv", batch_rows = %d, schema = { id = "int64" } }
[step.work]
from = ["ids"]
isolated = true
%s
[sink]
out = { from = "work", ipc = "out/all.arrow" }
`, batchRows, keys))
}

const bad = `bad = { ipc = "out/bad.arrow" }
`

// others lists the other processes of this program: Thund and its workers.
func others(t *testing.T) (found []int) {
	t.Helper()
	own, err := os.Readlink("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	processes, err := os.ReadDir("/proc")
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range processes {
		program, _ := os.Readlink("/proc/" + entry.Name() + "/exe")
		if number, err := strconv.Atoi(entry.Name()); err == nil && program == own && number != os.Getpid() {
			found = append(found, number)
		}
	}
	return found
}

// eventually waits for a condition.
func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !is(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("after 20 s it is not so that %s", what)
		}
	}
}

// Acceptance 7: of 337 batches each tenth kills its worker the first time. All rows arrive,
// in order, and no process remains.
func TestEachTenthBatchKillsItsWorkerAndNothingIsLost(t *testing.T) {
	// A batch that is tried again may meet another worker that has run before.
	for _, parallel := range []int{1, 3} {
		f := newFolder(t)
		g := f.faulty(33700, 100, "", fmt.Sprintf("call = \"faulty.once\"\nretries = 60\nbackoff = \"1ms\"\nparallel = %d\n", parallel))
		r := thund(t, "run", g, "--json").wants(0).report()
		f.wantsIDs("out/all.arrow", "id", 33700)
		// With one worker, each tenth batch finds a worker that has run before.
		count := r.Retries["signal"]
		if parallel == 1 && count != 33 || count == 0 || len(r.Retries) != 1 || r.DeadLetters != 0 {
			t.Errorf("%d workers: retries %v, %d dead letters", parallel, r.Retries, r.DeadLetters)
		}
		if n := r.Nodes[1]; n.Restarts["signal"] != count || n.Errors["E5001"] != count {
			t.Errorf("%d workers: restarts %v, errors %v", parallel, n.Restarts, n.Errors)
		}
		if want := fmt.Sprintf("retries %d (signal)", count); !strings.Contains(r.Summary(), want) {
			t.Errorf("there is no %q in %s", want, r.Summary())
		}
	}
}

// Acceptance 8: three of 100,000 rows always kill the worker. They become dead letters, and
// the others arrive in order.
func TestThreeDeadlyRowsBecomeDeadLetters(t *testing.T) {
	f := newFolder(t)
	g := f.faulty(100000, 10000, "", "call = \"faulty.poison\"\ndead_letter = \"bad\"\n")
	f.write("graph.toml", read(t, g)+bad)
	thund(t, "run", g).wants(4, "3 dead letters")
	f.wantsIDs("out/all.arrow", "poison", 100000, 7, 50000, 99999)
	if ids := f.column("out/bad.arrow", "id"); !slices.Equal(ids, []int64{7, 50000, 99999}) {
		t.Errorf("dead letters: %v", ids)
	}
	for i, code := range f.texts("out/bad.arrow", "thund_code") {
		if code != "LOST" {
			t.Errorf("dead letter %d has the code %s", i, code)
		}
	}
	if nodes := f.texts("out/bad.arrow", "thund_node"); nodes[0] != "work" {
		t.Errorf("dead letters of %v", nodes)
	}
	if batches, rows := f.column("out/bad.arrow", "thund_batch"), f.column("out/bad.arrow", "thund_row"); !slices.Equal(batches, []int64{1, 6, 10}) || !slices.Equal(rows, []int64{7, 0, 9999}) {
		t.Errorf("dead letters of the batches %v, rows %v", batches, rows)
	}
}

// Section 4: a step that is not idempotent never gets a batch twice, so its whole batch
// becomes dead letters. The step's own error, in process, is handled in the same way.
func TestABatchWithEffectsIsNeverSplit(t *testing.T) {
	f := newFolder(t)
	g := f.faulty(300, 100, "", "call = \"faulty.effect\"\ndead_letter = \"bad\"\n")
	f.write("graph.toml", read(t, g)+bad)
	thund(t, "run", g).wants(4, "100 dead letters")
	if ids := f.column("out/all.arrow", "effect"); len(ids) != 200 || ids[0] != 100 {
		t.Errorf("%d rows arrived, the first is %d", len(ids), ids[0])
	}
}

// Section 4: splitting works for an error of the step too, in this process.
func TestAStepsOwnErrorIsHalvedInProcess(t *testing.T) {
	f := newFolder(t)
	g := f.faulty(1000, 300, "", "call = \"faulty.refuse\"\ndead_letter = \"bad\"\n")
	f.write("graph.toml", strings.Replace(read(t, g), "isolated = true", "", 1)+bad)
	thund(t, "run", g).wants(4, "1 dead letters")
	f.wantsIDs("out/all.arrow", "refuse", 1000, 500)
	if texts := f.texts("out/bad.arrow", "thund_text"); len(texts) != 1 || !strings.Contains(texts[0], "500 is refused") {
		t.Errorf("the dead letter says %q", texts)
	}
}

// Section 4: more dead letters than dead_letters_max end the run, and no file appears.
func TestTooManyDeadLettersEndTheRun(t *testing.T) {
	f := newFolder(t)
	g := f.faulty(300, 100, "dead_letters_max = 99", "call = \"faulty.effect\"\ndead_letter = \"bad\"\n")
	f.write("graph.toml", read(t, g)+bad)
	thund(t, "run", g).wants(1, "error[E0411]: the run has more than 99 dead letters", "graph.toml:")
	f.wantsNoFile("out")
}

// Section 4: without dead_letter, a worker's death ends the run with the step and the batch.
func TestADeathWithoutDeadLettersEndsTheRun(t *testing.T) {
	f := newFolder(t)
	g := f.faulty(300, 100, "", "call = \"faulty.poison\"\n")
	thund(t, "run", g).wants(20, `step "work" failed at batch 1`, "died by SIGSEGV", `add dead_letter = "SINK"`)
	f.wantsNoFile("out")
}

// Acceptance 9: a step that hangs ends the run in time; with dead_letter, the run goes on.
func TestAStepThatHangsIsKilled(t *testing.T) {
	f := newFolder(t)
	g := f.faulty(1000, 300, "", "call = \"faulty.hang\"\ntimeout = \"200ms\"\n")
	if o := thund(t, "run", g).wants(21, "TIMEOUT", `step "work" failed at batch 2`); o.took > 4*time.Second {
		t.Errorf("it took %v", o.took)
	}
	f.wantsNoFile("out")
	f.write("graph.toml", strings.Replace(read(t, g), "[sink]", "dead_letter = \"bad\"\n[sink]\n"+bad, 1))
	thund(t, "run", g).wants(4, "1 dead letters")
	f.wantsIDs("out/all.arrow", "hang", 1000, 500)
}

// Section 5: each way to lose a worker has its name. The other rows arrive.
func TestACauseIsNamed(t *testing.T) {
	for cause, keys := range map[string]string{
		"signal": `call = "faulty.poison"`, "exit": `call = "faulty.leave"`,
		"hang": `call = "faulty.hang"` + "\ntimeout = \"100ms\"", "memory": `call = "faulty.hoard"` + "\nheap = \"64MiB\"",
	} {
		f := newFolder(t)
		g := f.faulty(600, 300, "", keys+"\ndead_letter = \"bad\"\n")
		f.write("graph.toml", read(t, g)+bad)
		r := thund(t, "run", g, "--json").wants(4).report()
		n := r.Nodes[1]
		if len(n.Restarts) != 1 || n.Restarts[cause] < 2 || n.DeadLetters != 1 || n.RowsOut != 599 {
			t.Errorf("%s: restarts %v, errors %v, %d dead letters, %d rows", cause, n.Restarts, n.Errors, n.DeadLetters, n.RowsOut)
		}
	}
}

// Acceptance 7 and 12, the end: no worker outlives the program, also when it is killed.
func TestNoWorkerRemains(t *testing.T) {
	f := newFolder(t)
	g := f.faulty(1000, 300, "", "call = \"faulty.hang\"\n")
	c := process("run", g)
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "thund has a worker", func() bool { return len(others(t)) == 2 })
	if err := c.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := c.Wait(); err == nil {
		t.Error("a killed program has succeeded")
	}
	eventually(t, "no process remains", func() bool { return len(others(t)) == 0 })
	if _, err := os.Stat(f.file("out/all.arrow")); err == nil {
		t.Error("a killed run has a finished file")
	}
	f.faulty(300, 100, "", "call = \"faulty.poison\"\n")
	thund(t, "run", g).wants(20)
	eventually(t, "no process remains", func() bool { return len(others(t)) == 0 })
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// Acceptance 10: workers are killed all the time. Every row arrives once, in order, in both
// kinds of map steps.
func TestAStormOfKillsLosesNothing(t *testing.T) {
	f := newFolder(t)
	const rows = 1000000
	f.ids(rows)
	g := f.graph("", `
[source]
ids = { csv = "ids.csv", batch_rows = 500, schema = { id = "int64" } }
[step.a]
call = "rel.scale"
from = "ids"
options = { column = "id", factor = "2" }
isolated = true
retries = 100
backoff = "1ms"
[step.b]
call = "rel.scale"
from = "a"
options = { column = "id", factor = "3" }
isolated = true
parallel = 2
retries = 100
backoff = "1ms"
[sink]
out = { from = "b", ipc = "out/all.arrow" }
`)
	c := process("run", g, "--json")
	done := make(chan outcome)
	go func() { done <- finish(t, c) }()
	killed := 0
	for ended := false; !ended; {
		select {
		case o := <-done:
			r := o.wants(0).report()
			if r.DeadLetters != 0 || killed == 0 || r.Retries["signal"] == 0 {
				t.Errorf("%d kills, retries %v, %d dead letters", killed, r.Retries, r.DeadLetters)
			}
			t.Logf("%d kills, retries %v", killed, r.Retries)
			ended = true
		case <-time.After(5 * time.Millisecond):
			if _, err := os.Stat(f.file("out/all.arrow.part")); err != nil {
				continue // the graph is still checked
			}
			for _, worker := range others(t) {
				if parent(worker) != os.Getpid() && syscall.Kill(worker, syscall.SIGKILL) == nil {
					killed++
					break
				}
			}
		}
	}
	ids := f.column("out/all.arrow", "id")
	if len(ids) != rows {
		t.Fatalf("%d of %d rows", len(ids), rows)
	}
	for i, id := range ids {
		if id != int64(6*i) {
			t.Fatalf("row %d is %d", i, id)
		}
	}
	eventually(t, "no process remains", func() bool { return len(others(t)) == 0 })
}

// parent returns the parent of a process; 0: it has ended.
func parent(process int) (found int) {
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", process))
	_, rest, _ := strings.Cut(string(text), "PPid:")
	_, _ = fmt.Sscan(rest, &found) // of a process that has ended nothing is left
	return found
}
