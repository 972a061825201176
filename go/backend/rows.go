// SPDX-License-Identifier: MIT

package backend

import (
	"fmt"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
)

// Value is a type of a column of Rows1 and Rows2.
type Value interface {
	int8 | uint8 | int16 | uint16 | int32 | uint32 | int64 | uint64 | float32 | float64 | bool | string
}

// Rows1 makes a function of a Go function that is called for each row. The input is the
// column a. The output column has the name of the function. A null makes the row null.
func Rows1[A, R Value](name, a string, f func(A) R) Function {
	return rows[R](name, []Column{columnOf[A](a)}, func(out builder[R], batch arrow.RecordBatch) {
		x := valuesOf[A](batch.Column(0))
		for i := range x.Len() {
			if x.IsNull(i) {
				out.AppendNull()
			} else {
				out.Append(f(x.Value(i)))
			}
		}
	})
}

// Rows2 is Rows1 for functions of the two columns a and b.
func Rows2[A, B, R Value](name, a, b string, f func(A, B) R) Function {
	return rows[R](name, []Column{columnOf[A](a), columnOf[B](b)}, func(out builder[R], batch arrow.RecordBatch) {
		x, y := valuesOf[A](batch.Column(0)), valuesOf[B](batch.Column(1))
		for i := range x.Len() {
			if x.IsNull(i) || y.IsNull(i) {
				out.AppendNull()
			} else {
				out.Append(f(x.Value(i), y.Value(i)))
			}
		}
	})
}

// values and builder are what the arrays and the builders of arrow-go have for each type.
type values[T any] interface {
	arrow.Array
	Value(i int) T
}

type builder[T any] interface {
	AppendNull()
	Append(value T)
}

func rows[R Value](name string, columns []Column, fill func(builder[R], arrow.RecordBatch)) Function {
	output := arrow.Field{Name: name, Type: arrow.GetDataType[R](), Nullable: true}
	return Function{
		Name: name, Columns: [][]Column{columns}, Rowwise: true, Idempotent: true,
		Output: arrow.NewSchema([]arrow.Field{output}, nil),
		Run: func(call *Call, inputs []arrow.RecordBatch) (arrow.RecordBatch, error) {
			made := call.NewBuilder()
			defer made.Release()
			made.Reserve(int(inputs[0].NumRows()))
			fill(made.Field(0).(builder[R]), inputs[0])
			return made.NewRecordBatch(), nil
		},
	}
}

func columnOf[T Value](name string) Column {
	return Column{Name: name, Types: []arrow.DataType{arrow.GetDataType[T]()}}
}

func valuesOf[T Value](column arrow.Array) values[T] {
	typed, ok := column.(values[T])
	if !ok { // the engine has compared the types
		panic(fmt.Sprintf("the column is a %T", column))
	}
	return typed
}

var _ builder[string] = (*array.StringBuilder)(nil)
