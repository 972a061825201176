// SPDX-License-Identifier: MIT

package files

import (
	"context"
	"net"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/ignalina/alloy"
)

// Keep lets a source read only some of its columns.
func (s *Source) Keep(names []string) {
	var fields []arrow.Field
	var keep []int
	for i, field := range s.Schema.Fields() {
		if slices.Contains(names, field.Name) {
			fields = append(fields, field)
			if s.keep != nil {
				keep = append(keep, s.keep[i])
			}
		}
	}
	s.Schema, s.keep = arrow.NewSchema(fields, nil), keep
	switch now := s.now.(type) { // of a source whose stream has begun
	case *producers:
		now.now.keep = keep
	case *ipcFile:
		now.keep = keep
	}
}

// IsLater reports whether the schema is known only when the stream begins.
func (s *Source) IsLater() bool { return s.Schema == nil }

// Settle waits for the beginning of the stream, which has the schema. No row is read. It
// returns false if the source was asked to end before.
func (s *Source) Settle(ctx context.Context) (bool, error) {
	if !s.node.Socket {
		opened, err := s.openIPC("-")
		if err != nil {
			return false, err
		}
		s.read = opened.reader.Schema()
		if err := s.derive(); err != nil {
			opened.reader.Release()
			return false, err
		}
		opened.keep = s.keep
		s.now, s.files = opened, 1
		return true, nil
	}
	p := s.newProducers()
	for {
		conn, err := p.socket.next()
		if err != nil {
			if s.draining() {
				return false, nil
			}
			return false, err
		}
		reader, err := alloy.ReadIPC(peerReader{conn, s})
		if err == nil {
			s.read = reader.Schema()
			if err = s.derive(); err == nil {
				p.conn, p.now = conn, &ipcFile{reader: reader, keep: s.keep}
				s.now, s.files = p, 1
				return true, nil
			}
			reader.Release()
			conn.Close()
			return false, err // the graph file asks for other columns
		}
		conn.Close()
		if s.draining() {
			return false, nil
		}
		if p.left > 0 || ctx.Err() != nil {
			if ctx.Err() != nil {
				err = net.ErrClosed
			}
			return false, err
		}
		s.Broken.Add(1)
	}
}

func (s *Source) newProducers() *producers {
	left := s.node.Connections
	if left == 0 {
		left = -1
	}
	return &producers{socket: s.socket.Load(), source: s, left: left}
}
