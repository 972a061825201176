// SPDX-License-Identifier: MIT

package run

import (
	"bytes"
	"context"
	"errors"
	"io"
	"sync"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

// rowsOf reads an IPC stream.
func rowsOf(t *testing.T, stream io.Reader) (ids []int64) {
	t.Helper()
	reader, err := ipc.NewReader(stream)
	if err != nil {
		t.Fatal(err)
	}
	for reader.Next() {
		ids = append(ids, reader.RecordBatch().Column(0).(*array.Int64).Int64Values()...)
	}
	if err := reader.Err(); err != nil {
		t.Fatal(err)
	}
	return ids
}

func TestATapShowsTheNextBatches(t *testing.T) {
	for node, want := range map[string]int{"in": 3, "slow": 3, "out": 3} {
		p, _ := planOf(t, 200, `csv = "one.csv"`, step(time.Millisecond, 0))
		var out bytes.Buffer
		var all sync.WaitGroup
		all.Go(func() {
			if err := p.Tap(context.Background(), node, 3, &out); err != nil {
				t.Error(err)
			}
		})
		if _, err := Run(context.Background(), p); err != nil {
			t.Error(err)
		}
		all.Wait()
		if ids := rowsOf(t, &out); len(ids) != want {
			t.Errorf("%s: the rows %v", node, ids)
		}
		out.Reset()
		if err := p.Tap(context.Background(), node, 0, &out); err != nil {
			t.Error(err)
		}
		if ids := rowsOf(t, &out); len(ids) != 0 {
			t.Errorf("%s: after the run there are rows: %v", node, ids)
		}
	}
	p, _ := planOf(t, 1, `csv = "one.csv"`, step(0, 0))
	if err := p.Tap(context.Background(), "none", 0, io.Discard); err == nil {
		t.Error("there is no such node")
	}
}

// stuck is a viewer that never takes its second piece.
type stuck struct {
	seen int
	end  chan struct{}
}

func (s *stuck) Write(text []byte) (int, error) {
	if s.seen++; s.seen > 1 {
		<-s.end
		return 0, errors.New("it has gone")
	}
	return len(text), nil
}

// The run takes as long as without a viewer, and gives everything to its sink.
func TestTheRunNeverWaitsForATap(t *testing.T) {
	p, _ := planOf(t, 500, `csv = "one.csv"`, step(0, 0))
	viewer := &stuck{end: make(chan struct{})}
	var all sync.WaitGroup
	all.Go(func() {
		if err := p.Tap(context.Background(), "in", 0, viewer); err == nil {
			t.Error("its writer has failed")
		}
	})
	for p.live.taps["in"].Load() == nil {
		time.Sleep(time.Millisecond)
	}
	report, err := Run(context.Background(), p)
	if err != nil || report.Sinks[0].Rows != 500 {
		t.Errorf("%v %+v", err, report.Sinks)
	}
	close(viewer.end)
	all.Wait()
	if p.live.taps["in"].Load() != nil {
		t.Error("a viewer that has gone is still there")
	}
}

// Whenever viewers come and go, each batch is released.
func TestTapsLeaveNothingBehind(t *testing.T) {
	mem := memory.NewCheckedAllocator(memory.NewGoAllocator())
	defer mem.AssertSize(t, 0)
	builder := array.NewInt64Builder(mem)
	builder.Append(1)
	column := builder.NewArray()
	builder.Release()
	batch := array.NewRecordBatch(arrow.NewSchema([]arrow.Field{{Name: "id", Type: arrow.PrimitiveTypes.Int64}}, nil), []arrow.Array{column}, 1)
	column.Release()
	defer batch.Release()
	viewers := &taps{}
	stop := make(chan struct{})
	var emitters, all sync.WaitGroup
	for range 2 {
		emitters.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
					viewers.offer(batch)
				}
			}
		})
	}
	for i := range 4 {
		all.Go(func() {
			for range 50 {
				one := &tap{batches: make(chan arrow.RecordBatch, 2)}
				viewers.replace(func(all []*tap) []*tap { return append(all, one) })
				for range i {
					(<-one.batches).Release()
				}
				viewers.replace(func(all []*tap) []*tap {
					var left []*tap
					for _, other := range all {
						if other != one {
							left = append(left, other)
						}
					}
					return left
				})
				one.close()
			}
		})
	}
	all.Wait()
	close(stop)
	emitters.Wait()
	if viewers.Load() != nil {
		t.Error("a viewer is still there")
	}
}
