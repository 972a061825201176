// SPDX-License-Identifier: MIT

//go:build linux && cgo && (amd64 || arm64)

package bridge_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"testing"
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/ignalina/alloy"
)

// pageOf returns the inode of the file that is mapped at an address, and the offset in it.
func pageOf(t *testing.T, address uintptr) (inode, offset int64) {
	t.Helper()
	maps, err := os.Open("/proc/self/maps")
	if err != nil {
		t.Fatal(err)
	}
	defer maps.Close()
	lines := bufio.NewScanner(maps)
	for lines.Scan() {
		var begin, end uintptr
		var from, number int64
		var skip string
		if _, err := fmt.Sscanf(lines.Text(), "%x-%x %s %x %s %d", &begin, &end, &skip, &from, &skip, &number); err != nil {
			continue
		}
		if begin <= address && address < end {
			return number, from + int64(address-begin)
		}
	}
	return 0, 0
}

func TestMemoryOfTheAllocatorIsTheSamePagesInTheWorker(t *testing.T) {
	bridge := alloy.GoBridge{AllowUnsigned: true, Isolated: true}
	if err := bridge.SetImplLib(isolatedLibrary(t, "tests/pages"), ""); err != nil {
		t.Fatal(err)
	}
	allocator, err := bridge.Allocator()
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range []int{1, 1000, 1 << 20} {
		builder := array.NewRecordBuilder(allocator, arrow.NewSchema([]arrow.Field{
			{Name: "x", Type: arrow.PrimitiveTypes.Int64},
		}, nil))
		column := builder.Field(0).(*array.Int64Builder)
		column.Resize(n)
		for i := range n {
			column.Append(int64(i + 1))
		}
		in := builder.NewRecordBatch()
		builder.Release()
		out, err := bridge.Call(context.Background(), "pages", nil, in)
		if err != nil {
			t.Fatal(err)
		}
		value := func(i int) int64 { return out.Column(i).(*array.Int64).Value(0) }
		values := in.Column(0).(*array.Int64).Int64Values()
		inode, offset := pageOf(t, uintptr(unsafe.Pointer(&values[0])))
		if inode == 0 || value(0) != inode || value(1) != offset {
			t.Errorf("%d rows: the program has them at %d+%d, the worker at %d+%d", n, inode, offset, value(0), value(1))
		}
		if want := int64(n) * int64(n+1) / 2; value(2) != want {
			t.Errorf("got the sum %d, want %d", value(2), want)
		}
		out.Release()
		in.Release()
	}
}
