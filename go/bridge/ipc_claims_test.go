// SPDX-License-Identifier: MIT

//go:build linux && cgo && (amd64 || arm64)

package bridge_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/ignalina/alloy"
)

var codecs = map[string]ipc.Option{"LZ4": ipc.WithLZ4(), "Zstandard": ipc.WithZstd()}

// bytesOf returns the stream of batches that a codec has compressed.
func bytesOf(t *testing.T, options []ipc.Option, batches ...arrow.RecordBatch) []byte {
	t.Helper()
	var out bytes.Buffer
	writer := ipc.NewWriter(&out, append(options, ipc.WithSchema(batches[0].Schema()))...)
	for _, batch := range batches {
		if err := writer.Write(batch); err != nil {
			t.Fatal(err)
		}
	}
	if err := writer.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// readAll reads a stream to its end.
func readAll(in array.RecordReader, err error) (batches int, _ error) {
	if err != nil {
		return 0, err
	}
	defer in.Release()
	for in.Next() {
		batches++
	}
	return batches, in.Err()
}

// zeros makes a batch of rows that a codec compresses as well as it can.
func zeros(rows int) arrow.RecordBatch {
	builder := array.NewInt64Builder(memory.DefaultAllocator)
	builder.AppendValues(make([]int64, rows), nil)
	column := builder.NewArray()
	return array.NewRecordBatch(numbersSchema, []arrow.Array{column}, int64(rows))
}

// words makes a batch with a dictionary of words, each of which has many bytes.
func words(t *testing.T, texts ...string) arrow.RecordBatch {
	t.Helper()
	dtype := &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int8, ValueType: arrow.BinaryTypes.String}
	builder := array.NewDictionaryBuilder(memory.DefaultAllocator, dtype).(*array.BinaryDictionaryBuilder)
	for _, text := range texts {
		if err := builder.AppendString(text); err != nil {
			t.Fatal(err)
		}
	}
	column := builder.NewArray()
	schema := arrow.NewSchema([]arrow.Field{{Name: "word", Type: dtype}}, nil)
	return array.NewRecordBatch(schema, []arrow.Array{column}, int64(len(texts)))
}

// TestEachClaimOfACompressedBufferIsChecked in batches, dictionaries and deltas: every place
// at which a size stands is found by its value, and gets others.
func TestEachClaimOfACompressedBufferIsChecked(t *testing.T) {
	long := strings.Repeat("x", 30011)
	for name, codec := range codecs {
		for kind, c := range map[string]struct {
			stream []byte
			size   uint64 // stands before the compressed bytes
			places int
		}{
			"a batch":      {bytesOf(t, []ipc.Option{codec}, zeros(4001), zeros(4001)), 8 * 4001, 2},
			"a dictionary": {bytesOf(t, []ipc.Option{codec}, words(t, long)), 30011, 1},
			"a delta": {bytesOf(t, []ipc.Option{codec, ipc.WithDictionaryDeltas(true)},
				words(t, "a"), words(t, "a", long)), 30011, 1},
		} {
			t.Run(name+", "+kind, func(t *testing.T) {
				whole := c.stream
				if _, err := readAll(alloy.ReadIPC(bytes.NewReader(whole))); err != nil {
					t.Fatal(err)
				}
				claim := binary.LittleEndian.AppendUint64(nil, c.size)
				found := 0
				for at := 0; at+8 <= len(whole); at += 8 {
					if !bytes.Equal(whole[at:at+8], claim) {
						continue
					}
					found++
					for _, size := range []uint64{1 << 40, 1 << 31, math.MaxInt64, 1 << 63, math.MaxUint64 - 1, 1<<31 - 1} {
						changed := slices.Clone(whole)
						binary.LittleEndian.PutUint64(changed[at:], size)
						_, err := readAll(alloy.ReadIPC(bytes.NewReader(changed)))
						var e *alloy.Error
						if !errors.As(err, &e) || !strings.Contains(e.Text, "claims") && e.Code != alloy.Exhausted {
							t.Errorf("%d instead of %d at byte %d: got %v", size, c.size, at, err)
						}
					}
				}
				if found != c.places {
					t.Errorf("found %d places, want %d", found, c.places)
				}
			})
		}
	}
}

