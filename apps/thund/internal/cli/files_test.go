// SPDX-License-Identifier: MIT

package cli

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

// Section 3: several Parquet files in the order of their names, with columns and limit; a
// union; and CSV with nulls, another comma and a cast.
func TestSourcesReadWhatTheGraphAsks(t *testing.T) {
	f := newFolder(t)
	f.write("a.csv", "x;id;note\n1;0;NA\n2;1;b\n")
	f.write("b.csv", "note;id;x\nc;2;3\n;3;4\n")
	// One file after the other into Parquet, then both files out of it.
	for _, name := range []string{"b", "a"} {
		thund(t, "run", f.graph("", fmt.Sprintf(`
[source]
in = { csv = "%s.csv", comma = ";", nulls = ["NA"], schema = { id = "int64", note = "utf8", x = "utf8" }, cast = { x = "float64" } }
[sink]
out = { from = "in", parquet = "p-%s.parquet" }
`, name, name))).wants(0, "in 2 rows")
	}
	thund(t, "run", f.graph("", `
[source]
in = { parquet = "p-*.parquet", columns = ["x", "id"], limit = 3 }
more = { parquet = "p-b.parquet", columns = ["x", "id"] }
[step.all]
union = true
from = ["in", "more"]
[sink]
out = { from = "in", ipc = "out.arrow" }
both = { from = "all", csv = "all.csv" }
`)).wants(0, "in 3 rows", "all 5 rows")
	f.wantsIDs("out.arrow", "id", 3)
	if schema := f.batches("out.arrow")[0].Schema(); schema.Field(0).Name != "x" || schema.Field(0).Type.ID() != arrow.FLOAT64 {
		t.Error(schema)
	}
	if text := read(t, f.file("all.csv")); strings.Count(text, "\n") != 6 || !strings.HasPrefix(text, "x,id\n") {
		t.Errorf("%q", text)
	}
	// What IPC has written, IPC reads; a null is a null again.
	thund(t, "run", f.graph("", `
[source]
in = { parquet = "p-a.parquet" }
[sink]
out = { from = "in", csv = "again.csv" }
`)).wants(0)
	if text := read(t, f.file("again.csv")); text != "id,note,x\n0,,1\n1,b,2\n" {
		t.Errorf("%q", text)
	}
	thund(t, "run", f.graph("", `
[source]
in = { ipc = "out.arrow", columns = ["id"] }
[sink]
out = { from = "in", csv = "ids.csv" }
`)).wants(0)
	if text := read(t, f.file("ids.csv")); text != "id\n0\n1\n2\n" {
		t.Errorf("%q", text)
	}
}

// Section 3: what only the files and the backends show, with the place.
func TestFaultsOfFilesAndSteps(t *testing.T) {
	source := "[source]\nin = { csv = \"ids.csv\", schema = { id = \"int64\" } }\n"
	step := "[step.s]\nfrom = \"in\"\n"
	sink := "[sink]\nout = { from = \"s\", ipc = \"out/x.arrow\" }\n"
	for name, c := range map[string]struct {
		text string
		exit int
		want []string
	}{
		"no file": {strings.Replace(source, "ids", "none", 1) + "[sink]\nout = { from = \"in\", ipc = \"x.arrow\" }\n", 3,
			[]string{`error[E0407]: source "in" cannot be read`, "graph.toml:10, [source.in], csv", "there is no file"}},
		"no column": {strings.Replace(source, "id =", "idd =", 1) + "[sink]\nout = { from = \"in\", ipc = \"x.arrow\" }\n", 2,
			[]string{`there is no column "idd"; the header has id`}},
		"no type": {strings.Replace(source, "int64", "int65", 1) + "[sink]\nout = { from = \"in\", ipc = \"x.arrow\" }\n", 2,
			[]string{`there is no type "int65"`}},
		"no function": {source + step + "call = \"rel.scal\"\n" + sink, 2,
			[]string{`error[E0402]: backend "rel" has no function "scal"`, `help: write call = "rel.scale"`, "graph.toml:13, [step.s], call"}},
		"retries with effects": {source + step + "call = \"faulty.effect\"\nretries = 3\n" + sink, 2,
			[]string{`error[E0406]: step "s" has retries = 3, but its function is not declared idempotent`, "graph.toml:14, [step.s], faulty.effect of", "a second run of a batch may repeat its effects"}},
		"parallel streams": {source + step + "call = \"rel.sort\"\noptions = { by = \"id\" }\nparallel = 2\n" + sink, 2,
			[]string{`step "s" has parallel, but its function works on a whole stream`}},
		"inputs": {source + "[step.s]\nfrom = [\"in\", \"in\"]\ncall = \"rel.sort\"\noptions = { by = \"id\" }\n" + sink, 2,
			[]string{`error[E0406]: step "s" has 2 inputs, and its function takes 1`}},
		"two sinks": {source + "[sink]\na = { from = \"in\", ipc = \"x.arrow\" }\nb = { from = \"in\", ipc = \"./x.arrow\" }\n", 2,
			[]string{`error[E0408]: sinks "a" and "b" write the same file`}},
		"a sink on a source": {source + "[sink]\na = { from = \"in\", csv = \"ids.csv\" }\n", 2,
			[]string{`error[E0408]: sink "a" writes`, `which source "in" reads`}},
		"a union of different types": {source + "other = { csv = \"ids.csv\", schema = { id = \"utf8\" } }\n[step.s]\nunion = true\nfrom = [\"in\", \"other\"]\n" + sink, 2,
			[]string{`error[E0405]: the inputs of union "s" differ`, "in: id int64", "other: id utf8"}},
		"a value": {strings.Replace(source, "ids", "words", 1) + "[sink]\nout = { from = \"in\", ipc = \"out/x.arrow\" }\n", 3,
			[]string{`source "in" cannot be read on`, "words.csv, after row 0"}},
		"a workers sum": {source + step + "call = \"faulty.poison\"\nisolated = true\nparallel = 64\n[step.u]\nfrom = \"in\"\ncall = \"faulty.poison\"\nisolated = true\n" + sink + "v = { from = \"u\", ipc = \"u.arrow\" }\n", 2,
			[]string{`the steps of backend "faulty" use 65 workers, and the most is 64`}},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFolder(t)
			f.ids(3)
			f.write("words.csv", "id\nzero\n")
			thund(t, "run", f.graph("", c.text)).wants(c.exit, c.want...)
			f.wantsNoFile("out")
		})
	}
}

