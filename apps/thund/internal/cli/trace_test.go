// SPDX-License-Identifier: MIT

package cli

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
)

// collector takes traces as an OpenTelemetry collector does. Before that, it is busy so often.
type collector struct {
	*httptest.Server
	mutex sync.Mutex
	got   [][]byte
	busy  int
}

func newCollector(t *testing.T, busy int) *collector {
	c := &collector{busy: busy}
	c.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c.mutex.Lock()
		defer c.mutex.Unlock()
		text, err := io.ReadAll(r.Body)
		if err != nil || r.Method != "POST" || r.URL.Path != "/v1/traces" || r.Header.Get("Content-Type") != "application/json" {
			t.Errorf("%v %s %s %v", err, r.Method, r.URL, r.Header)
		}
		if c.busy > 0 {
			c.busy--
			http.Error(w, "busy", http.StatusServiceUnavailable)
			return
		}
		c.got = append(c.got, text)
		_, _ = io.WriteString(w, `{"partialSuccess":{}}`)
	}))
	t.Cleanup(c.Close)
	return c
}

// A run is one trace, below its caller: a span for each node, with rows, batches and digest.
func TestARunIsATrace(t *testing.T) {
	c := newCollector(t, 1)
	f := newFolder(t)
	f.ids(33700)
	g := f.graph("queue = { batches = 1 }", `
[source]
ids = { csv = "ids.csv", schema = { id = "int64" }, batch_rows = 100 }
[step.once]
call = "faulty.once"
from = "ids"
isolated = true
retries = 5
backoff = "1ms"
[step.count]
call = "rel.group_by"
from = "once"
options = { keys = "id", aggregates = "count" }
[step.joined]
call = "rel.join"
from = ["once", "count"]
options = { on = "id" }
[sink]
out = { from = "joined", ipc = "out/x.arrow" }
`)
	p := process("run", g, "--trace", c.URL)
	p.Env = append(p.Env, "TRACEPARENT=00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
	finish(t, p).wants(0)
	if len(c.got) != 1 {
		t.Fatalf("%d traces", len(c.got))
	}
	spans := spansOf(t, c.got[0])
	if s := spans[0]; s.TraceID != "0af7651916cd43dd8448eb211c80319c" || s.Parent != "b7ad6b7169203331" || !strings.HasPrefix(s.Name, "run ") || s.Status.Code != 1 {
		t.Errorf("%+v", s)
	}
	if len(spans) != 6 {
		t.Fatalf("%d spans", len(spans))
	}
	ids, once, joined := spans[1], spans[2], spans[4]
	if ids.Name != "ids" || ids.attribute("thund.rows.out") != "33700" || ids.attribute("thund.batches.out") != "337" || ids.attribute("thund.kind") != "source" {
		t.Errorf("%+v", ids)
	}
	if once.attribute("thund.rows.in") != "33700" || len(once.attribute("thund.sha256")) != 64 || once.attribute("thund.workers") != "1" ||
		once.attribute("thund.what") != "faulty.once" || len(once.Links) != 1 || once.Links[0].SpanID != ids.SpanID || len(joined.Links) != 2 {
		t.Errorf("%+v", once)
	}
	counted := map[string]int{}
	for _, s := range spans {
		for _, e := range s.Events {
			counted[s.Name+" "+e.Name+" "+e.Attributes[0].Key+" "+*e.Attributes[0].Value.Text]++
		}
	}
	if counted["once retry thund.cause signal"] != 33 || counted["once crash thund.cause signal"] != 33 || counted["joined growth thund.queue once -> joined"] == 0 {
		t.Errorf("the events are %v", counted)
	}
}

// Each file is a trace of its own, also one that fails. A file of traces has a line for each.
func TestEachFileIsATrace(t *testing.T) {
	f := newFolder(t)
	if err := os.Mkdir(f.file("in"), 0o777); err != nil {
		t.Fatal(err)
	}
	f.write("in/a.csv", "id\n1\n2\n")
	f.write("in/b.csv", "id\n500\n")
	g := f.graph("", `
[source]
ids = { csv = "in/*.csv", schema = { id = "int64" }, each = true, done = "done", grace = "1ms" }
[step.work]
call = "faulty.refuse"
from = "ids"
[sink]
out = { from = "work", ipc = "out/{stem}.arrow" }
`)
	p := process("run", g, "--trace", f.file("traces.jsonl"))
	p.Env = append(p.Env, "TRACEPARENT=nonsense")
	finish(t, p).wants(4, "TRACEPARENT is not a traceparent")
	lines := strings.Split(strings.TrimSpace(read(t, f.file("traces.jsonl"))), "\n")
	if len(lines) != 2 {
		t.Fatal(lines)
	}
	good, bad := spansOf(t, []byte(lines[0])), spansOf(t, []byte(lines[1]))
	if good[0].Name != "file a.csv" || good[0].Parent != "" || good[0].Status.Code != 1 || good[1].attribute("thund.rows.out") != "2" || good[0].TraceID == bad[0].TraceID {
		t.Errorf("%+v", good)
	}
	if bad[0].Name != "file b.csv" || bad[0].Status.Code != 2 || bad[1].attribute("thund.rows.out") != "1" ||
		bad[2].Status.Code != 2 || !strings.Contains(bad[2].Status.Message, "500 is refused") || bad[3].Status.Code != 1 {
		t.Errorf("%+v", bad)
	}
}

// A collector that is not there costs a warning, and not the run.
func TestTracesThatCannotBeWritten(t *testing.T) {
	f := newFolder(t)
	c := newCollector(t, 100)
	thund(t, "run", f.small(), "--trace", c.URL+"/v1/traces").wants(0, "warning: a trace could not be written to "+c.URL+"/v1/traces: 503", "busy")
	f.column("out/x.arrow", "id")
	thund(t, "run", f.small(), "--trace", f.file("no/such/folder")).wants(3, "the file of --trace cannot be written")
	thund(t, "run", f.small(), "--trace", "http://").wants(2, "--trace needs the URL")
	thund(t, "run", f.service(""), "--trace", c.URL).wants(2, "--trace is for runs that end", "/metrics")
}
