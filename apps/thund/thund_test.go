// SPDX-License-Identifier: MIT

package thund_test

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	alloyapi "github.com/ignalina/alloy/api"
	"github.com/ignalina/alloy/ffi/rust"

	"github.com/ignalina/alloy/apps/thund"
	"github.com/ignalina/alloy/apps/thund/api"
)

// ArrayToRust is a step as those for the first Thund are: it makes arrays and gives them to Rust.
type ArrayToRust struct{ quiet bool }

func (a *ArrayToRust) Setup(customParams interface{}) bool { return true }

func (a *ArrayToRust) Process(reader io.Reader, customParams interface{}) bool {
	mem := memory.NewGoAllocator()
	small := array.NewInt32Builder(mem)
	defer small.Release()
	small.AppendValues([]int32{122}, []bool{true})
	first := small.NewInt32Array()
	defer first.Release()
	large := array.NewInt64Builder(mem)
	defer large.Release()
	large.AppendValues([]int64{122}, []bool{true})
	second := large.NewInt64Array()
	defer second.Release()
	var b alloyapi.Bridge
	b = rust.Bridge{CommonParameter: alloyapi.CommonParameter{GoAllocator: mem}}
	count, err := b.FromChunks([]arrow.Array{first, second})
	if err == nil && !a.quiet {
		fmt.Printf("Rust counted %d arrays\n", count)
	}
	return err == nil && count == 2
}

// Describe prints what an event gets.
type Describe struct{}

func (Describe) Setup(customParams interface{}) bool { return customParams == nil }

func (Describe) Process(reader io.Reader, customParams interface{}) bool {
	e := customParams.(*api.FileEntity)
	text, err := io.ReadAll(reader)
	fmt.Printf("%s: %d bytes, %d lines, from %s to %s, sum %s, read %d\n", filepath.Base(e.Name), e.Size, e.Lines, e.Header, e.Footer, hex.EncodeToString(e.Sum)[:8], len(text))
	return err == nil && e.HashName && e.HasSize && e.HasLines && e.HasSum && e.HasHeader && e.HasFooter && e.UnixMilli > 0 && !strings.Contains(string(text), "13")
}

// ByValue expects a FileEntity and not a pointer, as three steps for the first Thund do.
type ByValue struct{ Describe }

func (ByValue) Process(reader io.Reader, customParams interface{}) bool {
	return customParams.(api.FileEntity).Size > 0
}

// Fetch is a task: it makes a file the first time.
type Fetch struct{ runs int }

func (f *Fetch) Setup(customParams interface{}) error { return nil }

func (f *Fetch) Process() error {
	f.runs++
	fmt.Println("fetch", f.runs)
	switch os.Getenv("FETCH") {
	case "":
		return nil
	case "fail":
		return errors.New("the server is away")
	}
	if f.runs > 1 {
		return nil
	}
	return os.WriteFile(os.Getenv("FETCH"), []byte("name\nada\n"), 0o666)
}

// upper makes texts of all its inputs upper case.
func upper(ctx context.Context, inputs []array.RecordReader) (array.RecordReader, error) {
	return &upperReader{inputs: inputs, refs: 1}, nil
}

type upperReader struct {
	array.RecordReader
	inputs []array.RecordReader
	batch  arrow.RecordBatch
	refs   int
	err    error
}

func (u *upperReader) Retain()                        { u.refs++ }
func (u *upperReader) Release()                       { u.refs-- }
func (u *upperReader) Schema() *arrow.Schema          { return u.inputs[0].Schema() }
func (u *upperReader) RecordBatch() arrow.RecordBatch { return u.batch }
func (u *upperReader) Err() error                     { return u.err }
func (u *upperReader) Next() bool {
	for len(u.inputs) > 0 && !u.inputs[0].Next() {
		if u.err = u.inputs[0].Err(); u.err != nil || len(u.inputs) == 1 {
			return false
		}
		u.inputs = u.inputs[1:]
	}
	texts := u.inputs[0].RecordBatch().Column(0).(*array.String)
	builder := array.NewStringBuilder(memory.NewGoAllocator())
	defer builder.Release()
	for i := range texts.Len() {
		switch texts.Value(i) {
		case "panic":
			panic("a text that no step likes")
		case "fail":
			u.err = errors.New("a text that fails")
			return false
		}
		builder.Append(strings.ToUpper(texts.Value(i)))
	}
	column := builder.NewArray()
	defer column.Release()
	if u.batch != nil {
		u.batch.Release()
	}
	u.batch = array.NewRecordBatch(u.Schema(), []arrow.Array{column}, int64(column.Len()))
	return true
}

