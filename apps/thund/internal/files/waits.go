// SPDX-License-Identifier: MIT

package files

import "io"

// Waits is told when a source or a sink begins and ends to wait for its peer: another program
// that reads or writes.
type Waits interface {
	Begin()
	End()
}

// waiting runs f, which may wait for a peer.
func waiting(w Waits, f func()) {
	if w != nil {
		w.Begin()
		defer w.End()
	}
	f()
}

// peerReader reads what a peer writes.
type peerReader struct {
	io.Reader
	of *Source
}

func (r peerReader) Read(text []byte) (n int, err error) {
	waiting(r.of.Waits, func() { n, err = r.Reader.Read(text) })
	return n, err
}

// peerWriter writes what a peer reads.
type peerWriter struct {
	io.Writer
	of *Sink
}

func (w peerWriter) Write(text []byte) (n int, err error) {
	waiting(w.of.Waits, func() { n, err = w.Writer.Write(text) })
	return n, err
}
