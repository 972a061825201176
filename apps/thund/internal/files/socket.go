// SPDX-License-Identifier: MIT

package files

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/ignalina/alloy"

	"github.com/ignalina/alloy/apps/thund/internal/graph"
)

// socket is one end of a place such as unix:/run/late.sock. It serves one peer at a time.
type socket struct {
	network, address string
	dials            bool
	listener         net.Listener

	mutex  sync.Mutex
	peer   net.Conn
	closed bool
}

// openSocket listens, unless the node dials. A file that a killed program has left is replaced.
func openSocket(n *graph.Node) (*socket, error) {
	network, address, _ := strings.Cut(n.Path, ":")
	s := &socket{network: network, address: address, dials: n.Connect}
	if s.dials {
		return s, nil
	}
	var err error
	if network == "unix" { // as a sink makes the folder of its file
		if err = os.MkdirAll(filepath.Dir(address), 0o777); err != nil {
			return nil, err
		}
	}
	s.listener, err = net.Listen(network, address)
	if errors.Is(err, syscall.EADDRINUSE) && network == "unix" {
		if peer, dialed := net.Dial(network, address); dialed == nil {
			peer.Close()
			return nil, fmt.Errorf("another program listens on %s", n.Path)
		}
		if os.Remove(address) == nil {
			s.listener, err = net.Listen(network, address)
		}
	}
	return s, err
}

// next waits for a peer.
func (s *socket) next() (net.Conn, error) {
	for {
		var peer net.Conn
		var err error
		if s.dials {
			peer, err = net.Dial(s.network, s.address)
		} else {
			peer, err = s.listener.Accept()
		}
		s.mutex.Lock()
		if s.closed {
			s.mutex.Unlock()
			if peer != nil {
				peer.Close()
			}
			return nil, net.ErrClosed
		}
		if err == nil {
			s.peer = peer
		}
		s.mutex.Unlock()
		if err == nil || !s.dials {
			return peer, err
		}
		time.Sleep(50 * time.Millisecond) // the other program has not begun to listen
	}
}

// close wakes everybody who waits.
func (s *socket) close() {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if s.closed {
		return
	}
	s.closed = true
	if s.listener != nil {
		s.listener.Close()
	}
	if s.peer != nil {
		s.peer.Close()
	}
}

// Start makes a source ready that others connect to. It ends with the context.
func (s *Source) Start(ctx context.Context) error {
	if !s.node.Socket || s.socket.Load() != nil {
		return nil
	}
	opened, err := openSocket(s.node)
	if err != nil {
		return err
	}
	s.socket.Store(opened)
	context.AfterFunc(ctx, opened.close)
	if s.draining() {
		opened.close()
	}
	return nil
}

// IsEndless reports whether the source ends only when it is asked to.
func (s *Source) IsEndless() bool { return s.node.Socket && s.node.Connections == 0 }

// Drain lets an endless source end. A batch that it has not read completely is not read.
func (s *Source) Drain() {
	if !s.IsEndless() {
		return
	}
	s.drain.Store(true)
	if opened := s.socket.Load(); opened != nil {
		opened.close()
	}
}

func (s *Source) draining() bool { return s.drain.Load() }

// producers are the streams that come over a socket, one after another.
type producers struct {
	*socket
	source *Source
	left   int // producers that may still come; -1: endless
	now    *ipcFile
	conn   net.Conn
}

// next returns the next batch of any producer. A stream that breaks off is an error if the
// number of producers is fixed; otherwise it is counted, and the next producer may come.
func (p *producers) next(ctx context.Context) (arrow.RecordBatch, error) {
	for {
		if p.now == nil {
			if p.left == 0 {
				return nil, nil
			}
			if err := p.accept(); err != nil {
				if p.source.draining() {
					return nil, nil
				}
				if p.left > 0 || ctx.Err() != nil || errors.Is(err, net.ErrClosed) {
					return nil, err
				}
				p.source.Broken.Add(1)
				continue
			}
		}
		batch, err := p.now.next(ctx)
		if err == nil && batch != nil {
			return batch, nil
		}
		p.now.reader.Release()
		p.now = nil
		p.conn.Close()
		switch {
		case p.source.draining():
			return nil, nil
		case err != nil && (p.left > 0 || ctx.Err() != nil):
			return nil, err
		case err != nil:
			p.source.Broken.Add(1)
		case p.left > 0:
			p.left--
		}
	}
}

// accept waits for a producer and reads its schema.
func (p *producers) accept() error {
	var conn net.Conn
	var err error
	waiting(p.source.Waits, func() { conn, err = p.socket.next() })
	if err != nil {
		return err
	}
	reader, err := alloy.ReadIPC(peerReader{conn, p.source})
	if err == nil && !sameColumns(reader.Schema(), p.source.read) {
		err = fmt.Errorf("the producer has the columns %s, and the schema of the source is %s", Describe(reader.Schema()), Describe(p.source.read))
		reader.Release()
	}
	if err != nil {
		conn.Close()
		return err
	}
	p.conn, p.now = conn, &ipcFile{reader: reader, keep: p.source.keep}
	return nil
}

func (p *producers) close() error {
	p.socket.close()
	if p.now != nil {
		p.now.reader.Release()
		p.now = nil
	}
	return nil
}
