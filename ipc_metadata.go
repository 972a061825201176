// SPDX-License-Identifier: MIT

package alloy

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// checkMetadata checks the flatbuffer of an IPC message before arrow-go reads it. Arrow-go
// allocates as many fields, pairs and children as the bytes claim. A damaged number would
// ask for all memory, and Go cannot recover from that. The contents say what else has to be
// checked: the sizes that stand in the body.
func checkMetadata(bytes []byte) (found contents, err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = fmt.Errorf("the metadata of the message is damaged: %v", cause)
		}
	}()
	// A table takes at least four bytes. If there are more tables than that, some are visited
	// twice.
	m := &metadata{bytes: bytes, tables: len(bytes) / 4}
	message := m.follow(0)
	header := m.at(message, 2)
	if header == 0 {
		return contents{}, errors.New("the metadata of the message has no header")
	}
	m.pairs(message, 4)
	switch header = m.follow(header); m.bytes[m.need(message, 1)] {
	case 1: // a schema
		m.fields(header, 1, 0)
		m.pairs(header, 2)
		m.vector(header, 3, 8)
	case 2: // a dictionary
		found = m.batch(m.follow(m.need(header, 1)))
		found.isDictionary = true
		if at := m.at(header, 0); at != 0 {
			found.id = m.i64(at)
		}
		if at := m.at(header, 2); at != 0 {
			found.isDelta = m.bytes[at] != 0
		}
	case 3: // a batch
		found = m.batch(header)
	}
	return found, nil
}

// metadata walks the tables by the numbers of their fields in Arrow's Message.fbs and
// Schema.fbs. An offset that leaves the bytes panics, and checkMetadata recovers.
type metadata struct {
	bytes  []byte
	tables int
}

const maxNesting = 64 // the limit of the engine

func (m *metadata) u32(at int) int   { return int(binary.LittleEndian.Uint32(m.bytes[at:])) }
func (m *metadata) i64(at int) int64 { return int64(binary.LittleEndian.Uint64(m.bytes[at:])) }
func (m *metadata) u16(at int) int   { return int(binary.LittleEndian.Uint16(m.bytes[at:])) }

// follow returns the table to which the offset at a place points.
func (m *metadata) follow(at int) int {
	if m.tables--; m.tables < 0 {
		panic("it has more tables than bytes for them")
	}
	return at + m.u32(at)
}

// at returns the place of a field in a table, 0 if the field is absent.
func (m *metadata) at(table, field int) int {
	entries := table - int(int32(m.u32(table)))
	if at := 4 + 2*field; at < m.u16(entries) {
		if offset := m.u16(entries + at); offset != 0 {
			return table + offset
		}
	}
	return 0
}

// need is at for a field that must be present.
func (m *metadata) need(table, field int) int {
	at := m.at(table, field)
	if at == 0 {
		panic(fmt.Sprintf("field %d of a table is missing", field))
	}
	return at
}

// vector returns the place and the length of a vector, whose values have width bytes each.
func (m *metadata) vector(table, field, width int) (int, int) {
	at := m.at(table, field)
	if at == 0 {
		return 0, 0
	}
	at += m.u32(at)
	length := m.u32(at)
	if length > (len(m.bytes)-at-4)/width {
		panic(fmt.Sprintf("a list of %d values is longer than the metadata", length))
	}
	return at + 4, length
}

func (m *metadata) fields(table, field, depth int) {
	if depth > maxNesting {
		panic(fmt.Sprintf("its types have more than %d levels", maxNesting))
	}
	at, length := m.vector(table, field, 4)
	for i := range length {
		child := m.follow(at + 4*i)
		const union = 14
		if kind := m.at(child, 2); kind != 0 && m.bytes[kind] == union {
			m.vector(m.follow(m.need(child, 3)), 1, 4)
		}
		m.fields(child, 5, depth+1)
		m.pairs(child, 6)
	}
}

func (m *metadata) pairs(table, field int) {
	at, length := m.vector(table, field, 4)
	for i := range length {
		pair := m.follow(at + 4*i)
		m.vector(pair, 0, 1)
		m.vector(pair, 1, 1)
	}
}

func (m *metadata) batch(table int) contents {
	m.vector(table, 1, 16) // nodes
	first, buffers := m.vector(table, 2, 16)
	at, length := m.vector(table, 4, 8) // the number of data buffers of each view array
	for i := range length {
		if count := int64(binary.LittleEndian.Uint64(m.bytes[at+8*i:])); count < 0 || count > int64(buffers) {
			panic(fmt.Sprintf("a view array has %d data buffers, but the batch has only %d", count, buffers))
		}
	}
	compression := m.at(table, 3)
	if compression == 0 {
		return contents{}
	}
	found := contents{codec: codecLZ4, buffers: m.bytes[first : first+16*buffers]}
	if at := m.at(m.follow(compression), 0); at != 0 {
		found.codec = codec(m.bytes[at])
	}
	return found
}
