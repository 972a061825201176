// SPDX-License-Identifier: MIT

package backend

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

func batchOf(t *testing.T, schema *arrow.Schema, rows string) arrow.RecordBatch {
	t.Helper()
	made, _, err := array.RecordFromJSON(memory.DefaultAllocator, schema, strings.NewReader(rows))
	if err != nil {
		t.Fatal(err)
	}
	return made
}

var pairs = arrow.NewSchema([]arrow.Field{
	{Name: "x", Type: arrow.PrimitiveTypes.Float64, Nullable: true},
	{Name: "s", Type: arrow.BinaryTypes.String, Nullable: true},
}, nil)

func TestRowsKeepNullsAndTypes(t *testing.T) {
	in := batchOf(t, pairs, `[{"x": 2, "s": "ab"}, {"x": null, "s": "c"}, {"x": 3, "s": null}]`)
	out, err := Try(Rows2("repeated", "x", "s", func(x float64, s string) string { return strings.Repeat(s, int(x)) }), nil, in)
	if err != nil || out.Column(0).String() != `["abab" (null) (null)]` || out.Schema().Field(0).Name != "repeated" {
		t.Errorf("got %v, %v", out, err)
	}
	out, err = Try(Rows1("big", "x", func(x float64) bool { return x > 2 }), nil, in)
	if err != nil || out.Column(0).String() != "[false (null) true]" {
		t.Errorf("got %v, %v", out, err)
	}
	f := Rows2("distance", "x", "y", math.Hypot)
	if !f.Rowwise || !f.Idempotent || f.fault() != "" {
		t.Errorf("got %+v: %s", f, f.fault())
	}
}

func TestTryGivesOptionsAndCatchesPanics(t *testing.T) {
	in := batchOf(t, pairs, `[{"x": 2, "s": "ab"}]`)
	f := Function{
		Name: "f", Options: []Option{{Name: "how", Default: "well"}},
		Bind: func(b *Binding) (*arrow.Schema, error) {
			b.State = b.Option("how")
			return b.Inputs[0], nil
		},
		Run: func(c *Call, inputs []arrow.RecordBatch) (arrow.RecordBatch, error) {
			if c.State == "panic" {
				panic(errors.New("of the author"))
			}
			if c.State != c.Option("how") || c.Context().Err() != nil || c.Logs(0) {
				return nil, fmt.Errorf("got %v", c.State)
			}
			c.Progress(1, 2)
			return inputs[0], nil
		},
	}
	out, err := Try(f, nil, in)
	if err != nil || !array.RecordEqual(in, out) {
		t.Errorf("got %v, %v", out, err)
	}
	out.Release()
	_, err = Try(f, map[string]string{"how": "panic"}, in)
	if err == nil || !strings.HasPrefix(err.Error(), "panic: of the author (backend_test.go:") {
		t.Errorf("got %v", err)
	}
}

func TestErrorsHaveTheirCodes(t *testing.T) {
	plain := errors.New("plain")
	for _, test := range []struct {
		err  error
		code Code
	}{
		{plain, Failed},
		{Errorf(Retry, "later: %w", plain), Retry},
		{fmt.Errorf("in step 2: %w", Errorf(NoMatch, "no")), NoMatch},
		{fmt.Errorf("stopped: %w", context.Canceled), Cancelled},
		{context.DeadlineExceeded, Cancelled},
	} {
		if code, text := codeOf(test.err); code != test.code || text != test.err.Error() {
			t.Errorf("%v: got %d, %q", test.err, code, text)
		}
	}
	if !errors.Is(Errorf(Retry, "later: %w", plain), plain) {
		t.Error("the cause is lost")
	}
}

func TestADescriptionThatCannotWorkIsNamed(t *testing.T) {
	run := func(*Call, []arrow.RecordBatch) (arrow.RecordBatch, error) { return nil, nil }
	stream := func(*Call, []*Input) iter.Seq2[arrow.RecordBatch, error] { return nil }
	for part, f := range map[string]Function{
		"has no name":                       {Run: run, Output: pairs},
		"one of Run and Stream":             {Name: "f", Output: pairs},
		"needs one of Run":                  {Name: "f", Output: pairs, Run: run, Stream: stream},
		"one of Output and Bind":            {Name: "f", Run: run},
		"takes 3 to 2 inputs":               {Name: "f", Run: run, Output: pairs, MinInputs: 3, MaxInputs: 2},
		"columns for 2 inputs":              {Name: "f", Run: run, Output: pairs, Columns: make([][]Column, 2)},
		"NUL byte":                          {Name: "f\x00", Run: run, Output: pairs},
		`has the column "x": type 0 is nil`: {Name: "f", Run: run, Output: pairs, Columns: [][]Column{{{Name: "x", Types: []arrow.DataType{nil}}}}},
	} {
		if fault := f.fault(); !strings.Contains(fault, part) {
			t.Errorf("got %q, want %q", fault, part)
		}
	}
}
