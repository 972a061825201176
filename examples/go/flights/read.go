// SPDX-License-Identifier: MIT

package main

import (
	"archive/zip"
	"fmt"
	"io"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/csv"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

const (
	rowsPerBatch = 64 << 10
	columns      = "year month day dep_time sched_dep_time dep_delay arr_time sched_arr_time arr_delay " +
		"carrier flight tailnum origin dest air_time distance hour minute time_hour"
)

func schema() *arrow.Schema {
	var fields []arrow.Field
	for _, name := range strings.Fields(columns) {
		field := arrow.Field{Name: name, Type: arrow.PrimitiveTypes.Int64, Nullable: true}
		switch name {
		case "carrier", "tailnum", "origin", "dest":
			field.Type = arrow.BinaryTypes.String
		case "time_hour":
			field.Type = &arrow.TimestampType{Unit: arrow.Second, TimeZone: "UTC"}
		}
		fields = append(fields, field)
	}
	return arrow.NewSchema(fields, nil)
}

// flights reads the CSV file in a zip archive, batch by batch.
type flights struct {
	archive    *zip.ReadCloser
	file       io.ReadCloser
	reader     *csv.Reader
	read, size int64
}

func openFlights(path string, mem memory.Allocator) (*flights, error) {
	archive, err := zip.OpenReader(path)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	f := &flights{archive: archive, size: int64(archive.File[0].UncompressedSize64)}
	if f.file, err = archive.File[0].Open(); err != nil {
		archive.Close()
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	f.reader = csv.NewReader(f, schema(), csv.WithAllocator(mem), csv.WithHeader(true),
		csv.WithChunk(rowsPerBatch), csv.WithNullReader(true, "NA", ""))
	return f, nil
}

// Read lets the CSV reader read the file, and counts the bytes.
func (f *flights) Read(b []byte) (int, error) {
	n, err := f.file.Read(b)
	f.read += int64(n)
	return n, err
}

// share is the part of the file that was read, from 0 to 1.
func (f *flights) share() float64 { return float64(f.read) / float64(f.size) }

func (f *flights) close() {
	f.reader.Release()
	f.file.Close()
	f.archive.Close()
}
