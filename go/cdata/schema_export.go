// SPDX-License-Identifier: MIT

package cdata

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/ignalina/alloy/go/abi"
)

// The metadata keys of an extension type.
const (
	extensionName = "ARROW:extension:name"
	extensionData = "ARROW:extension:metadata"
)

// Schemas are schemas that lie side by side in C memory. First is nil if there are none.
type Schemas struct {
	First *abi.Schema
	block *abi.BlockHeader
	count int // of all nodes, which lie side by side
}

// Free frees the memory. Nobody may use the schemas afterwards.
func (s *Schemas) Free() { s.block.Free() }

// schemaNode is a schema before it has an address. Its texts are positions in the arena; 0
// is no text. Its children and dictionary are indices of nodes; 0 is no dictionary.
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

// ExportSchemas writes the schemas of batches, to lend them to C until Free.
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

// GiveSchema writes the schema of a batch to out and gives it away: its memory is freed when
// all of it is released.
func GiveSchema(schema *arrow.Schema, out *abi.Schema) error {
	made, err := ExportSchemas([]*arrow.Schema{schema})
	if err != nil {
		return err
	}
	nodes := unsafe.Slice(made.First, made.count)
	for i := range nodes {
		nodes[i].Release = abi.ReleaseGivenSchema
		nodes[i].PrivateData = unsafe.Pointer(made.block)
	}
	made.block.SetGiven(made.count)
	*out = nodes[0]
	return nil
}

func (w *schemaWriter) bytes(b []byte) int {
	at := len(w.arena)
	w.arena = append(append(w.arena, b...), 0)
	return at
}

func (w *schemaWriter) name(s string) (int, error) {
	if strings.IndexByte(s, 0) >= 0 {
		return 0, fmt.Errorf("column name %q contains a NUL byte, which C cannot hold; rename the column", s)
	}
	return w.bytes([]byte(s)), nil
}

// metadata writes keys and values. Counts and lengths are int32 in native byte order.
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
		n.flags |= abi.FlagNullable
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
			n.flags |= abi.FlagOrdered
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
		n.flags |= abi.FlagKeysSorted
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

// write copies the nodes, the pointers and the arena into one block of C memory.
func (w *schemaWriter) write() *Schemas {
	const node = unsafe.Sizeof(abi.Schema{})
	links := headerBytes + uintptr(len(w.nodes))*node
	texts := links + uintptr(w.links)*pointerBytes
	block := abi.NewBlock(texts+uintptr(len(w.arena)), nil)
	base := unsafe.Pointer(block)
	nodes := unsafe.Slice((*abi.Schema)(unsafe.Add(base, headerBytes)), len(w.nodes))
	next := unsafe.Slice((**abi.Schema)(unsafe.Add(base, links)), w.links)
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
		out.Release = abi.ReleaseSchema
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
	s := &Schemas{block: block, count: len(nodes)}
	if len(nodes) > 0 {
		s.First = &nodes[0]
	}
	return s
}
