// SPDX-License-Identifier: MIT

//go:build linux && cgo && (amd64 || arm64)

package bridge_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/ignalina/alloy"
)

// golden lists the streams of Arrow's integration suite, or skips where there are none.
func golden(t *testing.T) []string {
	t.Helper()
	folder := os.Getenv("ALLOY_ARROW_TESTING")
	if folder == "" {
		folder = filepath.Join(root(), "..", "shared", "arrow-testing")
	}
	files, err := filepath.Glob(filepath.Join(folder, "cpp-21.0.0", "*.stream"))
	if err != nil || len(files) == 0 {
		t.Skipf("no golden files in %s; ALLOY_ARROW_TESTING names another folder", folder)
	}
	return files
}

func root() string {
	_, file, _, _ := runtime.Caller(0)
	return filepath.Join(filepath.Dir(file), "..", "..")
}

// sameSchema compares everything: names, types, flags and metadata.
func sameSchema(t *testing.T, got, want *arrow.Schema) {
	t.Helper()
	metadata := want.Metadata()
	if !got.Metadata().Equal(metadata) {
		t.Errorf("metadata of the schema: got %v, want %v", got.Metadata(), metadata)
	}
	all := arrow.CheckMetadata()
	if !arrow.TypeEqual(arrow.StructOf(got.Fields()...), arrow.StructOf(want.Fields()...), all) {
		t.Errorf("schema: got %v, want %v", got, want)
		return
	}
	for i, field := range want.Fields() {
		if g := got.Field(i).Type.Fingerprint(); g != field.Type.Fingerprint() {
			t.Errorf("column %q: got %v, want %v", field.Name, got.Field(i).Type, field.Type)
		}
	}
}

// sameData compares arrays bit by bit. What comes back may be shorter than what was sent
// by the padding that nothing refers to.
func sameData(t *testing.T, where string, got, want arrow.ArrayData) {
	t.Helper()
	if got.Len() != want.Len() || got.Offset() != want.Offset() {
		t.Fatalf("%s: length %d at %d, want %d at %d", where, got.Len(), got.Offset(), want.Len(), want.Offset())
	}
	if want.NullN() >= 0 && got.NullN() != want.NullN() {
		t.Fatalf("%s: %d nulls, want %d", where, got.NullN(), want.NullN())
	}
	empty := want.Len()+want.Offset() == 0
	for i := range max(len(got.Buffers()), len(want.Buffers())) {
		sent, came := bufferOf(want, i), bufferOf(got, i)
		if !bytes.HasPrefix(sent, came) || len(came) == 0 && len(sent) > 64 && !empty {
			t.Fatalf("%s: buffer %d: got %d bytes, want %d", where, i, len(came), len(sent))
		}
	}
	if len(got.Children()) != len(want.Children()) {
		t.Fatalf("%s: %d children, want %d", where, len(got.Children()), len(want.Children()))
	}
	for i, child := range want.Children() {
		sameData(t, fmt.Sprintf("%s.%d", where, i), got.Children()[i], child)
	}
	if values, ok := want.Dictionary().(*array.Data); ok && values != nil {
		sameData(t, where+".dictionary", got.Dictionary(), values)
	}
}

// bufferOf takes a place that is empty for one that is not there: arrow-go itself keeps
// places for the validity of types without any, or does not.
func bufferOf(data arrow.ArrayData, i int) []byte {
	if i >= len(data.Buffers()) || data.Buffers()[i] == nil {
		return nil
	}
	return data.Buffers()[i].Bytes()
}

func roundTrip(t *testing.T, goBridge *alloy.GoBridge, function string, batch arrow.RecordBatch, whole bool) {
	t.Helper()
	out, err := goBridge.Call(context.Background(), function, nil, batch)
	if err != nil {
		t.Fatal(err)
	}
	defer out.Release()
	sameSchema(t, out.Schema(), batch.Schema())
	if !array.RecordEqual(out, batch) {
		t.Fatalf("got %v, want %v", out, batch)
	}
	// A slice may come back with other offsets, and is the same all the same.
	if !whole {
		return
	}
	for i, column := range batch.Columns() {
		if isolated && hasListView(column.DataType()) {
			continue // on the way to a worker, an empty or null list gets the offset 0
		}
		sameData(t, batch.ColumnName(i), out.Column(i).Data(), column.Data())
	}
}

func hasListView(column arrow.DataType) bool {
	switch column.ID() {
	case arrow.LIST_VIEW, arrow.LARGE_LIST_VIEW:
		return true
	}
	nested, ok := column.(arrow.NestedType)
	return ok && slices.ContainsFunc(nested.Fields(), func(f arrow.Field) bool { return hasListView(f.Type) })
}

