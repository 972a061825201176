// SPDX-License-Identifier: MIT

package cli

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/ignalina/alloy/apps/thund/internal/status"
)

// runtimeFolder gives the runs of a test a folder for their sockets.
func runtimeFolder(t *testing.T) string {
	t.Helper()
	folder, err := os.MkdirTemp("", "run") // the path of a socket is short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(folder) })
	t.Setenv("XDG_RUNTIME_DIR", folder)
	return filepath.Join(folder, "thund")
}

// started starts a run that the test ends.
func started(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	made := process(args...)
	made.Stderr = os.Stderr
	if err := made.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = made.Process.Kill()
		_ = made.Wait()
	})
	return made
}

// seen waits until top shows something of a graph.
func seen(t *testing.T, graph string, wanted func(status.Snapshot) bool) (s status.Snapshot) {
	t.Helper()
	for begin := time.Now(); time.Since(begin) < 30*time.Second; time.Sleep(50 * time.Millisecond) {
		o := thund(t, "top", graph, "--once", "--json")
		s = status.Snapshot{}
		if o.exit == 0 && json.Unmarshal([]byte(o.out), &s) == nil && wanted(s) {
			return s
		}
	}
	t.Fatalf("it never came to that: %+v", s)
	return s
}

// slow starts the graph with the slow step, which writes into a folder of the test.
func slow(t *testing.T) (graph string, run *exec.Cmd) {
	t.Helper()
	f := newFolder(t)
	text := strings.NewReplacer("../../../build/thund/", f.path+"/", "../../../build/", build(t)+"/").Replace(read(t, "../../examples/slow.toml"))
	graph = f.write("slow.toml", text)
	return graph, started(t, "run", graph, "-q")
}

// Acceptance 14: the shares of each row add up to 100 %, and the slowed step is the bottleneck.
func TestTopMarksTheBottleneck(t *testing.T) {
	runtimeFolder(t)
	graph, _ := slow(t)
	s := seen(t, graph, func(s status.Snapshot) bool {
		return s.Bottleneck != "" && s.Nodes[2].BatchesIn > 3 && s.Nodes[0].BlockedSeconds > s.Nodes[0].WorkingSeconds
	})
	if s.Bottleneck != "slow" || s.Graph != "slow" || s.State != status.GraphRunning || s.Nodes[2].Backend.Signer == "" || s.Nodes[2].Backend.Expires == nil || len(s.Nodes[2].Backend.SHA256) != 64 {
		t.Errorf("%+v", s)
	}
	o := thund(t, "top", "slow", "--once").wants(0, "slow: running", "NODE", "WORKING", "STARVED", "BLOCKED", "[##########]")
	marked := 0
	for _, line := range strings.Split(strings.TrimSpace(o.out), "\n")[2:] {
		shares, sum := regexp.MustCompile(`(\d+) %`).FindAllStringSubmatch(line, -1), 0
		for _, share := range shares {
			number, err := strconv.Atoi(share[1])
			if err != nil {
				t.Fatal(err)
			}
			sum += number
		}
		if len(shares) != 3 {
			t.Errorf("there are not three shares: %s", line)
		}
		if sum != 100 {
			t.Errorf("the shares add up to %d: %s", sum, line)
		}
		if strings.HasSuffix(line, "<- bottleneck") {
			marked++
			if !strings.HasPrefix(line, "slow ") {
				t.Errorf("marked: %s", line)
			}
		}
	}
	if marked != 1 {
		t.Errorf("%d rows are marked:\n%s", marked, o.out)
	}
}

// top goes on until the run ends, and shows how it ended.
func TestTopFollowsARunToItsEnd(t *testing.T) {
	runtimeFolder(t)
	graph, run := slow(t)
	seen(t, graph, func(s status.Snapshot) bool { return s.State == status.GraphRunning })
	time.AfterFunc(1500*time.Millisecond, func() { _ = run.Process.Signal(os.Interrupt) })
	o := thund(t, "top", "--json").wants(0)
	lines := strings.Split(strings.TrimSpace(o.out), "\n")
	if len(lines) < 3 {
		t.Fatalf("only %d snapshots", len(lines))
	}
	var before, s status.Snapshot
	for _, line := range lines {
		s = status.Snapshot{}
		if err := json.Unmarshal([]byte(line), &s); err != nil {
			t.Fatal(err)
		}
		if s.Time.Before(before.Time) {
			t.Error("an older snapshot comes after a newer one")
		}
		before = s
	}
	if s.State != status.GraphFailed || !strings.Contains(s.Error, "interrupted") {
		t.Errorf("the last one: %s, %s", s.State, s.Error)
	}
}

