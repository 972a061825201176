// SPDX-License-Identifier: MIT

package run

import (
	"errors"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/ignalina/alloy"
)

// letterFields are what a dead letter has besides the columns of the input.
var letterFields = []arrow.Field{
	{Name: "thund_node", Type: arrow.BinaryTypes.String},
	{Name: "thund_code", Type: arrow.BinaryTypes.String},
	{Name: "thund_text", Type: arrow.BinaryTypes.String},
	{Name: "thund_batch", Type: arrow.PrimitiveTypes.Int64},
	{Name: "thund_row", Type: arrow.PrimitiveTypes.Int64},
}

// lettersOf makes dead letters of the rows of a piece. First is the row of the batch with
// which the piece begins.
func lettersOf(schema *arrow.Schema, piece arrow.RecordBatch, node string, batch, first int64, cause error) arrow.RecordBatch {
	code, text := "FAILED", cause.Error()
	var e *alloy.Error
	if errors.As(cause, &e) {
		code, text = e.Code.String(), e.Text
	}
	mem := memory.NewGoAllocator()
	texts := []*array.StringBuilder{array.NewStringBuilder(mem), array.NewStringBuilder(mem), array.NewStringBuilder(mem)}
	numbers := []*array.Int64Builder{array.NewInt64Builder(mem), array.NewInt64Builder(mem)}
	for row := range piece.NumRows() {
		for i, value := range []string{node, code, text} {
			texts[i].Append(value)
		}
		numbers[0].Append(batch)
		numbers[1].Append(first + row)
	}
	columns := slices.Clone(piece.Columns())
	for _, builder := range texts {
		column := builder.NewArray()
		defer column.Release()
		columns = append(columns, column)
	}
	for _, builder := range numbers {
		column := builder.NewArray()
		defer column.Release()
		columns = append(columns, column)
	}
	return array.NewRecordBatch(schema, columns, piece.NumRows())
}