// TestGoldenCasesComeBackBitEqual sends every batch of every golden file there and back:
// of the stream, and of the file, whose answers must say what the JSON says.
func TestGoldenCasesComeBackBitEqual(t *testing.T) {
	files := golden(t)
	if len(files) != 32 {
		t.Errorf("%d golden files, and there are 32", len(files))
	}
	tool := jsonTool(t)
	for _, backend := range roundTripBackends {
		t.Run(backend.name, func(t *testing.T) {
			mem := memory.NewCheckedAllocator(memory.NewGoAllocator())
			defer mem.AssertSize(t, 0)
			goBridge := backend.open(t, mem)
			for _, file := range files {
				file = strings.TrimSuffix(file, ".stream")
				t.Run(filepath.Base(file), func(t *testing.T) {
					c := goldenCase{t, mem, goBridge, backend.function}
					c.stream(file + ".stream")
					c.file(file, tool)
				})
			}
		})
	}
}

type goldenCase struct {
	*testing.T
	mem      memory.Allocator
	goBridge *alloy.GoBridge
	function string
}

func (c goldenCase) stream(path string) {
	f, err := os.Open(path)
	if err != nil {
		c.Fatal(err)
	}
	defer f.Close()
	reader, err := ipc.NewReader(f, ipc.WithAllocator(c.mem), ipc.WithDelayReadSchema(false))
	if err != nil {
		c.Fatal(err)
	}
	defer reader.Release()
	c.parts(nullBatch(c.mem, reader.Schema(), 0))
	c.parts(nullBatch(c.mem, reader.Schema(), mostOffset+2))
	repeated := false
	for {
		batch, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			c.Fatal(err)
		}
		roundTrip(c.T, c.goBridge, c.function, batch, true)
		c.chunks(batch)
		if batch.NumRows() > 0 && !repeated {
			repeated = true
			c.parts(repeatBatch(c.T, c.mem, batch, mostOffset+2))
		}
	}
}

// mostOffset is the last offset to begin at: beyond two bytes of a bitmap.
const mostOffset = 17

// parts sends slices of a batch, which it takes, from every offset.
func (c goldenCase) parts(batch arrow.RecordBatch) {
	defer batch.Release()
	rows := batch.NumRows()
	for offset := range min(rows, mostOffset) + 1 {
		ends := []int64{rows, offset, min(offset+1, rows), min(offset+9, rows)}
		if slowly() {
			ends = ends[:1]
		}
		for _, end := range ends {
			slice := batch.NewSlice(offset, end)
			roundTrip(c.T, c.goBridge, c.function, slice, false)
			slice.Release()
		}
	}
}

// chunks sends a batch in small ones.
func (c goldenCase) chunks(batch arrow.RecordBatch) {
	table := array.NewTableFromRecords(batch.Schema(), []arrow.RecordBatch{batch})
	defer table.Release()
	chunks := array.NewTableReader(table, 3)
	defer chunks.Release()
	rows := int64(0)
	for chunks.Next() {
		roundTrip(c.T, c.goBridge, c.function, chunks.RecordBatch(), false)
		rows += chunks.RecordBatch().NumRows()
	}
	if rows != batch.NumRows() {
		c.Errorf("%d rows in chunks, %d at once", rows, batch.NumRows())
	}
}

// file sends the batches of a file, and holds what comes back against the JSON.
func (c goldenCase) file(stem, tool string) {
	in, err := os.Open(stem + ".arrow_file")
	if err != nil {
		c.Fatal(err)
	}
	defer in.Close()
	reader, err := ipc.NewFileReader(in, ipc.WithAllocator(c.mem))
	if err != nil {
		c.Fatal(err)
	}
	defer reader.Close()
	path := filepath.Join(c.TempDir(), "came.arrow_file")
	out, err := os.Create(path)
	if err != nil {
		c.Fatal(err)
	}
	defer out.Close()
	writer, err := ipc.NewFileWriter(out, ipc.WithSchema(reader.Schema()), ipc.WithAllocator(c.mem))
	if err != nil {
		c.Fatal(err)
	}
	for i := range reader.NumRecords() {
		batch, err := reader.RecordBatch(i)
		if err != nil {
			c.Fatal(err)
		}
		came, err := c.goBridge.Call(context.Background(), c.function, nil, batch)
		batch.Release()
		if err != nil {
			c.Fatal(err)
		}
		err = writer.Write(came)
		came.Release()
		if err != nil {
			c.Fatal(err)
		}
	}
	if err := writer.Close(); err != nil {
		c.Fatal(err)
	}
	said, err := exec.Command(tool, "-verbose=false", "-arrow", path, "-json", unzip(c.T, stem+".json.gz")).CombinedOutput()
	if err != nil {
		c.Errorf("what came back is not what the JSON says: %v\n%s", err, said)
	}
}

