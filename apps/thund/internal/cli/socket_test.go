// SPDX-License-Identifier: MIT

package cli

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/ipc"
)

// service is a graph that reads a socket and writes a file.
func (f folder) service(keys string) string {
	return f.graph("", fmt.Sprintf(`
[source]
late = { ipc = "unix:late.sock", schema = { id = "int64" }%s }
[step.double]
call = "rel.scale"
from = "late"
options = { column = "id", factor = "2" }
[sink]
out = { from = "double", ipc = "out/x.arrow" }
`, keys))
}

// start runs a graph in the background.
func start(t *testing.T, g string, args ...string) (wait func() outcome, signal func(os.Signal)) {
	t.Helper()
	c := process(append([]string{"run", g}, args...)...)
	var out, failure bytes.Buffer
	c.Stdout, c.Stderr = &out, &failure
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Process.Kill() })
	return func() outcome {
		begin := time.Now()
		_ = c.Wait() // the exit code says more
		return outcome{t, c.ProcessState.ExitCode(), out.String(), failure.String(), time.Since(begin)}
	}, func(s os.Signal) { _ = c.Process.Signal(s) }
}

// dial waits until somebody listens.
func (f folder) dial(name string) (conn net.Conn) {
	f.t.Helper()
	eventually(f.t, "somebody listens on "+name, func() bool {
		made, err := net.Dial("unix", f.file(name))
		conn = made
		return err == nil
	})
	return conn
}

// stream is the bytes of a stream of batches.
func stream(t *testing.T, batches ...int64) []byte {
	t.Helper()
	var b bytes.Buffer
	w := ipc.NewWriter(&b, ipc.WithSchema(batch(0).Schema()))
	for _, number := range batches {
		if err := w.Write(batch(number)); err != nil {
			t.Fatal(err)
		}
	}
	w.Close()
	return b.Bytes()
}

// Section 3: a source with connections ends after so many producers.
func TestASocketEndsAfterItsProducers(t *testing.T) {
	f := newFolder(t)
	wait, _ := start(t, f.service(", connections = 2"))
	for i := range int64(2) {
		conn := f.dial("late.sock")
		if _, err := conn.Write(stream(t, 10*i, 10*i+1)); err != nil {
			t.Fatal(err)
		}
		conn.Close()
	}
	wait().wants(0, "late 4 rows")
	if ids := f.column("out/x.arrow", "id"); !slices.Equal(ids, []int64{0, 2, 20, 22}) {
		t.Error(ids)
	}
	if _, err := os.Stat(f.file("late.sock")); err == nil {
		t.Error("the socket remains")
	}
}

// Section 4: a stream that breaks off at any byte never ends a run as a success: with
// connections it fails, and an endless source counts it and goes on.
func TestAProducerMayBreakOffAtEveryByte(t *testing.T) {
	f := newFolder(t)
	whole := stream(t, 1, 2)
	wait, signal := start(t, f.service(""))
	broken := 0
	for cut := range len(whole) {
		conn := f.dial("late.sock")
		if _, err := conn.Write(whole[:cut]); err != nil {
			t.Fatal(err)
		}
		conn.Close()
		broken++
	}
	conn := f.dial("late.sock")
	if _, err := conn.Write(stream(t, 500)); err != nil {
		t.Fatal(err)
	}
	// The producer knows that all was read when the source waits for the next one.
	rest, err := io.ReadAll(conn)
	if err != nil || len(rest) > 0 {
		t.Error(err, rest)
	}
	signal(syscall.SIGTERM)
	wait().wants(0, fmt.Sprintf("%d producers of late broke off", broken))
	ids := f.column("out/x.arrow", "id")
	if ids[len(ids)-1] != 1000 {
		t.Errorf("the last producer is not in the file: %v", ids)
	}
	for _, id := range ids[:len(ids)-1] {
		if id != 2 && id != 4 {
			t.Errorf("half a batch is in the file: %v", ids)
		}
	}

	f = newFolder(t)
	wait, _ = start(t, f.service(", connections = 1"))
	conn = f.dial("late.sock")
	if _, err := conn.Write(whole[:len(whole)-20]); err != nil {
		t.Fatal(err)
	}
	conn.Close()
	wait().wants(3, `source "late" cannot be read on`)
	f.wantsNoFile("out")
}

