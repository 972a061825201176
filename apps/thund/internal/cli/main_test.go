// SPDX-License-Identifier: MIT

package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/ipc"

	"github.com/ignalina/alloy/apps/thund/internal/own"
	"github.com/ignalina/alloy/apps/thund/internal/run"
)

// The test program is Thund if the environment says so: exit codes, signals and workers
// need a process.
func TestMain(m *testing.M) {
	if os.Getenv("THUND_TEST_MAIN") == "1" {
		os.Exit(Main(os.Args[1:], own.New(), os.Stdout, os.Stderr))
	}
	os.Exit(m.Run())
}

// build is the folder of what CMake builds.
func build(t *testing.T) string {
	t.Helper()
	folder, err := filepath.Abs("../../../../build")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(folder, "backends", "far_cpp.so")); err != nil {
		t.Fatalf("%v; build it with: tools/test thund", err)
	}
	return folder
}

// folder is a folder with a graph file and its data.
type folder struct {
	t    *testing.T
	path string
}

func newFolder(t *testing.T) folder { return folder{t, t.TempDir()} }

func (f folder) file(name string) string { return filepath.Join(f.path, name) }

func (f folder) write(name, text string) string {
	f.t.Helper()
	if err := os.WriteFile(f.file(name), []byte(text), 0o666); err != nil {
		f.t.Fatal(err)
	}
	return f.file(name)
}

// ids writes a CSV file with this many rows: id is 0, 1, 2 and so on.
func (f folder) ids(rows int) {
	var b strings.Builder
	b.WriteString("id\n")
	for i := range rows {
		fmt.Fprintln(&b, i)
	}
	f.write("ids.csv", b.String())
}

// graph writes a graph with the backends of the tests. Extra goes into [graph].
func (f folder) graph(extra, rest string) string {
	b := build(f.t)
	return f.write("graph.toml", fmt.Sprintf(`[graph]
format = 1
certificate = "%s/dev.crt"
%s
[backend]
rel = { library = "%s/backends/aggregate_rust.so" }
far = { library = "%s/backends/far_cpp.so" }
faulty = { library = "%s/backends/tests/thund_faulty.so" }
%s`, b, extra, b, b, b, rest))
}

// ended is how a run of the program has ended.
type outcome struct {
	t        *testing.T
	exit     int
	out, err string
	took     time.Duration
}

func process(args ...string) *exec.Cmd {
	made := exec.Command(os.Args[0], args...)
	made.Env = append(os.Environ(), "THUND_TEST_MAIN=1")
	return made
}

func thund(t *testing.T, args ...string) outcome {
	t.Helper()
	return finish(t, process(args...))
}

func finish(t *testing.T, c *exec.Cmd) outcome {
	t.Helper()
	var out, failure bytes.Buffer
	if c.Stdout == nil {
		c.Stdout = &out
	}
	c.Stderr = &failure
	begin := time.Now()
	err := c.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return outcome{t, c.ProcessState.ExitCode(), out.String(), failure.String(), time.Since(begin)}
}

// wants checks the exit code, and that standard output and error have these texts.
func (o outcome) wants(exit int, texts ...string) outcome {
	o.t.Helper()
	if o.exit != exit {
		o.t.Errorf("exit code %d, and not %d\n%s%s", o.exit, exit, o.out, o.err)
	}
	for _, text := range texts {
		if !strings.Contains(o.out+o.err, text) {
			o.t.Errorf("the output does not have %q:\n%s%s", text, o.out, o.err)
		}
	}
	return o
}

func (o outcome) report() (r run.Report) {
	o.t.Helper()
	if err := json.Unmarshal([]byte(o.out), &r); err != nil {
		o.t.Fatalf("%v in:\n%s%s", err, o.out, o.err)
	}
	return r
}

// batches reads an Arrow file.
func (f folder) batches(name string) (all []arrow.RecordBatch) {
	f.t.Helper()
	opened, err := os.Open(f.file(name))
	if err != nil {
		f.t.Fatal(err)
	}
	defer opened.Close()
	reader, err := ipc.NewFileReader(opened)
	if err != nil {
		f.t.Fatal(err)
	}
	for i := range reader.NumRecords() {
		batch, err := reader.RecordBatchAt(i)
		if err != nil {
			f.t.Fatal(err)
		}
		all = append(all, batch)
	}
	return all
}

// column returns all values of a column of numbers.
func (f folder) column(name, column string) (values []int64) {
	f.t.Helper()
	for _, batch := range f.batches(name) {
		at := batch.Schema().FieldIndices(column)
		if len(at) == 0 {
			f.t.Fatalf("%s has no column %s: %v", name, column, batch.Schema())
		}
		values = append(values, batch.Column(at[0]).(*array.Int64).Int64Values()...)
	}
	return values
}

// texts returns all values of a column of texts.
func (f folder) texts(name, column string) (values []string) {
	f.t.Helper()
	for _, batch := range f.batches(name) {
		texts := batch.Column(batch.Schema().FieldIndices(column)[0]).(*array.String)
		for i := range texts.Len() {
			values = append(values, texts.Value(i))
		}
	}
	return values
}

// wantsIDs checks that a column has the numbers up to rows, in order, without some of them.
func (f folder) wantsIDs(name, column string, rows int, without ...int64) {
	f.t.Helper()
	values := f.column(name, column)
	next := 0
	for id := range int64(rows) {
		if len(without) > 0 && without[0] == id {
			without = without[1:]
			continue
		}
		if next >= len(values) || values[next] != id {
			f.t.Fatalf("%s: value %d of %d is not %d", name, next, len(values), id)
		}
		next++
	}
	if next != len(values) {
		f.t.Fatalf("%s has %d values, and not %d", name, len(values), next)
	}
}

// wantsNoFile checks that a folder has no file, also none that is not complete.
func (f folder) wantsNoFile(name string) {
	f.t.Helper()
	entries, err := os.ReadDir(f.file(name))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		f.t.Fatal(err)
	}
	for _, entry := range entries {
		f.t.Errorf("%s has the file %s", name, entry.Name())
	}
}
