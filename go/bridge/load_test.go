// SPDX-License-Identifier: MIT

package bridge_test

import (
	"sync"
	"sync/atomic"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

// TestCallsWhileLibrariesAlternate has two backends whose function of one name gives
// other columns: whatever a call meets, its result is that of one of them, whole.
func TestCallsWhileLibrariesAlternate(t *testing.T) {
	mem := memory.NewCheckedAllocator(memory.NewGoAllocator())
	defer mem.AssertSize(t, 0)
	names := []string{"tests/unruly", "faults_rust"}
	var want []*arrow.Schema
	for _, name := range names {
		out, err := open(t, mem, name).Call(ctx, "empty", nil, int64BatchOnce)
		if err != nil {
			t.Fatal(err)
		}
		want = append(want, out.Schema())
		out.Release()
	}
	if want[0].Equal(want[1]) {
		t.Fatal("both give the same columns, and tell nothing")
	}
	goBridge := open(t, mem, names[0])
	batches := []arrow.RecordBatch{int64Batch(mem, 1, 3), int64Batch(mem, 1, 3)}
	var wait sync.WaitGroup
	var seen [2]atomic.Int64
	stop := make(chan struct{})
	for i := range 8 {
		wait.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				out, err := goBridge.Call(ctx, "empty", nil, batches[i%2])
				if err != nil {
					t.Error(err)
					return
				}
				for k, schema := range want {
					if out.Schema().Equal(schema) {
						seen[k].Add(1)
						break
					} else if k > 0 {
						t.Errorf("columns of neither: %v", out.Schema())
					}
				}
				for c, column := range out.Columns() {
					if !arrow.TypeEqual(column.DataType(), out.Schema().Field(c).Type) || column.Len() != 0 {
						t.Errorf("column %d is %v", c, column)
					}
				}
				out.Release()
			}
		})
	}
	for i := range 300 {
		if err := goBridge.SetImplLib(library(t, names[i%2]), ""); err != nil {
			t.Error(err)
		}
	}
	close(stop)
	wait.Wait()
	for _, batch := range batches {
		batch.Release()
	}
	if seen[0].Load() == 0 || seen[1].Load() == 0 {
		t.Errorf("%d of one, %d of the other", seen[0].Load(), seen[1].Load())
	}
}
