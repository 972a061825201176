// SPDX-License-Identifier: MIT

package cli

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"os"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/ignalina/alloy/apps/thund/internal/status"
)

// small is a graph of a few rows.
func (f folder) small() string {
	f.ids(1000)
	return f.graph("", `
[source]
ids = { csv = "ids.csv", schema = { id = "int64" } }
[step.double]
call = "rel.scale"
from = "ids"
options = { column = "id", factor = "2" }
[sink]
out = { from = "double", ipc = "out/x.arrow" }
`)
}

func get(t *testing.T, url string) (int, string) {
	t.Helper()
	answer, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, string(text)
}

// With --stay, the last state can be seen until somebody ends it, and the exit code is that of the run.
func TestThePageStays(t *testing.T) {
	for call, want := range map[string]struct {
		exit    int
		state   string
		healthz int
	}{"rel.scale": {0, "done", 200}, "faulty.refuse": {1, "failed", 503}} {
		f := newFolder(t)
		g := f.small()
		if call == "faulty.refuse" {
			f.write("graph.toml", strings.NewReplacer("rel.scale", call, `options = { column = "id", factor = "2" }`, "").Replace(read(t, g)))
		}
		c := process("run", g, "--listen", "127.0.0.1:0", "--stay")
		pipe, err := c.StderrPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Process.Kill() })
		var log strings.Builder
		lines := bufio.NewScanner(pipe)
		for !strings.Contains(log.String(), "until Ctrl-C") && lines.Scan() {
			log.WriteString(lines.Text() + "\n")
		}
		page := regexp.MustCompile(`http://\S+`).FindString(log.String())
		eventually(t, "the last state is shown", func() bool {
			_, text := get(t, page+"snapshot")
			return strings.Contains(text, `"state":"`+want.state+`"`)
		})
		if code, _ := get(t, page+"healthz"); code != want.healthz {
			t.Errorf("healthz: %d", code)
		}
		if code, _ := get(t, page+"readyz"); code != 503 {
			t.Errorf("readyz: %d", code)
		}
		_ = c.Process.Signal(syscall.SIGINT)
		_, _ = io.ReadAll(pipe)
		_ = c.Wait()
		if exit := c.ProcessState.ExitCode(); exit != want.exit {
			t.Errorf("exit code %d, and not %d\n%s", exit, want.exit, log.String())
		}
	}
}

// The last error of a step has the last lines of its worker, also after the run.
func TestTheLastLinesOfAWorkerAreShown(t *testing.T) {
	runtimeFolder(t)
	f := newFolder(t)
	g := f.small()
	f.write("graph.toml", strings.NewReplacer("rel.scale", "faulty.tell", `options = { column = "id", factor = "2" }`, "isolated = true\ndead_letter = \"bad\"",
		"[sink]", "[sink]\nbad = { ipc = \"bad.arrow\" }").Replace(read(t, g)))
	started(t, "run", g, "-q", "--listen", "127.0.0.1:0", "--stay")
	s := seen(t, g, func(s status.Snapshot) bool { return s.State == status.GraphDone })
	if step := s.Nodes[1]; !strings.Contains(step.LastError, "its last words: id 500 has no meter") || step.DeadLetters != 1 || step.Restarts["signal"] == 0 {
		t.Errorf("%+v", step)
	}
}

// Who ends a run does not have to end its page too.
func TestAPageDoesNotOutliveASignal(t *testing.T) {
	for ending, want := range map[syscall.Signal]int{syscall.SIGTERM: 0, syscall.SIGINT: 130} {
		f := newFolder(t)
		g := f.service("")
		if ending == syscall.SIGINT { // it cancels a run that has an end
			g = f.service(", connections = 1")
		}
		wait, signal := start(t, g, "--listen", "127.0.0.1:0", "--stay")
		eventually(t, "the run listens", func() bool {
			_, err := os.Stat(f.file("late.sock"))
			return err == nil
		})
		signal(ending)
		if o := wait(); o.exit != want || strings.Contains(o.err, "until Ctrl-C") {
			t.Errorf("%v: exit code %d\n%s", ending, o.exit, o.err)
		}
	}
}

// A run whose address cannot be used does not begin.
func TestAnAddressInUseIsAnError(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	f := newFolder(t)
	thund(t, "run", f.small(), "--listen", l.Addr().String()).wants(3, "error[E0415]: another program listens at "+l.Addr().String(), "port 0 takes a free one")
	f.wantsNoFile("out")
	thund(t, "run", f.small(), "--listen", "9464").wants(2, "error[E0415]: nobody can listen at 9464", "127.0.0.1:9464")
	thund(t, "run", f.small(), "--stay").wants(2, "--stay needs --listen")
	thund(t, "run", f.small(), "--allow-tap").wants(2, "--allow-tap needs --listen")
	thund(t, "run", f.small(), "--listen", "0.0.0.0:0").wants(0, "every machine that can reach this one can read it")
	if ids := f.column("out/x.arrow", "id"); len(ids) != 1000 || ids[999] != 1998 {
		t.Error(ids)
	}
}

// A socket makes its folder, as a file of a sink does.
func TestASocketMakesItsFolder(t *testing.T) {
	f := newFolder(t)
	g := f.service(", connections = 1")
	f.write("graph.toml", strings.Replace(read(t, g), "unix:late.sock", "unix:new/folder/late.sock", 1))
	wait, _ := start(t, g)
	conn := f.dial("new/folder/late.sock")
	if _, err := conn.Write(stream(t, 1, 2)); err != nil {
		t.Fatal(err)
	}
	conn.Close()
	wait().wants(0, "late 2 rows")
}
