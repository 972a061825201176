// SPDX-License-Identifier: MIT

//go:build linux && cgo && (amd64 || arm64)

package bridge_test

import (
	"fmt"
	"log/slog"
	"os"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

// isolated is the mode of the bridges that the tests open: ALLOY_TEST_ISOLATED=1 runs each
// library in worker processes. The same tests have to pass.
var isolated = os.Getenv("ALLOY_TEST_ISOLATED") == "1"

var silent = slog.New(slog.DiscardHandler)

// int64Batch makes columns of rows that count up from the column's number.
func int64Batch(mem memory.Allocator, columns, rows int) arrow.RecordBatch {
	fields := make([]arrow.Field, columns)
	arrays := make([]arrow.Array, columns)
	for i := range fields {
		fields[i] = arrow.Field{Name: fmt.Sprintf("c%d", i), Type: arrow.PrimitiveTypes.Int64, Nullable: true}
		builder := array.NewInt64Builder(mem)
		for row := range rows {
			builder.Append(int64(i + row))
		}
		arrays[i] = builder.NewArray()
		builder.Release()
	}
	batch := array.NewRecordBatch(arrow.NewSchema(fields, nil), arrays, int64(rows))
	for _, column := range arrays {
		column.Release()
	}
	return batch
}
