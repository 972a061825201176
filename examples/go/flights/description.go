// SPDX-License-Identifier: MIT

package main

import (
	"fmt"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
)

// description describes all batches that were read.
type description struct {
	Rows    int64    `json:"rows"`
	Records int64    `json:"records"`
	Columns []column `json:"columns"`
	Seconds struct {
		Reading   float64 `json:"reading"`
		Crossing  float64 `json:"crossing"`
		Computing float64 `json:"computing"`
	} `json:"seconds"`
}

// column describes one column. A column that is not numeric has no numbers.
type column struct {
	Name  string   `json:"name"`
	Type  string   `json:"type"`
	Rows  int64    `json:"rows"`
	Nulls int64    `json:"nulls"`
	Min   *float64 `json:"min"`
	Max   *float64 `json:"max"`
	Mean  *float64 `json:"mean"`
	Sum   *float64 `json:"sum"`
}

// get returns a column of the summary. It lies where Rust made it; nothing is copied.
func get[T arrow.Array](summary arrow.RecordBatch, name string) (found T, err error) {
	for _, i := range summary.Schema().FieldIndices(name) {
		if found, ok := summary.Column(i).(T); ok {
			return found, nil
		}
	}
	return found, fmt.Errorf("the summary has no column %q of type %T", name, found)
}

// merge adds the summary of one batch, which has a row for each column of the batch.
func (d *description) merge(summary arrow.RecordBatch) error {
	names, err1 := get[*array.String](summary, "name")
	types, err2 := get[*array.String](summary, "type")
	rows, err3 := get[*array.Int64](summary, "rows")
	nulls, err4 := get[*array.Int64](summary, "nulls")
	least, err5 := get[*array.Float64](summary, "min")
	greatest, err6 := get[*array.Float64](summary, "max")
	sums, err7 := get[*array.Float64](summary, "sum")
	for _, err := range []error{err1, err2, err3, err4, err5, err6, err7} {
		if err != nil {
			return err
		}
	}
	if d.Columns == nil {
		d.Columns = make([]column, summary.NumRows())
	}
	for i := range d.Columns {
		c := &d.Columns[i]
		// Cloned, because the summary is released before they are printed.
		c.Name, c.Type = strings.Clone(names.Value(i)), strings.Clone(types.Value(i))
		c.Rows += rows.Value(i)
		c.Nulls += nulls.Value(i)
		c.Min = combine(c.Min, least, i, func(a, b float64) float64 { return min(a, b) })
		c.Max = combine(c.Max, greatest, i, func(a, b float64) float64 { return max(a, b) })
		c.Sum = combine(c.Sum, sums, i, func(a, b float64) float64 { return a + b })
		if c.Sum != nil {
			mean := *c.Sum / float64(c.Rows-c.Nulls)
			c.Mean = &mean
		}
	}
	return nil
}

func combine(before *float64, values *array.Float64, i int, with func(a, b float64) float64) *float64 {
	if values.IsNull(i) {
		return before
	}
	value := values.Value(i)
	if before != nil {
		value = with(*before, value)
	}
	return &value
}