// The test program is a Thund with own Go code, if the environment says so.
func TestMain(m *testing.M) {
	if os.Getenv("THUND_TEST_MAIN") == "1" {
		thund.Main(thund.Event("rust", &ArrayToRust{}), thund.Event("describe", Describe{}), thund.Event("value", ByValue{}),
			thund.Task("fetch", &Fetch{}), thund.Step("upper", upper),
			thund.Step("refuse", func(context.Context, []array.RecordReader) (array.RecordReader, error) {
				return nil, errors.New("it takes nothing")
			}))
	}
	if os.Getenv("THUND_TEST_EVENTS") == "1" {
		os.Exit(manyEvents())
	}
	os.Exit(m.Run())
}

func run(t *testing.T, folder string, args ...string) (exit int, output string) {
	t.Helper()
	c := exec.Command(os.Args[0], args...)
	c.Dir, c.Env = folder, append(os.Environ(), "THUND_TEST_MAIN=1")
	text, err := c.CombinedOutput()
	var ended *exec.ExitError
	if err != nil && !errors.As(err, &ended) {
		t.Fatal(err)
	}
	return c.ProcessState.ExitCode(), string(text)
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
}

func wants(t *testing.T, exit, wanted int, output string, texts ...string) {
	t.Helper()
	if exit != wanted {
		t.Errorf("exit code %d, and not %d:\n%s", exit, wanted, output)
	}
	for _, text := range texts {
		if !strings.Contains(output, text) {
			t.Errorf("the output does not have %q:\n%s", text, output)
		}
	}
}

// Acceptance 18: events of the first Thund over a folder. One that wants a value panics, and its
// file is ignored.
func TestEventsOfTheFirstThund(t *testing.T) {
	for event, c := range map[string]struct {
		exit  int
		texts []string
	}{
		`"rust", "describe"`: {4, []string{"Rust counted 2 arrays", "a.csv: 13 bytes, 3 lines, from name to bob, sum ", "read 13", `event "describe" failed for`, "it returned false", "1 files done, 1 ignored"}},
		`"value"`:            {4, []string{`event "value" failed for`, "it panicked: interface conversion", "0 files done, 2 ignored"}},
	} {
		folder := t.TempDir()
		write(t, folder+"/g.toml", `[graph]
format = 1
[source]
in = { csv = "in/*.csv", schema = { name = "utf8" }, each = true, done = "done", grace = "20ms", events = [`+event+`] }
[sink]
out = { from = "in", csv = "out/{stem}.csv" }
`)
		write(t, folder+"/in/a.csv", "name\nada\nbob\n")
		write(t, folder+"/in/b.csv", "name\n13\n")
		exit, output := run(t, folder, "run", "g.toml")
		wants(t, exit, c.exit, output, c.texts...)
		for _, out := range []string{"out/a.csv", "out/b.csv"} { // events run after the outputs are in place
			if _, err := os.Stat(filepath.Join(folder, out)); err != nil {
				t.Error(err)
			}
		}
	}
}

