// SPDX-License-Identifier: MIT

package cdata

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/ignalina/alloy/go/engine"
)

// The metadata keys of an extension type.
const (
	extensionName = "ARROW:extension:name"
	extensionData = "ARROW:extension:metadata"
)

// Schemas is a row of schemas in C memory.
type Schemas struct {
	First *engine.Schema
	block *engine.BlockHeader
}

// Free gives the memory back; nobody may hold on to it.
func (s *Schemas) Free() { s.block.Free() }

// schemaNode is a schema before it has an address; texts are places in the arena, 0 for
// none.
type schemaNode struct {
	format, name, metadata int
	flags                  int64
	children               []int
	dictionary             int
}

type schemaWriter struct {
	nodes []schemaNode
	arena []byte
	links int
}

// ExportSchemas writes schemas of batches side by side. They are lent, not given.
func ExportSchemas(schemas []*arrow.Schema) (*Schemas, error) {
	w := &schemaWriter{nodes: make([]schemaNode, len(schemas)), arena: []byte{0}}
	for i, schema := range schemas {
		metadata := schema.Metadata()
		root := schemaNode{
			format: w.bytes([]byte("+s")), name: w.bytes(nil),
			metadata: w.metadata(metadata.Keys(), metadata.Values()),
		}
		var err error
		if root.children, err = w.fields(schema.Fields()); err != nil {
			return nil, err
		}
		w.nodes[i] = root
	}
	return w.write(), nil
}

func (w *schemaWriter) bytes(b []byte) int {
	at := len(w.arena)
	w.arena = append(append(w.arena, b...), 0)
	return at
}

func (w *schemaWriter) name(s string) (int, error) {
	if strings.IndexByte(s, 0) >= 0 {
		return 0, fmt.Errorf("the name %q of a column contains a NUL", s)
	}
	return w.bytes([]byte(s)), nil
}

// metadata writes a block: counts and lengths are native int32.
func (w *schemaWriter) metadata(keys, values []string) int {
	if len(keys) == 0 {
		return 0
	}
	at := len(w.arena)
	w.arena = binary.NativeEndian.AppendUint32(w.arena, uint32(len(keys)))
	for i := range keys {
		for _, text := range []string{keys[i], values[i]} {
			w.arena = binary.NativeEndian.AppendUint32(w.arena, uint32(len(text)))
			w.arena = append(w.arena, text...)
		}
	}
	return at
}

func (w *schemaWriter) fields(fields []arrow.Field) ([]int, error) {
	places := make([]int, len(fields))
	for i := range fields {
		places[i] = len(w.nodes)
		w.nodes = append(w.nodes, schemaNode{})
		if err := w.field(places[i], fields[i]); err != nil {
			return nil, err
		}
	}
	w.links += len(fields)
	return places, nil
}

func (w *schemaWriter) field(place int, field arrow.Field) (err error) {
	var n schemaNode
	if n.name, err = w.name(field.Name); err != nil {
		return err
	}
	if field.Nullable {
		n.flags |= engine.FlagNullable
	}
	keys := slices.Clip(field.Metadata.Keys())
	values := slices.Clip(field.Metadata.Values())
	dtype := field.Type
	if extension, ok := dtype.(arrow.ExtensionType); ok {
		dtype = extension.StorageType()
		if field.Metadata.FindKey(extensionName) < 0 {
			keys = append(keys, extensionName, extensionData)
			values = append(values, extension.ExtensionName(), extension.Serialize())
		}
	}
	n.metadata = w.metadata(keys, values)
	if dictionary, ok := dtype.(*arrow.DictionaryType); ok {
		if dictionary.Ordered {
			n.flags |= engine.FlagOrdered
		}
		n.dictionary = len(w.nodes)
		w.nodes = append(w.nodes, schemaNode{})
		value := arrow.Field{Type: dictionary.ValueType, Nullable: true}
		if err = w.field(n.dictionary, value); err != nil {
			return err
		}
		dtype = dictionary.IndexType
	}
	if sorted, ok := dtype.(*arrow.MapType); ok && sorted.KeysSorted {
		n.flags |= engine.FlagKeysSorted
	}
	format, err := formatOf(dtype)
	if err != nil {
		return err
	}
	n.format = w.bytes([]byte(format))
	if nested, ok := dtype.(arrow.NestedType); ok {
		if n.children, err = w.fields(nested.Fields()); err != nil {
			return err
		}
	}
	w.nodes[place] = n
	return nil
}

// write gives everything an address in one block.
func (w *schemaWriter) write() *Schemas {
	const node = unsafe.Sizeof(engine.Schema{})
	links := headerBytes + uintptr(len(w.nodes))*node
	texts := links + uintptr(w.links)*pointerBytes
	block := engine.NewBlock(texts+uintptr(len(w.arena)), nil)
	base := unsafe.Pointer(block)
	nodes := unsafe.Slice((*engine.Schema)(unsafe.Add(base, headerBytes)), len(w.nodes))
	next := unsafe.Slice((**engine.Schema)(unsafe.Add(base, links)), w.links)
	arena := unsafe.Slice((*byte)(unsafe.Add(base, texts)), len(w.arena))
	copy(arena, w.arena)
	text := func(place int) unsafe.Pointer {
		if place == 0 {
			return nil
		}
		return unsafe.Pointer(&arena[place])
	}
	for i, n := range w.nodes {
		out := &nodes[i]
		out.Format, out.Name, out.Metadata = text(n.format), text(n.name), text(n.metadata)
		out.Flags = n.flags
		out.Release = engine.ReleaseSchema
		if count := len(n.children); count > 0 {
			out.NumChildren = int64(count)
			out.Children = &next[0]
			for k, child := range n.children {
				next[k] = &nodes[child]
			}
			next = next[count:]
		}
		if n.dictionary != 0 {
			out.Dictionary = &nodes[n.dictionary]
		}
	}
	s := &Schemas{block: block}
	if len(nodes) > 0 {
		s.First = &nodes[0]
	}
	return s
}
