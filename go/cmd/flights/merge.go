// SPDX-License-Identifier: MIT

package main

import (
	"fmt"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
)

// result is what is known of the whole file.
type result struct {
	Rows    int64    `json:"rows"`
	Records int64    `json:"records"`
	Columns []column `json:"columns"`
	Seconds struct {
		Reading   float64 `json:"reading"`
		Crossing  float64 `json:"crossing"`
		Computing float64 `json:"computing"`
	} `json:"seconds"`
}

// column is one line of it. The numbers are nil where a column has none.
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

// view is a summary as the library made it; nothing of it is copied.
type view struct {
	names, types  *array.String
	rows, nulls   *array.Int64
	min, max, sum *array.Float64
}

func look(summary arrow.RecordBatch) (v view, err error) {
	take := func(name string, into any) {
		places := summary.Schema().FieldIndices(name)
		if len(places) != 1 {
			err = fmt.Errorf("the summary has %d columns %q, want one", len(places), name)
			return
		}
		ok := false
		switch into := into.(type) {
		case **array.String:
			*into, ok = summary.Column(places[0]).(*array.String)
		case **array.Int64:
			*into, ok = summary.Column(places[0]).(*array.Int64)
		case **array.Float64:
			*into, ok = summary.Column(places[0]).(*array.Float64)
		}
		if !ok {
			err = fmt.Errorf("the column %q of the summary is of type %s",
				name, summary.Column(places[0]).DataType())
		}
	}
	take("name", &v.names)
	take("type", &v.types)
	take("rows", &v.rows)
	take("nulls", &v.nulls)
	take("min", &v.min)
	take("max", &v.max)
	take("sum", &v.sum)
	return v, err
}

// merge adds what one record's summary says.
func (r *result) merge(summary arrow.RecordBatch) error {
	v, err := look(summary)
	if err != nil {
		return err
	}
	if r.Columns == nil {
		r.Columns = make([]column, summary.NumRows())
		for i := range r.Columns {
			// The strings outlive the summary that they are part of.
			r.Columns[i].Name = string([]byte(v.names.Value(i)))
			r.Columns[i].Type = string([]byte(v.types.Value(i)))
		}
	}
	if int64(len(r.Columns)) != summary.NumRows() {
		return fmt.Errorf("a summary of %d columns after one of %d", summary.NumRows(), len(r.Columns))
	}
	for i := range r.Columns {
		c := &r.Columns[i]
		c.Rows += v.rows.Value(i)
		c.Nulls += v.nulls.Value(i)
		c.Min = combine(c.Min, v.min, i, func(a, b float64) float64 { return min(a, b) })
		c.Max = combine(c.Max, v.max, i, func(a, b float64) float64 { return max(a, b) })
		c.Sum = combine(c.Sum, v.sum, i, func(a, b float64) float64 { return a + b })
		if c.Sum != nil {
			mean := *c.Sum / float64(c.Rows-c.Nulls)
			c.Mean = &mean
		}
	}
	return nil
}

func combine(so *float64, values *array.Float64, i int, with func(a, b float64) float64) *float64 {
	if values.IsNull(i) {
		return so
	}
	value := values.Value(i)
	if so != nil {
		value = with(*so, value)
	}
	return &value
}
