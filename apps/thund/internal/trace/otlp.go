// SPDX-License-Identifier: MIT

// Package trace writes what a run did as a trace of OpenTelemetry: OTLP in JSON. Ids are in hex and
// times in nanoseconds as texts, as its specification says.
package trace

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/ignalina/alloy/apps/thund/internal/run"
)

type (
	value struct {
		Text   *string `json:"stringValue,omitempty"`
		Number *string `json:"intValue,omitempty"`
	}
	attribute struct {
		Key   string `json:"key"`
		Value value  `json:"value"`
	}
	event struct {
		Time       string      `json:"timeUnixNano"`
		Name       string      `json:"name"`
		Attributes []attribute `json:"attributes,omitempty"`
	}
	link struct {
		TraceID string `json:"traceId"`
		SpanID  string `json:"spanId"`
	}
	status struct {
		Code    int    `json:"code,omitempty"` // 1: ok, 2: error
		Message string `json:"message,omitempty"`
	}
	span struct {
		TraceID    string      `json:"traceId"`
		SpanID     string      `json:"spanId"`
		Parent     string      `json:"parentSpanId,omitempty"`
		Name       string      `json:"name"`
		Kind       int         `json:"kind"` // 1: internal
		Begin      string      `json:"startTimeUnixNano"`
		End        string      `json:"endTimeUnixNano"`
		Attributes []attribute `json:"attributes"`
		Events     []event     `json:"events,omitempty"`
		Dropped    int64       `json:"droppedEventsCount,omitempty"`
		Links      []link      `json:"links,omitempty"` // to the nodes that a node reads
		Status     status      `json:"status"`
	}
)

// Parent is where a trace hangs: the trace and the span of a caller. Zero: nowhere.
type Parent struct{ trace, span string }

// ParseParent reads a traceparent of W3C, such as the variable TRACEPARENT has.
func ParseParent(text string) (Parent, bool) {
	parts := strings.Split(strings.TrimSpace(text), "-")
	if len(parts) < 4 || len(parts) > 4 && parts[0] == "00" || !isHex(parts[0], 2) || parts[0] == "ff" ||
		!isHex(parts[1], 32) || !isHex(parts[2], 16) || !isHex(parts[3], 2) {
		return Parent{}, false
	}
	return Parent{parts[1], parts[2]}, true
}

// isHex reports whether a text is so many digits in lower case, not all of them 0 in an id.
func isHex(text string, digits int) bool {
	return len(text) == digits && strings.Trim(text, "0123456789abcdef") == "" && (digits == 2 || strings.Trim(text, "0") != "")
}

func newID(bytes int) string {
	id := make([]byte, bytes)
	_, _ = rand.Read(id) // it never fails
	return hex.EncodeToString(id)
}

func nanoseconds(t time.Time) string { return strconv.FormatInt(t.UnixNano(), 10) }

func text(key, of string) attribute { return attribute{key, value{Text: &of}} }

func number(key string, of int64) attribute {
	digits := strconv.FormatInt(of, 10)
	return attribute{key, value{Number: &digits}}
}

func statusOf(err error) status {
	if err != nil {
		return status{2, err.Error()}
	}
	return status{Code: 1}
}

// Encode makes the trace of a run: a span for the run, and in it one for each node.
func Encode(t *run.Traced, parent Parent, version string) ([]byte, error) {
	id := parent.trace
	if id == "" {
		id = newID(16)
	}
	whole := span{TraceID: id, SpanID: newID(8), Parent: parent.span, Name: "run " + t.Graph, Kind: 1, Begin: nanoseconds(t.Begin), End: nanoseconds(t.End),
		Attributes: []attribute{text("thund.graph", t.Graph)}, Status: statusOf(t.Err)}
	if t.File != "" {
		whole.Name = "file " + filepath.Base(t.File)
		whole.Attributes = append(whole.Attributes, text("thund.file", t.File))
	}
	spans, ids := []span{whole}, map[string]string{}
	for i := range t.Nodes {
		ids[t.Nodes[i].Name] = newID(8)
	}
	for i := range t.Nodes {
		n := &t.Nodes[i]
		made := span{TraceID: id, SpanID: ids[n.Name], Parent: whole.SpanID, Name: n.Name, Kind: 1, Begin: nanoseconds(n.Begin), End: nanoseconds(n.End),
			Attributes: []attribute{text("thund.kind", n.Kind), text("thund.what", n.What),
				number("thund.rows.in", n.RowsIn), number("thund.rows.out", n.RowsOut), number("thund.batches.in", n.BatchesIn), number("thund.batches.out", n.BatchesOut)},
			Dropped: n.Dropped, Status: statusOf(n.Err)}
		if b := n.Backend; b != nil {
			made.Attributes = append(made.Attributes, text("thund.library", b.Library), text("thund.sha256", b.SHA256), text("thund.signer", b.Signer),
				number("thund.workers", int64(n.Workers)))
		}
		if n.DeadLetters > 0 {
			made.Attributes = append(made.Attributes, number("thund.dead_letters", n.DeadLetters))
		}
		for _, from := range n.From {
			made.Links = append(made.Links, link{id, ids[from]})
		}
		for _, e := range n.Events {
			key := "thund.cause"
			if e.Name == "growth" {
				key = "thund.queue"
			}
			made.Events = append(made.Events, event{nanoseconds(e.Time), e.Name, []attribute{text(key, e.Cause)}})
		}
		spans = append(spans, made)
	}
	type object = map[string]any
	return json.Marshal(object{"resourceSpans": []object{{
		"resource": object{"attributes": []attribute{text("service.name", "thund"), text("service.version", version)}},
		"scopeSpans": []object{{
			"scope": object{"name": "thund", "version": version},
			"spans": spans,
		}},
	}}})
}
