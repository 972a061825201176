// SPDX-License-Identifier: MIT

package cli

import (
	"bytes"
	"os"
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