// A file of which only the header exists is a table without rows, not an error.
func TestAFileWithoutRows(t *testing.T) {
	f := newFolder(t)
	g := f.graph("", `
[source]
ids = { csv = "ids.csv", schema = { id = "int64" } }
[step.count]
call = "rel.group_by"
from = "ids"
[step.same]
call = "rel.scale"
from = "ids"
options = { column = "id", factor = "2" }
[sink]
one = { from = "count", csv = "count.csv" }
none = { from = "same", parquet = "same.parquet" }
`)
	f.ids(0)
	thund(t, "run", g).wants(0, "ids 0 rows")
	if text := read(t, f.file("count.csv")); text != "count\n0\n" {
		t.Errorf("%q", text)
	}
}

// pipe is a graph from standard input to standard output.
func (f folder) pipe(extra string) string {
	return f.graph(extra, `
[source]
in = { ipc = "-", schema = { id = "int64" } }
[step.double]
call = "rel.scale"
from = "in"
options = { column = "id", factor = "2" }
[sink]
out = { from = "double", ipc = "-" }
`)
}

// batch has one row for each number.
func batch(numbers ...int64) arrow.RecordBatch {
	builder := array.NewInt64Builder(memory.NewGoAllocator())
	builder.AppendValues(numbers, nil)
	schema := arrow.NewSchema([]arrow.Field{{Name: "id", Type: arrow.PrimitiveTypes.Int64, Nullable: true}}, nil)
	return array.NewRecordBatch(schema, []arrow.Array{builder.NewArray()}, int64(len(numbers)))
}

// Acceptance 13: batches arrive while the producer still runs.
func TestAPipeDeliversWhileTheProducerRuns(t *testing.T) {
	f := newFolder(t)
	c := process("run", "-q", f.pipe(""))
	in, err1 := c.StdinPipe()
	out, err2 := c.StdoutPipe()
	var failure bytes.Buffer
	c.Stderr = &failure
	if err1 != nil || err2 != nil || c.Start() != nil {
		t.Fatal(err1, err2)
	}
	first := batch(1, 2)
	writer := ipc.NewWriter(in, ipc.WithSchema(first.Schema()))
	var reader *ipc.Reader
	for i := range int64(20) {
		if err := writer.Write(batch(i, 10*i)); err != nil {
			t.Fatal(err)
		}
		if reader == nil {
			made, err := ipc.NewReader(bufio.NewReader(out))
			if err != nil {
				t.Fatal(err, failure.String())
			}
			reader = made
		}
		if !reader.Next() {
			t.Fatal(reader.Err(), failure.String())
		}
		if got := reader.RecordBatch().Column(0).(*array.Int64).Int64Values(); got[0] != 2*i || got[1] != 20*i {
			t.Fatalf("batch %d is %v", i, got)
		}
	}
	writer.Close()
	in.Close()
	if reader.Next() || reader.Err() != nil {
		t.Error("after the end:", reader.Err())
	}
	if err := c.Wait(); err != nil {
		t.Error(err, failure.String())
	}
}

