// SPDX-License-Identifier: MIT

//go:build linux && cgo && (amd64 || arm64)

package alloy_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log"
	"log/slog"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/ignalina/alloy"
)

// load returns a bridge with a library of the build, which is signed with the build's key.
func load(library string) *alloy.GoBridge {
	certificate, err := alloy.ReadCertificate("build/dev.crt")
	if err != nil {
		log.Fatalf("%v; make build-all makes it", err)
	}
	goBridge := &alloy.GoBridge{}
	if err := goBridge.SetImplLib("build/backends/"+library, certificate); err != nil {
		log.Fatalf("%v; make build-all builds it", err)
	}
	return goBridge
}

var pointSchema = arrow.NewSchema([]arrow.Field{
	{Name: "x", Type: arrow.PrimitiveTypes.Float64, Nullable: true},
	{Name: "y", Type: arrow.PrimitiveTypes.Int64},
}, nil)

func points(rows string) arrow.RecordBatch {
	batch, _, err := array.RecordFromJSON(memory.DefaultAllocator, pointSchema, strings.NewReader(rows))
	if err != nil {
		log.Fatal(err)
	}
	return batch
}

func ExampleGoBridge_Call() {
	goBridge := load("score_cpp.so") // score = x * y
	defer goBridge.Close()

	batch := points(`[{"x": 1.5, "y": 10}, {"x": null, "y": 20}, {"x": 2, "y": 30}]`)
	defer batch.Release()
	scores, err := goBridge.Call(context.Background(), "score", nil, batch)
	if err != nil {
		log.Fatal(err)
	}
	defer scores.Release() // the result is memory of the backend, which Go does not collect
	fmt.Println(scores.ColumnName(0), scores.Column(0))
	// Output: score [15 (null) 60]
}

func ExampleGoBridge_Stream() {
	goBridge := load("aggregate_rust.so")
	defer goBridge.Close()

	first := points(`[{"x": 1.5, "y": 1}, {"x": 2.5, "y": 2}]`)
	defer first.Release()
	second := points(`[{"x": 10, "y": 1}]`)
	defer second.Release()
	in, err := array.NewRecordReader(pointSchema, []arrow.RecordBatch{first, second})
	if err != nil {
		log.Fatal(err)
	}
	defer in.Release()

	options := alloy.Options{"keys": "y", "aggregates": "count,sum(x)"}
	sums, err := goBridge.Stream(context.Background(), "group_by", options, in)
	if err != nil {
		log.Fatal(err)
	}
	defer sums.Release()
	for sums.Next() {
		batch := sums.RecordBatch() // valid until the following Next
		for i, field := range batch.Schema().Fields() {
			fmt.Println(field.Name, batch.Column(i))
		}
	}
	if err := sums.Err(); err != nil {
		log.Fatal(err)
	}
	// Output:
	// y [1 2]
	// count [2 1]
	// sum(x) [11.5 2.5]
}

func ExampleGoBridge_Functions() {
	goBridge := load("score_cpp.so")
	defer goBridge.Close()

	functions, err := goBridge.Functions()
	if err != nil {
		log.Fatal(err)
	}
	for _, function := range functions {
		fmt.Printf("%s takes %d batch\n", function.Name, function.MaxInputs)
		for _, column := range function.Columns[0] {
			fmt.Printf("column %s, a type of: %s\n", column.Name, column.Accepts)
		}
	}
	// Output:
	// score takes 1 batch
	// column x, a type of: g
	// column y, a type of: l
}

func ExampleGoBridge_FromChunks() {
	// Without a library, the built-in echo counts the arrays. It logs what it sees.
	goBridge := alloy.GoBridge{Logger: slog.New(slog.DiscardHandler)}
	defer goBridge.Close()

	builder := array.NewInt32Builder(memory.DefaultAllocator)
	defer builder.Release()
	builder.AppendValues([]int32{1, 2, 3, -4}, nil)
	chunk := builder.NewArray()
	defer chunk.Release()
	count, err := goBridge.FromChunks([]arrow.Array{chunk, chunk})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(count)
	// Output: 2
}

// A backend in a worker process cannot take the program down.
func ExampleGoBridge_isolated() {
	goBridge := alloy.GoBridge{AllowUnsigned: true, Isolated: true}
	defer goBridge.Close()
	if err := goBridge.SetImplLib("build/backends/score_cpp.so", ""); err != nil {
		log.Fatal(err)
	}
	batch := points(`[{"x": 1.5, "y": 10}, {"x": 2, "y": 30}]`)
	defer batch.Release()
	scores, err := goBridge.Call(context.Background(), "score", nil, batch)
	if errors.Is(err, alloy.ErrLost) {
		log.Print(err) // it says what died, and why; the next call starts a new worker
	} else if err == nil {
		fmt.Println(scores.Column(0))
		scores.Release()
	}
	// Output: [15 60]
}

// The code of an error says what to do next.
func ExampleError() {
	goBridge := load("score_cpp.so")
	defer goBridge.Close()

	batch := points(`[{"x": 1.5, "y": 10}]`)
	defer batch.Release()
	_, err := goBridge.Call(context.Background(), "scores", nil, batch)
	var e *alloy.Error
	switch {
	case err == nil:
	case !errors.As(err, &e):
		log.Fatal(err)
	case e.Code == alloy.NotFound:
		fmt.Println("correct the name of the function:", e.Code)
	case e.Code == alloy.BadData:
		fmt.Println("correct the data:", e.Reason, "in input", e.Input, "column", e.Column)
	case e.Code == alloy.Retry, e.Code == alloy.Busy:
		fmt.Println("try again:", e.Text)
	default:
		log.Fatal(e)
	}
	// Output: correct the name of the function: NOT_FOUND
}

// A library that was refused does not serve, and nothing serves in its place.
func ExampleGoBridge_SetImplLib() {
	goBridge := alloy.GoBridge{}
	defer goBridge.Close()

	var e *alloy.Error
	if err := goBridge.SetImplLib("no/such/library.so", ""); errors.As(err, &e) {
		fmt.Println(e.Code)
	}
	if _, err := goBridge.FromChunks(nil); errors.As(err, &e) {
		fmt.Println(e.Code)
	}
	// Output:
	// REFUSED
	// REFUSED
}

func ExampleWriteIPC() {
	batch := points(`[{"x": 1.5, "y": 10}, {"x": 2, "y": 30}]`)
	defer batch.Release()
	out, err := array.NewRecordReader(pointSchema, []arrow.RecordBatch{batch})
	if err != nil {
		log.Fatal(err)
	}
	defer out.Release()

	var stream bytes.Buffer
	if err := alloy.WriteIPC(&stream, out); err != nil {
		log.Fatal(err)
	}
	in, err := alloy.ReadIPC(&stream)
	if err != nil {
		log.Fatal(err)
	}
	defer in.Release()
	for in.Next() {
		fmt.Println(in.RecordBatch().NumRows(), "rows")
	}
	if err := in.Err(); err != nil {
		log.Fatal(err)
	}
	// Output: 2 rows
}
