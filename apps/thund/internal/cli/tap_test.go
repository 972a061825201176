// SPDX-License-Identifier: MIT

package cli

import (
	"bufio"
	"bytes"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow/ipc"

	"github.com/ignalina/alloy/apps/thund/internal/status"
)

// Acceptance 14: tap prints two batches, and the run goes on.
func TestTapShowsTwoBatches(t *testing.T) {
	runtimeFolder(t)
	graph, run := slow(t)
	before := seen(t, graph, func(s status.Snapshot) bool { return s.State == status.GraphRunning })
	for _, node := range []string{"km", "out"} {
		o := thund(t, "tap", node, graph, "--limit", "2").wants(0)
		reader, err := ipc.NewReader(bytes.NewBufferString(o.out))
		if err != nil {
			t.Fatalf("%s: %v", node, err)
		}
		batches := 0
		for reader.Next() {
			batches++
			if batch := reader.RecordBatch(); batch.NumRows() != 1024 || batch.ColumnName(0) != "distance" {
				t.Errorf("%s: %v", node, batch)
			}
		}
		if err := reader.Err(); err != nil || batches != 2 {
			t.Errorf("%s: %d batches, %v", node, batches, err)
		}
	}
	o := thund(t, "tap", "slow", "slow", "--limit", "1", "--format", "table").wants(0, "batch 1: 1,024 rows", "distance float64", "... and 1,004 more rows")
	if lines := strings.Count(o.out, "\n"); lines != 23 {
		t.Errorf("%d lines:\n%s", lines, o.out)
	}
	thund(t, "tap", "none", graph).wants(3, `no node "none"`)
	thund(t, "tap", "km", graph, "--format", "csv").wants(2, "the formats are auto, ipc, table")
	thund(t, "tap", "km", graph, "--limit", "-1").wants(2, "is not a number of batches")
	seen(t, graph, func(s status.Snapshot) bool { return s.Nodes[2].RowsOut > before.Nodes[2].RowsOut })
	// A tap ends with the run.
	tap := process("tap", "km", "slow")
	var out bytes.Buffer
	tap.Stdout = &out
	if err := tap.Start(); err != nil {
		t.Fatal(err)
	}
	if err := run.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	_ = run.Wait()
	_ = tap.Wait()
}

// Over a URL, top always works, and tap only if the run allows it.
func TestTopAndTapOverAnAddress(t *testing.T) {
	runtimeFolder(t)
	for _, allows := range []bool{false, true} {
		f := newFolder(t)
		text := strings.NewReplacer("../../../build/thund/", f.path+"/", "../../../build/", build(t)+"/").Replace(read(t, "../../examples/slow.toml"))
		args := []string{"run", f.write("slow.toml", text), "--listen", "127.0.0.1:0", "--progress", "none"}
		if allows {
			args = append(args, "--allow-tap")
		}
		c := process(args...)
		pipe, err := c.StderrPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Process.Kill(); _ = c.Wait() })
		lines := bufio.NewScanner(pipe)
		lines.Scan()
		url := regexp.MustCompile(`http://\S+`).FindString(lines.Text())
		seen(t, url, func(s status.Snapshot) bool { return s.State == status.GraphRunning && s.PID == c.Process.Pid })
		thund(t, "top", url, "--once").wants(0, "slow: running", "STARVED")
		if allows {
			thund(t, "tap", "km", url, "--limit", "1", "--format", "table").wants(0, "batch 1: 1,024 rows")
		} else {
			thund(t, "tap", "km", url, "--limit", "1").wants(3, "the run has refused to answer", "403 Forbidden", "--allow-tap")
		}
	}
	thund(t, "top", "http://127.0.0.1:1", "--once").wants(3, "the run does not answer")
}

// A viewer that stands still holds batches of workers, and the run still goes on at its pace.
func TestAViewerThatStandsStillStopsNobody(t *testing.T) {
	runtimeFolder(t)
	f := newFolder(t)
	text := strings.NewReplacer("../../../build/thund/", f.path+"/", "../../../build/", build(t)+"/", `milliseconds = "100"`, `milliseconds = "8"`,
		`call = "slow.wait"`, "call = \"slow.wait\"\nisolated = true\nparallel = 2").Replace(read(t, "../../examples/slow.toml"))
	graph := f.write("slow.toml", text)
	wait, _ := start(t, graph)
	s := seen(t, graph, func(s status.Snapshot) bool { return s.State == status.GraphRunning })
	if s.Nodes[2].Workers != 2 {
		t.Errorf("%d workers", s.Nodes[2].Workers)
	}
	tap := process("tap", "slow", graph)
	stands, err := tap.StdoutPipe() // nobody reads it
	if err != nil {
		t.Fatal(err)
	}
	defer stands.Close()
	if err := tap.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tap.Process.Kill(); _ = tap.Wait() }()
	wait().wants(0, "flights 336,776 rows", "out 336,776 rows")
}
