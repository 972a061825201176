// SPDX-License-Identifier: MIT

package bridge

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"

	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/ipc"

	"github.com/ignalina/alloy/go/cdata"
)

// ReadIPC reads an Arrow IPC stream, such as WriteIPC writes, from a file, a pipe or a
// socket: batch by batch as Next asks for them, and no byte beyond its end marker.
//
// It is a function and no method of GoBridge, since no backend takes part; the result is
// an input for Stream like any other reader. The options are arrow-go's: its limits, 256
// MiB for a batch unless ipc.WithBodySizeLimit says otherwise, keep broken bytes from
// asking for all memory there is.
//
// A broken stream is an *Error that names the batch and the byte where it broke; Unwrap
// gives the reader's own. So is one that ends without its marker, which may be a writer
// that failed: for streams that never have one, arrow-go's ipc.NewReader does.
func ReadIPC(r io.Reader, options ...ipc.Option) (array.RecordReader, error) {
	bytes := &tap{reader: r}
	messages := &messages{MessageReader: ipc.NewMessageReader(bytes, options...), bytes: bytes}
	reader, err := ipc.NewReaderFromMessageReader(messages, options...)
	if err != nil {
		return nil, messages.broken("the schema", err)
	}
	plan, err := cdata.NewPlan(reader.Schema())
	if err != nil {
		reader.Release()
		return nil, messages.broken("the schema", err)
	}
	return &ipcReader{Reader: reader, messages: messages, plan: plan}, nil
}

// tap knows how far a stream was read, and keeps the metadata of the message that is.
type tap struct {
	reader   io.Reader
	read     int64
	begin    int64  // of the message
	head     []byte // its first bytes, with the length of its metadata
	metadata []byte
}

func (t *tap) begins() {
	t.begin, t.head, t.metadata = t.read, t.head[:0], t.metadata[:0]
}

func (t *tap) Read(p []byte) (int, error) {
	n, err := t.reader.Read(p)
	t.read += int64(n)
	p = p[:max(n, 0)]
	// Before version 0.15 the length stood alone, without FFFFFFFF before it.
	for len(p) > 0 && (len(t.head) < 4 || len(t.head) < 8 && t.length(0) == math.MaxUint32) {
		t.head, p = append(t.head, p[0]), p[1:]
	}
	if len(p) > 0 {
		missing := int64(t.length(len(t.head)-4)) - int64(len(t.metadata))
		t.metadata = append(t.metadata, p[:min(int64(len(p)), missing)]...)
	}
	return n, err
}

func (t *tap) length(at int) uint32 { return binary.LittleEndian.Uint32(t.head[at:]) }

// messages are those of a stream, looked at before arrow-go takes them apart.
type messages struct {
	ipc.MessageReader
	bytes *tap
}

var errNoMarker = fmt.Errorf("it ends without its end marker, as if its writer had failed: %w", io.ErrUnexpectedEOF)

func (m *messages) Message() (*ipc.Message, error) {
	m.bytes.begins()
	message, err := m.MessageReader.Message()
	if err == nil {
		return message, checkMetadata(m.bytes.metadata)
	}
	// Of the marker arrow-go makes a plain EOF. Any other it would take for the end as well.
	if err != io.EOF && errors.Is(err, io.EOF) {
		err = errNoMarker
	}
	return nil, err
}

func (m *messages) broken(what string, err error) *Error {
	e := fromMismatch(err)
	e.Input = -1
	e.Text = fmt.Sprintf("Arrow IPC stream: %s, in the message that begins at byte %d, %d bytes read: %v", what, m.bytes.begin, m.bytes.read, err)
	e.cause = err
	return e
}

// ipcReader is arrow-go's, with errors that have a place and stay.
type ipcReader struct {
	*ipc.Reader
	messages *messages
	plan     *cdata.Plan
	batches  int
	err      error
}

func (r *ipcReader) Err() error { return r.err }

func (r *ipcReader) Next() bool {
	if r.err != nil {
		return false
	}
	more, err := r.next()
	if err != nil {
		r.err = r.messages.broken(fmt.Sprintf("batch %d", r.batches), err)
		return false
	}
	if more {
		r.batches++
	}
	return more
}

// next also checks what the batch says of its buffers, which nobody can who only has its
// addresses.
func (r *ipcReader) next() (more bool, err error) {
	defer func() {
		if cause := recover(); cause != nil {
			more, err = false, fmt.Errorf("arrow-go refuses it: %v", cause)
		}
	}()
	if !r.Reader.Next() {
		return false, r.Reader.Err()
	}
	return true, cdata.Check(r.plan, r.RecordBatch())
}

// WriteIPC writes what a reader gives as an Arrow IPC stream, each batch as soon as it is
// there, and the end marker after the last. The options are arrow-go's.
//
// An error of the reader is returned as it is, and ends the output without a marker, so
// that whoever reads it (as by ReadIPC) does not take it for whole. The writer is the
// caller's, to close and, after an error, to remove. What cannot be written is an error
// with the number of the batch.
func WriteIPC(w io.Writer, r array.RecordReader, options ...ipc.Option) error {
	valve := &valve{writer: w}
	buffer := bufio.NewWriterSize(valve, 64<<10)
	writer := ipc.NewWriter(buffer, append(options[:len(options):len(options)], ipc.WithSchema(r.Schema()))...)
	err := writeBatches(writer, buffer, r)
	// Without an error this writes the marker; after one it only frees what the writer has.
	valve.shut = err != nil
	if closing := writer.Close(); err == nil {
		err = errors.Join(closing, buffer.Flush())
		if err != nil {
			err = fmt.Errorf("alloy: the end of the Arrow IPC stream: %w", err)
		}
	}
	return err
}

func writeBatches(writer *ipc.Writer, buffer *bufio.Writer, r array.RecordReader) error {
	for i := 0; r.Next(); i++ {
		err := writer.Write(r.RecordBatch())
		if err == nil {
			err = buffer.Flush()
		}
		if err != nil {
			return fmt.Errorf("alloy: batch %d of the Arrow IPC stream: %w", i, err)
		}
	}
	return r.Err()
}

// valve lets nothing through once it is shut.
type valve struct {
	writer io.Writer
	shut   bool
}

func (v *valve) Write(p []byte) (int, error) {
	if v.shut {
		return 0, io.ErrClosedPipe
	}
	return v.writer.Write(p)
}
