// SPDX-License-Identifier: MIT

package run

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/ignalina/alloy/apps/thund/internal/graph"
	"github.com/ignalina/alloy/apps/thund/internal/own"
	"github.com/ignalina/alloy/apps/thund/internal/status"
)

// passes is a step that hands batches on, after a time.
type passes struct {
	array.RecordReader
	wait   time.Duration
	failAt int
	seen   int
	err    error
}

func (p *passes) Next() bool {
	if p.seen++; p.seen == p.failAt {
		p.err = errors.New("this batch is bad")
		return false
	}
	time.Sleep(p.wait)
	return p.RecordReader.Next()
}

func (p *passes) Err() error { return errors.Join(p.err, p.RecordReader.Err()) }

// step makes a step in Go.
func step(wait time.Duration, failAt int) own.Step {
	return func(_ context.Context, in []array.RecordReader) (array.RecordReader, error) {
		return &passes{RecordReader: in[0], wait: wait, failAt: failAt}, nil
	}
}

// planOf prepares a graph: batches of one row from CSV, a step in Go, and a sink.
func planOf(t *testing.T, rows int, source string, made own.Step) (*Plan, string) {
	t.Helper()
	folder := t.TempDir()
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	var ids strings.Builder
	ids.WriteString("id\n")
	for i := range rows {
		fmt.Fprintln(&ids, i)
	}
	write("one.csv", ids.String())
	write("two.csv", ids.String())
	write("graph.toml", `[graph]
format = 1
name = "test"
[source]
in = { `+source+`, schema = { id = "int64" }, batch_rows = 1 }
[step.slow]
go = "slow"
from = ["in"]
[sink]
out = { from = "slow", ipc = "out/{stem}.arrow" }
`)
	if !strings.Contains(source, "each") {
		text, _ := os.ReadFile(filepath.Join(folder, "graph.toml"))
		write("graph.toml", strings.Replace(string(text), "{stem}", "all", 1))
	}
	g, err := graph.Read(filepath.Join(folder, "graph.toml"), graph.Settings{})
	if err != nil {
		t.Fatal(err)
	}
	set := own.New()
	set.Steps["slow"] = made
	p, err := Prepare(g, set, false)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return p, folder
}

// watched calls Status all the time while something runs, and checks that counts only grow.
func watched(t *testing.T, p *Plan, work func()) (seen []status.Snapshot) {
	t.Helper()
	done := make(chan struct{})
	var all sync.WaitGroup
	all.Go(func() {
		for {
			seen = append(seen, p.Status())
			select {
			case <-done:
				return
			case <-time.After(time.Millisecond):
			}
		}
	})
	work()
	close(done)
	all.Wait()
	for i, now := range seen[1:] {
		for j, n := range now.Nodes {
			before := seen[i].Nodes[j]
			if n.RowsIn < before.RowsIn || n.RowsOut < before.RowsOut || n.BytesOut < before.BytesOut || n.WorkingSeconds < before.WorkingSeconds-1e-9 || n.StarvedSeconds < before.StarvedSeconds-1e-9 || n.BlockedSeconds < before.BlockedSeconds-1e-9 {
				t.Fatalf("a count of %s became smaller: %+v, then %+v", n.Name, before, n)
			}
			if all := n.WorkingSeconds + n.StarvedSeconds + n.BlockedSeconds; all > now.Seconds+0.01 {
				t.Fatalf("%s has run %v s, and the graph %v s", n.Name, all, now.Seconds)
			}
		}
	}
	return seen
}

func TestAStatusShowsWhoIsSlow(t *testing.T) {
	p, folder := planOf(t, 60, `csv = "one.csv"`, step(5*time.Millisecond, 0))
	if s := p.Status(); s.State != status.GraphStarting || len(s.Nodes) != 3 || len(s.Edges) != 2 || s.Nodes[1].State != status.Starved {
		t.Errorf("before the run: %+v", s)
	}
	seen := watched(t, p, func() {
		if _, err := Run(context.Background(), p); err != nil {
			t.Error(err)
		}
	})
	sawBlocked, sawStarved, sawFull := false, false, false
	for _, s := range seen {
		sawBlocked = sawBlocked || s.Nodes[0].State == status.Blocked
		sawStarved = sawStarved || s.State == status.GraphRunning && s.Nodes[2].State == status.Starved
		sawFull = sawFull || s.Edges[0].Fill() >= 1 && s.Memory > 0
	}
	if !sawBlocked || !sawStarved || !sawFull {
		t.Errorf("blocked source %v, starved sink %v, full queue %v", sawBlocked, sawStarved, sawFull)
	}
	s := p.Status()
	if s.State != status.GraphDone || s.Error != "" || status.Bottleneck(&s, nil) != "slow" || s.Seconds != p.Status().Seconds {
		t.Errorf("after the run: %+v", s)
	}
	in, slow, out := s.Nodes[0], s.Nodes[1], s.Nodes[2]
	if in.RowsOut != 60 || slow.RowsIn != 60 || slow.RowsOut != 60 || out.RowsIn != 60 || out.BatchesIn != 60 || in.BytesOut == 0 || in.BytesOut != slow.BytesIn {
		t.Errorf("the counts: %+v", s.Nodes)
	}
	if len(out.Paths) != 1 || out.Paths[0] != filepath.Join(folder, "out/all.arrow") || out.State != status.Done {
		t.Errorf("the sink: %+v", out)
	}
	if e := s.Edges[0]; e.Rows != 60 || e.QueueBatches != 0 || e.LimitBatches != 8 || e.Most < 8 {
		t.Errorf("the queue: %+v", e)
	}
	if slow.WorkingSeconds < 0.3 || math.Abs(in.BlockedSeconds+in.WorkingSeconds+in.StarvedSeconds-s.Seconds) > 0.3 {
		t.Errorf("the times: %+v", s.Nodes)
	}
}

