// SPDX-License-Identifier: MIT

// Package cdata moves Arrow batches across the C data interface without copying them.
//
// A Plan is made from a schema once. With plans, an Exporter writes the inputs of a call
// into one block of C memory, and Import makes arrays over the memory of a result. Both rely
// on the engine, which checks every struct that goes in or comes out.
//
// The files: export.go, export_array.go and export_block.go write batches; import.go,
// numbers.go, result.go and record.go read them; schema_export.go, schema_import.go and
// format.go do the same for schemas; check.go checks the sizes of buffers.
package cdata

import (
	"fmt"

	"github.com/apache/arrow-go/v18/arrow"
)

// layout is what the buffers of an array mean.
type layout uint8

const (
	layoutNull     layout = iota
	layoutFixed           // validity, values
	layoutBits            // validity, bits
	layoutBinary          // validity, offsets, data
	layoutView            // validity, views, any number of data buffers; in C also their sizes
	layoutList            // validity, offsets
	layoutListView        // validity, offsets, sizes
	layoutStruct          // validity; a fixed-size list has the same layout
	layoutSparse          // type ids
	layoutDense           // type ids, offsets
	layoutRunEnd          // no buffers
)

// buffers is the number of C buffers of each layout; for views without the data buffers.
var buffers = [...]int{0, 2, 2, 3, 3, 2, 3, 1, 1, 2, 0}

// hasValidity reports whether the first C buffer is a validity bitmap. If it is not, arrow-go
// still has an unused place for one.
func (l layout) hasValidity() bool {
	return l != layoutNull && l != layoutSparse && l != layoutDense && l != layoutRunEnd
}

// node is one array of a schema: a column, a child or a dictionary.
type node struct {
	dtype    arrow.DataType
	layout   layout
	width    int // bytes of a value or of an offset
	children []node
	dict     *node
}

// Plan is what export and import need to know of a schema. It serves all batches of the
// schema, and does not change.
type Plan struct {
	Schema *arrow.Schema

	root     node // the batch itself: a struct without a type
	nodes    int  // structs, including that of the batch
	pointers int  // to children
	buffers  int  // in C, without the data buffers of views
	views    bool
	numbers  numberCounts
}

// NewPlan makes the plan of a schema.
func NewPlan(schema *arrow.Schema) (*Plan, error) {
	p := &Plan{Schema: schema, root: node{layout: layoutStruct}}
	p.count(&p.root)
	fields := schema.Fields()
	p.root.children = make([]node, len(fields))
	p.pointers = len(fields)
	for i, field := range fields {
		if err := p.fill(&p.root.children[i], field.Type); err != nil {
			return nil, err
		}
		p.numbers.add(field.Type.ID())
	}
	return p, nil
}

func (p *Plan) count(n *node) {
	p.nodes++
	p.buffers += buffers[n.layout]
	p.views = p.views || n.layout == layoutView
}

func (p *Plan) fill(n *node, dtype arrow.DataType) error {
	n.dtype = dtype
	if extension, ok := dtype.(arrow.ExtensionType); ok {
		dtype = extension.StorageType()
	}
	if dictionary, ok := dtype.(*arrow.DictionaryType); ok {
		n.dict = new(node)
		if err := p.fill(n.dict, dictionary.ValueType); err != nil {
			return err
		}
		dtype = dictionary.IndexType
	}
	switch t := dtype.(type) {
	case *arrow.NullType:
		n.layout = layoutNull
	case *arrow.BooleanType:
		n.layout = layoutBits
	case *arrow.StringType, *arrow.BinaryType:
		n.layout, n.width = layoutBinary, 4
	case *arrow.LargeStringType, *arrow.LargeBinaryType:
		n.layout, n.width = layoutBinary, 8
	case *arrow.StringViewType, *arrow.BinaryViewType:
		n.layout, n.width = layoutView, arrow.ViewHeaderSizeBytes
	case *arrow.ListType, *arrow.MapType:
		n.layout, n.width = layoutList, 4
	case *arrow.LargeListType:
		n.layout, n.width = layoutList, 8
	case *arrow.ListViewType:
		n.layout, n.width = layoutListView, 4
	case *arrow.LargeListViewType:
		n.layout, n.width = layoutListView, 8
	case *arrow.FixedSizeListType, *arrow.StructType:
		n.layout = layoutStruct
	case *arrow.SparseUnionType:
		n.layout = layoutSparse
	case *arrow.DenseUnionType:
		n.layout = layoutDense
	case *arrow.RunEndEncodedType:
		n.layout = layoutRunEnd
	case arrow.FixedWidthDataType:
		n.layout, n.width = layoutFixed, t.BitWidth()/8
	default:
		return fmt.Errorf("Alloy cannot pass columns of type %s; convert the column first", dtype)
	}
	p.count(n)
	nested, ok := dtype.(arrow.NestedType)
	if !ok {
		return nil
	}
	fields := nested.Fields()
	n.children = make([]node, len(fields))
	p.pointers += len(fields)
	for i, field := range fields {
		if err := p.fill(&n.children[i], field.Type); err != nil {
			return err
		}
	}
	return nil
}

// Difference returns why a batch does not fit the schema that it should have, or "". Where says
// whose schema that is. Metadata and
// nullability may differ: the engine checks the nulls that are present.
func Difference(got, want *arrow.Schema, where string) string {
	if got == nil {
		return "the batch has no schema"
	}
	if got.NumFields() != want.NumFields() {
		return fmt.Sprintf("the batch has %d columns, %s has %d", got.NumFields(), where, want.NumFields())
	}
	for i := range got.NumFields() {
		g, w := got.Field(i), want.Field(i)
		if g.Name != w.Name || !arrow.TypeEqual(g.Type, w.Type) {
			return fmt.Sprintf("column %d of the batch is %q of type %s; %s has %q of type %s", i, g.Name, g.Type, where, w.Name, w.Type)
		}
	}
	return ""
}
