// SPDX-License-Identifier: MIT

//go:build linux && cgo && (amd64 || arm64)

package bench

import (
	"context"
	"log/slog"
	"slices"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/ignalina/alloy"
)

// textBatch makes a column of n copies of a text, and returns its bytes as well.
func textBatch(text string, n int) (arrow.RecordBatch, []byte) {
	builder := array.NewStringBuilder(memory.NewGoAllocator())
	for range n {
		builder.Append(text)
	}
	column := builder.NewArray()
	schema := arrow.NewSchema([]arrow.Field{{Name: "text", Type: arrow.BinaryTypes.String, Nullable: true}}, nil)
	return array.NewRecordBatch(schema, []arrow.Array{column}, int64(n)), column.Data().Buffers()[2].Bytes()
}

func echoTrip(b *testing.B, check alloy.Check) func(arrow.RecordBatch) {
	goBridge := &alloy.GoBridge{
		Logger:      slog.New(slog.DiscardHandler),
		CheckInputs: check, CheckResults: alloy.CheckShape,
	}
	b.Cleanup(goBridge.Close)
	return func(in arrow.RecordBatch) {
		out, err := goBridge.Call(context.Background(), "echo", nil, in)
		if err != nil {
			b.Fatal(err)
		}
		out.Release()
	}
}

// BenchmarkText compares the check of text at level full with utf8.Valid on the same bytes,
// in turns. The time of a call without the check is subtracted.
func BenchmarkText(b *testing.B) {
	full, shape := echoTrip(b, alloy.CheckFull), echoTrip(b, alloy.CheckShape)
	for _, kind := range []struct{ name, text string }{
		{"ascii", "The quick brown fox jumps over the lazy dog, again and again."},
		{"mixed", "Größe 12 €, naïve café, 東京, Москва, and plain words between."},
	} {
		for _, size := range []struct {
			name string
			rows int
		}{{"64KiB", 1_000}, {"53MB", 53_000_000 / len(kind.text)}} {
			b.Run(kind.name+"/"+size.name, func(b *testing.B) {
				in, bytes := textBatch(kind.text, size.rows)
				defer in.Release()
				var checked, unchecked, valid []time.Duration
				measure := func(into *[]time.Duration, what func()) {
					begin := time.Now()
					what()
					*into = append(*into, time.Since(begin))
				}
				for b.Loop() {
					measure(&checked, func() { full(in) })
					measure(&unchecked, func() { shape(in) })
					measure(&valid, func() {
						if !utf8.Valid(bytes) {
							b.Fatal("not UTF-8")
						}
					})
				}
				rate := func(d time.Duration) float64 { return float64(len(bytes)) / float64(max(d, 1)) }
				gate := rate(slices.Min(checked) - slices.Min(unchecked))
				golang := rate(slices.Min(valid))
				b.ReportMetric(gate, "GB/s")
				b.ReportMetric(golang, "utf8.Valid-GB/s")
				b.ReportMetric(gate/golang, "ratio")
			})
		}
	}
}
