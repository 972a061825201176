// SPDX-License-Identifier: MIT

//go:build linux && cgo && (amd64 || arm64)

package cdata_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/ignalina/alloy/go/cdata"
)

// unchecked is an array whose data nobody has checked.
type unchecked struct {
	arrow.Array
	data *array.Data
}

func (u unchecked) Data() arrow.ArrayData    { return u.data }
func (u unchecked) Len() int                 { return u.data.Len() }
func (u unchecked) DataType() arrow.DataType { return u.data.DataType() }
func (u unchecked) Retain()                  {}
func (u unchecked) Release()                 {}

// untrusted is a batch of such.
type untrusted struct {
	arrow.RecordBatch
	columns []arrow.Array
	rows    int64
}

func (u untrusted) Columns() []arrow.Array { return u.columns }
func (u untrusted) NumRows() int64         { return u.rows }

func buffersOf(all ...any) []*memory.Buffer {
	buffers := make([]*memory.Buffer, len(all))
	for i, one := range all {
		switch values := one.(type) {
		case nil:
		case string:
			buffers[i] = memory.NewBufferBytes([]byte(values))
		case []byte:
			buffers[i] = memory.NewBufferBytes(values)
		case []int16:
			buffers[i] = memory.NewBufferBytes(arrow.Int16Traits.CastToBytes(values))
		case []int32:
			buffers[i] = memory.NewBufferBytes(arrow.Int32Traits.CastToBytes(values))
		case []int64:
			buffers[i] = memory.NewBufferBytes(arrow.Int64Traits.CastToBytes(values))
		case []arrow.ViewHeader:
			buffers[i] = memory.NewBufferBytes(arrow.ViewHeaderTraits.CastToBytes(values))
		}
	}
	return buffers
}

func int32s(values ...int32) *array.Data {
	return array.NewData(arrow.PrimitiveTypes.Int32, len(values), buffersOf(nil, values), nil, 0, 0)
}

func view(length, buffer, offset int32) (header arrow.ViewHeader) {
	words := arrow.Int32Traits.CastFromBytes(arrow.ViewHeaderTraits.CastToBytes([]arrow.ViewHeader{{}}))
	words[0], words[2], words[3] = length, buffer, offset
	return arrow.ViewHeaderTraits.CastFromBytes(arrow.Int32Traits.CastToBytes(words))[0]
}

