// SPDX-License-Identifier: MIT

package cdata

import (
	"fmt"
	"sync/atomic"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
)

// record is a result as a record batch. The constructor of arrow-go would compare each
// column with the schema, but the columns were just made from that schema.
type record struct {
	count   atomic.Int64
	schema  *arrow.Schema
	rows    int64
	columns []arrow.Array
}

var _ arrow.RecordBatchWithMetadata = (*record)(nil)

func (r *record) Retain() { r.count.Add(1) }

func (r *record) Release() {
	if r.count.Add(-1) == 0 {
		for _, column := range r.columns {
			column.Release()
		}
		r.columns = nil
	}
}

func (r *record) Schema() *arrow.Schema    { return r.schema }
func (r *record) Metadata() arrow.Metadata { return arrow.Metadata{} }
func (r *record) NumRows() int64           { return r.rows }
func (r *record) NumCols() int64           { return int64(len(r.columns)) }
func (r *record) Columns() []arrow.Array   { return r.columns }
func (r *record) Column(i int) arrow.Array { return r.columns[i] }
func (r *record) ColumnName(i int) string  { return r.schema.Field(i).Name }
func (r *record) copy() arrow.RecordBatch  { return array.NewRecordBatch(r.schema, r.columns, r.rows) }

func (r *record) SetColumn(i int, column arrow.Array) (arrow.RecordBatch, error) {
	c := r.copy()
	defer c.Release()
	return c.SetColumn(i, column)
}

func (r *record) NewSlice(i, j int64) arrow.RecordBatch {
	c := r.copy()
	defer c.Release()
	return c.NewSlice(i, j)
}

func (r *record) MarshalJSON() ([]byte, error) {
	c := r.copy()
	defer c.Release()
	return c.MarshalJSON()
}

func (r *record) String() string {
	c := r.copy()
	defer c.Release()
	return fmt.Sprint(c)
}
