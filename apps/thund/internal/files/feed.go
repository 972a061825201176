// SPDX-License-Identifier: MIT

package files

import (
	"net"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/ipc"
)

// feed writes batches to the readers of a socket, one after another. A batch whose write has
// failed is sent complete to the next reader.
type feed struct {
	*socket
	sink   *Sink
	schema *arrow.Schema
	writer *ipc.Writer // nil: nobody reads now
}

// Write waits for a reader, if there is none.
func (f *feed) Write(batch arrow.RecordBatch) error {
	return f.send(func(w *ipc.Writer) error { return w.Write(batch) })
}

// Close ends the stream of the reader, so that it knows that it has all.
func (f *feed) Close() error {
	return f.send(func(w *ipc.Writer) error { return w.Close() })
}

func (f *feed) send(what func(*ipc.Writer) error) error {
	for {
		if f.writer == nil {
			var peer net.Conn
			var err error
			waiting(f.sink.Waits, func() { peer, err = f.next() })
			if err != nil {
				return err
			}
			f.writer = ipc.NewWriter(peerWriter{peer, f.sink}, ipc.WithSchema(f.schema))
		}
		if what(f.writer) == nil {
			return nil
		}
		f.mutex.Lock()
		f.peer.Close()
		closed := f.closed
		f.mutex.Unlock()
		f.writer = nil
		if closed {
			return net.ErrClosed
		}
	}
}
