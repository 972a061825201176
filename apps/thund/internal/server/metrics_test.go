// SPDX-License-Identifier: MIT

package server

import (
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/ignalina/alloy/apps/thund/internal/status"
)

// Section 5 names these, with these labels, which follow "graph".
var named = map[string]string{
	"thund_rows_total": "direction,node", "thund_batches_total": "direction,node", "thund_bytes_total": "direction,node",
	"thund_node_seconds_total": "node,state", "thund_batch_duration_seconds": "node",
	"thund_errors_total": "code,node", "thund_retries_total": "cause,node", "thund_worker_restarts_total": "cause,node",
	"thund_dead_letter_rows_total": "node", "thund_source_broken_total": "node",
	"thund_queue_batches": "from,input,to", "thund_queue_bytes": "from,input,to", "thund_queue_limit_batches": "from,input,to",
	"thund_queue_limit_bytes": "from,input,to", "thund_queue_growths_total": "from,input,to",
	"thund_files_total": "outcome", "thund_file_bytes_total": "", "thund_file_rows_total": "",
	"thund_certificate_expiry_timestamp_seconds": "node", "thund_graph_state": "state", "thund_build_info": "goversion,version",
}

func TestMetricsPassTheLinter(t *testing.T) {
	sampler := status.NewSampler(newGraph().snapshot, status.Interval)
	defer sampler.Close()
	problems, err := testutil.GatherAndLint(registry(Options{Snapshots: sampler, Version: "1.2.3"}))
	if err != nil {
		t.Fatal(err)
	}
	for _, one := range problems {
		t.Errorf("%s: %s", one.Metric, one.Text)
	}
}

func TestMetricsHaveTheirNames(t *testing.T) {
	sampler := status.NewSampler(newGraph().snapshot, status.Interval)
	defer sampler.Close()
	all, err := registry(Options{Snapshots: sampler, Version: "1.2.3"}).Gather()
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]bool{}
	for _, family := range all {
		want, known := named[family.GetName()]
		if !known {
			t.Errorf("%s is not in the design", family.GetName())
		}
		found[family.GetName()] = true
		for _, metric := range family.Metric {
			var labels []string
			for _, label := range metric.Label {
				if label.GetName() != "graph" {
					labels = append(labels, label.GetName())
				} else if label.GetValue() != "flights" {
					t.Errorf("%s: graph is %s", family.GetName(), label.GetValue())
				}
			}
			slices.Sort(labels)
			if len(labels)+1 != len(metric.Label) || strings.Join(labels, ",") != want {
				t.Errorf("%s has the labels %v", family.GetName(), labels)
			}
		}
	}
	for name := range named {
		if !found[name] {
			t.Errorf("%s is missing", name)
		}
	}
}

// The numbers are those of the snapshot.
func TestMetricsHaveTheNumbers(t *testing.T) {
	g := newGraph()
	h := g.now.Nodes[1].Durations
	h.Sum = 0
	for _, seconds := range []float64{0.0005, 0.005, 0.005, 99} {
		h.Add(seconds)
	}
	_, _, url := serve(t, g, nil)
	code, text, header := get(t, url+"/metrics")
	if code != 200 || !strings.HasPrefix(header.Get("Content-Type"), "text/plain; version=0.0.4") {
		t.Fatal(code, header)
	}
	for _, line := range []string{
		`thund_rows_total{direction="out",graph="flights",node="late"} 1000`,
		`thund_rows_total{direction="in",graph="flights",node="km"} 900`,
		`thund_batch_duration_seconds_bucket{graph="flights",node="km",le="0.001"} 1`,
		`thund_batch_duration_seconds_bucket{graph="flights",node="km",le="0.01"} 3`,
		`thund_batch_duration_seconds_bucket{graph="flights",node="km",le="10"} 3`,
		`thund_batch_duration_seconds_bucket{graph="flights",node="km",le="+Inf"} 4`,
		`thund_errors_total{code="E5001",graph="flights",node="km"} 3`,
		`thund_retries_total{cause="signal",graph="flights",node="km"} 3`,
		`thund_worker_restarts_total{cause="signal",graph="flights",node="km"} 3`,
		`thund_worker_restarts_total{cause="memory",graph="flights",node="km"} 0`,
		`thund_dead_letter_rows_total{graph="flights",node="km"} 10`,
		`thund_source_broken_total{graph="flights",node="late"} 2`,
		`thund_queue_batches{from="late",graph="flights",input="0",to="km"} 7`,
		`thund_queue_growths_total{from="late",graph="flights",input="0",to="km"} 1`,
		`thund_files_total{graph="flights",outcome="ignored"} 1`,
		`thund_graph_state{graph="flights",state="running"} 1`,
		`thund_graph_state{graph="flights",state="failed"} 0`,
	} {
		if !strings.Contains(text, line+"\n") {
			t.Errorf("%q is missing in\n%s", line, text)
		}
	}
}
