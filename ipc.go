// SPDX-License-Identifier: MIT

package alloy

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

// ReadIPC reads an Arrow IPC stream from a file, a pipe or a socket, batch by batch. The
// result is an input for [GoBridge].Stream, like any other reader.
//
// Nothing after the end marker of the stream is read. The options are those of arrow-go.
// Three limits stop damaged or hostile input from asking for too much memory. A batch may
// have 256 MiB in the stream, unless ipc.WithBodySizeLimit sets another limit. A compressed
// buffer may not claim more bytes than its codec can make of so few. After decompression, a
// batch may have 1 GiB, and so may all dictionaries of the stream together: see
// [ReadIPCWithin].
//
// Errors are of type [*Error]. The text names the batch and the byte where the stream is
// damaged, and errors.Unwrap gives the error of arrow-go. If r itself fails, the code is
// [Failed], not BadData: or [Timeout] or [Cancelled], if that is why it failed. Errors.Is and
// errors.As find the error of r. A stream without an end marker
// is an error too, because its writer may have failed. Use arrow-go's ipc.NewReader for
// streams that never have an end marker.
func ReadIPC(r io.Reader, options ...ipc.Option) (array.RecordReader, error) {
	return ReadIPCWithin(defaultDecompressed, r, options...)
}

// ReadIPCWithin is [ReadIPC] with another limit for the bytes of a batch after
// decompression, and for the bytes of all dictionaries of the stream together. A larger one
// is an error with the code [Exhausted].
func ReadIPCWithin(limit int64, r io.Reader, options ...ipc.Option) (array.RecordReader, error) {
	if r == nil {
		e := callerError(Invalid, "the reader is nil; pass a file, a pipe or a socket")
		e.Reason = reasonNilArgument
		return nil, e
	}
	if limit <= 0 {
		e := callerError(Invalid, "the limit is %d; pass the most bytes that a batch may have", limit)
		e.Reason = reasonOutOfRange
		return nil, e
	}
	bytes := &tap{reader: r}
	messages := &messages{
		MessageReader: ipc.NewMessageReader(bytes, options...), bytes: bytes,
		limit: limit, dictionaries: dictionaries{},
	}
	reader, err := ipc.NewReaderFromMessageReader(messages, options...)
	if err != nil {
		return nil, messages.broken("the schema", err)
	}
	plan, err := cdata.NewPlan(reader.Schema())
	if err != nil {
		reader.Release()
		return nil, messages.broken("the schema", err)
	}
	return &ipcReader{Reader: reader, messages: messages, plan: plan, plain: isPlainSource(r)}, nil
}

// tap counts the bytes of a stream, and copies the metadata of the current message.
type tap struct {
	reader   io.Reader
	read     int64
	begin    int64  // where the current message begins
	head     []byte // the first bytes of the message, which end with the length of its metadata
	failure  error  // of the reader; nil at the end of its bytes
	metadata []byte
	body     []byte // lies in the memory of arrow-go, and is valid until the next message
}

func (t *tap) begins() {
	t.begin, t.head, t.metadata, t.body = t.read, t.head[:0], t.metadata[:0], nil
}

func (t *tap) Read(p []byte) (int, error) {
	n, err := t.reader.Read(p)
	if err != nil && err != io.EOF {
		t.failure = err
	}
	t.read += int64(n)
	p = p[:max(n, 0)]
	// Writers before version 0.15 put no FFFFFFFF before the length.
	for len(p) > 0 && (len(t.head) < 4 || len(t.head) < 8 && t.length(0) == math.MaxUint32) {
		t.head, p = append(t.head, p[0]), p[1:]
	}
	if len(p) > 0 {
		missing := int64(t.length(len(t.head)-4)) - int64(len(t.metadata))
		missing = max(0, min(int64(len(p)), missing))
		t.metadata = append(t.metadata, p[:missing]...)
		t.keep(p[missing:])
	}
	return n, err
}

// keep adds a piece of the body. Arrow-go reads a body into one slice, so nothing is copied.
func (t *tap) keep(p []byte) {
	have := len(t.body)
	switch {
	case len(p) == 0:
	case have == 0:
		t.body = p
	case cap(t.body) >= have+len(p) && &t.body[:have+1][have] == &p[0]:
		t.body = t.body[:have+len(p)]
	default:
		t.body = append(t.body[:have:have], p...)
	}
}

func (t *tap) length(at int) uint32 { return binary.LittleEndian.Uint32(t.head[at:]) }

// messages reads the messages of a stream, and checks their metadata before arrow-go parses
// it.
type messages struct {
	ipc.MessageReader
	bytes        *tap
	limit        int64 // of the bytes of a message, and of all dictionaries
	dictionaries dictionaries
}

var errNoMarker = fmt.Errorf("the stream ends without its end marker; its writer may have failed: %w", io.ErrUnexpectedEOF)

func (m *messages) Message() (*ipc.Message, error) {
	m.bytes.begins()
	message, err := m.MessageReader.Message()
	if err == nil {
		if err := m.check(); err != nil {
			return nil, err
		}
		return message, nil
	}
	// For the end marker arrow-go returns io.EOF itself. It would also accept any error that
	// wraps io.EOF as the end.
	if err != io.EOF && errors.Is(err, io.EOF) {
		err = errNoMarker
	}
	return nil, err
}

