// SPDX-License-Identifier: MIT

package files

import (
	"encoding/binary"
	"io"
	"os"

	flatbuffers "github.com/google/flatbuffers/go"

	"github.com/apache/arrow-go/v18/parquet/file"
)

// TotalRows returns how many rows the source will deliver; 0 if it does not know: CSV, sockets
// and standard input. It reads only metadata.
func (s *Source) TotalRows() (total int64) {
	if s.node.Path == "" || s.node.Path == "-" || s.node.Socket {
		return 0
	}
	for _, path := range s.Paths {
		rows := int64(-1)
		switch s.node.Format {
		case "parquet":
			if opened, err := file.OpenParquetFile(path, false); err == nil {
				rows = opened.NumRows()
				opened.Close()
			}
		case "ipc":
			rows = ipcRows(path)
		}
		if rows < 0 {
			return 0
		}
		total += rows
	}
	if s.node.Limit > 0 {
		total = min(total, s.node.Limit)
	}
	return total
}

// mostMetadata is more than the metadata of any message that Thund reads.
const mostMetadata = 64 << 20

// ipcRows adds up the lengths that the messages of a file state, and passes their bodies over.
// Negative: it is not a regular file, or is damaged, which its reader will report.
func ipcRows(path string) (rows int64) {
	defer func() {
		if recover() != nil { // an offset of the metadata leaves it
			rows = -1
		}
	}()
	opened, err := os.Open(path)
	if err != nil {
		return -1
	}
	defer opened.Close()
	info, err := opened.Stat()
	if err != nil || !info.Mode().IsRegular() {
		return -1
	}
	at, start := int64(0), make([]byte, 8)
	if _, err := opened.ReadAt(start, 0); err == nil && string(start[:6]) == "ARROW1" {
		at = 8
	}
	for {
		if n, err := opened.ReadAt(start, at); err == io.EOF && n == 0 {
			return rows // a stream may end without its mark
		} else if err != nil && (err != io.EOF || n < 4) {
			return -1
		}
		size, prefix := binary.LittleEndian.Uint32(start), int64(4)
		if size == 0xFFFFFFFF { // since format 0.15 there is a mark before the size
			size, prefix = binary.LittleEndian.Uint32(start[4:]), 8
		}
		if size == 0 {
			return rows
		}
		if size > mostMetadata {
			return -1
		}
		metadata := make([]byte, size)
		if _, err := opened.ReadAt(metadata, at+prefix); err != nil {
			return -1
		}
		length, body := messageOf(metadata)
		if body < 0 || length < 0 {
			return -1
		}
		rows += length
		at += prefix + int64(size) + body
	}
}

// messageOf returns the rows and the size of the body of a message. The numbers of the fields
// are those of Message.fbs.
func messageOf(metadata []byte) (rows, body int64) {
	message := flatbuffers.Table{Bytes: metadata, Pos: flatbuffers.GetUOffsetT(metadata)}
	field := func(t flatbuffers.Table, number int) flatbuffers.UOffsetT {
		offset := t.Offset(flatbuffers.VOffsetT(4 + 2*number))
		if offset == 0 {
			return 0
		}
		return t.Pos + flatbuffers.UOffsetT(offset)
	}
	if at := field(message, 3); at != 0 {
		body = message.GetInt64(at)
	}
	const recordBatch = 3
	if at := field(message, 1); at == 0 || message.GetByte(at) != recordBatch {
		return 0, body
	}
	if at := field(message, 2); at != 0 {
		batch := flatbuffers.Table{Bytes: metadata, Pos: message.Indirect(at)}
		if at := field(batch, 0); at != 0 {
			rows = batch.GetInt64(at)
		}
	}
	return rows, body
}
