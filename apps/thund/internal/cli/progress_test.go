// SPDX-License-Identifier: MIT

package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"unsafe"

	"github.com/ignalina/alloy/apps/thund/internal/run"
	"github.com/ignalina/alloy/apps/thund/internal/status"
)

// pseudoTerminal returns both ends of a terminal of this size.
func pseudoTerminal(t *testing.T, columns, rows uint16) (control, terminal *os.File) {
	t.Helper()
	control, err := os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { control.Close() })
	call := func(request uintptr, argument unsafe.Pointer) {
		t.Helper()
		if _, _, code := syscall.Syscall(syscall.SYS_IOCTL, control.Fd(), request, uintptr(argument)); code != 0 {
			t.Fatal(code)
		}
	}
	number, unlock := int32(0), int32(0)
	call(syscall.TIOCSPTLCK, unsafe.Pointer(&unlock))
	call(syscall.TIOCGPTN, unsafe.Pointer(&number))
	size := [4]uint16{rows, columns}
	call(syscall.TIOCSWINSZ, unsafe.Pointer(&size))
	if terminal, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|syscall.O_NOCTTY, 0); err != nil {
		t.Fatal(err)
	}
	return control, terminal
}

// onTerminal runs the program with standard error on a terminal, and returns what it shows.
func onTerminal(t *testing.T, columns, rows uint16, args ...string) (exit int, text string) {
	t.Helper()
	control, terminal := pseudoTerminal(t, columns, rows)
	c := process(args...)
	c.Stderr = terminal
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	terminal.Close()
	shown := make(chan string)
	go func() {
		all, _ := io.ReadAll(control) // EIO is how a terminal ends
		shown <- string(all)
	}()
	_ = c.Wait()
	return c.ProcessState.ExitCode(), <-shown
}

// chain is a graph of a source, a step and a sink.
func (f folder) chain(rows int) string {
	f.ids(rows)
	return f.graph("", `
[source]
in = { csv = "ids.csv", schema = { id = "int64" } }
[step.refuse]
call = "faulty.refuse"
from = "in"
dead_letter = "bad"
[sink]
out = { from = "refuse", ipc = "out.arrow" }
bad = { ipc = "bad.arrow" }
`)
}

// Acceptance 3: a run shows progress, and then its summary.
func TestProgressOnATerminal(t *testing.T) {
	runtimeFolder(t)
	exit, text := onTerminal(t, 120, 40, "run", "../../examples/flights.toml", "--set", "factor=1")
	for _, want := range []string{"flights: starting", "NODE", "QUEUE", "\x1b[", "flights 336,776 rows, carriers 16 rows, ", " 0 dead letters"} {
		if !strings.Contains(text, want) {
			t.Errorf("the terminal does not show %q:\n%s", want, text)
		}
	}
	if !regexp.MustCompile(`km +done +336,776 `).MatchString(text) {
		t.Errorf("the terminal does not show that km is done:\n%s", text)
	}
	if last := text[strings.LastIndex(text, "\x1b["):]; exit != 0 || strings.Count(last, "\n") != 14 {
		t.Errorf("exit code %d, and at last:\n%s", exit, last)
	}
	for _, mode := range []string{"none", "plain"} {
		if _, text := onTerminal(t, 120, 40, "run", "../../examples/flights.toml", "--progress", mode); strings.Contains(text, "\x1b") {
			t.Errorf("%s: %s", mode, text)
		}
	}
}

// Errors and outcomes of files stand above the table, and a small terminal is not overrun.
func TestProgressLeavesOtherTextsReadable(t *testing.T) {
	runtimeFolder(t)
	f := newFolder(t)
	f.write("a.csv", "id\n1\n")
	f.write("b.csv", "id\nno number\n")
	g := f.graph("", "[source]\nin = { csv = \"*.csv\", schema = { id = \"int64\" }, each = true, done = \"done\", grace = \"1ms\" }\n[sink]\nout = { from = \"in\", ipc = \"{stem}.arrow\" }\n")
	exit, text := onTerminal(t, 40, 4, "run", g)
	for _, want := range []string{"ignored ", "b.csv", "source \"in\" cannot be read", "and 2 more lines", "1 files done, 1 ignored"} {
		if !strings.Contains(text, want) {
			t.Errorf("there is no %q in\n%s", want, text)
		}
	}
	if exit != 4 {
		t.Errorf("exit code %d", exit)
	}
}

func TestProgressAsLines(t *testing.T) {
	runtimeFolder(t)
	f := newFolder(t)
	g := f.chain(1000)
	o := thund(t, "run", g, "--progress", "plain").wants(4, "graph: done, ", "in 1,000 rows", "out 999 rows", "1 dead letters")
	if strings.Contains(o.err, "\x1b") || o.out != "" {
		t.Errorf("%q %q", o.out, o.err)
	}
	// Every line is a snapshot; the last one has the end.
	o = thund(t, "run", g, "--progress", "json", "--json", "-q").wants(4)
	var s status.Snapshot
	for _, line := range strings.Split(strings.TrimSpace(o.err), "\n") {
		if err := json.Unmarshal([]byte(line), &s); err != nil {
			t.Fatalf("%v in %s", err, line)
		}
	}
	if s.State != status.GraphDone || s.DeadLetters != 1 || s.Nodes[1].RowsOut != 999 {
		t.Errorf("%+v", s)
	}
	o.report()
	for _, args := range [][]string{{"-q"}, {"--progress", "none", "-q"}} {
		if o := thund(t, append([]string{"run", g}, args...)...).wants(4); o.err != "" {
			t.Errorf("%v: %s", args, o.err)
		}
	}
	thund(t, "run", g, "--progress", "loud").wants(2, `there is no progress "loud"; write one of auto, plain, json, none`)
}

func TestVerboseSaysWhereTheTimeWent(t *testing.T) {
	runtimeFolder(t)
	thund(t, "run", newFolder(t).chain(100), "-v").wants(0, "note: thund top shows this run at ", "WORKING  STARVED  BLOCKED", "P50", "RETRIES", "refuse  done")
}

// The report is written also if the run has failed, and says why.
func TestAReportOfEachEnd(t *testing.T) {
	runtimeFolder(t)
	f := newFolder(t)
	g := f.chain(1000)
	path := f.file("report.json")
	thund(t, "run", g, "--report", path, "-q").wants(4)
	var report struct {
		run.Report
		Errors []struct{ Code, Node string }
	}
	readInto := func() {
		t.Helper()
		report.Errors = nil
		if err := json.Unmarshal([]byte(read(t, path)), &report); err != nil {
			t.Fatal(err)
		}
	}
	readInto()
	n := report.Nodes[1]
	if report.DeadLetters != 1 || len(n.Errors) != 1 || n.Working <= 0 || len(report.Errors) != 0 {
		t.Errorf("%+v", report)
	}
	f.write("ids.csv", "id\n1\nno number\n")
	thund(t, "run", g, "--report", path, "-q").wants(3, `source "in" cannot be read on`)
	readInto()
	if len(report.Errors) != 1 || report.Errors[0].Code != "E0407" || report.Errors[0].Node != "in" {
		t.Errorf("%+v", report.Errors)
	}
	if left, _ := filepath.Glob(path + ".*"); len(left) != 0 {
		t.Errorf("%v is left", left)
	}
	thund(t, "run", g, "--report", f.file("none/report.json"), "-q").wants(3, `source "in" cannot be read on`, "the report cannot be written")
}
