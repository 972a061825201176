// SPDX-License-Identifier: MIT

// Go is a backend of the tests, written with the SDK for Go: each function does one thing
// that a backend may do, or must not do.
package main

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/ignalina/alloy/go/backend"
)

func main() {}

type batch = arrow.RecordBatch

var (
	whole = arrow.PrimitiveTypes.Int64
	count = schemaOf("count")
	xs    = [][]backend.Column{{{Name: "x", Summary: "numbers", Types: []arrow.DataType{whole}}}}
)

func schemaOf(name string) *arrow.Schema {
	return arrow.NewSchema([]arrow.Field{{Name: name, Type: whole, Nullable: true}}, nil)
}

func sameSchema(b *backend.Binding) (*arrow.Schema, error) { return b.Inputs[0], nil }

func init() {
	backend.Register("test.go", "1.2.3",
		backend.Function{
			Name: "identity", Summary: "Return the input.", Idempotent: true, Rowwise: true,
			Bind: sameSchema,
			Run:  func(_ *backend.Call, in []batch) (batch, error) { return in[0], nil },
		},
		backend.Function{
			Name: "scale", Summary: "Multiply x by a factor.", Columns: xs, Output: schemaOf("scaled"), Rowwise: true,
			Options: []backend.Option{{Name: "factor", Summary: "what to multiply by", Default: "2"}, {Name: "unit", Required: true}},
			Run:     scale,
		},
		backend.Function{
			Name: "joined", Summary: "Count the rows of all inputs.", MinInputs: 1, MaxInputs: -1, Output: count,
			Run: func(c *backend.Call, in []batch) (batch, error) {
				rows := int64(0)
				for _, one := range in {
					rows += one.NumRows()
				}
				return counted(c, rows, c.NewBuilder()), nil
			},
		},
		backend.Function{
			Name: "shared", Summary: "Count the rows, in memory of the engine.", Output: count,
			Run: func(c *backend.Call, in []batch) (batch, error) {
				return counted(c, in[0].NumRows(), array.NewRecordBuilder(backend.Allocator, c.Output)), nil
			},
		},
		backend.Function{
			Name: "overload", Summary: "Take one column.", Columns: xs,
			Bind: func(b *backend.Binding) (*arrow.Schema, error) {
				if b.Inputs[0].Field(0).Nullable {
					return nil, backend.Errorf(backend.NoMatch, "column %s may be null", b.Inputs[0].Field(0).Name)
				}
				return b.Inputs[0], nil
			},
			Run: func(_ *backend.Call, in []batch) (batch, error) { return in[0], nil },
		},
		fault("fails", func(*backend.Call) error { return errors.New("it does not work\nat all") }),
		fault("retries", func(*backend.Call) error { return backend.Errorf(backend.Retry, "later: %w", context.Canceled) }),
		fault("panics", func(*backend.Call) error { panic("of the author") }),
		fault("derefs", func(*backend.Call) error { var at *backend.Option; return errors.New(at.Name) }),
		fault("lies", func(*backend.Call) error { panic(liar{}) }),
		fault("exhausts", func(*backend.Call) error { backend.Allocator.Allocate(1 << 50); return nil }),
		backend.Function{
			Name: "mismatch", Summary: "Return another type than bind said.", Output: count,
			Run: func(_ *backend.Call, in []batch) (batch, error) { return in[0], nil },
		},
		backend.Function{
			Name: "waits", Summary: "Wait until the caller cancels.", Output: count,
			Run: func(c *backend.Call, _ []batch) (batch, error) {
				c.Progress(1, 2)
				c.Log(slog.LevelWarn, "waiting")
				<-c.Context().Done()
				return nil, context.Cause(c.Context())
			},
		},
		backend.Function{
			Name: "spins", Summary: "Ask until the caller cancels.", Output: count,
			Run: func(c *backend.Call, _ []batch) (batch, error) {
				for c.Context().Err() == nil {
					time.Sleep(50 * time.Microsecond)
				}
				return nil, c.Context().Err()
			},
		},
		backend.Function{
			Name: "hoards", Summary: "Keep 4 GiB on the heap of Go.", Output: count,
			Run: hoard,
		},
		backend.Function{
			Name: "total", Summary: "Running total of x: one row for each batch.", Columns: xs, Output: schemaOf("total"), Stream: total,
		},
		backend.Function{
			Name: "relay", Summary: "Pass each batch on, in a coroutine of Go.", Bind: sameSchema, Stream: relay,
		},
		backend.Function{
			Name: "merge", Summary: "Take from each input in turn.", MinInputs: 2, MaxInputs: 2, Bind: sameSchema, Stream: merge,
		},
		backend.Function{
			Name: "breaks", Summary: "Fail, panic or exit after the first batch.", Bind: sameSchema,
			Options: []backend.Option{{Name: "how", Required: true}}, Stream: breaks,
		},
	)
}

