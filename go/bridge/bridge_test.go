// SPDX-License-Identifier: MIT

//go:build linux && cgo && (amd64 || arm64)

package bridge_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/ignalina/alloy"
	"github.com/ignalina/alloy/api"
)

var ctx = context.Background()

// threeArrays are those of the original's program.
func threeArrays(t testing.TB, mem memory.Allocator) []arrow.Array {
	t.Helper()
	var arrays []arrow.Array
	for _, row := range [][]int32{{1, 2, 3, -4}, {2, 3, 4, 5}, {3, 4, 5, 6}} {
		builder := array.NewInt32Builder(mem)
		builder.AppendValues(row, nil)
		chunk := builder.NewArray()
		builder.Release()
		t.Cleanup(chunk.Release)
		arrays = append(arrays, chunk)
	}
	return arrays
}

// stdout collects what is written to the descriptor, by Go and by the engine.
func stdout(t *testing.T, body func()) string {
	t.Helper()
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	saved, err := syscall.Dup(1)
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Dup3(int(write.Fd()), 1, 0); err != nil {
		t.Fatal(err)
	}
	func() {
		defer func() {
			if err := syscall.Dup3(saved, 1, 0); err != nil {
				panic(err)
			}
			syscall.Close(saved)
			write.Close()
		}()
		body()
	}()
	text, err := io.ReadAll(read)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func tenLines(backend string) []string {
	return []string{
		"[Go]\tExporting ArrowSchema and ArrowArray #1 to C",
		"[Go]\tExporting ArrowSchema and ArrowArray #2 to C",
		"[Go]\tExporting ArrowSchema and ArrowArray #3 to C",
		"[Go]\tCalling " + backend + " through C ffi now with 3 ArrowArrays",
		"[" + backend + "]\tHello! Reading the ffi pointers now.",
		"[" + backend + "]\tarray1: Int32[1, 2, 3, -4]",
		"[" + backend + "]\tarray2: Int32[2, 3, 4, 5]",
		"[" + backend + "]\tarray3: Int32[3, 4, 5, 6]",
		"[Go]\tHello, again! Successfully sent Arrow data to " + backend + ".",
		"[Go]\tRust counted 3 arrays sent through ffi",
	}
}

func TestTheTenLines(t *testing.T) {
	for _, c := range []struct{ language, library string }{
		{"C++", ""}, {"Rust", "echo_rust"}, {"C++", "echo_cpp"}, {"C", "echo_c"},
	} {
		t.Run(c.language+" "+c.library, func(t *testing.T) {
			mem := memory.NewCheckedAllocator(memory.NewGoAllocator())
			t.Cleanup(func() { mem.AssertSize(t, 0) })
			arrays := threeArrays(t, mem)
			text := stdout(t, func() {
				goBridge := api.GoBridge{Isolated: isolated, GoAllocator: mem, AllowUnsigned: true}
				defer goBridge.Close()
				if c.library != "" {
					if err := goBridge.SetImplLib(library(t, c.library), ""); err != nil {
						t.Error(err)
						return
					}
				}
				ret, err := goBridge.FromChunks(arrays)
				if err != nil || ret != 3 {
					t.Errorf("got %d, %v", ret, err)
				}
				api.Info("Rust counted 3 arrays sent through ffi")
			})
			time := regexp.MustCompile(`(?m)^\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\] \[INFO\] `)
			want := strings.Join(tenLines(c.language), "\n") + "\n"
			if got := time.ReplaceAllString(text, ""); got != want {
				t.Errorf("got:\n%s\nwant:\n%s", got, want)
			}
			if n := len(time.FindAllString(text, -1)); n != 10 {
				t.Errorf("%d lines with a time, want 10", n)
			}
		})
	}
}

// handler collects lines for a slog.Logger.
type handler struct {
	mutex sync.Mutex
	lines bytes.Buffer
}

func (h *handler) Enabled(context.Context, slog.Level) bool { return true }
func (h *handler) WithAttrs([]slog.Attr) slog.Handler       { return h }
func (h *handler) WithGroup(string) slog.Handler            { return h }
func (h *handler) Handle(_ context.Context, r slog.Record) error {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	r.Attrs(func(a slog.Attr) bool {
		h.lines.WriteString("[" + a.Value.String() + "]\t" + r.Level.String() + "\t" + r.Message + "\n")
		return true
	})
	return nil
}

func (h *handler) text() string {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	return h.lines.String()
}

func TestTheLoggerGetsTheLinesInsteadOfStandardOutput(t *testing.T) {
	lines := &handler{}
	goBridge := alloy.GoBridge{Isolated: isolated, Logger: slog.New(lines)}
	defer goBridge.Close()
	text := stdout(t, func() {
		if n, err := goBridge.FromChunks(threeArrays(t, memory.DefaultAllocator)); err != nil || n != 3 {
			t.Errorf("got %d, %v", n, err)
		}
	})
	if text != "" {
		t.Errorf("on standard output: %q", text)
	}
	for _, want := range []string{
		"[Go]\tINFO\tExporting ArrowSchema and ArrowArray #3 to C\n",
		"[C++]\tINFO\tarray1: Int32[1, 2, 3, -4]\n",
	} {
		if !strings.Contains(lines.text(), want) {
			t.Errorf("%q is missing in:\n%s", want, lines.text())
		}
	}
}

func TestOtherBackendsAreSilent(t *testing.T) {
	goBridge := alloy.GoBridge{Isolated: isolated, AllowUnsigned: true}
	defer goBridge.Close()
	text := stdout(t, func() {
		if err := goBridge.SetImplLib(library(t, "tests/identity"), ""); err != nil {
			t.Error(err)
			return
		}
		out, err := goBridge.Call(ctx, "identity", nil, int64BatchOnce)
		if err != nil {
			t.Error(err)
			return
		}
		out.Release()
	})
	if text != "" {
		t.Errorf("on standard output: %q", text)
	}
}

func TestFromChunksTakesAnyNumberAndAnyType(t *testing.T) {
	goBridge := open(t, nil, "")
	mem := memory.DefaultAllocator
	text := array.NewStringBuilder(mem)
	text.AppendValues([]string{"a", "", "c"}, []bool{true, false, true})
	words := text.NewArray()
	defer words.Release()
	zone := array.NewTimestampBuilder(mem, &arrow.TimestampType{Unit: arrow.Second, TimeZone: "+01:00"})
	zone.Append(1)
	times := zone.NewArray()
	defer times.Release()
	nothing := array.NewNull(7)
	defer nothing.Release()
	mixed := append(threeArrays(t, mem), words, times, nothing)
	for n := range len(mixed) + 1 {
		for range 2 {
			if got, err := goBridge.From_chunks(mixed[:n]); err != nil || got != n {
				t.Errorf("%d arrays: got %d, %v", n, got, err)
			}
		}
	}
	var e *alloy.Error
	if _, err := goBridge.FromChunks([]arrow.Array{words, nil}); !errors.As(err, &e) || e.Code != alloy.Invalid || e.Input != 1 {
		t.Errorf("a nil array: got %v", err)
	}
}

func TestACopyIsTheSameBridge(t *testing.T) {
	goBridge := alloy.GoBridge{Isolated: isolated, AllowUnsigned: true, Logger: silent}
	if _, err := goBridge.Functions(); err != nil {
		t.Fatal(err)
	}
	twin := goBridge
	if err := twin.SetImplLib(library(t, "tests/identity"), ""); err != nil {
		t.Fatal(err)
	}
	functions, err := goBridge.Functions()
	if err != nil || len(functions) == 0 || functions[0].Name != "identity" {
		t.Errorf("got %v, %v", functions, err)
	}
	goBridge.Close()
	var e *alloy.Error
	if _, err := twin.Functions(); !errors.As(err, &e) || e.Code != alloy.Closed {
		t.Errorf("the copy of a closed bridge: got %v", err)
	}
}

func TestFunctionsSayWhatTheyTake(t *testing.T) {
	functions, err := open(t, nil, "tests/unruly").Functions()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range functions {
		if f.Name == "fails" {
			if len(f.Options) != 2 || f.Options[1] != (alloy.Option{Name: "text", Fallback: "it failed"}) {
				t.Errorf("got %+v", f)
			}
			return
		}
	}
	t.Errorf("there is no fails in %+v", functions)
}

func TestErrorsNameTheMistake(t *testing.T) {
	goBridge := open(t, nil, "tests/unruly")
	for _, c := range []struct {
		name, function string
		options        alloy.Options
		in             []arrow.RecordBatch
		code           alloy.Code
		text           string
	}{
		{"no such function", "fly", nil, []arrow.RecordBatch{int64BatchOnce}, alloy.NotFound, "slow"},
		{"a NUL in the name", "f\x00", nil, []arrow.RecordBatch{int64BatchOnce}, alloy.NotFound, "NUL"},
		{"no such option", "fails", alloy.Options{"x": "1"}, []arrow.RecordBatch{int64BatchOnce}, alloy.Invalid, "x"},
		{"a NUL in an option", "fails", alloy.Options{"text": "\x00"}, []arrow.RecordBatch{int64BatchOnce}, alloy.Invalid, "NUL"},
		{"too many inputs", "fails", nil, []arrow.RecordBatch{int64BatchOnce, int64BatchOnce}, alloy.Invalid, "2"},
		{"a nil batch", "fails", nil, []arrow.RecordBatch{nil}, alloy.Invalid, "nil"},
		{"the backend's own", "fails", alloy.Options{"text": "so it is"}, []arrow.RecordBatch{int64BatchOnce}, alloy.Failed, "so it is"},
		{"worth repeating", "fails", alloy.Options{"code": "7"}, []arrow.RecordBatch{int64BatchOnce}, alloy.Retry, "it failed"},
		{"an exception", "throws", nil, []arrow.RecordBatch{int64BatchOnce}, alloy.Failed, "an exception"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := goBridge.Call(ctx, c.function, c.options, c.in...)
			var e *alloy.Error
			if !errors.As(err, &e) {
				t.Fatalf("got %v", err)
			}
			if e.Code != c.code || !strings.Contains(e.Text, c.text) {
				t.Errorf("got %v, want %v with %q", err, c.code, c.text)
			}
			backends := c.code == alloy.Failed || c.code == alloy.Retry
			if backends != (e.Side == alloy.SideBackend) {
				t.Errorf("from the %v", e.Side)
			}
			if !strings.Contains(err.Error(), e.Code.String()) {
				t.Errorf("%q does not name its code", err)
			}
		})
	}
}

