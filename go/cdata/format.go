// SPDX-License-Identifier: MIT

package cdata

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/ignalina/alloy/go/abi"
)

var units = [...]string{arrow.Second: "s", arrow.Millisecond: "m", arrow.Microsecond: "u", arrow.Nanosecond: "n"}

// plain has the types whose format needs no parameters, for both directions.
var plain = map[string]arrow.DataType{
	"n": arrow.Null, "b": arrow.FixedWidthTypes.Boolean,
	"c": arrow.PrimitiveTypes.Int8, "C": arrow.PrimitiveTypes.Uint8,
	"s": arrow.PrimitiveTypes.Int16, "S": arrow.PrimitiveTypes.Uint16,
	"i": arrow.PrimitiveTypes.Int32, "I": arrow.PrimitiveTypes.Uint32,
	"l": arrow.PrimitiveTypes.Int64, "L": arrow.PrimitiveTypes.Uint64,
	"e": arrow.FixedWidthTypes.Float16, "f": arrow.PrimitiveTypes.Float32,
	"g": arrow.PrimitiveTypes.Float64,
	"z": arrow.BinaryTypes.Binary, "Z": arrow.BinaryTypes.LargeBinary,
	"vz": arrow.BinaryTypes.BinaryView,
	"u":  arrow.BinaryTypes.String, "U": arrow.BinaryTypes.LargeString,
	"vu":  arrow.BinaryTypes.StringView,
	"tdD": arrow.FixedWidthTypes.Date32, "tdm": arrow.FixedWidthTypes.Date64,
	"tts": arrow.FixedWidthTypes.Time32s, "ttm": arrow.FixedWidthTypes.Time32ms,
	"ttu": arrow.FixedWidthTypes.Time64us, "ttn": arrow.FixedWidthTypes.Time64ns,
	"tDs": arrow.FixedWidthTypes.Duration_s, "tDm": arrow.FixedWidthTypes.Duration_ms,
	"tDu": arrow.FixedWidthTypes.Duration_us, "tDn": arrow.FixedWidthTypes.Duration_ns,
	"tiM": arrow.FixedWidthTypes.MonthInterval,
	"tiD": arrow.FixedWidthTypes.DayTimeInterval,
	"tin": arrow.FixedWidthTypes.MonthDayNanoInterval,
}

// formats has the formats of plain, by the fingerprint of the type.
var formats = func() map[string]string {
	byType := make(map[string]string, len(plain))
	for format, dtype := range plain {
		byType[dtype.Fingerprint()] = format
	}
	return byType
}()

// formatOf returns the format of a type, which is not a dictionary or an extension.
func formatOf(dtype arrow.DataType) (string, error) {
	switch t := dtype.(type) {
	case *arrow.TimestampType:
		return "ts" + units[t.Unit] + ":" + t.TimeZone, nil
	case *arrow.FixedSizeBinaryType:
		return fmt.Sprintf("w:%d", t.ByteWidth), nil
	case *arrow.Decimal128Type:
		return fmt.Sprintf("d:%d,%d", t.Precision, t.Scale), nil
	case arrow.DecimalType:
		return fmt.Sprintf("d:%d,%d,%d", t.GetPrecision(), t.GetScale(), t.BitWidth()), nil
	case *arrow.ListType:
		return "+l", nil
	case *arrow.LargeListType:
		return "+L", nil
	case *arrow.ListViewType:
		return "+vl", nil
	case *arrow.LargeListViewType:
		return "+vL", nil
	case *arrow.FixedSizeListType:
		return fmt.Sprintf("+w:%d", t.Len()), nil
	case *arrow.StructType:
		return "+s", nil
	case *arrow.MapType:
		return "+m", nil
	case *arrow.RunEndEncodedType:
		return "+r", nil
	case arrow.UnionType:
		codes := make([]string, len(t.TypeCodes()))
		for i, code := range t.TypeCodes() {
			codes[i] = strconv.Itoa(int(code))
		}
		mode := "+us:"
		if t.Mode() == arrow.DenseMode {
			mode = "+ud:"
		}
		return mode + strings.Join(codes, ","), nil
	}
	if format, ok := formats[dtype.Fingerprint()]; ok {
		return format, nil
	}
	return "", fmt.Errorf("Alloy cannot pass columns of type %s; convert the column first", dtype)
}