func TestAStatusShowsWhatFailed(t *testing.T) {
	p, _ := planOf(t, 20, `csv = "one.csv"`, step(0, 5))
	watched(t, p, func() {
		if _, err := Run(context.Background(), p); err == nil {
			t.Error("it must fail")
		}
	})
	s := p.Status()
	if n := s.Nodes[1]; s.State != status.GraphFailed || n.State != status.Failed || n.Errors["E0414"] != 1 || !strings.Contains(n.LastError, "this batch is bad") || !strings.Contains(s.Error, "slow") {
		t.Errorf("%+v", s)
	}
	if n := s.Nodes[0]; n.State == status.Failed || n.LastError != "" {
		t.Errorf("%+v", n)
	}
}

type badTask struct{}

func (badTask) Setup(any) error { return nil }
func (badTask) Process() error  { return errors.New("no network") }

// What fails before the run ends it too, and viewers do not wait for more.
func TestAStatusShowsATaskThatFailed(t *testing.T) {
	p, _ := planOf(t, 1, `csv = "one.csv"`, step(0, 0))
	p.Graph.Tasks = []*graph.Task{{Name: "fetch", Go: "fetch"}}
	p.Own.Tasks["fetch"] = badTask{}
	if err := p.RunTasks(); err == nil {
		t.Error("it must fail")
	}
	if s := p.Status(); s.State != status.GraphFailed || !strings.Contains(s.Error, "no network") {
		t.Errorf("%+v", s)
	}
	if err := p.Tap(context.Background(), "in", 0, io.Discard); err != nil {
		t.Error(err)
	}
}

// Counts go on over all files of a graph that runs once for each.
func TestAStatusCountsAllFiles(t *testing.T) {
	p, folder := planOf(t, 30, `csv = "*.csv", each = true, done = "done", grace = "1ms"`, step(time.Millisecond, 0))
	seen := watched(t, p, func() {
		if _, err := RunEach(context.Background(), p, false, func(Outcome) {}); err != nil {
			t.Error(err)
		}
	})
	s := p.Status()
	if s.Files == nil || s.Files.Done != 2 || s.Files.Rows != 60 || s.Files.Bytes == 0 || s.State != status.GraphDone {
		t.Errorf("%+v", s.Files)
	}
	if s.Nodes[2].RowsIn != 60 || s.Edges[1].Rows != 60 || len(s.Nodes[2].Paths) != 2 || s.Nodes[2].Paths[0] != filepath.Join(folder, "out/one.arrow") {
		t.Errorf("%+v", s)
	}
	middle := false
	for _, s := range seen {
		middle = middle || s.Files.Done == 1 && s.Nodes[0].RowsOut > 30 && s.State == status.GraphRunning
	}
	if !middle {
		t.Error("the second file was never seen")
	}
}

func TestASourceSaysHowManyRowsComeIfItKnows(t *testing.T) {
	p, folder := planOf(t, 30, `csv = "one.csv"`, step(0, 0))
	if _, err := Run(context.Background(), p); err != nil {
		t.Fatal(err)
	}
	if s := p.Status(); s.Nodes[0].TotalRows != 0 {
		t.Errorf("CSV: %d", s.Nodes[0].TotalRows)
	}
	path := filepath.Join(folder, "graph.toml")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	again := strings.NewReplacer(`csv = "one.csv", schema = { id = "int64" }, batch_rows = 1`, `ipc = "out/all.arrow"`, `ipc = "out/all.arrow" }`+"\n", `ipc = "out/more.arrow" }`+"\n").Replace(string(text))
	if err := os.WriteFile(path, []byte(again), 0o666); err != nil {
		t.Fatal(err)
	}
	g, err := graph.Read(path, graph.Settings{})
	if err != nil {
		t.Fatal(err)
	}
	if p, err = Prepare(g, p.Own, false); err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	if _, err := Run(context.Background(), p); err != nil {
		t.Fatal(err)
	}
	if s := p.Status(); s.Nodes[0].TotalRows != 30 || s.Nodes[0].RowsOut != 30 {
		t.Errorf("IPC: %+v", s.Nodes[0])
	}
}
