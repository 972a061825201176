// SPDX-License-Identifier: MIT

package cli

import (
	"bytes"
	"encoding/json"
	"regexp"
	"strconv"
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
