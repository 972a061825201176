// SPDX-License-Identifier: MIT

package files

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"os"
	"path/filepath"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/csv"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/compress"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"

	"github.com/ignalina/alloy/apps/thund/internal/graph"
)

// writer writes batches in a format. Close finishes the content, not the file.
type writer interface {
	Write(batch arrow.RecordBatch) error
	Close() error
}

type csvWriter struct{ *csv.Writer }

func (w csvWriter) Close() error { return w.Flush() }

type parquetWriter struct{ *pqarrow.FileWriter }

// Write lets a row group have several batches.
func (w parquetWriter) Write(batch arrow.RecordBatch) error { return w.WriteBuffered(batch) }

// newWriter returns a writer of a format; an error if it cannot store the types.
func newWriter(format string, to io.Writer, schema *arrow.Schema) (made writer, err error) {
	defer func() {
		if cause := recover(); cause != nil { // so arrow-go refuses a type
			made, err = nil, fmt.Errorf("%v", cause)
		}
	}()
	switch format {
	case "csv":
		w := csvWriter{csv.NewWriter(to, schema, csv.WithHeader(true), csv.WithNullWriter(""))}
		// An empty batch writes the header, and finds a type that CSV cannot hold.
		builder := array.NewRecordBuilder(memory.NewGoAllocator(), schema)
		defer builder.Release()
		empty := builder.NewRecordBatch()
		defer empty.Release()
		return w, w.Write(empty)
	case "parquet":
		w, err := pqarrow.NewFileWriter(schema, to, parquet.NewWriterProperties(parquet.WithCompression(compress.Codecs.Snappy)), pqarrow.NewArrowWriterProperties(pqarrow.WithStoreSchema()))
		return parquetWriter{w}, err
	}
	return ipc.NewFileWriter(to, ipc.WithSchema(schema))
}

// CheckSink reports whether a sink can store the types of a schema.
func CheckSink(n *graph.Node, schema *arrow.Schema) error {
	_, err := newWriter(n.Format, io.Discard, schema)
	return err
}

// Sink writes one file, which appears complete or not at all.
type Sink struct {
	Path   string
	Rows   int64
	SHA256 string // after Finish
	Waits  Waits  // may be set before the sink is written

	file   *os.File
	socket *socket // instead of a file
	buffer *bufio.Writer
	hash   hash.Hash
	writer writer
}

// OpenSink makes the file PATH.part, and the folder if it is missing. A socket ends with the
// context.
func OpenSink(ctx context.Context, n *graph.Node, schema *arrow.Schema) (*Sink, error) {
	s := &Sink{Path: n.Path, hash: sha256.New(), file: os.Stdout}
	var err error
	if n.Socket {
		opened, err := openSocket(n)
		if err != nil {
			return nil, err
		}
		s.file, s.socket = nil, opened
		s.writer = &feed{socket: opened, sink: s, schema: schema}
		context.AfterFunc(ctx, opened.close)
		return s, nil
	}
	if n.Path != "-" {
		if err := os.MkdirAll(filepath.Dir(n.Path), 0o777); err != nil {
			return nil, err
		}
		if s.file, err = os.Create(s.part()); err != nil {
			return nil, err
		}
	}
	to := io.MultiWriter(s.file, s.hash)
	if n.Path == "-" { // a reader of a pipe gets each batch at once
		to = io.MultiWriter(peerWriter{s.file, s}, s.hash)
		s.writer = ipc.NewWriter(to, ipc.WithSchema(schema))
		return s, nil
	}
	s.buffer = bufio.NewWriterSize(to, 1<<18)
	// A Parquet writer would close what it writes to.
	if s.writer, err = newWriter(n.Format, struct{ io.Writer }{s.buffer}, schema); err != nil {
		s.Abandon()
		return nil, err
	}
	return s, nil
}

func (s *Sink) part() string { return s.Path + ".part" }

// Write writes a batch of the caller.
func (s *Sink) Write(batch arrow.RecordBatch) (err error) {
	s.Rows += batch.NumRows()
	return s.writer.Write(batch)
}

// Finish completes the file, which Publish then puts in place.
func (s *Sink) Finish() error {
	if err := s.writer.Close(); err != nil {
		return err
	}
	if s.socket != nil {
		return nil
	}
	s.SHA256 = hex.EncodeToString(s.hash.Sum(nil))
	if s.buffer == nil {
		return nil
	}
	if err := s.buffer.Flush(); err != nil {
		return err
	}
	s.SHA256 = hex.EncodeToString(s.hash.Sum(nil))
	if err := s.file.Sync(); err != nil {
		return err
	}
	return s.file.Close()
}

// Publish gives the file its name.
func (s *Sink) Publish() error {
	if s.buffer == nil {
		return nil
	}
	if err := os.Rename(s.part(), s.Path); err != nil {
		return err
	}
	folder, err := os.Open(filepath.Dir(s.Path))
	if err != nil {
		return err
	}
	defer folder.Close()
	return folder.Sync()
}

// Abandon removes the file that is not complete.
func (s *Sink) Abandon() {
	if s.socket != nil {
		s.socket.close()
	} else if s.Path != "-" {
		s.file.Close()
		os.Remove(s.part())
	}
}
