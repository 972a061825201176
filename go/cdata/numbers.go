// SPDX-License-Identifier: MIT

package cdata

import (
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/ignalina/alloy/go/abi"
)

// numberCounts counts the columns of the three types that are most frequent in wide batches.
type numberCounts struct{ int32s, int64s, float64s int }

func (c *numberCounts) add(id arrow.Type) {
	switch id {
	case arrow.INT32:
		c.int32s++
	case arrow.INT64:
		c.int64s++
	case arrow.FLOAT64:
		c.float64s++
	}
}

func (c *numberCounts) total() int { return c.int32s + c.int64s + c.float64s }

// isNumber reports whether a column is of a type that numberCounts counts.
func (n *node) isNumber() bool {
	id := n.dtype.ID()
	return id == arrow.INT32 || id == arrow.INT64 || id == arrow.FLOAT64
}

// numberColumn is everything that arrow-go needs for such a column, except its buffers.
type numberColumn[T any] struct {
	array   T
	data    array.Data
	buffers [2]*memory.Buffer
}

// numbers makes the arrays of such columns, with one allocation for all columns of a type.
type numbers struct {
	int32s   []numberColumn[array.Int32]
	int64s   []numberColumn[array.Int64]
	float64s []numberColumn[array.Float64]
	used     numberCounts
}

func (n *numbers) reserve(counts numberCounts) {
	if counts.int32s > 0 {
		n.int32s = make([]numberColumn[array.Int32], counts.int32s)
	}
	if counts.int64s > 0 {
		n.int64s = make([]numberColumn[array.Int64], counts.int64s)
	}
	if counts.float64s > 0 {
		n.float64s = make([]numberColumn[array.Float64], counts.float64s)
	}
}

// column makes the array of a column.
func (im *importer) column(n *node, in *abi.Array) arrow.Array {
	switch n.dtype.ID() {
	case arrow.INT32:
		return next(im, im.numbers.int32s, &im.numbers.used.int32s, n, in)
	case arrow.INT64:
		return next(im, im.numbers.int64s, &im.numbers.used.int64s, n, in)
	case arrow.FLOAT64:
		return next(im, im.numbers.float64s, &im.numbers.used.float64s, n, in)
	}
	return array.MakeFromData(im.array(n, in))
}

type resettable[T any] interface {
	*T
	arrow.Array
	Reset(data *array.Data)
}

// next makes the array of the next number column. The count of a new array is zero; Retain
// gives it its one owner.
func next[T any, A resettable[T]](im *importer, columns []numberColumn[T], used *int, n *node, in *abi.Array) A {
	made := &columns[*used]
	*used++
	im.describe(&made.data, made.buffers[:], n, in)
	column := A(&made.array)
	column.Reset(&made.data)
	column.Retain()
	return column
}
