// SPDX-License-Identifier: MIT

// Package random makes random arrow-go arrays of every type and nesting, for tests: with
// nulls, with offsets, and with children that are longer than necessary.
//
// Threads: serial.
package random

import (
	"fmt"
	"math/rand/v2"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/extensions"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

// Maker makes arrays. The same seed makes the same arrays.
type Maker struct {
	*rand.Rand
	mem memory.Allocator
}

// New makes a maker whose arrays lie in mem.
func New(seed uint64, mem memory.Allocator) *Maker {
	return &Maker{rand.New(rand.NewPCG(seed, 0)), mem}
}

// Flat has every type without parameters and children.
var Flat = []arrow.DataType{
	arrow.Null, arrow.FixedWidthTypes.Boolean,
	arrow.PrimitiveTypes.Int8, arrow.PrimitiveTypes.Uint8, arrow.PrimitiveTypes.Int16,
	arrow.PrimitiveTypes.Uint16, arrow.PrimitiveTypes.Int32, arrow.PrimitiveTypes.Uint32,
	arrow.PrimitiveTypes.Int64, arrow.PrimitiveTypes.Uint64, arrow.FixedWidthTypes.Float16,
	arrow.PrimitiveTypes.Float32, arrow.PrimitiveTypes.Float64,
	arrow.BinaryTypes.Binary, arrow.BinaryTypes.LargeBinary, arrow.BinaryTypes.BinaryView,
	arrow.BinaryTypes.String, arrow.BinaryTypes.LargeString, arrow.BinaryTypes.StringView,
	arrow.FixedWidthTypes.Date32, arrow.FixedWidthTypes.Date64,
	arrow.FixedWidthTypes.Time32s, arrow.FixedWidthTypes.Time32ms,
	arrow.FixedWidthTypes.Time64us, arrow.FixedWidthTypes.Time64ns,
	arrow.FixedWidthTypes.Duration_s, arrow.FixedWidthTypes.Duration_ms,
	arrow.FixedWidthTypes.Duration_us, arrow.FixedWidthTypes.Duration_ns,
	arrow.FixedWidthTypes.MonthInterval, arrow.FixedWidthTypes.DayTimeInterval,
	arrow.FixedWidthTypes.MonthDayNanoInterval,
}

var zones = []string{"", "UTC", "+01:00", "-07:30", "Europe/Stockholm", "America/Argentina/Buenos_Aires"}

// parametric makes the types that have parameters but no children.
var parametric = []func(*Maker) arrow.DataType{
	func(m *Maker) arrow.DataType {
		return &arrow.TimestampType{Unit: arrow.TimeUnit(m.IntN(4)), TimeZone: pick(m, zones)}
	},
	func(m *Maker) arrow.DataType { return &arrow.FixedSizeBinaryType{ByteWidth: m.IntN(20)} },
	func(m *Maker) arrow.DataType {
		return &arrow.Decimal32Type{Precision: int32(1 + m.IntN(9)), Scale: int32(m.IntN(9) - 4)}
	},
	func(m *Maker) arrow.DataType {
		return &arrow.Decimal64Type{Precision: int32(1 + m.IntN(18)), Scale: int32(m.IntN(9) - 4)}
	},
	func(m *Maker) arrow.DataType {
		return &arrow.Decimal128Type{Precision: int32(1 + m.IntN(38)), Scale: int32(m.IntN(9) - 4)}
	},
	func(m *Maker) arrow.DataType {
		return &arrow.Decimal256Type{Precision: int32(1 + m.IntN(76)), Scale: int32(m.IntN(9) - 4)}
	},
}

func pick[T any](m *Maker, from []T) T { return from[m.IntN(len(from))] }

// Type returns any type with at most depth levels of children.
func (m *Maker) Type(depth int) arrow.DataType {
	kinds := len(Flat) + len(parametric)
	if depth > 0 && m.IntN(3) > 0 {
		return m.nested(depth - 1)
	}
	kind := m.IntN(kinds)
	if kind < len(Flat) {
		return Flat[kind]
	}
	return parametric[kind-len(Flat)](m)
}

// nested returns a type that has children.
func (m *Maker) nested(depth int) arrow.DataType {
	switch m.IntN(12) {
	case 0:
		return arrow.ListOfField(m.Field(depth))
	case 1:
		return arrow.LargeListOfField(m.Field(depth))
	case 2:
		return arrow.ListViewOfField(m.Field(depth))
	case 3:
		return arrow.LargeListViewOfField(m.Field(depth))
	case 4:
		return arrow.FixedSizeListOfField(int32(1+m.IntN(3)), m.Field(depth))
	case 5:
		return arrow.StructOf(m.fields(m.IntN(4), depth)...)
	case 6:
		return m.mapType(depth)
	case 7:
		fields, codes := m.union(depth)
		return arrow.SparseUnionOf(fields, codes)
	case 8:
		fields, codes := m.union(depth)
		return arrow.DenseUnionOf(fields, codes)
	case 9:
		return m.dictionaryType(depth)
	case 10:
		return m.runsType(depth)
	}
	return m.extensionType(depth)
}

// Field returns a field of any type, with names and metadata that importers often lose.
func (m *Maker) Field(depth int) arrow.Field {
	field := arrow.Field{
		Name: pick(m, []string{"", "a", "ö", "with space", "item"}), Type: m.Type(depth), Nullable: m.IntN(4) > 0,
	}
	if m.IntN(4) == 0 {
		// Sorted, because arrow-rs does not keep the order.
		field.Metadata = arrow.NewMetadata([]string{"", "empty", "key"}, []string{"\x00ö", "", "value"})
	}
	return field
}

func (m *Maker) fields(n, depth int) []arrow.Field {
	fields := make([]arrow.Field, n)
	for i := range fields {
		fields[i] = m.Field(depth)
		fields[i].Name = fmt.Sprint(fields[i].Name, i)
	}
	return fields
}

func (m *Maker) mapType(depth int) arrow.DataType {
	key, value := m.Field(depth), m.Field(depth)
	for isNull(key.Type) { // a key cannot be null
		key.Type = m.Type(depth)
	}
	key.Name, value.Name, key.Nullable = "key", "value", false
	dtype := arrow.MapOfFields(key, value)
	dtype.KeysSorted = m.IntN(2) == 0
	return dtype
}

func isNull(dtype arrow.DataType) bool {
	if extension, ok := dtype.(arrow.ExtensionType); ok {
		dtype = extension.StorageType()
	}
	return dtype.ID() == arrow.NULL
}

func (m *Maker) union(depth int) ([]arrow.Field, []arrow.UnionTypeCode) {
	fields := m.fields(1+m.IntN(3), depth)
	codes := make([]arrow.UnionTypeCode, len(fields))
	for i, code := range m.Perm(128)[:len(codes)] {
		codes[i] = arrow.UnionTypeCode(code)
	}
	return fields, codes
}

func (m *Maker) dictionaryType(depth int) arrow.DataType {
	return &arrow.DictionaryType{
		IndexType: pick(m, Flat[2:10]),
		ValueType: m.Type(depth), Ordered: m.IntN(2) == 0,
	}
}

func (m *Maker) runsType(depth int) arrow.DataType {
	ends := pick(m, []arrow.DataType{arrow.PrimitiveTypes.Int16, arrow.PrimitiveTypes.Int32, arrow.PrimitiveTypes.Int64})
	dtype := arrow.RunEndEncodedOf(ends, m.Type(depth))
	dtype.ValueNullable = m.IntN(2) == 0
	return dtype
}

func (m *Maker) extensionType(depth int) arrow.DataType {
	if m.IntN(2) == 0 {
		return extensions.NewUUIDType()
	}
	storage := m.Type(depth)
	for storage.ID() == arrow.EXTENSION {
		storage = m.Type(depth)
	}
	return extensions.NewOpaqueType(storage, "of a test", "alloy")
}
