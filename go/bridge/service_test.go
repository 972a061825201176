// SPDX-License-Identifier: MIT

//go:build linux && cgo && (amd64 || arm64)

package bridge_test

import (
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/ignalina/alloy"
)

// expectError checks the code and the name of the reason of an error.
func expectError(t *testing.T, err error, code alloy.Code, reason string) {
	t.Helper()
	var e *alloy.Error
	if !errors.As(err, &e) || e.Code != code || e.Reason.String() != reason {
		t.Errorf("got %v, want %v with %s", err, code, reason)
	}
}

func TestReplaceKeepsTheLibraryThatServesWhenTheNewOneFails(t *testing.T) {
	goBridge := open(t, nil, "echo_cpp")
	for _, path := range []string{"/nowhere.so", "a\x00b", "", library(t, "echo_c") + "x"} {
		if err := goBridge.Replace(path, ""); err == nil {
			t.Errorf("%q was loaded", path)
		}
		backend, err := goBridge.Backend()
		if err != nil || backend.Language != "C++" {
			t.Errorf("after %q: got %+v, %v", path, backend, err)
		}
		out, err := goBridge.Call(ctx, "echo", nil, int64BatchOnce)
		if err != nil {
			t.Fatal(err)
		}
		out.Release()
	}
	if err := goBridge.Replace(library(t, "echo_c"), ""); err != nil {
		t.Fatal(err)
	}
	if backend, err := goBridge.Backend(); err != nil || backend.Language != "C" {
		t.Errorf("got %+v, %v", backend, err)
	}
}

// TestAReplaceThatIsTheFirstLoadNeverLeavesTheEcho: the echo must not serve in place of a
// library that was asked for.
func TestAReplaceThatIsTheFirstLoadNeverLeavesTheEcho(t *testing.T) {
	for _, prepare := range []func(*alloy.GoBridge){
		func(*alloy.GoBridge) {},
		func(b *alloy.GoBridge) { _, _ = b.Functions() },
		func(b *alloy.GoBridge) { _ = b.SetImplLib("/nowhere.so", "") },
	} {
		goBridge := open(t, nil, "")
		prepare(goBridge)
		expectError(t, goBridge.Replace("/elsewhere.so", ""), alloy.Refused, "CANNOT_OPEN")
		_, err := goBridge.Call(ctx, "echo", nil, int64BatchOnce)
		expectError(t, err, alloy.Refused, "CANNOT_OPEN")
		if err := goBridge.Replace(library(t, "echo_cpp"), ""); err != nil {
			t.Error(err)
		}
	}
}

func TestCallsGoOnWhileLibrariesAreReplacedWithAndWithoutSuccess(t *testing.T) {
	goBridge := open(t, nil, "echo_cpp")
	var wait sync.WaitGroup
	stop := make(chan struct{})
	for range 4 {
		wait.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				out, err := goBridge.Call(ctx, "echo", nil, int64BatchOnce)
				if err != nil {
					t.Error(err)
					return
				}
				out.Release()
			}
		})
	}
	for i := range 60 {
		path := []string{library(t, "echo_c"), "/nowhere.so", library(t, "echo_cpp")}[i%3]
		if err := goBridge.Replace(path, ""); (err != nil) != (i%3 == 1) {
			t.Error(err)
		}
	}
	close(stop)
	wait.Wait()
}

func TestTheEchoDescribesItself(t *testing.T) {
	backend, err := open(t, nil, "").Backend()
	if err != nil || backend.Name != "alloy.echo" || backend.Version != alloy.Version() || backend.Library != "" {
		t.Errorf("got %+v, %v", backend, err)
	}
}

func TestTheNameOfTheBackendIsChecked(t *testing.T) {
	goBridge := alloy.GoBridge{Isolated: isolated, AllowUnsigned: true, Logger: silent, Name: "acme.other"}
	defer goBridge.Close()
	expectError(t, goBridge.SetImplLib(library(t, "echo_cpp"), ""), alloy.Refused, "NAME")
	goBridge.Name = "alloy\x00"
	expectError(t, goBridge.SetImplLib(library(t, "echo_cpp"), ""), alloy.Invalid, "ARGUMENT_NUL_BYTE")
	goBridge.Name = ""
	if err := goBridge.SetImplLib(library(t, "echo_cpp"), ""); err != nil {
		t.Fatal(err)
	}
	backend, err := goBridge.Backend()
	if err != nil {
		t.Fatal(err)
	}
	goBridge.Name = backend.Name
	if err := goBridge.Replace(library(t, "echo_cpp"), ""); err != nil {
		t.Error(err)
	}
	goBridge.MinSequence = 1
	expectError(t, goBridge.Replace(library(t, "echo_cpp"), ""), alloy.Refused, "UNSIGNED")
}

