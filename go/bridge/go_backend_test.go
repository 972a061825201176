// SPDX-License-Identifier: MIT

//go:build linux && cgo && (amd64 || arm64)

package bridge_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/ignalina/alloy"
)

// goLibrary builds a backend in Go as its author does, once for all tests of a run.
func goLibrary(t testing.TB, source string, flags ...string) string {
	t.Helper()
	name := strings.ReplaceAll(source, "/", "_") + fmt.Sprint(len(flags)) + ".so"
	path := filepath.Join(root(), "build", "go_backends", name)
	goLibraries.Lock()
	defer goLibraries.Unlock()
	if goLibraries.built[path] {
		return path
	}
	link := "-extldflags -Wl,--version-script=" + filepath.Join(root(), "cmake", "alloy_backend.map")
	args := append([]string{"build", "-buildmode=c-shared", "-ldflags", strings.Join(append(flags, link), " "), "-o", path}, "./"+source)
	build := exec.Command("go", args...)
	build.Dir = root()
	// Without the mode of these tests, so that it is the library of an author.
	build.Env = append(os.Environ(), "GOEXPERIMENT=", "GOFLAGS=-buildvcs=false")
	if mode := os.Getenv("GOEXPERIMENT"); mode == "cgocheck2" {
		build.Env = append(os.Environ(), "GOFLAGS=-buildvcs=false") // here the mode checks the SDK
	}
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go %v: %v\n%s", args, err, out)
	}
	goLibraries.built[path] = true
	return path
}

var goLibraries = struct {
	sync.Mutex
	built map[string]bool
}{built: map[string]bool{}}

func openGo(t testing.TB, mem memory.Allocator, source string) *alloy.GoBridge {
	t.Helper()
	bridge := &alloy.GoBridge{GoAllocator: mem, AllowUnsigned: true, Logger: silent, Isolated: true}
	t.Cleanup(bridge.Close)
	if err := bridge.SetImplLib(goLibrary(t, source), ""); err != nil {
		t.Fatal(err)
	}
	return bridge
}

const goFaults = "tests/backends/go"

func wholeNumbers(nullable bool, values ...int64) arrow.RecordBatch {
	fields := []arrow.Field{
		{Name: "other", Type: arrow.BinaryTypes.String, Nullable: true},
		{Name: "x", Type: arrow.PrimitiveTypes.Int64, Nullable: nullable},
	}
	builder := array.NewRecordBuilder(memory.DefaultAllocator, arrow.NewSchema(fields, nil))
	defer builder.Release()
	for _, value := range values {
		builder.Field(0).AppendNull()
		builder.Field(1).(*array.Int64Builder).Append(value)
	}
	return builder.NewRecordBatch()
}

// expectNumbers compares the last column of a batch.
func expectNumbers(t *testing.T, got arrow.RecordBatch, want string) {
	t.Helper()
	if text := got.Column(int(got.NumCols()) - 1).String(); text != want {
		t.Errorf("got %s, want %s", text, want)
	}
}

func TestTheFirstBackendInGo(t *testing.T) {
	source, err := os.ReadFile(filepath.Join(root(), "examples/go/backend/main.go"))
	if lines := strings.Count(string(source), "\n"); err != nil || lines > 20 {
		t.Errorf("the first function takes %d lines: %v", lines, err)
	}
	bridge := openGo(t, checked(t), "examples/go/backend")
	builder := array.NewRecordBuilder(memory.DefaultAllocator, arrow.NewSchema([]arrow.Field{
		{Name: "y", Type: arrow.PrimitiveTypes.Float64}, {Name: "x", Type: arrow.PrimitiveTypes.Float64, Nullable: true},
	}, nil))
	builder.Field(0).(*array.Float64Builder).AppendValues([]float64{4, 1, 8}, nil)
	builder.Field(1).(*array.Float64Builder).AppendValues([]float64{3, 0, 6}, []bool{true, false, true})
	out, err := bridge.Call(context.Background(), "distance", nil, builder.NewRecordBatch())
	if err != nil {
		t.Fatal(err)
	}
	defer out.Release()
	expectNumbers(t, out, "[5 (null) 10]")
	if backend, err := bridge.Backend(); err != nil || backend.Language != "Go" || backend.Name != "example.points" {
		t.Errorf("got %v, %v", backend, err)
	}
}

