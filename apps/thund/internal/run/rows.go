// SPDX-License-Identifier: MIT

package run

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

// Different is one row that differs. A row that is only on one side has no cells on the other.
type Different struct {
	Node     string   `json:"node"`
	Row      int      `json:"row"` // from 0
	Columns  []string `json:"columns"`
	Expected []string `json:"expected"`
	Actual   []string `json:"actual"`
}

// closeEnough is how much numbers with a fraction may differ: a test has them as decimal text.
const closeEnough = 1e-12

// batchOf makes a batch of rows. Only nil: the columns of the schema; otherwise those.
func batchOf(schema *arrow.Schema, rows []map[string]any, only []string) (arrow.RecordBatch, error) {
	if only != nil {
		var fields []arrow.Field
		for _, name := range only {
			fields = append(fields, schema.Field(schema.FieldIndices(name)[0]))
		}
		schema = arrow.NewSchema(fields, nil)
	}
	builder := array.NewRecordBuilder(memory.NewGoAllocator(), schema)
	defer builder.Release()
	for i, row := range rows {
		for name := range row {
			if len(schema.FieldIndices(name)) == 0 {
				return nil, fmt.Errorf("row %d: there is no column %q", i, name)
			}
		}
		for at, field := range schema.Fields() {
			if err := appendValue(builder.Field(at), field.Type, row[field.Name]); err != nil {
				return nil, fmt.Errorf("row %d, column %s: %w", i, field.Name, err)
			}
		}
	}
	return builder.NewRecordBatch(), nil
}

func appendValue(builder array.Builder, of arrow.DataType, value any) error {
	text, isText := value.(string)
	isTextual := of.ID() == arrow.STRING || of.ID() == arrow.LARGE_STRING || of.ID() == arrow.STRING_VIEW
	switch value.(type) {
	case nil:
		builder.AppendNull()
		return nil
	case []any, map[string]any:
		made, err := json.Marshal(value)
		if err != nil {
			return err
		}
		text = string(made)
	default:
		if isTextual && !isText {
			return fmt.Errorf("%v is no text", value)
		}
		if !isText {
			text = fmt.Sprint(value)
		}
	}
	if err := builder.AppendValueFromString(text); err != nil {
		return fmt.Errorf("%q is no %s: %w", text, of, err)
	}
	return nil
}

// differences compares the columns that the expected rows name. Where rows come from a union,
// their order means nothing.
func differences(node string, schema *arrow.Schema, expected []map[string]any, got []arrow.RecordBatch, isMixed bool) (all []Different) {
	named := map[string]bool{}
	for _, row := range expected {
		for name := range row {
			named[name] = true
		}
	}
	columns := slices.DeleteFunc(namesOf(schema), func(name string) bool { return len(expected) > 0 && !named[name] })
	want, err := batchOf(schema, expected, columns)
	if err != nil { // the validation has made the same batch
		return []Different{{Node: node, Columns: []string{err.Error()}}}
	}
	defer want.Release()
	wanted, actual := cellsOf([]arrow.RecordBatch{want}, columns), cellsOf(got, columns)
	if isMixed {
		byText := func(a, b []cell) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) }
		slices.SortStableFunc(wanted, byText)
		slices.SortStableFunc(actual, byText)
	}
	for row := range max(len(wanted), len(actual)) {
		d := Different{Node: node, Row: row}
		switch {
		case row >= len(actual):
			d.Columns, d.Expected = columns, textsOf(wanted[row])
		case row >= len(wanted):
			d.Columns, d.Actual = columns, textsOf(actual[row])
		default:
			for i, name := range columns {
				if !wanted[row][i].equals(actual[row][i]) {
					d.Columns = append(d.Columns, name)
					d.Expected = append(d.Expected, wanted[row][i].text)
					d.Actual = append(d.Actual, actual[row][i].text)
				}
			}
		}
		if d.Columns != nil {
			all = append(all, d)
		}
	}
	return all
}

func namesOf(schema *arrow.Schema) (names []string) {
	for _, field := range schema.Fields() {
		names = append(names, field.Name)
	}
	return names
}

// cell is a value as text, and as a number if it has a fraction.
type cell struct {
	text   string
	number *float64
}

func (c cell) String() string { return c.text }

func (c cell) equals(other cell) bool {
	if c.text == other.text || c.number == nil || other.number == nil {
		return c.text == other.text
	}
	a, b := *c.number, *other.number
	return math.Abs(a-b) <= closeEnough*max(math.Abs(a), math.Abs(b))
}

func textsOf(row []cell) (texts []string) {
	for _, c := range row {
		texts = append(texts, c.text)
	}
	return texts
}

func cellsOf(batches []arrow.RecordBatch, columns []string) (rows [][]cell) {
	for _, batch := range batches {
		for row := range int(batch.NumRows()) {
			cells := make([]cell, len(columns))
			for i, name := range columns {
				cells[i] = cellOf(batch.Column(batch.Schema().FieldIndices(name)[0]), row)
			}
			rows = append(rows, cells)
		}
	}
	return rows
}

func cellOf(column arrow.Array, row int) cell {
	c := cell{text: column.ValueStr(row)}
	if column.IsNull(row) {
		return cell{text: "null"}
	}
	var number float64
	switch column := column.(type) {
	case *array.Float64:
		number = column.Value(row)
	case *array.Float32:
		number = float64(column.Value(row))
	case *array.String, *array.LargeString, *array.StringView:
		c.text = fmt.Sprintf("%q", c.text) // a text "null" is not a null
		return c
	default:
		return c
	}
	c.number = &number
	return c
}