func TestWhatLeadsOutOfItsBufferIsRefused(t *testing.T) {
	text, list := arrow.BinaryTypes.String, arrow.ListOf(arrow.PrimitiveTypes.Int32)
	views := arrow.BinaryTypes.StringView
	listView := arrow.ListViewOf(arrow.PrimitiveTypes.Int32)
	fixed := arrow.FixedSizeListOf(3, arrow.PrimitiveTypes.Int32)
	words := &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int16, ValueType: arrow.PrimitiveTypes.Int32}
	fields := []arrow.Field{{Name: "a", Type: arrow.PrimitiveTypes.Int32}}
	structs := arrow.StructOf(fields...)
	sparse, dense := arrow.SparseUnionOf(fields, []int8{5}), arrow.DenseUnionOf(fields, []int8{5})
	runs := arrow.RunEndEncodedOf(arrow.PrimitiveTypes.Int32, arrow.PrimitiveTypes.Int32)
	one := func(dtype arrow.DataType, length int, buffers []*memory.Buffer, children ...arrow.ArrayData) *array.Data {
		return array.NewData(dtype, length, buffers, children, 0, 0)
	}
	long := strings.Repeat("x", 20)
	for _, c := range []struct {
		name string
		data *array.Data
		want string // empty: it is valid
	}{
		{"numbers", int32s(1, 2), ""},
		{"too few numbers", one(arrow.PrimitiveTypes.Int32, 3, buffersOf(nil, []int32{1, 2})), "8 bytes, the rows need 12"},
		{"too few bits", one(arrow.FixedWidthTypes.Boolean, 9, buffersOf(nil, "\x01")), "1 bytes, the rows need 2"},
		{"a length that overflows", array.NewData(arrow.PrimitiveTypes.Int32, 1<<62, buffersOf(nil, nil), nil, 0, 1<<62), "length"},
		{"a short bitmap", array.NewData(arrow.PrimitiveTypes.Int8, 9, buffersOf("\x01", "123456789"), nil, -1, 0), "1 bytes, the rows need 2"},
		{"nulls that are not there", array.NewData(arrow.PrimitiveTypes.Int8, 4, buffersOf("\x07", "1234"), nil, 2, 0), "null count is 2, the bitmap has 1 nulls"},
		{"nulls", array.NewData(arrow.PrimitiveTypes.Int8, 4, buffersOf("\x07", "1234"), nil, 1, 0), ""},
		{"a column of nulls", array.NewData(arrow.Null, 4, nil, nil, 4, 0), ""},
		{"text", one(text, 2, buffersOf(nil, []int32{0, 1, 3}, "aé")), ""},
		{"text without rows or buffers", one(text, 0, buffersOf(nil, nil, nil)), ""},
		{"text beyond its bytes", one(text, 2, buffersOf(nil, []int32{0, 1, 4}, "abc")), "offset is 4, past the end at 3"},
		{"offsets that fall", one(text, 2, buffersOf(nil, []int32{0, 2, 1}, "abc")), "offset 1 comes after offset 2"},
		{"a negative offset", one(text, 1, buffersOf(nil, []int32{-1, 2}, "abc")), "offset is -1"},
		{"too few offsets", one(text, 2, buffersOf(nil, []int32{0, 1}, "abc")), "8 bytes, the rows need 12"},
		{"no UTF-8", one(text, 1, buffersOf(nil, []int32{0, 1}, "\xff")), "not UTF-8"},
		{"half a character", one(text, 2, buffersOf(nil, []int32{0, 1, 2}, "é")), "row 1: the text begins inside"},
		{"views", one(views, 2, buffersOf(nil, []arrow.ViewHeader{view(3, 0, 0), view(13, 0, 7)}, long)), ""},
		{"a view of no buffer", one(views, 1, buffersOf(nil, []arrow.ViewHeader{view(13, 1, 0)}, long)), "buffer 1 of 1"},
		{"a view beyond its buffer", one(views, 1, buffersOf(nil, []arrow.ViewHeader{view(13, 0, 8)}, long)), "13 bytes at 8 of a buffer of 20"},
		{"a view of negative length", one(views, 1, buffersOf(nil, []arrow.ViewHeader{view(-1, 0, 0)}, long)), "length -1"},
		{"a list", one(list, 1, buffersOf(nil, []int32{0, 2}), int32s(1, 2)), ""},
		{"a list beyond its child", one(list, 1, buffersOf(nil, []int32{0, 3}), int32s(1, 2)), "offset is 3, past the end at 2"},
		{"a list view", one(listView, 1, buffersOf(nil, []int32{1}, []int32{1}), int32s(1, 2)), ""},
		{"a list view beyond its child", one(listView, 1, buffersOf(nil, []int32{1}, []int32{2}), int32s(1, 2)), "2 values at 1 of 2"},
		{"a fixed-size list", one(fixed, 1, buffersOf(nil), int32s(1, 2, 3)), ""},
		{"a child too short for its lists", one(fixed, 2, buffersOf(nil), int32s(1, 2, 3, 4, 5)), "5 values, but 2 rows need 3 values each"},
		{"a child too short for its struct", one(structs, 2, buffersOf(nil), int32s(1)), "1 values, but 2 rows"},
		{"a sparse union", one(sparse, 2, buffersOf(nil, "\x05\x05"), int32s(1, 2)), ""},
		{"a type that its union has not", one(sparse, 2, buffersOf(nil, "\x05\x04"), int32s(1, 2)), "row 1: the union has no type id 4"},
		{"a negative type", one(sparse, 1, buffersOf(nil, "\xff"), int32s(1, 2)), "no type id -1"},
		{"a dense union", one(dense, 2, buffersOf(nil, "\x05\x05", []int32{1, 0}), int32s(1, 2)), ""},
		{"a dense union beyond its child", one(dense, 1, buffersOf(nil, "\x05", []int32{2}), int32s(1, 2)), "value 2 is outside the child of 2 values"},
		{"run ends", one(runs, 3, buffersOf(nil), int32s(2, 3), int32s(1, 2)), ""},
		{"run ends that fall", one(runs, 3, buffersOf(nil), int32s(3, 3), int32s(1, 2)), "run end 3 comes after 3"},
		{"run ends that stop short", one(runs, 4, buffersOf(nil), int32s(2, 3), int32s(1, 2)), "ends at row 3 of 4"},
		{"fewer values than runs", one(runs, 3, buffersOf(nil), int32s(2, 3), int32s(1)), "1 values for 2 runs"},
		{"a dictionary", array.NewDataWithDictionary(words, 2, buffersOf(nil, []int16{1, 0}), 0, 0, int32s(1, 2)), ""},
		{"an index beyond its dictionary", array.NewDataWithDictionary(words, 2, buffersOf(nil, []int16{1, 2}), 0, 0, int32s(1, 2)), "row 1: index 2 is outside"},
		{"an index of a null", array.NewDataWithDictionary(words, 2, buffersOf("\x01", []int16{1, 2}), 1, 0, int32s(1, 2)), ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			schema := arrow.NewSchema([]arrow.Field{{Name: "c", Type: c.data.DataType(), Nullable: true}}, nil)
			plan, err := cdata.NewPlan(schema)
			if err != nil {
				t.Fatal(err)
			}
			batch := untrusted{columns: []arrow.Array{unchecked{data: c.data}}, rows: int64(c.data.Len())}
			err = cdata.Check(plan, batch)
			if c.want == "" {
				if err != nil {
					t.Errorf("it is valid, and is refused: %v", err)
				}
				return
			}
			var mismatch *cdata.MismatchError
			if !errors.As(err, &mismatch) || mismatch.Column != 0 || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}