// TestAGoRuntimeIsRefusedInProcess also strips the marks that strip removes.
func TestAGoRuntimeIsRefusedInProcess(t *testing.T) {
	for _, flags := range [][]string{nil, {"-s", "-w", "-buildid="}} {
		path := goLibrary(t, "examples/go/backend", flags...)
		stripped := filepath.Join(t.TempDir(), "stripped.so")
		if out, err := exec.Command("strip", "--strip-all", "-R", ".note.go.buildid", "-o", stripped, path).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		for _, library := range []string{path, stripped} {
			bridge := alloy.GoBridge{AllowUnsigned: true, Logger: silent}
			err := bridge.SetImplLib(library, "")
			var refused *alloy.Error
			if !errors.As(err, &refused) || refused.Code != alloy.Refused || refused.Reason.String() != "GO_RUNTIME" {
				t.Errorf("%s: got %v", library, err)
			} else if out, err := exec.Command(filepath.Join(root(), "build/bin/arrowalloy"), "test", library).CombinedOutput(); err == nil || !strings.Contains(string(out), "error[E3017]") {
				t.Errorf("a host in C++ says %v: %s", err, out)
			} else if !strings.Contains(refused.Error(), "a process has room for one Go runtime") || !strings.Contains(refused.Error(), "Isolated: true") {
				t.Errorf("got %v", refused)
			}
		}
	}
}

func TestAGoBackendTakesOptionsAndColumns(t *testing.T) {
	bridge := openGo(t, checked(t), goFaults)
	in := wholeNumbers(true, 1, 2, 3)
	for _, test := range []struct {
		options alloy.Options
		want    string
	}{
		{alloy.Options{"unit": "m"}, "[2 4 6]"},
		{alloy.Options{"unit": "m", "factor": "-1"}, "[-1 -2 -3]"},
	} {
		out, err := bridge.Call(context.Background(), "scale", test.options, in)
		if err != nil {
			t.Fatal(err)
		}
		expectNumbers(t, out, test.want)
		out.Release()
	}
	for _, test := range []struct {
		function string
		options  alloy.Options
		code     alloy.Code
		part     string
	}{
		{"scale", nil, alloy.Invalid, "unit"},
		{"scale", alloy.Options{"unit": "m", "factor": "two"}, alloy.Invalid, `option factor: strconv.ParseInt: parsing "two"`},
		{"overload", nil, alloy.NoMatch, "column x may be null"},
		{"fails", nil, alloy.Failed, "it does not work"},
		{"retries", nil, alloy.Retry, "later: context canceled"},
		{"panics", nil, alloy.Failed, "panic: of the author (main.go:"},
		{"derefs", nil, alloy.Failed, "nil pointer dereference (main.go:"},
		{"lies", nil, alloy.Failed, "PANIC=Error method: again"},
		{"exhausts", nil, alloy.Exhausted, "1125899906842624 bytes"},
		{"mismatch", nil, alloy.Failed, "the schema that was bound has 1"},
	} {
		_, err := bridge.Call(context.Background(), test.function, test.options, in)
		var failed *alloy.Error
		if !errors.As(err, &failed) || failed.Code != test.code || !strings.Contains(err.Error(), test.part) {
			t.Errorf("%s: got %v, want %v with %q", test.function, err, test.code, test.part)
		}
	}
	// The worker lives on: nothing of it crossed.
	out, err := bridge.Call(context.Background(), "joined", nil, in, in)
	if err != nil {
		t.Fatal(err)
	}
	expectNumbers(t, out, "[6]")
	out.Release()
	fits := wholeNumbers(false, 7)
	if out, err = bridge.Call(context.Background(), "overload", nil, fits); err != nil {
		t.Fatal(err)
	}
	expectNumbers(t, out, "[7]")
	out.Release()
}

