// SPDX-License-Identifier: MIT

package cli

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// The shape of OTLP in JSON, as far as Thund uses it. Another field is an error.
type (
	otlpValue struct {
		Text   *string `json:"stringValue"`
		Number *string `json:"intValue"`
	}
	otlpAttribute struct {
		Key   string    `json:"key"`
		Value otlpValue `json:"value"`
	}
	otlpSpan struct {
		TraceID    string          `json:"traceId"`
		SpanID     string          `json:"spanId"`
		Parent     string          `json:"parentSpanId"`
		Name       string          `json:"name"`
		Kind       int             `json:"kind"`
		Begin      string          `json:"startTimeUnixNano"`
		End        string          `json:"endTimeUnixNano"`
		Attributes []otlpAttribute `json:"attributes"`
		Events     []struct {
			Time       string          `json:"timeUnixNano"`
			Name       string          `json:"name"`
			Attributes []otlpAttribute `json:"attributes"`
		} `json:"events"`
		Dropped int `json:"droppedEventsCount"`
		Links   []struct {
			TraceID string `json:"traceId"`
			SpanID  string `json:"spanId"`
		} `json:"links"`
		Status struct {
			Code    int    `json:"code"`
			Message string `json:"message"`
		} `json:"status"`
	}
	otlp struct {
		Resources []struct {
			Resource struct {
				Attributes []otlpAttribute `json:"attributes"`
			} `json:"resource"`
			Scopes []struct {
				Scope struct{ Name, Version string } `json:"scope"`
				Spans []otlpSpan                     `json:"spans"`
			} `json:"scopeSpans"`
		} `json:"resourceSpans"`
	}
)

// spansOf reads a trace strictly, and returns its spans; the first is the run.
func spansOf(t *testing.T, text []byte) []otlpSpan {
	t.Helper()
	var all otlp
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&all); err != nil || len(all.Resources) != 1 || len(all.Resources[0].Scopes) != 1 {
		t.Fatalf("%v in %s", err, text)
	}
	r := all.Resources[0]
	if a := r.Resource.Attributes[0]; a.Key != "service.name" || *a.Value.Text != "thund" || r.Scopes[0].Scope.Name != "thund" {
		t.Errorf("%s", text)
	}
	spans, hex := r.Scopes[0].Spans, regexp.MustCompile(`^[0-9a-f]+$`)
	number := func(text string) int64 {
		made, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			t.Error(err)
		}
		return made
	}
	seen := map[string]bool{}
	for _, s := range spans {
		begin, end := number(s.Begin), number(s.End)
		if len(s.TraceID) != 32 || len(s.SpanID) != 16 || !hex.MatchString(s.TraceID+s.SpanID+s.Parent+"0") || s.Kind != 1 || seen[s.SpanID] || s.TraceID != spans[0].TraceID {
			t.Errorf("%+v", s)
		}
		seen[s.SpanID] = true
		if begin > end || begin < number(spans[0].Begin) || end > number(spans[0].End) || time.Since(time.Unix(0, begin)) > time.Minute {
			t.Errorf("span %s runs from %s to %s, and the run from %s to %s", s.Name, s.Begin, s.End, spans[0].Begin, spans[0].End)
		}
		for _, e := range s.Events {
			if at := number(e.Time); at < number(spans[0].Begin) || at > number(spans[0].End) {
				t.Errorf("event %s of %s is at %s", e.Name, s.Name, e.Time)
			}
		}
	}
	for _, s := range spans[1:] {
		if s.Parent != spans[0].SpanID {
			t.Errorf("span %s has the parent %s", s.Name, s.Parent)
		}
		for _, l := range s.Links {
			if !seen[l.SpanID] || l.TraceID != s.TraceID {
				t.Errorf("span %s links to %v", s.Name, l)
			}
		}
	}
	return spans
}

func (s otlpSpan) attribute(key string) string {
	for _, a := range s.Attributes {
		if a.Key == key && a.Value.Number != nil {
			return *a.Value.Number
		} else if a.Key == key {
			return *a.Value.Text
		}
	}
	return ""
}

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
