// SPDX-License-Identifier: MIT

package cdata

import (
	"runtime"
	"sync/atomic"

	"github.com/ignalina/alloy/go/engine"
)

// lot is a block and what its structs refer to. An exporter writes one call into it;
// while parts of it outlive that call, it stays with them and then comes back to the
// shelf. So its memory, its handle and its pinners serve call after call.
type lot struct {
	block  *engine.BlockHeader
	size   uintptr
	pins   pins
	owners []Counted
	shelf  *shelf
}

// GiveBack is called once every part of the block is released, by anyone.
func (l *lot) Released() {
	l.pins.unpin()
	for i, owner := range l.owners {
		owner.Release()
		l.owners[i] = nil
	}
	l.owners = l.owners[:0]
	l.shelf.put(l)
}

func (l *lot) free() {
	// A panic while a call was written leaves pins, over which the collector would panic in
	// turn, where nobody can recover.
	l.pins.unpin()
	l.block.Free()
}

// shelf keeps lots for the next calls: a few, since a program may hold some results while
// it makes the next.
type shelf struct {
	lots   [4]atomic.Pointer[lot]
	closed atomic.Bool
}

func (s *shelf) take() *lot {
	for i := range s.lots {
		if l := s.lots[i].Load(); l != nil && s.lots[i].CompareAndSwap(l, nil) {
			return l
		}
	}
	return nil
}

func (s *shelf) put(l *lot) {
	for i := range s.lots {
		if s.lots[i].Load() == nil && s.lots[i].CompareAndSwap(nil, l) {
			// A close that came before the lot did not see it.
			if s.closed.Load() {
				s.clear()
			}
			return
		}
	}
	l.free()
}

func (s *shelf) close() {
	s.closed.Store(true)
	s.clear()
}

func (s *shelf) clear() {
	for l := s.take(); l != nil; l = s.take() {
		l.free()
	}
}

// pins pins what crosses, with many pinners of a few pins each: a Pinner has room for
// five, and grows a list for more that it forgets each time it is unpinned.
type pins struct {
	pinners []runtime.Pinner
	count   int
}

const pinsEach = 5

func (p *pins) pin(at *byte) {
	i := p.count / pinsEach
	if i == len(p.pinners) {
		p.pinners = append(p.pinners, runtime.Pinner{})
	}
	p.pinners[i].Pin(at)
	p.count++
}

func (p *pins) unpin() {
	for i := range (p.count + pinsEach - 1) / pinsEach {
		p.pinners[i].Unpin()
	}
	p.count = 0
}