// A task runs before the run, and its error ends it.
func TestTasksRunBeforeTheRun(t *testing.T) {
	folder := t.TempDir()
	write(t, folder+"/g.toml", `[graph]
format = 1
[task.get]
go = "fetch"
before = ["in"]
[source]
in = { csv = "in/*.csv", schema = { name = "utf8" }, each = true, done = "done", grace = "20ms" }
[step.big]
from = "in"
go = "upper"
[sink]
out = { from = "big", csv = "out/{stem}.csv" }
`)
	write(t, folder+"/in/.keep", "")
	t.Setenv("FETCH", folder+"/in/a.csv")
	exit, output := run(t, folder, "run", "g.toml")
	wants(t, exit, 0, output, "fetch 1", "1 files done, 0 ignored")
	if text, err := os.ReadFile(folder + "/out/a.csv"); err != nil || string(text) != "name\nADA\n" {
		t.Errorf("%q %v", text, err)
	}
	t.Setenv("FETCH", "fail")
	exit, output = run(t, folder, "run", "g.toml")
	wants(t, exit, 1, output, `error[E0414]: task "get" failed`, "g.toml:3", "the server is away")
}

// A Go step is an edge like any other: its types are known first, and its faults have a place.
func TestGoSteps(t *testing.T) {
	const graph = `[graph]
format = 1
[source]
in = { csv = "in.csv", schema = { name = "utf8" }, batch_rows = 2 }
more = { csv = "in.csv", schema = { name = "utf8" } }
[step.big]
from = ["in", "more"]
go = "upper"
[sink]
out = { from = "big", csv = "out.csv" }
[[test]]
given.in = [{ name = "ada" }]
given.more = []
expect.big = [{ name = "ADA" }]
`
	folder := t.TempDir()
	write(t, folder+"/g.toml", graph)
	write(t, folder+"/in.csv", "name\nada\nbob\ncleo\n")
	exit, output := run(t, folder, "validate", "g.toml")
	wants(t, exit, 0, output, "go upper", "name utf8")
	exit, output = run(t, folder, "test", "g.toml")
	wants(t, exit, 0, output, "1 passed")
	exit, output = run(t, folder, "run", "g.toml")
	wants(t, exit, 0, output, "big 6 rows")
	if text, err := os.ReadFile(folder + "/out.csv"); err != nil || string(text) != "name\nADA\nBOB\nCLEO\nADA\nBOB\nCLEO\n" {
		t.Errorf("%q %v", text, err)
	}
	for bad, wanted := range map[string]string{"panic": "it panicked: a text that no step likes", "fail": "a text that fails"} {
		write(t, folder+"/in.csv", "name\nada\n"+bad+"\n")
		exit, output = run(t, folder, "run", "g.toml")
		wants(t, exit, 1, output, `error[E0414]: Go step "big" failed`, "g.toml:8, [step.big], go", wanted)
	}
	write(t, folder+"/g.toml", strings.Replace(graph, `"upper"`, `"refuse"`, 1))
	exit, output = run(t, folder, "validate", "g.toml")
	wants(t, exit, 2, output, "error[E0405]", "it takes nothing")
	write(t, folder+"/g.toml", strings.Replace(graph, `"upper"`, `"uper"`, 1))
	exit, output = run(t, folder, "validate", "g.toml")
	wants(t, exit, 2, output, `this program has no step "uper"`, "write upper")
}

// Acceptance 18: many calls from several goroutines, in a process of their own, because each
// one logs. By hand: THUND_EVENTS=100000, with -race and with GOEXPERIMENT=cgocheck2.
func TestManyEvents(t *testing.T) {
	if os.Getenv("THUND_EVENTS") == "" {
		t.Setenv("THUND_EVENTS", "500")
	}
	t.Setenv("THUND_TEST_EVENTS", "1")
	c := exec.Command(os.Args[0])
	var failure strings.Builder
	c.Stderr = &failure
	if err := c.Run(); err != nil {
		t.Errorf("%v: %s", err, failure.String())
	}
}

func manyEvents() (exit int) {
	count, err := strconv.Atoi(os.Getenv("THUND_EVENTS"))
	if err != nil || count < 4 {
		fmt.Fprintln(os.Stderr, "THUND_EVENTS is no number of calls:", err)
		return 2
	}
	var failed atomic.Int64
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for range count / 4 {
				if !(&ArrayToRust{quiet: true}).Process(nil, &api.FileEntity{}) {
					failed.Add(1)
				}
			}
		})
	}
	all.Wait()
	if failed.Load() > 0 {
		fmt.Fprintln(os.Stderr, failed.Load(), "events failed")
		return 1
	}
	return 0
}
