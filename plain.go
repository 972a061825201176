// SPDX-License-Identifier: MIT

package alloy

import (
	"bytes"
	"io"
	"net"
	"os"
	"reflect"
	"strings"
	"sync"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
)

// plainReader is a reader of which the program has said that it is plain.
type plainReader struct{ array.RecordReader }

// PlainReader returns a reader that [GoBridge.Stream] may use inside of a callback from C,
// which saves two switches of threads for each batch of a stream function. The program states
// with it that the reader neither uses coroutines (iter.Pull, array.ReaderFromIter), nor locks
// its thread, nor ends its goroutine. With a false statement, the whole program may end.
//
// Readers over batches in memory (array.NewRecordReader), and those of [ReadIPC] over files,
// sockets and bytes, are known to be plain. Functions on single batches gain nothing by it.
func PlainReader(reader array.RecordReader) array.RecordReader {
	if _, isResult := reader.(*resultReader); isResult || reader == nil || isPlain(reader) {
		return reader // C code pulls from a result of Alloy in its own way
	}
	return plainReader{reader}
}

// bare returns the reader of the program below a plainReader.
func bare(reader array.RecordReader) array.RecordReader {
	if plain, ok := reader.(plainReader); ok {
		return plain.RecordReader
	}
	return reader
}

// isPlain reports whether a callback from C may use a reader directly. Only what is known to
// be plain is: a reader of the program may contain anything, and so may an io.Reader below it.
func isPlain(reader array.RecordReader) bool {
	switch r := reader.(type) {
	case plainReader:
		return true
	case *ipcReader:
		return r.plain
	}
	return reflect.TypeOf(reader) == batchesInMemory()
}

// batchesInMemory is the type of the readers that array.NewRecordReader makes.
var batchesInMemory = sync.OnceValue(func() reflect.Type {
	reader, err := array.NewRecordReader(arrow.NewSchema(nil, nil), nil)
	if err != nil {
		return nil
	}
	defer reader.Release()
	return reflect.TypeOf(reader)
})

// isPlainSource is isPlain for the bytes of a stream.
func isPlainSource(r io.Reader) bool {
	switch r.(type) {
	case *os.File, *bytes.Buffer, *bytes.Reader, *strings.Reader, *net.TCPConn, *net.UnixConn:
		return true
	}
	return false
}
