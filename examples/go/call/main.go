// SPDX-License-Identifier: MIT
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/ignalina/alloy"
)

func main() {
	var goBridge alloy.GoBridge
	defer goBridge.Close()
	certificate, err := alloy.ReadCertificate("build/dev.crt")
	if err != nil {
		log.Fatal(err)
	}
	if err := goBridge.SetImplLib("build/backends/score_cpp.so", certificate); err != nil {
		log.Fatal(err)
	}
	functions, err := goBridge.Functions()
	if err != nil {
		log.Fatal(err)
	}
	for _, function := range functions {
		fmt.Println(function.Name, "reads", len(function.Columns[0]), "columns")
	}
	batch, _, err := array.RecordFromJSON(memory.DefaultAllocator, arrow.NewSchema([]arrow.Field{
		{Name: "x", Type: arrow.PrimitiveTypes.Float64}, {Name: "y", Type: arrow.PrimitiveTypes.Int64},
	}, nil), strings.NewReader(`[{"x": 1.5, "y": 10}, {"x": 2, "y": 20}]`))
	if err != nil {
		log.Fatal(err)
	}
	defer batch.Release()
	scores, err := goBridge.Call(context.Background(), "score", nil, batch)
	var e *alloy.Error
	if errors.As(err, &e) && e.Code == alloy.NoMatch {
		log.Fatal("the columns do not fit: ", e.Text)
	} else if err != nil {
		log.Fatal(err)
	}
	defer scores.Release() // the result is memory of the backend, which Go does not collect
	fmt.Println(scores.Column(0))
}