// A run that is killed has no last snapshot, and top says so.
func TestTopReportsARunThatBrokeOff(t *testing.T) {
	runtimeFolder(t)
	graph, run := slow(t)
	seen(t, graph, func(s status.Snapshot) bool { return s.State == status.GraphRunning })
	time.AfterFunc(700*time.Millisecond, func() { _ = run.Process.Kill() })
	o := thund(t, "top", graph).wants(3, "slow: running", "the run broke off")
	if strings.Contains(o.out, "\x1b") {
		t.Errorf("what is no terminal gets commands of one: %q", o.out)
	}
}

// The socket is where its name says, nobody else may use it, and it goes with the run.
func TestTheControlSocketGoesWithTheRun(t *testing.T) {
	folder := runtimeFolder(t)
	thund(t, "top").wants(3, "no graph runs", "thund run GRAPH.toml")
	graph, run := slow(t)
	seen(t, "slow", func(s status.Snapshot) bool { return s.PID == run.Process.Pid })
	path := filepath.Join(folder, "slow.sock")
	for name, mode := range map[string]os.FileMode{folder: 0o700 | os.ModeDir, path: 0o600 | os.ModeSocket} {
		if info, err := os.Stat(name); err != nil || info.Mode() != mode {
			t.Errorf("%s: %v %v", name, info.Mode(), err)
		}
	}
	seen(t, path, func(s status.Snapshot) bool { return s.PID == run.Process.Pid })
	thund(t, "top", "none", "--once").wants(3, `graph "none" does not run`, "these graphs run: slow")
	// A second run of the same graph: both have a socket, and top says so.
	second := started(t, "run", graph, "-q")
	for len(glob(t, folder+"/*.sock")) < 2 {
		time.Sleep(10 * time.Millisecond)
	}
	thund(t, "top", graph, "--once").wants(2, `graph "slow" runs 2 times`, path, fmt.Sprintf("slow.%d.sock", second.Process.Pid), "pass the path of a socket")
	if err := second.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	_ = second.Wait()
	if left := glob(t, folder+"/*.sock"); len(left) != 1 {
		t.Errorf("after the second run there are %v", left)
	}
	// What a killed run leaves is recognised, and removed.
	if err := run.Process.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	_ = run.Wait()
	if left := glob(t, path); len(left) != 1 {
		t.Errorf("a killed run has removed its socket: %v", left)
	}
	thund(t, "top", "slow", "--once").wants(3, `graph "slow" does not run`)
	if left := glob(t, folder+"/*"); len(left) != 0 {
		t.Errorf("it is still there: %v", left)
	}
}

// Who waits for another program waits: it is no bottleneck.
func TestToWaitForAPeerIsNoWork(t *testing.T) {
	runtimeFolder(t)
	f := newFolder(t)
	f.ids(100_000)
	g := f.graph("", `
[source]
late = { ipc = "unix:late.sock", schema = { id = "int64" } }
ids = { csv = "ids.csv", schema = { id = "int64" }, batch_rows = 1000 }
[sink]
out = { from = "late", ipc = "out.arrow" }
feed = { from = "ids", ipc = "unix:feed.sock" }
`)
	started(t, "run", g, "-q")
	s := seen(t, g, func(s status.Snapshot) bool {
		return s.State == status.GraphRunning && s.Nodes[1].State == status.Blocked && s.Seconds > 1.2
	})
	for i, want := range []status.NodeState{status.Starved, status.Blocked, status.Starved, status.Blocked} {
		n := s.Nodes[i]
		if working, _, _ := n.Shares(); n.State != want || working > 0.5 {
			t.Errorf("%s is %s and has worked %v of its time", n.Name, n.State, working)
		}
	}
	if s.Bottleneck != "" {
		t.Errorf("bottleneck %s", s.Bottleneck)
	}
}

// A run that cannot be shown still runs.
func TestARunWithoutAControlSocketRuns(t *testing.T) {
	f := newFolder(t)
	f.ids(10)
	t.Setenv("XDG_RUNTIME_DIR", f.write("file", ""))
	g := f.graph("", "[source]\nin = { csv = \"ids.csv\", schema = { id = \"int64\" } }\n[sink]\nout = { from = \"in\", ipc = \"out.arrow\" }\n")
	thund(t, "run", g).wants(0, "warning: thund top cannot show this run", "in 10 rows")
	f.wantsIDs("out.arrow", "id", 10)
	thund(t, "top").wants(3, "the folder of the control sockets cannot be used")
}

func glob(t *testing.T, pattern string) []string {
	t.Helper()
	found, err := filepath.Glob(pattern)
	if err != nil {
		t.Fatal(err)
	}
	return found
}