// TestAGoBackendConforms runs the suite that every author can run.
func TestAGoBackendConforms(t *testing.T) {
	program := filepath.Join(root(), "build", "bin", "arrowalloy")
	if _, err := os.Stat(program); err != nil {
		t.Fatalf("%v; make build-all builds it", err)
	}
	args := []string{"test", goLibrary(t, goFaults), "--isolated"}
	for _, function := range []string{"identity", "joined", "shared", "total", "relay", "merge"} {
		args = append(args, "--function", function)
	}
	out, err := exec.Command(program, args...).CombinedOutput()
	if err != nil || !strings.Contains(string(out), "109 passed, 0 failed, 0 skipped") {
		t.Errorf("got %v:\n%s", err, out)
	}
}

func TestAGoBackendIsCancelled(t *testing.T) {
	bridge := openGo(t, checked(t), goFaults)
	in := wholeNumbers(true, 1)
	for _, function := range []string{"waits", "spins"} {
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Millisecond)
		_, err := bridge.Call(ctx, function, nil, in)
		cancel()
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: got %v", function, err)
		}
		ctx, cancel = context.WithCancel(context.Background())
		time.AfterFunc(20*time.Millisecond, cancel)
		if _, err = bridge.Call(ctx, function, nil, in); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: got %v", function, err)
		}
	}
}

// TestAGoBackendThatRunsOutOfMemoryIsLost gets a new worker for the next call.
func TestAGoBackendThatRunsOutOfMemoryIsLost(t *testing.T) {
	bridge := &alloy.GoBridge{AllowUnsigned: true, Logger: silent, Isolated: true, Limits: alloy.Limits{HeapBytes: 160 << 20}}
	defer bridge.Close()
	if err := bridge.SetImplLib(goLibrary(t, goFaults), ""); err != nil {
		t.Fatal(err)
	}
	in := wholeNumbers(true, 1)
	_, err := bridge.Call(context.Background(), "hoards", nil, in)
	var lost *alloy.Error
	if !errors.As(err, &lost) || lost.Code != alloy.Lost || !strings.Contains(err.Error(), "ran out of memory (heap_bytes is 167772160) in hoards") {
		t.Fatalf("got %v", err)
	}
	out, err := bridge.Call(context.Background(), "joined", nil, in)
	if err != nil {
		t.Fatal(err)
	}
	expectNumbers(t, out, "[1]")
	out.Release()
}

// TestTwoGoBackendsServeOneGoHost has three Go runtimes at work, each in its own process.
func TestTwoGoBackendsServeOneGoHost(t *testing.T) {
	one, two := openGo(t, checked(t), goFaults), openGo(t, checked(t), "examples/go/backend")
	in := wholeNumbers(true, 1, 2)
	for range 20 {
		out, err := one.Call(context.Background(), "joined", nil, in)
		if err != nil {
			t.Fatal(err)
		}
		out.Release()
		_, err = two.Call(context.Background(), "distance", nil, in)
		var refused *alloy.Error // it has no column y
		if !errors.As(err, &refused) || refused.Code != alloy.NoMatch {
			t.Fatalf("got %v", err)
		}
	}
}

func TestAGoBackendKeepsNothing(t *testing.T) {
	for _, function := range []string{"identity", "joined", "shared"} {
		t.Run(function, func(t *testing.T) {
			bridge := openGo(t, checked(t), goFaults)
			in := int64Batch(memory.DefaultAllocator, 3, 100_000)
			var kept []arrow.RecordBatch
			for i := range 400 {
				out, err := bridge.Call(context.Background(), function, nil, in)
				if err != nil {
					t.Fatal(err)
				}
				if function == "identity" && !array.RecordEqual(in, out) {
					t.Fatal("the batch changed")
				}
				if i%200 == 0 {
					kept = append(kept, out) // outlives the bridge
				} else {
					out.Release()
				}
			}
			bridge.Close()
			for _, out := range kept {
				if out.Column(0).Len() == 0 {
					t.Error("the result is empty")
				}
				out.Release()
			}
		})
	}
}

func readerOf(batches ...arrow.RecordBatch) array.RecordReader {
	reader, err := array.NewRecordReader(batches[0].Schema(), batches)
	if err != nil {
		panic(err)
	}
	return reader
}

