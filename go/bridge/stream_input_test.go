// SPDX-License-Identifier: MIT

//go:build linux && cgo && (amd64 || arm64)

package bridge_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/ignalina/alloy"
)

func TestStreamArgumentsThatAreWrong(t *testing.T) {
	mem := checked(t)
	goBridge := open(t, mem, "tests/flows")
	released := openStream(t, goBridge, "relay", nil, numbers(mem, 1))
	released.Release()
	late := *goBridge
	late.BatchTimeout = -time.Second
	late32 := newFeed(nil, nil)
	for name, c := range map[string]struct {
		bridge   *alloy.GoBridge
		function string
		in       []array.RecordReader
		code     alloy.Code
		text     string
	}{
		"no such function":    {goBridge, "nothing", []array.RecordReader{numbers(mem, 1)}, alloy.NotFound, "nothing"},
		"too many inputs":     {goBridge, "relay", []array.RecordReader{numbers(mem, 1), numbers(mem, 1)}, alloy.Invalid, "relay"},
		"a nil reader":        {goBridge, "relay", []array.RecordReader{nil}, alloy.Invalid, "nil"},
		"no schema":           {goBridge, "relay", []array.RecordReader{late32}, alloy.Invalid, "schema"},
		"a negative timeout":  {&late, "relay", []array.RecordReader{numbers(mem, 1)}, alloy.Invalid, "BatchTimeout"},
		"a stream that ended": {goBridge, "turns", []array.RecordReader{numbers(mem, 1), released}, alloy.Closed, "released"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := c.bridge.Stream(ctx, c.function, nil, c.in...)
			var e *alloy.Error
			if !errors.As(err, &e) || e.Code != c.code || !strings.Contains(e.Text, c.text) {
				t.Errorf("got %v", err)
			}
			for _, reader := range c.in {
				if f, ok := reader.(*feed); ok {
					f.checkReleased(t)
				}
			}
		})
	}
}

// TestABatchThatIsNoneOfItsStreamIsRefused, before its bytes are taken for something else.
func TestABatchThatIsNoneOfItsStreamIsRefused(t *testing.T) {
	mem := checked(t)
	goBridge := open(t, mem, "")
	field := func(name string, dtype arrow.DataType) *arrow.Schema {
		return arrow.NewSchema([]arrow.Field{{Name: name, Type: dtype}}, nil)
	}
	batch := func(schema *arrow.Schema) arrow.RecordBatch {
		builder := array.NewRecordBuilder(mem, schema)
		defer builder.Release()
		return builder.NewRecordBatch()
	}
	for name, c := range map[string]struct {
		schema *arrow.Schema
		text   string
	}{
		"another type": {field("n", arrow.PrimitiveTypes.Float64), "float64"},
		"another name": {field("m", arrow.PrimitiveTypes.Int64), `"m"`},
		"no column":    {arrow.NewSchema(nil, nil), "0 columns"},
		"no batch":     {nil, "nil"},
	} {
		t.Run(name, func(t *testing.T) {
			in := newFeed(numbersSchema, func(i int) (arrow.RecordBatch, error) {
				if i == 0 || c.schema == nil {
					return numbersBatch(mem, i), nil
				}
				return batch(c.schema), nil
			})
			var reader array.RecordReader = in
			if c.schema == nil {
				reader = noBatch{in}
			}
			out := openStream(t, goBridge, "echo", nil, reader)
			for out.Next() {
			}
			var e *alloy.Error
			if !errors.As(out.Err(), &e) || e.Side != alloy.SideCaller || e.Input != 0 || !strings.Contains(e.Text, c.text) {
				t.Errorf("got %v", out.Err())
			}
			if c.schema != nil && (e.Code != alloy.BadData || e.Reason.String() != "STREAM_SCHEMA" || !strings.HasPrefix(e.Text, "batch 1: ")) {
				t.Errorf("got %v", out.Err())
			}
			out.Release()
			in.checkReleased(t)
		})
	}
}

// noBatch returns true from Next and no batch.
type noBatch struct{ *feed }

func (noBatch) RecordBatch() arrow.RecordBatch { return nil }

// TestASchemaThatSaysTheSameFits, whatever else it says.
func TestASchemaThatSaysTheSameFits(t *testing.T) {
	mem := checked(t)
	metadata := arrow.NewMetadata([]string{"batch"}, []string{"1"})
	other := arrow.NewSchema(numbersSchema.Fields(), &metadata)
	in := newFeed(numbersSchema, func(i int) (arrow.RecordBatch, error) {
		if i == 3 {
			return nil, nil
		}
		batch := numbersBatch(mem, i)
		defer batch.Release()
		return array.NewRecordBatch(other, batch.Columns(), batch.NumRows()), nil
	})
	out := openStream(t, open(t, mem, ""), "echo", nil, in)
	if got := firsts(t, out); len(got) != 3 || out.Err() != nil {
		t.Errorf("got %v, %v", got, out.Err())
	}
	out.Release()
	in.checkReleased(t)
}
