// SPDX-License-Identifier: MIT

package cli

import (
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/apache/arrow-go/v18/arrow/ipc"
)

// waiting starts a group_by in a worker that has read batches and waits for more, and
// returns the worker. The batches are larger than what queues and sockets can hold.
func (f folder) waiting(keys string) (wait func() outcome, worker int, second func()) {
	f.t.Helper()
	wait, _ = start(f.t, f.graph("", fmt.Sprintf(`
[source]
late = { ipc = "unix:late.sock", connections = 1, schema = { id = "int64" } }
[step.sum]
call = "rel.group_by"
from = "late"
options = { aggregates = "count,sum(id) as total" }
isolated = true
%s
[sink]
out = { from = "sum", csv = "out/x.csv" }
`, keys)))
	conn := f.dial("late.sock")
	w := ipc.NewWriter(conn, ipc.WithSchema(batch(0).Schema()))
	numbers := make([]int64, 1<<16)
	numbers[0] = 1
	for range 30 {
		if err := w.Write(batch(numbers...)); err != nil {
			f.t.Fatal(err)
		}
	}
	eventually(f.t, "there is a worker that waits", func() bool {
		for _, process := range others(f.t) {
			if state, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", process)); err == nil && parent(process) != os.Getpid() && strings.Contains(string(state), ") S ") {
				worker = process
			}
		}
		return worker != 0
	})
	return wait, worker, func() {
		_ = w.Write(batch(10, 20)) // a run that has failed reads it no more
		w.Close()
		conn.Close()
	}
}

// Guarantees, note 3: the worker of a function on a whole stream dies before its first
// output, and the function runs again on the same input.
func TestAStreamStepIsOpenedAgain(t *testing.T) {
	f := newFolder(t)
	wait, worker, second := f.waiting("")
	if err := syscall.Kill(worker, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	second()
	wait().wants(0, "retries 1 (signal)", "late 1,966,082 rows", "sum 1 rows")
	if text := read(t, f.file("out/x.csv")); text != "count,total\n1966082,60\n" {
		t.Errorf("%q", text)
	}
}

// Guarantees, note 3: with more input than hold, the run fails with LOST, and writes nothing.
func TestAStreamStepWithTooMuchInputIsLost(t *testing.T) {
	f := newFolder(t)
	wait, worker, second := f.waiting(`hold = "1B"`)
	if err := syscall.Kill(worker, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	second()
	wait().wants(20, `step "sum" failed`, "LOST")
	f.wantsNoFile("out")
	g := f.graph("", "[source]\nin = { csv = \"ids.csv\", schema = { id = \"int64\" } }\n[step.s]\ncall = \"rel.sort\"\noptions = { by = \"id\" }\nfrom = \"in\"\nhold = \"1MiB\"\n[sink]\nout = { from = \"s\", ipc = \"x.arrow\" }\n")
	f.ids(1)
	thund(t, "run", g).wants(2, `error[E0406]: step "s" has hold`)
}