func fault(name string, happen func(*backend.Call) error) backend.Function {
	return backend.Function{
		Name: name, Output: count,
		Run: func(c *backend.Call, _ []batch) (batch, error) { return nil, happen(c) },
	}
}

type liar struct{}

func (liar) Error() string { panic("again") }

func counted(_ *backend.Call, rows int64, made *array.RecordBuilder) batch {
	defer made.Release()
	made.Field(0).(*array.Int64Builder).Append(rows)
	return made.NewRecordBatch()
}

func hoard(c *backend.Call, _ []batch) (batch, error) {
	var live [][]byte
	for range 4096 {
		live = append(live, make([]byte, 1<<20))
	}
	runtime.KeepAlive(live)
	return counted(c, int64(len(live)), c.NewBuilder()), nil
}

func scale(c *backend.Call, in []batch) (batch, error) {
	factor, err := strconv.ParseInt(c.Option("factor"), 10, 64)
	if err != nil {
		return nil, backend.Errorf(backend.Invalid, "option factor: %w", err)
	}
	if unit := c.Option("unit"); strings.ToLower(unit) != unit {
		return nil, backend.Errorf(backend.Invalid, "option unit: %q has capital letters", unit)
	}
	made := c.NewBuilder()
	defer made.Release()
	out, x := made.Field(0).(*array.Int64Builder), in[0].Column(0).(*array.Int64)
	for i := range x.Len() {
		if x.IsNull(i) {
			out.AppendNull()
		} else {
			out.Append(factor * x.Value(i))
		}
	}
	return made.NewRecordBatch(), nil
}

func total(c *backend.Call, in []*backend.Input) iter.Seq2[batch, error] {
	return func(yield func(batch, error) bool) {
		sum := int64(0)
		for one, err := range in[0].All() {
			if err != nil {
				yield(nil, err)
				return
			}
			for i, value := range one.Column(0).(*array.Int64).Int64Values() {
				if one.Column(0).IsValid(i) {
					sum += value
				}
			}
			if !yield(counted(c, sum, c.NewBuilder()), nil) {
				return
			}
		}
	}
}

func relay(_ *backend.Call, in []*backend.Input) iter.Seq2[batch, error] {
	return func(yield func(batch, error) bool) {
		next, stop := iter.Pull2(in[0].All())
		defer stop()
		for one, err, ok := next(); ok; one, err, ok = next() {
			if !yield(one, err) {
				return
			}
		}
	}
}

func merge(_ *backend.Call, in []*backend.Input) iter.Seq2[batch, error] {
	return func(yield func(batch, error) bool) {
		for turn := 0; ; turn++ {
			one, err := in[turn%2].Next()
			if one == nil && err == nil || !yield(one, err) || err != nil {
				return
			}
		}
	}
}

func breaks(c *backend.Call, in []*backend.Input) iter.Seq2[batch, error] {
	return func(yield func(batch, error) bool) {
		one, err := in[0].Next()
		if one == nil || !yield(one, err) {
			return
		}
		switch c.Option("how") {
		case "error":
			yield(nil, backend.Errorf(backend.Retry, "after %d rows", one.NumRows()))
		case "panic":
			panic(fmt.Errorf("in the iterator"))
		case "exit":
			runtime.Goexit() // as testing.T.FailNow does
		case "ignore":
			yield(nil, nil)
			yield(nil, nil)
		}
	}
}
