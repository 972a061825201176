// SPDX-License-Identifier: MIT

//go:build linux && cgo && (amd64 || arm64)

package bridge_test

import (
	"log/slog"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/ignalina/alloy"
)

// eventually collects garbage until a condition holds.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for start := time.Now(); !holds(); time.Sleep(time.Millisecond) {
		if time.Since(start) > time.Minute {
			t.Fatalf("it never happened: %s", what)
		}
		runtime.GC()
	}
}

// warnings returns the warnings about forgotten things.
func (r *recorder) warnings() (texts []string) {
	for _, line := range r.take() {
		if line.level == slog.LevelWarn && strings.Contains(line.text, "never released") {
			texts = append(texts, line.text)
		}
	}
	return texts
}

func forgetful(t *testing.T, mem memory.Allocator, lines *recorder, name string) *alloy.GoBridge {
	t.Helper()
	goBridge := &alloy.GoBridge{Isolated: isolated, GoAllocator: mem, AllowUnsigned: true, Logger: slog.New(lines)}
	t.Cleanup(goBridge.Close)
	if err := goBridge.SetImplLib(library(t, name), ""); err != nil {
		t.Fatal(err)
	}
	return goBridge
}

func TestForgottenResultsAreReleasedAndReportedOnce(t *testing.T) {
	for _, count := range []int{1, 2, 40} {
		// The identity returns the memory of its input, so a result that is not released shows.
		mem := checked(t)
		lines := &recorder{from: slog.LevelInfo}
		goBridge := forgetful(t, mem, lines, "tests/identity")
		for range count {
			in := int64Batch(mem, 2, 10)
			if _, err := goBridge.Call(ctx, "identity", nil, in); err != nil {
				t.Fatal(err)
			}
			in.Release()
		}
		eventually(t, "all results are released", func() bool { return goBridge.Outstanding().Results == 0 })
		var texts []string
		eventually(t, "it is reported", func() bool {
			texts = append(texts, lines.warnings()...)
			return len(texts) > 0
		})
		if len(texts) != 1 || !strings.Contains(texts[0], "identity") {
			t.Errorf("%d forgotten: got %q", count, texts)
		}
	}
}

// TestAResultIsNotForgottenWhileAPartOfItIsReachable: a column, a slice, another batch.
func TestAResultIsNotForgottenWhileAPartOfItIsReachable(t *testing.T) {
	mem := checked(t)
	lines := &recorder{from: slog.LevelInfo}
	goBridge := forgetful(t, mem, lines, "tests/identity")
	call := func() arrow.RecordBatch {
		in := int64Batch(mem, 2, 10)
		defer in.Release()
		out, err := goBridge.Call(ctx, "identity", nil, in)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	parts := map[string]func(arrow.RecordBatch) arrow.Array{
		"a column": func(out arrow.RecordBatch) arrow.Array { return out.Column(0) },
		"a slice":  func(out arrow.RecordBatch) arrow.Array { return array.NewSlice(out.Column(0), 2, 8) },
		"a copy": func(out arrow.RecordBatch) arrow.Array {
			return array.MakeFromData(out.Column(0).Data())
		},
		"a batch": func(out arrow.RecordBatch) arrow.Array {
			return array.NewRecordBatch(out.Schema(), out.Columns(), out.NumRows()).Column(0)
		},
	}
	for name, part := range parts {
		kept := part(call())
		for range 5 {
			runtime.GC()
		}
		time.Sleep(5 * time.Millisecond)
		first := int64(0)
		if name == "a slice" {
			first = 2
		}
		if got := kept.(*array.Int64).Value(0); got != first || goBridge.Outstanding().Results == 0 {
			t.Errorf("%s: got %d, and %+v", name, got, goBridge.Outstanding())
		}
		runtime.KeepAlive(kept)
		eventually(t, name+" is released", func() bool { return goBridge.Outstanding().Results == 0 })
	}
}

func TestReleasedResultsAreNotReported(t *testing.T) {
	mem := checked(t)
	lines := &recorder{from: slog.LevelInfo}
	goBridge := forgetful(t, mem, lines, "tests/identity")
	for range 100 {
		in := int64Batch(mem, 2, 10)
		out, err := goBridge.Call(ctx, "identity", nil, in)
		if err != nil {
			t.Fatal(err)
		}
		in.Release()
		out.Release()
	}
	stream := openStream(t, goBridge, "identity", nil, numbers(mem, 3))
	for stream.Next() {
	}
	stream.Release()
	for range 5 {
		runtime.GC()
		time.Sleep(time.Millisecond)
	}
	if texts := lines.warnings(); texts != nil || goBridge.Outstanding() != (alloy.Outstanding{}) {
		t.Errorf("got %q, %+v", texts, goBridge.Outstanding())
	}
}

func TestForgottenStreamsAreReleasedWithTheirReaders(t *testing.T) {
	for _, c := range []struct{ library, function string }{
		{"tests/identity", "identity"}, {"tests/flows", "relay"}, {"tests/flows", "last_in_open"},
	} {
		for _, read := range []int{0, 1, 10} {
			lines := &recorder{from: slog.LevelInfo}
			goBridge := forgetful(t, nil, lines, c.library)
			in := numbers(memory.DefaultAllocator, 3)
			func() {
				stream := openStream(t, goBridge, c.function, nil, in)
				for range read {
					stream.Next()
				}
			}()
			eventually(t, "the stream and its batch are released", func() bool {
				return goBridge.Outstanding() == alloy.Outstanding{} && in.references.Load() == 1
			})
			in.checkReleased(t)
			if texts := lines.warnings(); len(texts) != 1 || !strings.Contains(texts[0], "a stream of "+c.function) {
				t.Errorf("%s after %d batches: got %q", c.function, read, texts)
			}
		}
	}
}

// TestAForgottenChainIsReleased: the second stream holds the first.
func TestAForgottenChainIsReleased(t *testing.T) {
	lines := &recorder{from: slog.LevelInfo}
	goBridge := forgetful(t, nil, lines, "tests/flows")
	in := numbers(memory.DefaultAllocator, 3)
	func() {
		first := openStream(t, goBridge, "relay", nil, in)
		second := openStream(t, goBridge, "relay", nil, first)
		first.Release()
		second.Next()
	}()
	eventually(t, "both are released", func() bool {
		return goBridge.Outstanding() == alloy.Outstanding{} && in.references.Load() == 1
	})
	in.checkReleased(t)
}

// TestAStreamInUseIsNotForgotten while a goroutine that has no other reference reads it.
func TestAStreamInUseIsNotForgotten(t *testing.T) {
	goBridge := open(t, nil, "tests/identity")
	in := newFeed(numbersSchema, func(i int) (arrow.RecordBatch, error) {
		runtime.GC()
		runtime.GC()
		if i == 20 {
			return nil, nil
		}
		return numbersBatch(memory.DefaultAllocator, i), nil
	})
	if got := firsts(t, openStream(t, goBridge, "identity", nil, in)); len(got) != 20 {
		t.Errorf("got %v", got)
	}
}