// Acceptance 11: SIGTERM, and Ctrl-C too, end an endless source, and what was read is in the file.
func TestASignalDrainsAnEndlessGraph(t *testing.T) {
	for _, s := range []os.Signal{syscall.SIGTERM, os.Interrupt} {
		f := newFolder(t)
		wait, signal := start(t, f.service(""))
		conn := f.dial("late.sock")
		if _, err := conn.Write(stream(t, 1, 2, 3)); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadAll(conn); err != nil { // until it was read
			t.Fatal(err)
		}
		idle := f.dial("late.sock") // a producer that says nothing
		signal(s)
		if o := wait().wants(0, "late 3 rows"); o.took > 2*time.Second {
			t.Errorf("it took %v", o.took)
		}
		idle.Close()
		if ids := f.column("out/x.arrow", "id"); !slices.Equal(ids, []int64{2, 4, 6}) {
			t.Error(ids)
		}
	}
}

// Guarantees, note 8: a reader that goes away gets each batch at most once, and the next
// reader gets the batch of the write that failed, complete.
func TestTheNextReaderOfAFeedGetsTheBatchThatFailed(t *testing.T) {
	f := newFolder(t)
	rows := 1 << 16
	f.ids(40 * rows)
	wait, _ := start(t, f.graph("", `
[source]
ids = { csv = "ids.csv", schema = { id = "int64" } }
[sink]
feed = { from = "ids", ipc = "unix:feed.sock" }
`))
	var got []int64
	for reading := true; reading; {
		conn := f.dial("feed.sock")
		reader, err := ipc.NewReader(conn)
		if err != nil {
			t.Fatal(err)
		}
		for count := 0; count < 15; count++ {
			if reading = reader.Next(); !reading {
				if reader.Err() != nil {
					t.Fatal(reader.Err())
				}
				break
			}
			got = append(got, reader.RecordBatch().Column(0).(*array.Int64).Value(0))
		}
		conn.Close()
	}
	wait().wants(0, "feed 2,621,440 rows")
	// What the kernel held for a reader that went away is lost (note 9): at most a batch, since
	// a batch has more bytes than its buffers.
	if !slices.IsSorted(got) || len(got) < 36 || got[0] != 0 || got[len(got)-1] != int64(39*rows) {
		t.Errorf("%d batches: %v", len(got), got)
	}
	if all := slices.Clone(got); len(slices.Compact(all)) != len(got) {
		t.Error("a batch came twice")
	}
}

// Section 3: TCP is for this machine, and a file of a dead program is replaced, but not that of
// a living one.
func TestSocketsAreForThisMachine(t *testing.T) {
	f := newFolder(t)
	g := f.service("")
	f.replace(g, "unix:late.sock", "tcp:0.0.0.0:9999")
	thund(t, "validate", g).wants(2, `"0.0.0.0:9999" is not an address of this machine`, "graph.toml:11")
	g = f.service(", connections = 1")
	stale, err := net.Listen("unix", f.file("late.sock"))
	if err != nil {
		t.Fatal(err)
	}
	thund(t, "run", g).wants(3, "another program listens on")
	f.wantsNoFile("out")
	stale.(*net.UnixListener).SetUnlinkOnClose(false)
	stale.Close()
	wait, _ := start(t, g)
	conn := f.dial("late.sock")
	if _, err := conn.Write(stream(t, 1)); err != nil {
		t.Fatal(err)
	}
	wait().wants(0, "late 1 rows")
	// A sink that dials, and a source that does.
	two := strings.Replace(read(t, f.service(", connections = 1, connect = true")), `ipc = "out/x.arrow"`, `ipc = "unix:far.sock", connect = true`, 1)
	near, err1 := net.Listen("unix", f.file("late.sock"))
	far, err2 := net.Listen("unix", f.file("far.sock"))
	if err1 != nil || err2 != nil {
		t.Fatal(err1, err2)
	}
	wait, _ = start(t, f.write("graph.toml", two))
	from, err1 := near.Accept()
	if err1 != nil {
		t.Fatal(err1)
	}
	if _, err := from.Write(stream(t, 21)); err != nil {
		t.Fatal(err)
	}
	to, err2 := far.Accept()
	if err2 != nil {
		t.Fatal(err2)
	}
	reader, err := ipc.NewReader(to)
	if err != nil || !reader.Next() || reader.RecordBatch().Column(0).(*array.Int64).Value(0) != 42 {
		t.Error(err)
	}
	wait().wants(0)
}
