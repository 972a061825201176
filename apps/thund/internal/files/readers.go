// SPDX-License-Identifier: MIT

package files

import (
	"bufio"
	"context"
	stdcsv "encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/csv"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"

	"github.com/ignalina/alloy/apps/thund/internal/graph"
)

// checkHeader reads only the first line of a CSV file.
func checkHeader(path string, comma rune, schema *arrow.Schema) error {
	opened, err := os.Open(path)
	if err != nil {
		return err
	}
	defer opened.Close()
	reader := stdcsv.NewReader(bufio.NewReaderSize(opened, 4096))
	reader.Comma = comma
	header, err := reader.Read()
	if err != nil {
		return fmt.Errorf("cannot read the header: %w", err)
	}
	for i, name := range header {
		if slices.Contains(header[:i], name) {
			return fmt.Errorf("the header has the column %q twice", name)
		}
	}
	for _, field := range schema.Fields() {
		if !slices.Contains(header, field.Name) {
			return fmt.Errorf("there is no column %q; the header has %s", field.Name, strings.Join(header, ", "))
		}
	}
	return nil
}

type csvFile struct {
	file   *os.File
	reader *csv.Reader
	schema *arrow.Schema
	begun  bool
}

func openCSV(path string, n *graph.Node, read *arrow.Schema, keep []int) (batches, error) {
	opened, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	names, types := make([]string, len(keep)), map[string]arrow.DataType{}
	fields := make([]arrow.Field, len(keep))
	for i, at := range keep {
		fields[i] = read.Field(at)
		names[i], types[fields[i].Name] = fields[i].Name, fields[i].Type
	}
	nulls := n.Nulls
	if nulls == nil {
		nulls = []string{""}
	}
	// "Inferring" chooses columns by name; it infers nothing, because it gets all types.
	reader := csv.NewInferringReader(opened, csv.WithAllocator(memory.NewGoAllocator()), csv.WithHeader(true), csv.WithChunk(n.BatchRows),
		csv.WithComma(n.Comma), csv.WithIncludeColumns(names), csv.WithColumnTypes(types), csv.WithNullReader(true, nulls...))
	return &csvFile{file: opened, reader: reader, schema: arrow.NewSchema(fields, nil)}, nil
}

func (f *csvFile) next(context.Context) (arrow.RecordBatch, error) {
	more := f.advance()
	// A value that cannot be read is a null in the batch, and an error here.
	if err := f.reader.Err(); err != nil {
		return nil, err
	}
	if !more {
		return nil, nil
	}
	batch := f.reader.RecordBatch()
	return array.NewRecordBatch(f.schema, batch.Columns(), batch.NumRows()), nil
}

// advance is Next of arrow-go, which panics if the first row is missing or cannot be read:
// a reader that chooses columns makes its builder at the first row.
func (f *csvFile) advance() (more bool) {
	if f.begun {
		return f.reader.Next()
	}
	f.begun = true
	defer func() {
		if cause := recover(); cause != nil {
			if f.reader.Schema() != nil { // there is a first row: it is something else
				panic(cause)
			}
			more = false // Err has the error, if there is one
		}
	}()
	return f.reader.Next()
}

func (f *csvFile) close() error {
	f.reader.Release()
	return f.file.Close()
}

func openParquetReader(path string, rows int64) (*file.Reader, *pqarrow.FileReader, error) {
	opened, err := file.OpenParquetFile(path, false)
	if err != nil {
		return nil, nil, err
	}
	reader, err := pqarrow.NewFileReader(opened, pqarrow.ArrowReadProperties{BatchSize: rows}, memory.NewGoAllocator())
	if err != nil {
		opened.Close()
		return nil, nil, err
	}
	return opened, reader, nil
}

// parquetSchema reads only the metadata of a file.
func parquetSchema(path string) (*arrow.Schema, error) {
	opened, reader, err := openParquetReader(path, 1)
	if err != nil {
		return nil, err
	}
	defer opened.Close()
	return reader.Schema()
}

type parquetFile struct {
	file   *file.Reader
	reader pqarrow.RecordReader
	places []int // of the wanted columns among those that are read
	schema *arrow.Schema
}

func openParquet(ctx context.Context, path string, rows int, read *arrow.Schema, keep []int) (batches, error) {
	opened, reader, err := openParquetReader(path, int64(rows))
	if err != nil {
		return nil, err
	}
	f := &parquetFile{file: opened}
	// A column may have several leaves, if it is nested.
	var leaves []int
	sorted := slices.Compact(slices.Sorted(slices.Values(keep)))
	for leaf := range opened.MetaData().Schema.NumColumns() {
		root := opened.MetaData().Schema.ColumnRoot(leaf).Name()
		if slices.ContainsFunc(sorted, func(at int) bool { return read.Field(at).Name == root }) {
			leaves = append(leaves, leaf)
		}
	}
	var fields []arrow.Field
	for _, at := range keep {
		f.places = append(f.places, slices.Index(sorted, at))
		fields = append(fields, read.Field(at))
	}
	f.schema = arrow.NewSchema(fields, nil)
	if f.reader, err = reader.GetRecordReader(ctx, leaves, nil); err != nil {
		opened.Close()
		return nil, err
	}
	return f, nil
}

func (f *parquetFile) next(context.Context) (arrow.RecordBatch, error) {
	if !f.reader.Next() {
		if err := f.reader.Err(); err != nil && !errors.Is(err, io.EOF) {
			return nil, err
		}
		return nil, nil
	}
	batch := f.reader.RecordBatch()
	return chosen(batch, f.schema, f.places), nil
}

// chosen returns some columns of a batch that the caller keeps.
func chosen(batch arrow.RecordBatch, schema *arrow.Schema, places []int) arrow.RecordBatch {
	columns := make([]arrow.Array, len(places))
	for i, at := range places {
		columns[i] = batch.Column(at)
	}
	return array.NewRecordBatch(schema, columns, batch.NumRows())
}

func (f *parquetFile) close() error {
	f.reader.Release()
	return f.file.Close()
}