func TestAPanicOfRustIsAnError(t *testing.T) {
	goBridge := open(t, nil, "faults_rust")
	for range 2 {
		_, err := goBridge.Call(ctx, "panic_in_run", nil, int64BatchOnce)
		var e *alloy.Error
		if !errors.As(err, &e) || e.Side != alloy.SideBackend || !strings.Contains(e.Text, "the run went wrong: 42") {
			t.Errorf("got %v", err)
		}
	}
}

func TestCodesAndSidesHaveTheEnginesNames(t *testing.T) {
	want := map[alloy.Code]string{
		alloy.Invalid: "INVALID", alloy.BadData: "BAD_DATA", alloy.NoMatch: "NO_MATCH",
		alloy.NotFound: "NOT_FOUND", alloy.Refused: "REFUSED", alloy.Failed: "FAILED",
		alloy.Retry: "RETRY", alloy.Cancelled: "CANCELLED", alloy.Timeout: "TIMEOUT",
		alloy.Lost: "LOST", alloy.Exhausted: "EXHAUSTED", alloy.Busy: "BUSY",
		alloy.Closed: "CLOSED", alloy.Unsupported: "UNSUPPORTED", alloy.Internal: "INTERNAL",
		99: "UNKNOWN",
	}
	for code, name := range want {
		if code.String() != name {
			t.Errorf("%d: got %s, want %s", code, code, name)
		}
	}
	if s := alloy.SideBackend.String(); s != "backend" {
		t.Errorf("got %s", s)
	}
}
