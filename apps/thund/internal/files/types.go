// SPDX-License-Identifier: MIT

// Package files reads sources and writes sinks: Parquet, CSV and Arrow IPC.
package files

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/ignalina/alloy/apps/thund/internal/graph"
)

var plainTypes = map[string]arrow.DataType{
	"bool": arrow.FixedWidthTypes.Boolean, "utf8": arrow.BinaryTypes.String, "large_utf8": arrow.BinaryTypes.LargeString,
	"binary": arrow.BinaryTypes.Binary, "large_binary": arrow.BinaryTypes.LargeBinary,
	"int8": arrow.PrimitiveTypes.Int8, "int16": arrow.PrimitiveTypes.Int16, "int32": arrow.PrimitiveTypes.Int32, "int64": arrow.PrimitiveTypes.Int64,
	"uint8": arrow.PrimitiveTypes.Uint8, "uint16": arrow.PrimitiveTypes.Uint16, "uint32": arrow.PrimitiveTypes.Uint32, "uint64": arrow.PrimitiveTypes.Uint64,
	"float32": arrow.PrimitiveTypes.Float32, "float64": arrow.PrimitiveTypes.Float64,
	"date32": arrow.FixedWidthTypes.Date32, "date64": arrow.FixedWidthTypes.Date64,
	"time32[s]": arrow.FixedWidthTypes.Time32s, "time32[ms]": arrow.FixedWidthTypes.Time32ms,
	"time64[us]": arrow.FixedWidthTypes.Time64us, "time64[ns]": arrow.FixedWidthTypes.Time64ns,
}

var (
	timestampType = regexp.MustCompile(`^timestamp\[(s|ms|us|ns)(?:, *(?:tz=)?([^\]]+))?\]$`)
	decimalType   = regexp.MustCompile(`^decimal128\((\d+), *(\d+)\)$`)
	units         = map[string]arrow.TimeUnit{"s": arrow.Second, "ms": arrow.Millisecond, "us": arrow.Microsecond, "ns": arrow.Nanosecond}
)

// TypeNames is what a graph file can name.
const TypeNames = "bool, utf8, large_utf8, binary, int8 to int64, uint8 to uint64, float32, float64, date32, date64, " +
	"time32[s|ms], time64[us|ns], timestamp[s|ms|us|ns] with a zone as in timestamp[s, UTC], and decimal128(digits, scale)"

// TypeOf reads the name of a type.
func TypeOf(name string) (arrow.DataType, error) {
	if found := plainTypes[name]; found != nil {
		return found, nil
	}
	if m := timestampType.FindStringSubmatch(name); m != nil {
		return &arrow.TimestampType{Unit: units[m[1]], TimeZone: m[2]}, nil
	}
	if m := decimalType.FindStringSubmatch(name); m != nil {
		precision, _ := strconv.Atoi(m[1])
		scale, _ := strconv.Atoi(m[2])
		if precision >= 1 && precision <= 38 && scale <= precision {
			return &arrow.Decimal128Type{Precision: int32(precision), Scale: int32(scale)}, nil
		}
	}
	return nil, fmt.Errorf("there is no type %q; the types are: %s", name, TypeNames)
}

// schemaOf makes a schema of the columns of a graph file.
func schemaOf(columns []graph.Column) (*arrow.Schema, error) {
	fields := make([]arrow.Field, len(columns))
	for i, column := range columns {
		of, err := TypeOf(column.Type)
		if err != nil {
			return nil, fmt.Errorf("column %s: %w", column.Name, err)
		}
		fields[i] = arrow.Field{Name: column.Name, Type: of, Nullable: true}
	}
	return arrow.NewSchema(fields, nil), nil
}

// Describe shows a schema as one line: carrier utf8, distance float64.
func Describe(schema *arrow.Schema) string {
	if schema == nil {
		return "nothing"
	}
	columns := make([]string, schema.NumFields())
	for i, field := range schema.Fields() {
		columns[i] = field.Name + " " + field.Type.String()
	}
	return strings.Join(columns, ", ")
}
