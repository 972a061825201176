// SPDX-License-Identifier: MIT

//go:build linux && cgo && (amd64 || arm64)

package cdata_test

import (
	"strings"
	"testing"
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/extensions"

	"github.com/ignalina/alloy/go/abi"
	"github.com/ignalina/alloy/go/cdata"
	"github.com/ignalina/alloy/go/internal/random"
)

func metadata(pairs ...string) arrow.Metadata {
	var keys, values []string
	for i := 0; i < len(pairs); i += 2 {
		keys, values = append(keys, pairs[i]), append(values, pairs[i+1])
	}
	return arrow.NewMetadata(keys, values)
}

// everyType has the properties of types that importers often lose.
func everyType() map[string]arrow.DataType {
	item := arrow.Field{Name: "weird name", Type: arrow.PrimitiveTypes.Int8, Metadata: metadata("k", "v")}
	sorted := arrow.MapOfFields(
		arrow.Field{Name: "key", Type: arrow.BinaryTypes.String, Metadata: metadata("of", "keys")},
		arrow.Field{Name: "value", Type: arrow.PrimitiveTypes.Int64, Nullable: false})
	sorted.KeysSorted = true
	runs := arrow.RunEndEncodedOf(arrow.PrimitiveTypes.Int16, arrow.BinaryTypes.StringView)
	runs.ValueNullable = true
	types := map[string]arrow.DataType{
		"ordered dictionary":   &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Uint16, ValueType: arrow.BinaryTypes.LargeString, Ordered: true},
		"unordered dictionary": &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int8, ValueType: arrow.ListOfField(item)},
		"sorted map":           sorted,
		"unsorted map":         arrow.MapOf(arrow.PrimitiveTypes.Int32, arrow.BinaryTypes.Binary),
		"list":                 arrow.ListOfField(item),
		"large list":           arrow.LargeListOfField(item),
		"list view":            arrow.ListViewOfField(item),
		"large list view":      arrow.LargeListViewOfField(item),
		"fixed-size list":      arrow.FixedSizeListOfField(3, item),
		"struct":               arrow.StructOf(item, arrow.Field{Name: "", Type: arrow.Null, Nullable: true}),
		"empty struct":         arrow.StructOf(),
		"sparse union":         arrow.SparseUnionOf([]arrow.Field{item}, []arrow.UnionTypeCode{42}),
		"dense union":          arrow.DenseUnionOf([]arrow.Field{item, {Name: "b", Type: arrow.Null}}, []arrow.UnionTypeCode{5, 127}),
		"run-end encoded":      runs,
		"fixed-size binary":    &arrow.FixedSizeBinaryType{ByteWidth: 3},
		"decimal 32":           &arrow.Decimal32Type{Precision: 7, Scale: 2},
		"decimal 64":           &arrow.Decimal64Type{Precision: 17, Scale: -3},
		"decimal 128":          &arrow.Decimal128Type{Precision: 37, Scale: 5},
		"decimal 256":          &arrow.Decimal256Type{Precision: 70, Scale: 9},
		"time zone":            &arrow.TimestampType{Unit: arrow.Nanosecond, TimeZone: "+01:00"},
		"no time zone":         &arrow.TimestampType{Unit: arrow.Second},
		"uuid":                 extensions.NewUUIDType(),
	}
	for _, dtype := range random.Flat {
		types[dtype.String()] = dtype
	}
	return types
}