// Acceptance 13: a consumer that stops reading stops the producer within the queues.
func TestAConsumerThatStopsReadingStopsTheProducer(t *testing.T) {
	f := newFolder(t)
	c := process("run", "-q", f.pipe("queue = { batches = 2 }"))
	in, err1 := c.StdinPipe()
	out, err2 := c.StdoutPipe()
	if err1 != nil || err2 != nil || c.Start() != nil {
		t.Fatal(err1, err2)
	}
	numbers := make([]int64, 1<<16) // half a MiB: more than a pipe
	one := batch(numbers...)
	sent := make(chan int, 1000)
	go func() {
		defer close(sent)
		defer in.Close()
		writer := ipc.NewWriter(in, ipc.WithSchema(one.Schema()))
		defer writer.Close()
		for i := range 100 {
			if writer.Write(one) != nil {
				return
			}
			sent <- i
		}
	}()
	before := -1
	eventually(t, "the producer stands still", func() bool {
		time.Sleep(300 * time.Millisecond)
		stands := len(sent) == before && before > 0
		before = len(sent)
		return stands
	})
	// Two queues of 2, one batch in each of three nodes, and what the pipes hold.
	if before > 9 {
		t.Errorf("the producer sent %d batches to a consumer that reads none", before)
	}
	reader, err := ipc.NewReader(bufio.NewReader(out))
	if err != nil {
		t.Fatal(err)
	}
	got := 0
	for reader.Next() {
		got++
	}
	if got != 100 || reader.Err() != nil {
		t.Errorf("%d of 100 batches arrived: %v", got, reader.Err())
	}
	if err := c.Wait(); err != nil {
		t.Error(err)
	}
}

// A pipe that ends in the middle of the stream is an error, and nothing is written.
func TestACutPipeIsAnError(t *testing.T) {
	f := newFolder(t)
	var whole bytes.Buffer
	one := batch(1, 2, 3)
	writer := ipc.NewWriter(&whole, ipc.WithSchema(one.Schema()))
	if err := writer.Write(one); err != nil {
		t.Fatal(err)
	}
	writer.Close()
	g := strings.Replace(read(t, f.pipe("")), `from = "double", ipc = "-"`, `from = "double", ipc = "out/x.arrow"`, 1)
	f.write("graph.toml", g)
	for _, length := range []int{0, 10, whole.Len() / 2, whole.Len() - 9} {
		c := process("run", f.file("graph.toml"))
		c.Stdin = io.LimitReader(bytes.NewReader(whole.Bytes()), int64(length))
		finish(t, c).wants(3, `source "in" cannot be read on`)
		f.wantsNoFile("out")
	}
}

// running starts a graph that waits for its input, with a file as its sink.
func (f folder) running(extra string, flags ...string) (wait func() outcome, signal func(os.Signal), in io.WriteCloser) {
	f.t.Helper()
	g := strings.Replace(read(f.t, f.pipe(extra)), `from = "double", ipc = "-"`, `from = "double", ipc = "out/x.arrow"`, 1)
	c := process(append([]string{"run", f.write("graph.toml", g)}, flags...)...)
	in, err := c.StdinPipe()
	if err != nil {
		f.t.Fatal(err)
	}
	var out, failure bytes.Buffer
	c.Stdout, c.Stderr = &out, &failure
	if err := c.Start(); err != nil {
		f.t.Fatal(err)
	}
	eventually(f.t, "the run has begun", func() bool { _, err := os.Stat(f.file("out/x.arrow.part")); return err == nil })
	return func() outcome {
		begin := time.Now()
		_ = c.Wait() // the exit code says more
		return outcome{f.t, c.ProcessState.ExitCode(), out.String(), failure.String(), time.Since(begin)}
	}, func(s os.Signal) { _ = c.Process.Signal(s) }, in
}

// Acceptance 11: Ctrl-C writes nothing and leaves nothing.
func TestCtrlCWritesNothing(t *testing.T) {
	f := newFolder(t)
	wait, signal, _ := f.running("")
	signal(os.Interrupt)
	if o := wait().wants(130, "interrupted; nothing was written"); o.took > 5*time.Second {
		t.Errorf("it took %v", o.took)
	}
	f.wantsNoFile("out")
}

// Acceptance 11: after SIGTERM, what was sent is in the finished file.
func TestSIGTERMLetsTheRunEnd(t *testing.T) {
	f := newFolder(t)
	wait, signal, in := f.running("")
	one := batch(0, 1, 2)
	writer := ipc.NewWriter(in, ipc.WithSchema(one.Schema()))
	signal(syscall.SIGTERM)
	if err := writer.Write(one); err != nil {
		t.Fatal(err)
	}
	writer.Close()
	in.Close()
	wait().wants(0)
	if ids := f.column("out/x.arrow", "id"); len(ids) != 3 || ids[2] != 4 {
		t.Error(ids)
	}
}