func unzip(t *testing.T, path string) string {
	t.Helper()
	in, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	reader, err := gzip.NewReader(in)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(reader)
	if err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(t.TempDir(), "case.json")
	if err := os.WriteFile(out, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return out
}

// jsonTool builds arrow-go's own program for the JSON of the integration suite, whose
// package nobody else may import.
func jsonTool(t *testing.T) string {
	t.Helper()
	tool := filepath.Join(t.TempDir(), "arrow-json")
	build := exec.Command("go", "build", "-buildvcs=false", "-o", tool,
		"github.com/apache/arrow-go/v18/arrow/ipc/cmd/arrow-json-integration-test")
	build.Dir = root()
	build.Env = append(os.Environ(), "GOEXPERIMENT=")
	if said, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	return tool
}

// nullBatch makes a batch of the types of a schema, with nulls only. Its columns are nullable:
// nulls in others are refused.
func nullBatch(mem memory.Allocator, schema *arrow.Schema, rows int) arrow.RecordBatch {
	fields, metadata := slices.Clone(schema.Fields()), schema.Metadata()
	for i := range fields {
		fields[i].Nullable = true
	}
	schema = arrow.NewSchema(fields, &metadata)
	columns := make([]arrow.Array, schema.NumFields())
	for i, field := range fields {
		if _, ok := field.Type.(arrow.UnionType); ok { // MakeArrayOfNull has no nulls of null
			builder := array.NewBuilder(mem, field.Type)
			builder.AppendNulls(rows)
			columns[i] = builder.NewArray()
			builder.Release()
		} else {
			columns[i] = array.MakeArrayOfNull(mem, field.Type, rows)
		}
	}
	return newBatch(schema, columns, rows)
}

// newBatch takes the columns.
func newBatch(schema *arrow.Schema, columns []arrow.Array, rows int) arrow.RecordBatch {
	batch := array.NewRecordBatch(schema, columns, int64(rows))
	for _, column := range columns {
		column.Release()
	}
	return batch
}

// repeatBatch makes a batch of at least so many rows, which are these over and over.
func repeatBatch(t *testing.T, mem memory.Allocator, batch arrow.RecordBatch, rows int) arrow.RecordBatch {
	t.Helper()
	have := int(batch.NumRows())
	times := (rows + have - 1) / have
	columns := make([]arrow.Array, batch.NumCols())
	for i, column := range batch.Columns() {
		columns[i] = repeat(t, mem, column, times)
	}
	return newBatch(batch.Schema(), columns, times*have)
}

func repeat(t *testing.T, mem memory.Allocator, column arrow.Array, times int) arrow.Array {
	t.Helper()
	if union, ok := column.(array.Union); ok {
		return repeatUnion(t, mem, union, times)
	}
	whole, err := array.Concatenate(slices.Repeat([]arrow.Array{column}, times), mem)
	if err != nil {
		t.Fatalf("%s: %v", column.DataType(), err)
	}
	return whole
}

// repeatUnion is what arrow-go's Concatenate has no case for. The children of a dense one
// serve every time.
func repeatUnion(t *testing.T, mem memory.Allocator, union array.Union, times int) arrow.Array {
	t.Helper()
	ids := slices.Repeat(union.RawTypeCodes(), times)
	buffers := []*memory.Buffer{nil, memory.NewBufferBytes(arrow.Int8Traits.CastToBytes(ids))}
	dense, isDense := union.(*array.DenseUnion)
	if isDense {
		offsets := slices.Repeat(dense.RawValueOffsets(), times)
		buffers = append(buffers, memory.NewBufferBytes(arrow.Int32Traits.CastToBytes(offsets)))
	}
	children := make([]arrow.ArrayData, union.NumFields())
	for i := range children {
		child := union.Field(i)
		if isDense {
			child.Retain()
		} else {
			child = repeat(t, mem, child, times)
		}
		defer child.Release()
		children[i] = child.Data()
	}
	data := array.NewData(union.DataType(), len(ids), buffers, children, 0, 0)
	defer data.Release()
	return array.MakeFromData(data)
}
