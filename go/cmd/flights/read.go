// SPDX-License-Identifier: MIT

package main

import (
	"archive/zip"
	"bufio"
	"fmt"
	"io"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/csv"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

const rowsPerRecord = 64 << 10

// schema is that of flights.csv. Every column may be null.
func schema() *arrow.Schema {
	whole, text := arrow.PrimitiveTypes.Int64, arrow.BinaryTypes.String
	field := func(name string, dtype arrow.DataType) arrow.Field {
		return arrow.Field{Name: name, Type: dtype, Nullable: true}
	}
	return arrow.NewSchema([]arrow.Field{
		field("year", whole), field("month", whole), field("day", whole),
		field("dep_time", whole), field("sched_dep_time", whole), field("dep_delay", whole),
		field("arr_time", whole), field("sched_arr_time", whole), field("arr_delay", whole),
		field("carrier", text), field("flight", whole), field("tailnum", text),
		field("origin", text), field("dest", text), field("air_time", whole),
		field("distance", whole), field("hour", whole), field("minute", whole),
		field("time_hour", &arrow.TimestampType{Unit: arrow.Second, TimeZone: "UTC"}),
	}, nil)
}

// flights reads the file record by record.
type flights struct {
	archive *zip.ReadCloser
	file    io.ReadCloser
	reader  *csv.Reader
	read    int64
	size    int64
}

func openFlights(path string, mem memory.Allocator) (*flights, error) {
	archive, err := zip.OpenReader(path)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if len(archive.File) != 1 {
		archive.Close()
		return nil, fmt.Errorf("%s: %d files inside, want one", path, len(archive.File))
	}
	f := &flights{archive: archive, size: int64(archive.File[0].UncompressedSize64)}
	if f.file, err = archive.File[0].Open(); err != nil {
		archive.Close()
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	f.reader = csv.NewReader(bufio.NewReaderSize(f, 1<<20), schema(), csv.WithAllocator(mem),
		csv.WithHeader(true), csv.WithChunk(rowsPerRecord), csv.WithNullReader(true, "NA", ""))
	return f, nil
}

// Read counts what the reader above takes.
func (f *flights) Read(b []byte) (int, error) {
	n, err := f.file.Read(b)
	f.read += int64(n)
	return n, err
}

// share is how much of the file is read, from 0 to 1.
func (f *flights) share() float64 { return float64(f.read) / float64(max(f.size, 1)) }

// next gives a record, valid until the one after it; nil at the end.
func (f *flights) next() (arrow.RecordBatch, error) {
	if f.reader.Next() {
		return f.reader.RecordBatch(), nil
	}
	return nil, f.reader.Err()
}

func (f *flights) Close() {
	f.reader.Release()
	f.file.Close()
	f.archive.Close()
}