func TestAGoBackendStreams(t *testing.T) {
	bridge := openGo(t, checked(t), goFaults)
	ctx := context.Background()
	all := []arrow.RecordBatch{wholeNumbers(true, 1, 2), wholeNumbers(true, 3), wholeNumbers(true, 4, 5)}
	for _, test := range []struct {
		function string
		options  alloy.Options
		inputs   int
		want     []string
		code     alloy.Code
		part     string
	}{
		{"total", nil, 1, []string{"[3]", "[6]", "[15]"}, 0, ""},
		{"relay", nil, 1, []string{"[1 2]", "[3]", "[4 5]"}, 0, ""},
		{"merge", nil, 2, []string{"[1 2]", "[1 2]", "[3]", "[3]", "[4 5]", "[4 5]"}, 0, ""},
		{"breaks", alloy.Options{"how": "end"}, 1, []string{"[1 2]"}, 0, ""},
		{"breaks", alloy.Options{"how": "ignore"}, 1, []string{"[1 2]"}, 0, ""},
		{"breaks", alloy.Options{"how": "error"}, 1, []string{"[1 2]"}, alloy.Retry, "after 2 rows"},
		{"breaks", alloy.Options{"how": "panic"}, 1, []string{"[1 2]"}, alloy.Failed, "panic: in the iterator (main.go:"},
		{"breaks", alloy.Options{"how": "exit"}, 1, []string{"[1 2]"}, alloy.Failed, "runtime.Goexit"},
	} {
		var inputs []array.RecordReader
		for range test.inputs {
			inputs = append(inputs, readerOf(all...))
		}
		out, err := bridge.Stream(ctx, test.function, test.options, inputs...)
		if err != nil {
			t.Errorf("%s: %v", test.function, err)
			continue
		}
		var got []string
		for out.Next() {
			batch := out.RecordBatch()
			got = append(got, batch.Column(int(batch.NumCols())-1).String())
		}
		if fmt.Sprint(got) != fmt.Sprint(test.want) {
			t.Errorf("%s %v: got %v, want %v", test.function, test.options, got, test.want)
		}
		var failed *alloy.Error
		switch err := out.Err(); {
		case test.code == 0 && err != nil:
			t.Errorf("%s: %v", test.function, err)
		case test.code != 0 && (!errors.As(err, &failed) || failed.Code != test.code || !strings.Contains(err.Error(), test.part)):
			t.Errorf("%s %v: got %v", test.function, test.options, err)
		}
		out.Release()
		for _, input := range inputs {
			input.Release()
		}
	}
}

// TestAGoStreamThatIsLeftEarlyEnds leaves it before, during and after its first batch.
func TestAGoStreamThatIsLeftEarlyEnds(t *testing.T) {
	bridge := openGo(t, checked(t), goFaults)
	all := []arrow.RecordBatch{wholeNumbers(true, 1, 2), wholeNumbers(true, 3)}
	for _, function := range []string{"total", "relay"} {
		for pulls := range 3 {
			for range 50 {
				in := readerOf(all...)
				out, err := bridge.Stream(context.Background(), function, nil, in)
				if err != nil {
					t.Fatal(err)
				}
				for range pulls {
					if !out.Next() {
						t.Fatal(out.Err())
					}
				}
				out.Release()
				in.Release()
			}
		}
	}
}

// TestAGoStreamPassesTheErrorOfItsInputOn gets the host's own error back.
func TestAGoStreamPassesTheErrorOfItsInputOn(t *testing.T) {
	bridge := openGo(t, checked(t), goFaults)
	for _, function := range []string{"total", "relay"} {
		own := errors.New("the disk is gone")
		in := &endingBadly{RecordReader: readerOf(wholeNumbers(true, 1)), err: own}
		out, err := bridge.Stream(context.Background(), function, nil, in)
		if err != nil {
			t.Fatal(err)
		}
		rows := 0
		for out.Next() {
			rows++
		}
		if rows != 1 || !errors.Is(out.Err(), own) {
			t.Errorf("%s: got %d batches and %v", function, rows, out.Err())
		}
		out.Release()
	}
}

type endingBadly struct {
	array.RecordReader
	err    error
	failed bool
}

func (r *endingBadly) Next() bool {
	more := r.RecordReader.Next()
	r.failed = !more
	return more
}

func (r *endingBadly) Err() error {
	if r.failed {
		return r.err
	}
	return nil
}