// check checks the metadata of a message, and the sizes that its body claims.
func (m *messages) check() error {
	found, err := checkMetadata(m.bytes.metadata)
	if err != nil {
		return err
	}
	bytes, err := found.decompressed(m.bytes.body)
	if err != nil {
		return err
	}
	// Without compression the body is in memory already, and has a limit of its own.
	if bytes > m.limit && len(found.buffers) > 0 {
		return &limitError{"the batch", bytes, m.limit}
	}
	if !found.isDictionary {
		return nil
	}
	if all := m.dictionaries.add(&found, bytes); all > m.limit {
		return &limitError{"all dictionaries together", all, m.limit}
	}
	return nil
}

// broken makes the error of a stream that is damaged, or whose reader failed; what names the
// part.
func (m *messages) broken(what string, err error) *Error {
	e := fromMismatch(err)
	e.Reason = reasonIPC
	if m.bytes.failure != nil {
		err = m.bytes.failure
		e = fromIO(err)
		if e.Reason == 0 {
			e.Reason = reasonInputFailed
		}
	}
	e.Input = -1
	var limit *limitError
	if errors.As(err, &limit) {
		e.Code, e.Reason = Exhausted, reasonOutOfRange
	}
	e.Text = fmt.Sprintf("Arrow IPC stream: %s, in the message that begins at byte %d, %d bytes read: %v", what, m.bytes.begin, m.bytes.read, err)
	e.cause = err
	return e
}

// ipcReader is the reader of arrow-go, with errors that name the place and that stay.
type ipcReader struct {
	*ipc.Reader
	messages *messages
	plan     *cdata.Plan
	plain    bool // the bytes come from memory or from a descriptor
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

// next also checks the sizes of the buffers. Behind the C data interface nobody can, since it
// carries only addresses.
func (r *ipcReader) next() (more bool, err error) {
	defer func() {
		if cause := recover(); cause != nil {
			more, err = false, fmt.Errorf("arrow-go cannot read it: %v", cause)
		}
	}()
	if !r.Reader.Next() {
		return false, r.Reader.Err()
	}
	return true, cdata.Check(r.plan, r.RecordBatch())
}

// WriteIPC writes all batches of a reader as an Arrow IPC stream. It writes each batch as
// soon as the reader returns it, and the end marker after the last one. After each batch it
// calls the method Flush or FlushError of the writer, if there is one: a client of an
// http.ResponseWriter, for example, gets each batch at once. The options are those of arrow-go.
//
// If the reader fails, WriteIPC returns the reader's error unchanged and writes no end
// marker. A program that reads the output, with [ReadIPC] for example, then gets an error
// as well. The caller closes the writer, and removes incomplete output.
//
// If a batch cannot be written, the error is of type [*Error]. It names the batch by its
// number. Its code is [Failed] if w failed ([Timeout] or [Cancelled], if that is why), and
// BadData if Arrow IPC cannot hold the batch. Errors.Is and errors.As find the error of w.
func WriteIPC(w io.Writer, r array.RecordReader, options ...ipc.Option) error {
	if w == nil || r == nil {
		e := callerError(Invalid, "the writer or the reader is nil; pass both")
		e.Reason = reasonNilArgument
		return e
	}
	schema := r.Schema()
	if schema == nil {
		return noSchema(-1, r)
	}
	valve := &valve{writer: w}
	buffer := bufio.NewWriterSize(valve, 64<<10)
	writer := ipc.NewWriter(buffer, append(options[:len(options):len(options)], ipc.WithSchema(schema))...)
	err := writeBatches(writer, buffer, valve, r)
	// Close writes the end marker and frees the writer. After an error the closed valve drops
	// the marker.
	valve.shut = err != nil
	if closing := writer.Close(); err == nil {
		if err = errors.Join(closing, buffer.Flush(), valve.flush()); err != nil {
			return valve.broken("the end", err)
		}
	}
	return err
}

func writeBatches(writer *ipc.Writer, buffer *bufio.Writer, valve *valve, r array.RecordReader) error {
	for i := 0; r.Next(); i++ {
		err := writer.Write(r.RecordBatch())
		if err == nil {
			err = buffer.Flush()
		}
		if err == nil {
			err = valve.flush()
		}
		if err != nil {
			return valve.broken(fmt.Sprintf("batch %d", i), err)
		}
	}
	return r.Err()
}

// valve is a writer that drops everything once it is shut.
type valve struct {
	writer  io.Writer
	shut    bool
	failure error // of the writer
}

func (v *valve) Write(p []byte) (int, error) {
	if v.shut {
		return 0, io.ErrClosedPipe
	}
	n, err := v.writer.Write(p)
	if err != nil {
		v.failure = err
	}
	return n, err
}

// flush passes on what the writer itself has kept so far.
func (v *valve) flush() error {
	var err error
	switch w := v.writer.(type) {
	case interface{ FlushError() error }:
		err = w.FlushError()
	case interface{ Flush() error }:
		err = w.Flush()
	case interface{ Flush() }:
		w.Flush()
	}
	// A ResponseWriter in a ResponseWriter may have a method that does nothing.
	if errors.Is(err, errors.ErrUnsupported) {
		return nil
	}
	if err != nil {
		v.failure = err
	}
	return err
}

// broken makes the error of a stream that cannot be written; what names the part.
func (v *valve) broken(what string, err error) *Error {
	e := callerError(BadData, "%v", err)
	e.Reason = reasonHostArray
	if v.failure != nil {
		err = v.failure
		e = fromIO(err)
	}
	e.Text = fmt.Sprintf("cannot write %s of the Arrow IPC stream: %v", what, err)
	e.cause = err
	return e
}