func TestBindReturnsTheSchemaOfTheResultWithoutARun(t *testing.T) {
	goBridge := open(t, nil, "tests/unruly")
	schema, err := goBridge.Bind("fails", nil, int64BatchOnce.Schema())
	if err != nil {
		t.Fatal(err)
	}
	if schema == nil || goBridge.Outstanding() != (alloy.Outstanding{}) {
		t.Errorf("got %v, %+v", schema, goBridge.Outstanding())
	}
	_, err = goBridge.Bind("fly", nil, int64BatchOnce.Schema())
	expectError(t, err, alloy.NotFound, "NONE")
	_, err = goBridge.Bind("fails", nil, nil)
	expectError(t, err, alloy.Invalid, "ARGUMENT_NULL")
}

func TestOutstandingCountsResultsAndStreams(t *testing.T) {
	goBridge := open(t, nil, "tests/identity")
	expect := func(results, streams int64) {
		t.Helper()
		if got := goBridge.Outstanding(); got != (alloy.Outstanding{Results: results, Streams: streams}) {
			t.Errorf("got %+v, want %d and %d", got, results, streams)
		}
	}
	expect(0, 0)
	var kept []arrow.RecordBatch
	for range 3 {
		out, err := goBridge.Call(ctx, "identity", nil, int64BatchOnce)
		if err != nil {
			t.Fatal(err)
		}
		kept = append(kept, out)
	}
	expect(3, 0)
	column := kept[0].Column(0)
	column.Retain()
	for _, out := range kept {
		out.Release()
	}
	expect(1, 0)
	column.Release()
	expect(0, 0)

	in := numbers(memory.DefaultAllocator, 3)
	stream := openStream(t, goBridge, "identity", nil, in)
	expect(0, 1)
	if !stream.Next() {
		t.Fatal(stream.Err())
	}
	expect(1, 1)
	stream.Release()
	expect(0, 0)
	in.checkReleased(t)

	if _, err := goBridge.Stream(ctx, "fly", nil, numbers(memory.DefaultAllocator, 1)); err == nil {
		t.Error("no such function, and no error")
	}
	canceled, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := goBridge.Stream(canceled, "identity", nil, numbers(memory.DefaultAllocator, 1)); err == nil {
		t.Error("the context has ended, and there is no error")
	}
	expect(0, 0)
}

// observed collects what Observe is told.
type observed struct {
	mutex  sync.Mutex
	begun  []alloy.Operation
	ended  []alloy.Outcome
	values []any
}

type spanKey struct{}

func (o *observed) observe(ctx context.Context, operation alloy.Operation) (context.Context, func(alloy.Outcome)) {
	o.mutex.Lock()
	defer o.mutex.Unlock()
	o.begun = append(o.begun, operation)
	o.values = append(o.values, ctx.Value(spanKey{}))
	return context.WithValue(ctx, spanKey{}, "inner"), func(outcome alloy.Outcome) {
		o.mutex.Lock()
		defer o.mutex.Unlock()
		o.ended = append(o.ended, outcome)
	}
}

func (o *observed) last(t *testing.T) (alloy.Operation, alloy.Outcome) {
	t.Helper()
	if len(o.begun) == 0 || len(o.begun) != len(o.ended) {
		t.Fatalf("%d began, %d ended", len(o.begun), len(o.ended))
	}
	return o.begun[len(o.begun)-1], o.ended[len(o.ended)-1]
}

