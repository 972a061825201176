// SPDX-License-Identifier: MIT

//go:build linux && cgo && (amd64 || arm64)

package cdata_test

import (
	"errors"
	"runtime"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/ignalina/alloy/go/cdata"
)

func words(mem memory.Allocator) arrow.Array {
	builder := array.NewStringViewBuilder(mem)
	defer builder.Release()
	builder.Append("longer than what fits the view itself")
	return builder.NewArray()
}

// collect returns when the collector has looked twice, and what it found has been seen to.
func collect() {
	for range 2 {
		done := make(chan struct{})
		runtime.SetFinalizer(new([64]byte), func(*[64]byte) { close(done) })
		runtime.GC()
		<-done
	}
}

// TestAColumnThatWasReleasedIsRefused: one release too many, by anyone, leaves a record
// with a column of nothing.
func TestAColumnThatWasReleasedIsRefused(t *testing.T) {
	for name, gone := range map[string]arrow.Array{
		"numbers": ints(memory.DefaultAllocator, 2), "views": words(memory.DefaultAllocator),
	} {
		good := ints(memory.DefaultAllocator, 1)
		exporter := cdata.NewExporter([]*cdata.Plan{planOf(t, good, gone)})
		gone.Release()
		batches := []cdata.Batch{{Columns: []arrow.Array{good, gone}, Rows: 1, Owner: good}}
		for range 2 {
			_, err := exporter.Export(batches)
			var mismatch *cdata.MismatchError
			if !errors.As(err, &mismatch) || mismatch.Column != 1 {
				t.Errorf("%s: got %v", name, err)
			}
		}
		exporter.Close()
	}
	collect()
}

// TestARecordWithTooManyColumnsIsRefused, of views too, whose buffers are counted before.
func TestARecordWithTooManyColumnsIsRefused(t *testing.T) {
	text := words(memory.DefaultAllocator)
	defer text.Release()
	exporter := cdata.NewExporter([]*cdata.Plan{planOf(t, text)})
	defer exporter.Close()
	_, err := exporter.Export([]cdata.Batch{{Columns: []arrow.Array{text, text}, Rows: 1, Owner: text}})
	var mismatch *cdata.MismatchError
	if !errors.As(err, &mismatch) || mismatch.Column != -1 {
		t.Errorf("got %v", err)
	}
}

// nasty is a column that panics when it is looked at.
type nasty struct{ arrow.Array }

func (nasty) Data() arrow.ArrayData { panic("do not look at me") }

// TestAPanicWhileACallIsWrittenLeavesNoPins: what the caller recovers from, the collector
// does not complain about later.
func TestAPanicWhileACallIsWrittenLeavesNoPins(t *testing.T) {
	good := ints(memory.NewGoAllocator(), 1)
	plan := planOf(t, good, good)
	func() {
		exporter := cdata.NewExporter([]*cdata.Plan{plan})
		defer exporter.Close()
		defer func() {
			if cause := recover(); cause != "do not look at me" {
				t.Errorf("got %v", cause)
			}
		}()
		columns := []arrow.Array{good, nasty{good}}
		_, err := exporter.Export([]cdata.Batch{{Columns: columns, Rows: 1, Owner: good}})
		t.Errorf("got %v", err)
	}()
	collect()
}
