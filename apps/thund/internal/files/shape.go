// SPDX-License-Identifier: MIT

package files

import (
	"context"
	"fmt"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/compute"
)

// shaped casts the columns of a batch and cuts it to the limit. It takes the batch.
func (s *Source) shaped(ctx context.Context, batch arrow.RecordBatch) (arrow.RecordBatch, error) {
	defer batch.Release()
	columns := make([]arrow.Array, batch.NumCols())
	defer func() {
		for i, column := range columns {
			if column != nil && column != batch.Column(i) {
				column.Release()
			}
		}
	}()
	for i := range columns {
		columns[i] = batch.Column(i)
		to := s.Schema.Field(i).Type
		if arrow.TypeEqual(columns[i].DataType(), to) {
			continue
		}
		cast, err := compute.CastToType(ctx, batch.Column(i), to)
		if err != nil {
			columns[i] = nil
			return nil, fmt.Errorf("cast of column %s: %w", s.Schema.Field(i).Name, err)
		}
		columns[i] = cast
	}
	made := array.NewRecordBatch(s.Schema, columns, batch.NumRows())
	if over := s.rows + made.NumRows() - s.node.Limit; s.node.Limit > 0 && over > 0 {
		cut := made.NewSlice(0, made.NumRows()-over)
		made.Release()
		made = cut
	}
	s.rows += made.NumRows()
	return made, nil
}