func TestEveryTypeComesBackWhole(t *testing.T) {
	for name, dtype := range everyType() {
		t.Run(name, func(t *testing.T) {
			top := metadata("of", "the schema", "with \x00", "\xff")
			want := arrow.NewSchema([]arrow.Field{
				{Name: name, Type: dtype, Nullable: true, Metadata: metadata("a", "b")},
				{Name: name, Type: dtype},
			}, &top)
			exported, err := cdata.ExportSchemas([]*arrow.Schema{want})
			if err != nil {
				t.Fatal(err)
			}
			got, err := cdata.ImportSchema(exported.First)
			exported.Free()
			if err != nil {
				t.Fatal(err)
			}
			if !got.Metadata().Equal(top) {
				t.Errorf("metadata: got %v", got.Metadata())
			}
			for i, field := range want.Fields() {
				came := got.Field(i)
				if came.Name != field.Name || came.Nullable != field.Nullable || !came.Metadata.Equal(field.Metadata) {
					t.Errorf("got %v, want %v", came, field)
				}
				if !arrow.TypeEqual(came.Type, field.Type, arrow.CheckMetadata()) || came.Type.String() != field.Type.String() {
					t.Errorf("got %v, want %v", came.Type, field.Type)
				}
				if d, ok := field.Type.(*arrow.DictionaryType); ok && came.Type.(*arrow.DictionaryType).Ordered != d.Ordered {
					t.Error("ordered is lost")
				}
			}
			if _, err := cdata.NewPlan(got); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestAnUnknownExtensionKeepsItsMetadata(t *testing.T) {
	marked := metadata("ARROW:extension:name", "acme.unheard_of", "ARROW:extension:metadata", "x")
	want := arrow.NewSchema([]arrow.Field{{Name: "e", Type: arrow.BinaryTypes.String, Metadata: marked}}, nil)
	exported, err := cdata.ExportSchemas([]*arrow.Schema{want})
	if err != nil {
		t.Fatal(err)
	}
	defer exported.Free()
	got, err := cdata.ImportSchema(exported.First)
	if err != nil || !got.Equal(want) || !got.Field(0).Metadata.Equal(marked) {
		t.Errorf("got %v, %v", got, err)
	}
}

func TestANameWithANULIsRefused(t *testing.T) {
	schema := arrow.NewSchema([]arrow.Field{{Name: "a\x00b", Type: arrow.Null}}, nil)
	if _, err := cdata.ExportSchemas([]*arrow.Schema{schema}); err == nil || !strings.Contains(err.Error(), "NUL") {
		t.Errorf("got %v", err)
	}
}

// described is a batch of one column as a backend may describe it.
func described(format string, below ...*abi.Schema) *abi.Schema {
	text := func(s string) unsafe.Pointer { return unsafe.Pointer(unsafe.StringData(s + "\x00")) }
	column := &abi.Schema{Format: text(format), NumChildren: int64(len(below))}
	if len(below) > 0 {
		column.Children = &below[0]
	}
	return &abi.Schema{Format: text("+s"), NumChildren: 1, Children: &column}
}

// TestASchemaThatArrowGoCannotHoldIsAnError, and neither a panic nor another type.
func TestASchemaThatArrowGoCannotHoldIsAnError(t *testing.T) {
	child := func() *abi.Schema { return *described("c").Children }
	for _, c := range []struct {
		format string
		below  []*abi.Schema
	}{
		{"+w:0", []*abi.Schema{child()}},
		{"+w:-1", []*abi.Schema{child()}},
		{"+w:4294967296", []*abi.Schema{child()}},
		{"+w:4294967299", []*abi.Schema{child()}},
		{"+w:99999999999999999999", []*abi.Schema{child()}},
		{"+w:", []*abi.Schema{child()}},
		{"w:4294967297", nil},
		{"d:4294967299,2", nil},
		{"d:9,4294967296", nil},
		{"d:9,2,4294967424", nil},
		{"+us:256", []*abi.Schema{child()}},
		{"+ud:-1", []*abi.Schema{child()}},
		{"+m", []*abi.Schema{child()}},
		{"?", nil},
	} {
		if got, err := cdata.ImportSchema(described(c.format, c.below...)); err == nil {
			t.Errorf("%s became %v", c.format, got)
		}
	}
	marked := described("c")
	block := []byte{1, 0, 0, 0, 1, 0, 0, 0, 'k', 1, 0, 0, 0, 'v', 0} // one more, to step onto
	values := child()
	values.Metadata = unsafe.Pointer(&block[0])
	(*marked.Children).Dictionary = values
	if got, err := cdata.ImportSchema(marked); err == nil || !strings.Contains(err.Error(), "cannot hold") {
		t.Errorf("a dictionary's values with metadata became %v, %v", got, err)
	}
	got, err := cdata.ImportSchema(described("+w:3", child()))
	if err != nil || got.Field(0).Type.(*arrow.FixedSizeListType).Len() != 3 {
		t.Errorf("got %v, %v", got, err)
	}
}