// typeOf returns the type of a format. Fields are the children.
func typeOf(format string, flags int64, fields []arrow.Field) (arrow.DataType, error) {
	if dtype, ok := plain[format]; ok {
		return dtype, nil
	}
	key, rest, _ := strings.Cut(format, ":")
	if unit := strings.TrimPrefix(key, "ts"); unit != key {
		for i, name := range units {
			if name == unit {
				return &arrow.TimestampType{Unit: arrow.TimeUnit(i), TimeZone: rest}, nil
			}
		}
	}
	var numbers []int
	// Other implementations use 64 bits for these numbers, arrow-go uses fewer.
	bits := 32
	if key == "+us" || key == "+ud" {
		bits = 8
	}
	if key == "w" || key == "d" || key == "+w" || key == "+us" || key == "+ud" {
		for _, text := range strings.Split(rest, ",") {
			if text == "" {
				break // a union without children
			}
			number, err := strconv.ParseInt(text, 10, bits)
			if err != nil {
				return nil, fmt.Errorf("arrow-go has no type for format %q: %w", format, err)
			}
			numbers = append(numbers, int(number))
		}
	}
	switch {
	case key == "w" && len(numbers) == 1:
		return &arrow.FixedSizeBinaryType{ByteWidth: numbers[0]}, nil
	case key == "d" && len(numbers) >= 2:
		return decimalOf(numbers)
	case key == "+w" && len(numbers) == 1 && len(fields) == 1:
		// The constructor of arrow-go panics for the size 0, which other implementations allow.
		if numbers[0] > 0 {
			return arrow.FixedSizeListOfField(int32(numbers[0]), fields[0]), nil
		}
	case key == "+us" && len(numbers) == len(fields):
		return arrow.SparseUnionOf(fields, codesOf(numbers)), nil
	case key == "+ud" && len(numbers) == len(fields):
		return arrow.DenseUnionOf(fields, codesOf(numbers)), nil
	case key == "+s":
		return arrow.StructOf(fields...), nil
	case key == "+r" && len(fields) == 2:
		encoded := arrow.RunEndEncodedOf(fields[0].Type, fields[1].Type)
		encoded.ValueNullable = fields[1].Nullable
		return encoded, nil
	case len(fields) == 1:
		return listOf(key, flags, fields[0])
	}
	return nil, fmt.Errorf("arrow-go has no type for format %q", format)
}

func listOf(key string, flags int64, field arrow.Field) (arrow.DataType, error) {
	switch key {
	case "+l":
		return arrow.ListOfField(field), nil
	case "+L":
		return arrow.LargeListOfField(field), nil
	case "+vl":
		return arrow.ListViewOfField(field), nil
	case "+vL":
		return arrow.LargeListViewOfField(field), nil
	case "+m":
		if entries, ok := field.Type.(*arrow.StructType); ok && entries.NumFields() == 2 {
			keys := entries.Field(0)
			keys.Nullable = false // arrow-go has no other keys
			dtype := arrow.MapOfFields(keys, entries.Field(1))
			dtype.KeysSorted = flags&abi.FlagKeysSorted != 0
			return dtype, nil
		}
	}
	return nil, fmt.Errorf("arrow-go has no type for format %q", key)
}

func decimalOf(numbers []int) (arrow.DataType, error) {
	bits := 128
	if len(numbers) == 3 {
		bits = numbers[2]
	}
	precision, scale := int32(numbers[0]), int32(numbers[1])
	switch bits {
	case 32:
		return &arrow.Decimal32Type{Precision: precision, Scale: scale}, nil
	case 64:
		return &arrow.Decimal64Type{Precision: precision, Scale: scale}, nil
	case 128:
		return &arrow.Decimal128Type{Precision: precision, Scale: scale}, nil
	case 256:
		return &arrow.Decimal256Type{Precision: precision, Scale: scale}, nil
	}
	return nil, fmt.Errorf("arrow-go has no decimals of %d bits", bits)
}

func codesOf(numbers []int) []arrow.UnionTypeCode {
	codes := make([]arrow.UnionTypeCode, len(numbers))
	for i, number := range numbers {
		codes[i] = arrow.UnionTypeCode(number)
	}
	return codes
}

// Accepts returns the format strings of types, as a declared column lists those that it
// accepts: separated by blanks. Of a nested type only the outermost one is said.
func Accepts(dtypes []arrow.DataType) (string, error) {
	formats := make([]string, len(dtypes))
	for i, dtype := range dtypes {
		if dtype == nil {
			return "", fmt.Errorf("type %d is nil; set it to an arrow.DataType", i)
		}
		if extension, ok := dtype.(arrow.ExtensionType); ok {
			dtype = extension.StorageType()
		}
		prefix := ""
		if dictionary, ok := dtype.(*arrow.DictionaryType); ok {
			prefix, dtype = "?:", dictionary.ValueType
		}
		format, err := formatOf(dtype)
		if err != nil {
			return "", err
		}
		formats[i] = prefix + format
	}
	return strings.Join(formats, " "), nil
}