func TestObserveSeesEachOperationOnce(t *testing.T) {
	seen := &observed{}
	goBridge := &alloy.GoBridge{Isolated: isolated, AllowUnsigned: true, Logger: silent, Observe: seen.observe}
	defer goBridge.Close()
	path := library(t, "tests/identity")
	if err := goBridge.SetImplLib(path, ""); err != nil {
		t.Fatal(err)
	}
	operation, outcome := seen.last(t)
	if operation.Kind != alloy.LoadOperation || operation.Library != path || outcome.Err != nil {
		t.Errorf("a load: got %+v, %+v", operation, outcome)
	}

	outer := context.WithValue(ctx, spanKey{}, "outer")
	out, err := goBridge.Call(outer, "identity", nil, int64BatchOnce)
	if err != nil {
		t.Fatal(err)
	}
	out.Release()
	operation, outcome = seen.last(t)
	rows := int64BatchOnce.NumRows()
	if operation != (alloy.Operation{Kind: alloy.CallOperation, Function: "identity", Inputs: 1, Rows: rows}) ||
		outcome.Err != nil || outcome.Batches != 1 || outcome.Rows != rows || outcome.Time <= 0 {
		t.Errorf("a call: got %+v, %+v", operation, outcome)
	}
	if seen.values[len(seen.values)-1] != "outer" {
		t.Errorf("the context of the caller is not passed: got %v", seen.values)
	}

	_, err = goBridge.Call(ctx, "fly", nil, int64BatchOnce)
	if operation, outcome = seen.last(t); outcome.Err == nil || !errors.Is(outcome.Err, err) || operation.Function != "fly" {
		t.Errorf("a call that fails: got %+v, %+v", operation, outcome)
	}
	_, err = goBridge.FromChunks(nil)
	if operation, outcome = seen.last(t); operation.Function != "from_chunks" || !errors.Is(outcome.Err, err) {
		t.Errorf("FromChunks: got %+v, %+v", operation, outcome)
	}

	for _, c := range []struct {
		name    string
		batches int
		ends    func(array.RecordReader)
		read    int64
	}{
		{"to its end", 3, func(s array.RecordReader) {
			for s.Next() {
			}
		}, 3},
		{"released early", 3, func(s array.RecordReader) { s.Next() }, 1},
		{"unread", 3, func(array.RecordReader) {}, 0},
	} {
		before := len(seen.ended)
		stream := openStream(t, goBridge, "identity", nil, numbers(memory.DefaultAllocator, c.batches))
		if len(seen.ended) != before {
			t.Errorf("%s: ended at once", c.name)
		}
		c.ends(stream)
		stream.Release()
		operation, outcome = seen.last(t)
		if operation.Kind != alloy.StreamOperation || outcome.Err != nil || outcome.Batches != c.read || outcome.Rows != 10*c.read {
			t.Errorf("a stream %s: got %+v, %+v", c.name, operation, outcome)
		}
	}

	broken := errors.New("the disk is gone")
	stream := openStream(t, goBridge, "identity", nil, newFeed(numbersSchema, func(int) (arrow.RecordBatch, error) {
		return nil, broken
	}))
	for stream.Next() {
	}
	if _, outcome = seen.last(t); !errors.Is(outcome.Err, broken) {
		t.Errorf("a stream that fails: got %+v", outcome)
	}
	stream.Release()
	seen.last(t)
	if _, err := goBridge.Stream(ctx, "fly", nil, numbers(memory.DefaultAllocator, 1)); err == nil {
		t.Error("no such function, and no error")
	}
	if _, outcome = seen.last(t); outcome.Err == nil {
		t.Errorf("a stream that cannot open: got %+v", outcome)
	}
}

func TestAnObserverMayReturnNothing(t *testing.T) {
	goBridge := &alloy.GoBridge{Isolated: isolated, Logger: silent, Observe: func(context.Context, alloy.Operation) (context.Context, func(alloy.Outcome)) {
		return nil, nil
	}}
	defer goBridge.Close()
	out, err := goBridge.Call(ctx, "echo", nil, int64BatchOnce)
	if err != nil {
		t.Fatal(err)
	}
	out.Release()
	openStream(t, goBridge, "echo", nil, numbers(memory.DefaultAllocator, 1)).Release()
}

func TestANilContextIsInvalid(t *testing.T) {
	goBridge := open(t, nil, "")
	var none context.Context
	_, err := goBridge.Call(none, "echo", nil, int64BatchOnce)
	expectError(t, err, alloy.Invalid, "ARGUMENT_NULL")
	_, err = goBridge.Stream(none, "echo", nil, numbers(memory.DefaultAllocator, 1))
	expectError(t, err, alloy.Invalid, "ARGUMENT_NULL")
}

func TestOneReaderAsTwoInputsIsInvalid(t *testing.T) {
	goBridge := open(t, nil, "tests/flows")
	in, other := numbers(memory.DefaultAllocator, 2), numbers(memory.DefaultAllocator, 2)
	for _, readers := range [][]array.RecordReader{{in, in}, {other, in, in}, {in, other, in},
		{alloy.PlainReader(in), other, in}, {alloy.PlainReader(in), alloy.PlainReader(in)}} {
		_, err := goBridge.Stream(ctx, "turns", nil, readers...)
		expectError(t, err, alloy.Invalid, "SAME_STREAM")
	}
	result := openStream(t, goBridge, "turns", nil, in, other)
	_, err := goBridge.Stream(ctx, "turns", nil, result, result)
	expectError(t, err, alloy.Invalid, "SAME_STREAM")
	result.Release()
	in.checkReleased(t)
	other.checkReleased(t)
}