// TestGenuineBombsStopAtTheLimit: their claims are true.
func TestGenuineBombsStopAtTheLimit(t *testing.T) {
	const rows = 1 << 20 // 8 MiB
	for name, codec := range codecs {
		stream := bytesOf(t, []ipc.Option{codec}, zeros(10), zeros(rows))
		n, err := readAll(alloy.ReadIPCWithin(8*rows-1, bytes.NewReader(stream)))
		expectError(t, err, alloy.Exhausted, "ARGUMENT_RANGE")
		if n != 1 || err == nil || !strings.Contains(err.Error(), "batch 1") || !strings.Contains(err.Error(), "ReadIPCWithin") {
			t.Errorf("%s: got %d batches, %v", name, n, err)
		}
		if n, err := readAll(alloy.ReadIPCWithin(8*rows, bytes.NewReader(stream))); n != 2 || err != nil {
			t.Errorf("%s: got %d batches, %v", name, n, err)
		}
	}
}

// TestDictionariesThatGrowStopAtTheLimit: each message is small, and all stay in memory.
func TestDictionariesThatGrowStopAtTheLimit(t *testing.T) {
	text := func(c byte) string { return strings.Repeat(string(c), 1<<20) }
	a, b, c := text('a'), text('b'), text('c')
	for name, options := range map[string][]ipc.Option{
		"plain": {ipc.WithDictionaryDeltas(true)},
		"LZ4":   {ipc.WithDictionaryDeltas(true), ipc.WithLZ4()},
	} {
		stream := bytesOf(t, options, words(t, a), words(t, a, b), words(t, a, b, c))
		n, err := readAll(alloy.ReadIPCWithin(5<<19, bytes.NewReader(stream)))
		if n != 2 {
			t.Errorf("%s: got %d batches, %v", name, n, err)
		}
		expectError(t, err, alloy.Exhausted, "ARGUMENT_RANGE")
		if n, err := readAll(alloy.ReadIPCWithin(4<<20, bytes.NewReader(stream))); n != 3 || err != nil {
			t.Errorf("%s: got %d batches, %v", name, n, err)
		}
	}
	// A dictionary that replaces another takes its place.
	stream := bytesOf(t, nil, words(t, a), words(t, b), words(t, c))
	if n, err := readAll(alloy.ReadIPCWithin(5<<18, bytes.NewReader(stream))); n != 3 || err != nil {
		t.Errorf("replaced: got %d batches, %v", n, err)
	}
}

// TestBodiesInPiecesAreCheckedAsWell: a pipe gives a few bytes at a time.
func TestBodiesInPiecesAreCheckedAsWell(t *testing.T) {
	for name, codec := range codecs {
		whole := bytesOf(t, []ipc.Option{codec}, zeros(4001))
		at := bytes.Index(whole, binary.LittleEndian.AppendUint64(nil, 8*4001))
		changed := slices.Clone(whole)
		changed[at+5] = 1
		for _, piece := range []int{1, 7, 64} {
			if n, err := readAll(alloy.ReadIPC(&inPieces{whole, piece})); n != 1 || err != nil {
				t.Errorf("%s: got %d batches, %v", name, n, err)
			}
			if _, err := readAll(alloy.ReadIPC(&inPieces{changed, piece})); err == nil || !strings.Contains(err.Error(), "claims") {
				t.Errorf("%s in pieces of %d: got %v", name, piece, err)
			}
		}
	}
}

type inPieces struct {
	rest  []byte
	piece int
}

func (p *inPieces) Read(to []byte) (int, error) {
	n, err := bytes.NewReader(p.rest).Read(to[:min(len(to), p.piece)])
	p.rest = p.rest[n:]
	return n, err
}

func TestReadIPCRefusesWrongArguments(t *testing.T) {
	_, err := alloy.ReadIPC(nil)
	expectError(t, err, alloy.Invalid, "ARGUMENT_NULL")
	_, err = alloy.ReadIPCWithin(0, bytes.NewReader(nil))
	expectError(t, err, alloy.Invalid, "ARGUMENT_RANGE")
}
