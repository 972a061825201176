// SPDX-License-Identifier: MIT

// Package cdata moves Arrow batches across the C data interface without copying them.
//
// A Plan is made from a schema once; with it, an Exporter writes a call's inputs into one
// block of C memory, and Import makes arrays over the memory of a result. Both trust the
// engine's gate, which looks at every struct on its way in and out.
package cdata

import (
	"fmt"

	"github.com/apache/arrow-go/v18/arrow"
)

// layout says what the buffers of an array mean.
type layout uint8

const (
	layoutNull     layout = iota
	layoutFixed           // validity, values
	layoutBits            // validity, bits
	layoutBinary          // validity, offsets, data
	layoutView            // validity, views, any number of data; in C the sizes of those
	layoutList            // validity, offsets
	layoutListView        // validity, offsets, sizes
	layoutStruct          // validity; also the fixed-size list
	layoutSparse          // type ids
	layoutDense           // type ids, offsets
	layoutRunEnd          // none
)

// buffers is the number of C buffers; of views, without the variadic ones.
var buffers = [...]int{0, 2, 2, 3, 3, 2, 3, 1, 1, 2, 0}

// hasValidity tells whether the first C buffer is the validity bitmap. Where it is not,
// arrow-go keeps an empty place for one all the same.
func (l layout) hasValidity() bool {
	return l != layoutNull && l != layoutSparse && l != layoutDense && l != layoutRunEnd
}

type node struct {
	dtype    arrow.DataType
	layout   layout
	width    int // bytes of a value, or of an offset
	children []node
	dict     *node
}

// Plan is a schema, read once for all its batches.
type Plan struct {
	Schema *arrow.Schema

	root     node // the batch itself: a struct without a type
	nodes    int  // structs, the batch's own included
	pointers int  // to children
	buffers  int  // in C, without variadic ones
	views    bool
	numbers  numberCounts
}

// NewPlan reads a schema.
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
		return fmt.Errorf("arrow-go type %s has no C data format", dtype)
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
