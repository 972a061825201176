// SPDX-License-Identifier: MIT

package cdata

import (
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
)

// numberCounts is how many columns of a batch are of the types that wide batches have
// most.
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

// numbers makes the arrays of such columns, with one allocation for all of a type.
type numbers struct {
	int32s   []array.Int32
	int64s   []array.Int64
	float64s []array.Float64
}

func (n *numbers) reserve(counts numberCounts) {
	if counts.int32s > 0 {
		n.int32s = make([]array.Int32, counts.int32s)
	}
	if counts.int64s > 0 {
		n.int64s = make([]array.Int64, counts.int64s)
	}
	if counts.float64s > 0 {
		n.float64s = make([]array.Float64, counts.float64s)
	}
}

// column makes the array of a column of any type.
func (n *numbers) column(id arrow.Type, data *array.Data) arrow.Array {
	switch id {
	case arrow.INT32:
		return first(&n.int32s, data)
	case arrow.INT64:
		return first(&n.int64s, data)
	case arrow.FLOAT64:
		return first(&n.float64s, data)
	}
	return array.MakeFromData(data)
}

type resettable[T any] interface {
	*T
	arrow.Array
	Reset(data *array.Data)
}

// first takes the next array, which is all zeros, gives it its data and its one owner.
func first[T any, A resettable[T]](arrays *[]T, data *array.Data) A {
	made := A(&(*arrays)[0])
	*arrays = (*arrays)[1:]
	made.Reset(data)
	made.Retain()
	return made
}
