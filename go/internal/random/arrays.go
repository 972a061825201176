// SPDX-License-Identifier: MIT

package random

import (
	"encoding/binary"
	"math"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/bitutil"
	"github.com/apache/arrow-go/v18/arrow/float16"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

// Batch returns a batch with columns of any type.
func (m *Maker) Batch(columns, depth int) arrow.RecordBatch {
	rows := m.IntN(24)
	metadata := arrow.NewMetadata([]string{"of", "seed"}, []string{"schema", ""})
	schema := arrow.NewSchema(m.fields(columns, depth), &metadata)
	arrays := make([]arrow.Array, columns)
	for i, field := range schema.Fields() {
		arrays[i] = m.column(field, rows)
		defer arrays[i].Release()
	}
	return array.NewRecordBatch(schema, arrays, int64(rows))
}

// Array returns an array of n values.
func (m *Maker) Array(dtype arrow.DataType, n int) arrow.Array {
	return m.part(n, func(n int) arrow.Array { return m.whole(dtype, n) })
}

// column is an Array without nulls at its top if the field has none.
func (m *Maker) column(field arrow.Field, n int) arrow.Array {
	if field.Nullable {
		return m.Array(field.Type, n)
	}
	return m.part(n, func(n int) arrow.Array { return m.without(field.Type, n) })
}

// part returns n values. Sometimes they are a slice of a longer array, which of makes.
func (m *Maker) part(n int, of func(n int) arrow.Array) arrow.Array {
	before, behind := 0, 0
	if m.IntN(2) == 0 {
		before, behind = m.IntN(18), m.IntN(3)
	}
	whole := of(before + n + behind)
	if before+behind == 0 {
		return whole
	}
	defer whole.Release()
	return array.NewSlice(whole, int64(before), int64(before+n))
}

func (m *Maker) whole(dtype arrow.DataType, n int) arrow.Array {
	data := m.data(dtype, n)
	defer data.Release()
	return array.MakeFromData(data)
}

func (m *Maker) data(dtype arrow.DataType, n int) *array.Data {
	switch t := dtype.(type) {
	case *arrow.NullType:
		return array.NewData(t, n, []*memory.Buffer{nil}, nil, n, 0)
	case *arrow.BooleanType:
		return m.make(t, n, true, nil, m.bytes((n+7)/8))
	case *arrow.Float16Type, *arrow.Float32Type, *arrow.Float64Type:
		return m.make(t, n, true, nil, m.floats(dtype.ID(), n))
	case *arrow.BinaryViewType, *arrow.StringViewType:
		return m.views(t.(arrow.BinaryViewDataType), n)
	case arrow.BinaryDataType:
		offsets, end := m.offsets(n, t.Layout().Buffers[1].ByteWidth)
		return m.make(t, n, true, nil, offsets, m.text(end))
	case *arrow.StructType:
		return m.make(t, n, true, m.children(t.Fields(), n))
	case *arrow.FixedSizeListType:
		return m.make(t, n, true, m.children(t.Fields(), n*int(t.Len())))
	case *arrow.MapType:
		offsets, end := m.offsets(n, 4)
		entries := m.make(t.Elem(), end, false, []arrow.Array{
			m.without(t.KeyType(), end), m.column(t.ItemField(), end),
		})
		defer entries.Release()
		return m.make(t, n, true, []arrow.Array{array.MakeFromData(entries)}, offsets)
	case *arrow.ListType, *arrow.LargeListType:
		offsets, end := m.offsets(n, t.Layout().Buffers[1].ByteWidth)
		return m.make(t, n, true, m.children(t.(arrow.NestedType).Fields(), end), offsets)
	case *arrow.ListViewType, *arrow.LargeListViewType:
		width := t.Layout().Buffers[1].ByteWidth
		offsets, sizes := m.spans(n, width, 12)
		return m.make(t, n, true, m.children(t.(arrow.NestedType).Fields(), 12), offsets, sizes)
	case arrow.UnionType:
		return m.unionData(t, n)
	case *arrow.DictionaryType:
		return m.dictionary(t, n)
	case *arrow.RunEndEncodedType:
		return m.runs(t, n)
	case arrow.ExtensionType:
		storage := m.data(t.StorageType(), n)
		defer storage.Release()
		nulls := storage.NullN()
		if storage.Buffers()[0] == nil {
			nulls = 0 // arrow-go would count the nulls of a slice of it in a bitmap
		}
		data := array.NewData(t, n, storage.Buffers(), storage.Children(), nulls, 0)
		if values, ok := storage.Dictionary().(*array.Data); ok && values != nil {
			data.SetDictionary(values)
		}
		return data
	case arrow.FixedWidthDataType:
		return m.make(t, n, true, nil, m.bytes(n*t.BitWidth()/8))
	}
	panic("no arrays of type " + dtype.String())
}

// make takes the children. If nulls are allowed, it makes a bitmap most of the time.
func (m *Maker) make(dtype arrow.DataType, n int, nulls bool, children []arrow.Array, buffers ...[]byte) *array.Data {
	all := []*memory.Buffer{nil}
	unknown := 0
	if nulls && m.IntN(4) > 0 {
		bitmap := m.bytes((n + 7) / 8)
		switch m.IntN(6) {
		case 0:
			clear(bitmap)
		case 1:
			bitutil.SetBitsTo(bitmap, 0, int64(n), true)
		}
		all[0] = m.buffer(bitmap)
		unknown = array.UnknownNullCount
		if m.IntN(2) == 0 {
			unknown = n - bitutil.CountSetBits(bitmap, 0, n)
		}
	}
	for _, bytes := range buffers {
		all = append(all, m.buffer(bytes))
	}
	below := make([]arrow.ArrayData, len(children))
	for i, child := range children {
		below[i] = child.Data()
		defer child.Release()
	}
	for _, buffer := range all {
		if buffer != nil {
			defer buffer.Release()
		}
	}
	return array.NewData(dtype, n, all, below, unknown, 0)
}

func (m *Maker) buffer(bytes []byte) *memory.Buffer {
	buffer := memory.NewResizableBuffer(m.mem)
	buffer.Resize(len(bytes))
	copy(buffer.Bytes(), bytes)
	return buffer
}

func (m *Maker) bytes(n int) []byte {
	bytes := make([]byte, n)
	for i := range bytes {
		bytes[i] = byte(m.Uint32())
	}
	return bytes
}

// floats are never NaN, because arrow-go does not take a NaN as equal to itself.
func (m *Maker) floats(id arrow.Type, n int) []byte {
	var bytes []byte
	for range n {
		value := m.NormFloat64() * 100
		switch id {
		case arrow.FLOAT16:
			bytes = binary.NativeEndian.AppendUint16(bytes, float16.New(float32(value)).Uint16())
		case arrow.FLOAT32:
			bytes = binary.NativeEndian.AppendUint32(bytes, math.Float32bits(float32(value)))
		default:
			bytes = binary.NativeEndian.AppendUint64(bytes, math.Float64bits(value))
		}
	}
	return bytes
}

func (m *Maker) text(n int) []byte {
	text := make([]byte, n)
	for i := range text {
		text[i] = byte('a' + m.IntN(26))
	}
	return text
}

func number(bytes []byte, width, value int) []byte {
	switch width {
	case 1:
		return append(bytes, byte(value))
	case 2:
		return binary.NativeEndian.AppendUint16(bytes, uint16(value))
	case 4:
		return binary.NativeEndian.AppendUint32(bytes, uint32(value))
	}
	return binary.NativeEndian.AppendUint64(bytes, uint64(value))
}

// offsets returns the offsets of n values, which need not begin at 0, and the last offset.
func (m *Maker) offsets(n, width int) (bytes []byte, end int) {
	end = m.IntN(4)
	bytes = number(nil, width, end)
	for range n {
		end += max(0, m.IntN(7)-2)
		bytes = number(bytes, width, end)
	}
	return bytes, end
}

// spans returns offsets and sizes inside length values, in any order.
func (m *Maker) spans(n, width, length int) (offsets, sizes []byte) {
	for range n {
		offset := m.IntN(length + 1)
		offsets = number(offsets, width, offset)
		sizes = number(sizes, width, m.IntN(length-offset+1))
	}
	return offsets, sizes
}

// children have the rows that their parent needs, or more.
func (m *Maker) children(fields []arrow.Field, n int) []arrow.Array {
	children := make([]arrow.Array, len(fields))
	for i, field := range fields {
		children[i] = m.column(field, n+max(0, m.IntN(6)-3))
	}
	return children
}

// without makes an array of a type without nulls at its top: keys have none.
func (m *Maker) without(dtype arrow.DataType, n int) arrow.Array {
	data := m.data(dtype, n)
	defer data.Release()
	if bitmap := data.Buffers()[0]; bitmap != nil {
		bitutil.SetBitsTo(bitmap.Bytes(), 0, int64(n), true)
		data.SetNullN(0)
	}
	return array.MakeFromData(data)
}

func (m *Maker) views(dtype arrow.BinaryViewDataType, n int) *array.Data {
	builder := array.NewBinaryViewBuilder(m.mem)
	defer builder.Release()
	builder.SetBlockSize(64) // for several buffers
	for range n {
		switch m.IntN(4) {
		case 0:
			builder.AppendNull()
		case 1:
			builder.Append(m.text(13 + m.IntN(40)))
		default:
			builder.Append(m.text(m.IntN(13)))
		}
	}
	binaries := builder.NewBinaryViewArray()
	defer binaries.Release()
	data := binaries.Data()
	return array.NewData(dtype, n, data.Buffers(), nil, data.NullN(), 0)
}

// unionData makes offsets that never decrease within one child.
func (m *Maker) unionData(dtype arrow.UnionType, n int) *array.Data {
	codes := dtype.TypeCodes()
	next := make(map[arrow.UnionTypeCode]int)
	var ids, offsets []byte
	for range n {
		code := pick(m, codes)
		ids = append(ids, byte(code))
		offsets = number(offsets, 4, next[code])
		next[code] += m.IntN(2)
	}
	buffers := [][]byte{ids}
	if dtype.Mode() == arrow.DenseMode {
		buffers = append(buffers, offsets)
	}
	return m.make(dtype, n, false, m.children(dtype.Fields(), n), buffers...)
}

func (m *Maker) dictionary(dtype *arrow.DictionaryType, n int) *array.Data {
	length := 1 + m.IntN(9)
	width := dtype.IndexType.(arrow.FixedWidthDataType).BitWidth() / 8
	var indices []byte
	for range n {
		indices = number(indices, width, m.IntN(length))
	}
	data := m.make(dtype, n, true, nil, indices)
	values := m.Array(dtype.ValueType, length)
	defer values.Release()
	data.SetDictionary(values.Data())
	return data
}

func (m *Maker) runs(dtype *arrow.RunEndEncodedType, n int) *array.Data {
	width := dtype.RunEnds().(arrow.FixedWidthDataType).BitWidth() / 8
	var bytes []byte
	runs, end := 0, 0
	for end < n || runs == 0 {
		end += 1 + m.IntN(4)
		bytes = number(bytes, width, end)
		runs++
	}
	ends := m.make(dtype.RunEnds(), runs, false, nil, bytes)
	defer ends.Release()
	values := m.Array(dtype.Encoded(), runs)
	return m.make(dtype, n, false, []arrow.Array{array.MakeFromData(ends), values})
}
