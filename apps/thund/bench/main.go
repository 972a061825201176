// SPDX-License-Identifier: MIT

// Bench is Thund with two steps for bench/thund.py: make makes batches in memory, and drop drops
// them. As `bench channels LIBRARY CERTIFICATE ROWS BATCHES` it is the same by hand: goroutines,
// Go channels and GoBridge.Call.
package main

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/ignalina/alloy"

	"github.com/ignalina/alloy/apps/thund"
)

var schema = arrow.NewSchema([]arrow.Field{{Name: "distance", Type: arrow.PrimitiveTypes.Float64, Nullable: true}}, nil)

func batchOf(rows int) arrow.RecordBatch {
	builder := array.NewRecordBuilder(memory.NewGoAllocator(), schema)
	defer builder.Release()
	values := builder.Field(0).(*array.Float64Builder)
	for i := range rows {
		values.Append(float64(i))
	}
	return builder.NewRecordBatch()
}

func main() {
	if len(os.Args) == 6 && os.Args[1] == "channels" {
		if err := channels(os.Args[2], os.Args[3], number(os.Args[4]), number(os.Args[5])); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	thund.Main(thund.Step("make", makes), thund.Step("drop", drops))
}

func number(text string) int {
	value, err := strconv.Atoi(text)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	return value
}

// channels prints the seconds from the first batch to the last.
func channels(library, certificate string, rows, batches int) error {
	text, err := alloy.ReadCertificate(certificate)
	if err != nil {
		return err
	}
	bridge := &alloy.GoBridge{}
	defer bridge.Close()
	if err := bridge.SetImplLib(library, text); err != nil {
		return err
	}
	batch := batchOf(rows)
	defer batch.Release()
	in, out := make(chan arrow.RecordBatch, 8), make(chan arrow.RecordBatch, 8)
	failed := make(chan error, 1)
	begin := time.Now()
	go func() {
		defer close(in)
		for range batches {
			batch.Retain()
			in <- batch
		}
	}()
	go func() {
		defer close(out)
		for one := range in {
			made, err := bridge.Call(context.Background(), "scale", alloy.Options{"column": "distance", "factor": "1.609344"}, one)
			one.Release()
			if err != nil {
				failed <- err
				return
			}
			out <- made
		}
	}()
	count := int64(0)
	for made := range out {
		count += made.NumRows()
		made.Release()
	}
	select {
	case err := <-failed:
		return err
	default:
	}
	fmt.Println(time.Since(begin).Seconds(), count)
	return nil
}

// reader is a record reader of a function.
type reader struct {
	next  func() (arrow.RecordBatch, error)
	batch arrow.RecordBatch
	err   error
}

func (r *reader) Retain()                        {}
func (r *reader) Release()                       {}
func (r *reader) Schema() *arrow.Schema          { return schema }
func (r *reader) RecordBatch() arrow.RecordBatch { return r.batch }
func (r *reader) Record() arrow.RecordBatch      { return r.batch }
func (r *reader) Err() error                     { return r.err }
func (r *reader) Next() bool {
	if r.batch != nil {
		r.batch.Release()
	}
	r.batch, r.err = r.next()
	return r.batch != nil
}

func makes(context.Context, []array.RecordReader) (array.RecordReader, error) {
	batch, left := batchOf(number(os.Getenv("BENCH_ROWS"))), number(os.Getenv("BENCH_BATCHES"))
	return &reader{next: func() (arrow.RecordBatch, error) {
		if left--; left < 0 {
			return nil, nil
		}
		batch.Retain()
		return batch, nil
	}}, nil
}

func drops(_ context.Context, inputs []array.RecordReader) (array.RecordReader, error) {
	return &reader{next: func() (arrow.RecordBatch, error) {
		for inputs[0].Next() {
		}
		return nil, inputs[0].Err()
	}}, nil
}
