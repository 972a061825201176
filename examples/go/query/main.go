// SPDX-License-Identifier: MIT

// Query runs a stream function of a backend on a Parquet file, and writes the result as an
// Arrow IPC file:
//
//	query_go build/backends/tpch_rust.so q1 lineitem.parquet out.arrow
//
// It reads the file batch by batch, and only the columns that the function declares. With
// --isolated as its first word the backend runs in a worker process, and cannot take this
// program down.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"
	"github.com/ignalina/alloy"
)

const batchRows = 64 << 10

func main() {
	words := os.Args[1:]
	isolated := len(words) > 0 && words[0] == "--isolated"
	if isolated {
		words = words[1:]
	}
	if len(words) != 4 {
		fmt.Fprintln(os.Stderr, "usage: query_go [--isolated] LIBRARY FUNCTION FILE.parquet OUT.arrow")
		os.Exit(2)
	}
	if err := run(context.Background(), isolated, words[0], words[1], words[2], words[3]); err != nil {
		fmt.Fprintln(os.Stderr, "query_go:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, isolated bool, library, function, path, out string) error {
	mem := memory.NewGoAllocator()
	bridge := alloy.GoBridge{GoAllocator: mem, AllowUnsigned: true, Isolated: isolated}
	defer bridge.Close()
	if err := bridge.SetImplLib(library, ""); err != nil {
		return err
	}
	columns, err := declared(&bridge, function)
	if err != nil {
		return err
	}
	source, err := open(ctx, path, columns, mem)
	if err != nil {
		return err
	}
	defer source.close()
	results, err := bridge.Stream(ctx, function, nil, source.records)
	if err != nil {
		return err
	}
	defer results.Release()
	return write(out, results, mem)
}

// declared returns the columns that the function reads of its first input; nil is all.
func declared(bridge *alloy.GoBridge, function string) ([]string, error) {
	functions, err := bridge.Functions()
	if err != nil {
		return nil, err
	}
	for _, f := range functions {
		if f.Name != function || len(f.Columns) == 0 {
			continue
		}
		var names []string
		for _, column := range f.Columns[0] {
			names = append(names, column.Name)
		}
		return names, nil
	}
	return nil, nil
}

// source reads a Parquet file batch by batch.
type source struct {
	file    *file.Reader
	records array.RecordReader
}

func open(ctx context.Context, path string, columns []string, mem memory.Allocator) (*source, error) {
	parquet, err := file.OpenParquetFile(path, false)
	if err != nil {
		return nil, err
	}
	s := &source{file: parquet}
	reader, err := pqarrow.NewFileReader(parquet, pqarrow.ArrowReadProperties{BatchSize: batchRows}, mem)
	if err != nil {
		s.close()
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	schema := parquet.MetaData().Schema
	var leaves []int
	for _, name := range columns {
		if leaf := schema.ColumnIndexByName(name); leaf >= 0 {
			leaves = append(leaves, leaf)
		}
	}
	if s.records, err = reader.GetRecordReader(ctx, leaves, nil); err != nil {
		s.close()
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return s, nil
}

func (s *source) close() {
	if s.records != nil {
		s.records.Release()
	}
	s.file.Close()
}

// write writes the stream to a file, batch by batch.
func write(path string, results array.RecordReader, mem memory.Allocator) error {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	defer file.Close()
	writer, err := ipc.NewFileWriter(file, ipc.WithSchema(results.Schema()), ipc.WithAllocator(mem))
	if err != nil {
		return err
	}
	for results.Next() {
		if err := writer.Write(results.RecordBatch()); err != nil {
			return err
		}
	}
	if err := results.Err(); err != nil {
		return err
	}
	if err := writer.Close(); err != nil {
		return err
	}
	return file.Close()
}
