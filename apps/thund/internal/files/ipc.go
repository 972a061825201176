// SPDX-License-Identifier: MIT

package files

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"os"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/ignalina/alloy"
)

type ipcFile struct {
	file   *os.File
	reader array.RecordReader
	keep   []int
}

// openIPC opens a stream, or a file of the IPC file format: a stream after eight bytes.
func (s *Source) openIPC(path string) (*ipcFile, error) {
	opened := os.Stdin
	if path != "-" {
		var err error
		if opened, err = os.Open(path); err != nil {
			return nil, err
		}
	}
	var from io.Reader = opened
	if path == "-" {
		from = peerReader{opened, s}
	}
	buffered := bufio.NewReaderSize(from, 1<<16)
	if start, err := buffered.Peek(8); err == nil && bytes.HasPrefix(start, []byte("ARROW1")) {
		if _, err := buffered.Discard(8); err != nil {
			return nil, err
		}
	}
	reader, err := alloy.ReadIPC(buffered)
	if err != nil {
		opened.Close()
		return nil, err
	}
	return &ipcFile{file: opened, reader: reader}, nil
}

func (f *ipcFile) next(context.Context) (arrow.RecordBatch, error) {
	if !f.reader.Next() {
		return nil, f.reader.Err()
	}
	batch := f.reader.RecordBatch()
	fields := make([]arrow.Field, len(f.keep))
	for i, at := range f.keep {
		fields[i] = batch.Schema().Field(at)
	}
	return chosen(batch, arrow.NewSchema(fields, nil), f.keep), nil
}

func (f *ipcFile) close() error {
	f.reader.Release()
	return f.file.Close()
}
