// SPDX-License-Identifier: MIT

package cdata

import (
	"encoding/binary"
	"fmt"
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/ignalina/alloy/go/abi"
)

// ImportSchema reads the schema of a batch, which the engine has checked. It borrows in.
func ImportSchema(in *abi.Schema) (schema *arrow.Schema, err error) {
	// The constructors of arrow-go panic about some schemas that the format allows. The code of
	// a registered extension type may panic as well.
	defer func() {
		if cause := recover(); cause != nil {
			schema, err = nil, fmt.Errorf("arrow-go cannot hold the schema: %v", cause)
		}
	}()
	fields, err := importFields(in)
	if err != nil {
		return nil, err
	}
	metadata := importMetadata(in.Metadata)
	return arrow.NewSchema(fields, &metadata), nil
}

func importFields(in *abi.Schema) ([]arrow.Field, error) {
	fields := make([]arrow.Field, in.NumChildren)
	if len(fields) == 0 {
		return fields, nil
	}
	for i, child := range unsafe.Slice(in.Children, in.NumChildren) {
		field, err := importField(child)
		if err != nil {
			return nil, err
		}
		fields[i] = field
	}
	return fields, nil
}

func importField(in *abi.Schema) (arrow.Field, error) {
	field := arrow.Field{
		Name:     text(in.Name),
		Nullable: in.Flags&abi.FlagNullable != 0,
		Metadata: importMetadata(in.Metadata),
	}
	children, err := importFields(in)
	if err != nil {
		return field, err
	}
	if field.Type, err = typeOf(text(in.Format), in.Flags, children); err != nil {
		return field, fmt.Errorf("column %q: %w", field.Name, err)
	}
	if in.Dictionary != nil {
		values, err := importField(in.Dictionary)
		if err != nil {
			return field, err
		}
		if values.Metadata.Len() > 0 {
			// It may be an extension type that is not registered.
			return field, fmt.Errorf("column %q: arrow-go cannot hold metadata of dictionary values", field.Name)
		}
		field.Type = &arrow.DictionaryType{
			IndexType: field.Type, ValueType: values.Type,
			Ordered: in.Flags&abi.FlagOrdered != 0,
		}
	}
	return extend(field)
}

// extend gives a field its extension type, if that type is registered. Otherwise the field
// keeps the metadata, so that nothing is lost.
func extend(field arrow.Field) (arrow.Field, error) {
	name, ok := field.Metadata.GetValue(extensionName)
	if !ok {
		return field, nil
	}
	registered := arrow.GetExtensionType(name)
	if registered == nil {
		return field, nil
	}
	data, _ := field.Metadata.GetValue(extensionData)
	dtype, err := registered.Deserialize(field.Type, data)
	if err != nil {
		return field, fmt.Errorf("column %q: extension type %q: %w", field.Name, name, err)
	}
	var keys, values []string
	for i, key := range field.Metadata.Keys() {
		if key != extensionName && key != extensionData {
			keys = append(keys, key)
			values = append(values, field.Metadata.Values()[i])
		}
	}
	field.Type = dtype
	field.Metadata = arrow.NewMetadata(keys, values)
	return field, nil
}

// text copies a C string. NULL is the empty string.
func text(at unsafe.Pointer) string {
	if at == nil {
		return ""
	}
	length := 0
	for *(*byte)(unsafe.Add(at, length)) != 0 {
		length++
	}
	return string(unsafe.Slice((*byte)(at), length))
}

func importMetadata(at unsafe.Pointer) arrow.Metadata {
	if at == nil {
		return arrow.Metadata{}
	}
	number := func() int {
		v := binary.NativeEndian.Uint32(unsafe.Slice((*byte)(at), 4))
		at = unsafe.Add(at, 4)
		return int(int32(v))
	}
	bytes := func() string {
		length := number()
		s := string(unsafe.Slice((*byte)(at), length))
		at = unsafe.Add(at, length)
		return s
	}
	count := number()
	keys, values := make([]string, count), make([]string, count)
	for i := range keys {
		keys[i], values[i] = bytes(), bytes()
	}
	return arrow.NewMetadata(keys, values)
}