// Acceptance 11: a run that does not end within drain fails, and writes nothing. So does
// one that is terminated twice.
func TestADrainThatTakesTooLongFails(t *testing.T) {
	f := newFolder(t)
	wait, signal, _ := f.running(`drain = "200ms"`)
	signal(syscall.SIGTERM)
	wait().wants(5, "the run did not end within 200ms of the signal")
	f.wantsNoFile("out")
	wait, signal, _ = f.running("")
	signal(syscall.SIGTERM)
	time.Sleep(200 * time.Millisecond) // two signals of one kind are one, if the first is pending
	signal(syscall.SIGTERM)
	wait().wants(143)
	f.wantsNoFile("out")
}

// A reader of standard output that ends is exit code 141, and no other file appears.
func TestABrokenPipeWritesNothing(t *testing.T) {
	f := newFolder(t)
	g := read(t, f.pipe("")) + "other = { from = \"in\", ipc = \"out/x.arrow\" }\n"
	c := process("run", f.write("graph.toml", g))
	in, err1 := c.StdinPipe()
	reader, writer, err2 := os.Pipe()
	var failure bytes.Buffer
	c.Stdout, c.Stderr = writer, &failure
	if err1 != nil || err2 != nil || c.Start() != nil {
		t.Fatal(err1, err2)
	}
	writer.Close()
	reader.Close()
	one := batch(1, 2)
	w := ipc.NewWriter(in, ipc.WithSchema(one.Schema()))
	for w.Write(one) == nil { // until it has ended
	}
	_ = c.Wait() // the exit code says more
	outcome{t, c.ProcessState.ExitCode(), "", failure.String(), 0}.wants(141, `error[E0408]: sink "out" cannot be written`, "broken pipe")
	f.wantsNoFile("out")
}

// Section 4: a step that hangs in this process cannot stop the end of the program.
func TestAHangInThisProcessEndsWithTheRun(t *testing.T) {
	f := newFolder(t)
	g := strings.Replace(read(t, f.faulty(1000, 300, "", "call = \"faulty.hang\"\n")), "isolated = true", "", 1)
	if o := thund(t, "run", "--deadline", "300ms", f.write("graph.toml", g)).wants(5); o.took > 6*time.Second {
		t.Errorf("it took %v", o.took)
	}
	f.wantsNoFile("out")
}

// Section 3: columns may be named twice, a batch may have one row, and a value of --set may
// have a comma.
func TestUnusualSources(t *testing.T) {
	f := newFolder(t)
	f.ids(3)
	thund(t, "run", "--set", "column=id", f.graph("", `
[source]
in = { csv = "ids.csv", batch_rows = 1, schema = { ${column} = "int64" } }
[sink]
out = { from = "in", parquet = "ids.parquet" }
`)).wants(2) // a key is no text, so it has no variables
	r := thund(t, "run", "--json", f.graph("", `
[source]
in = { csv = "ids.csv", batch_rows = 1, schema = { id = "int64" } }
[sink]
out = { from = "in", parquet = "ids.parquet" }
`)).wants(0).report()
	if r.Nodes[0].BatchesOut != 3 {
		t.Errorf("%+v", r.Nodes)
	}
	thund(t, "run", "--set", "columns=a,b", f.graph("", `
[source]
in = { parquet = "ids.parquet", columns = ["id", "id"] }
[sink]
out = { from = "in", csv = "${columns}.csv" }
`)).wants(0)
	if text := read(t, f.file("a,b.csv")); text != "id,id\n0,0\n1,1\n2,2\n" {
		t.Errorf("%q", text)
	}
}

// Section 4: --deadline ends the run.
func TestADeadlineEndsTheRun(t *testing.T) {
	f := newFolder(t)
	wait, _, _ := f.running("", "--deadline", "1s")
	wait().wants(5, "the deadline of 1s has passed")
	f.wantsNoFile("out")
}

// The help has an example and the exit codes; a wrong command line is exit code 2.
func TestTheCommandLine(t *testing.T) {
	thund(t, "--help").wants(0, "thund run flights.toml", "[step.km]", "Exit codes:")
	thund(t, "run", "--help").wants(0, "Examples:", "--isolated", "--set", "Exit codes:")
	thund(t, "run").wants(2, "accepts 1 arg", "thund --help")
	thund(t, "run", "--set", "x", "none.toml").wants(2, "write --set NAME=VALUE")
	thund(t, "fly").wants(2, "unknown command")
	thund(t, "run", "none.toml").wants(3, "error[E0401]: cannot read the graph file", "none.toml")
	thund(t, "validate", "--json", "none.toml").wants(3, `"code": "E0401"`, `"file": "none.toml"`)
}
