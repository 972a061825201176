// SPDX-License-Identifier: MIT

package files

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/ignalina/alloy/apps/thund/internal/graph"
)

// written writes batches of these rows in a format: parquet, ipc, or stream, which is ipc without a footer.
func written(t *testing.T, format string, rows ...int) string {
	t.Helper()
	schema := arrow.NewSchema([]arrow.Field{{Name: "id", Type: arrow.PrimitiveTypes.Int64}, {Name: "text", Type: &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int32, ValueType: arrow.BinaryTypes.String}}}, nil)
	path := filepath.Join(t.TempDir(), "rows")
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	var to writer
	if format == "stream" {
		to = ipc.NewWriter(file, ipc.WithSchema(schema))
	} else if to, err = newWriter(format, struct{ *os.File }{file}, schema); err != nil {
		t.Fatal(err)
	}
	builder := array.NewRecordBuilder(memory.NewGoAllocator(), schema)
	for _, count := range rows {
		for row := range count {
			builder.Field(0).(*array.Int64Builder).Append(int64(row))
			if err := builder.Field(1).(*array.BinaryDictionaryBuilder).AppendString("same"); err != nil {
				t.Fatal(err)
			}
		}
		batch := builder.NewRecordBatch()
		if err := to.Write(batch); err != nil {
			t.Fatal(err)
		}
	}
	if err := to.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

func total(format, path string, limit int64) int64 {
	if format == "stream" {
		format = "ipc"
	}
	s := &Source{Paths: []string{path, path}, node: &graph.Node{Format: format, Path: path, Limit: limit}}
	return s.TotalRows()
}

func TestAFileKnowsItsRows(t *testing.T) {
	for _, format := range []string{"parquet", "ipc", "stream"} {
		path := written(t, format, 5, 0, 70_000, 1)
		if got := total(format, path, 0); got != 2*70_006 {
			t.Errorf("%s: two files have %d rows", format, got)
		}
		if got := total(format, path, 9); got != 9 {
			t.Errorf("%s: with a limit of 9: %d", format, got)
		}
	}
	if got := total("csv", written(t, "stream", 3), 0); got != 0 {
		t.Errorf("a CSV file knows %d rows", got)
	}
}

// Whatever is left of a file, or stands in it: no panic, no endless loop, and never more rows
// than there are.
func TestADamagedFileDoesNotKnowMoreRowsThanItHas(t *testing.T) {
	for _, format := range []string{"ipc", "stream"} {
		path := written(t, format, 3, 4)
		whole, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for size := range whole {
			if err := os.WriteFile(path, whole[:size], 0o600); err != nil {
				t.Fatal(err)
			}
			if got := total(format, path, 0); got > 14 {
				t.Fatalf("%s: %d of %d bytes: %d rows", format, size, len(whole), got)
			}
		}
		for at := range whole {
			damaged := append([]byte(nil), whole...)
			damaged[at] ^= 0xFF
			if err := os.WriteFile(path, damaged, 0o600); err != nil {
				t.Fatal(err)
			}
			total(format, path, 0)
		}
	}
}
