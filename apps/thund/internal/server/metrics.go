// SPDX-License-Identifier: MIT

package server

import (
	"net/http"
	"runtime"
	"strconv"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/ignalina/alloy/apps/thund/internal/status"
)

// causes are why a worker ends. Those of the metrics begin with 0, so that a first one is a rise.
var causes = [...]string{"signal", "exit", "hang", "memory", "violation"}

var graphStates = [...]status.GraphState{status.GraphStarting, status.GraphRunning, status.GraphDraining, status.GraphDone, status.GraphFailed}

// collector makes metrics of the newest snapshot.
type collector struct{ options Options }

func newMetrics(o Options) http.Handler {
	return promhttp.HandlerFor(registry(o), promhttp.HandlerOpts{MaxRequestsInFlight: 4, Timeout: writeTime})
}

func registry(o Options) *prometheus.Registry {
	r := prometheus.NewRegistry()
	r.MustRegister(collector{o})
	return r
}

// desc names a metric. The first label of each is the graph.
func desc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("thund_"+name, help, append([]string{"graph"}, labels...), nil)
}

var (
	rowsDesc       = desc("rows_total", "Rows that came in or went out.", "node", "direction")
	batchesDesc    = desc("batches_total", "Batches that came in or went out.", "node", "direction")
	bytesDesc      = desc("bytes_total", "Bytes of the batches that came in or went out.", "node", "direction")
	secondsDesc    = desc("node_seconds_total", "Time in each state: working, starved of input, or blocked by full queues.", "node", "state")
	durationDesc   = desc("batch_duration_seconds", "Time of a step for one batch.", "node")
	errorsDesc     = desc("errors_total", "Errors by code, also those that a retry has cured.", "node", "code")
	retriesDesc    = desc("retries_total", "Batches that ran again, by cause.", "node", "cause")
	restartsDesc   = desc("worker_restarts_total", "Workers that were started again, by what ended them.", "node", "cause")
	lettersDesc    = desc("dead_letter_rows_total", "Rows that became dead letters.", "node")
	brokenDesc     = desc("source_broken_total", "Producers whose stream broke off.", "node")
	queueDesc      = desc("queue_batches", "Batches that wait in a queue.", "from", "to", "input")
	queueBytesDesc = desc("queue_bytes", "Bytes that wait in a queue.", "from", "to", "input")
	limitDesc      = desc("queue_limit_batches", "The limit of a queue in batches.", "from", "to", "input")
	limitBytesDesc = desc("queue_limit_bytes", "The limit of a queue in bytes.", "from", "to", "input")
	growthsDesc    = desc("queue_growths_total", "How often a queue grew, so that a diamond went on.", "from", "to", "input")
	filesDesc      = desc("files_total", "Files that were done or ignored.", "outcome")
	fileBytesDesc  = desc("file_bytes_total", "Bytes of the files that were done or ignored.")
	fileRowsDesc   = desc("file_rows_total", "Rows of the files that were done or ignored.")
	expiryDesc     = desc("certificate_expiry_timestamp_seconds", "When the certificate of a step's backend expires.", "node")
	stateDesc      = desc("graph_state", "1 for the state of the graph, 0 for the others.", "state")
	buildDesc      = desc("build_info", "1, with the versions of Thund and Go.", "version", "goversion")
)

func (c collector) Describe(out chan<- *prometheus.Desc) {
	for _, one := range []*prometheus.Desc{rowsDesc, batchesDesc, bytesDesc, secondsDesc, durationDesc, errorsDesc, retriesDesc, restartsDesc,
		lettersDesc, brokenDesc, queueDesc, queueBytesDesc, limitDesc, limitBytesDesc, growthsDesc, filesDesc, fileBytesDesc, fileRowsDesc,
		expiryDesc, stateDesc, buildDesc} {
		out <- one
	}
}

func (c collector) Collect(out chan<- prometheus.Metric) {
	now, _ := c.options.Snapshots.Next()
	one := func(kind prometheus.ValueType, desc *prometheus.Desc, value float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(desc, kind, value, append([]string{now.Graph}, labels...)...)
	}
	count := func(desc *prometheus.Desc, value int64, labels ...string) {
		one(prometheus.CounterValue, desc, float64(value), labels...)
	}
	gauge := func(desc *prometheus.Desc, value float64, labels ...string) {
		one(prometheus.GaugeValue, desc, value, labels...)
	}
	for i := range now.Nodes {
		n := &now.Nodes[i]
		if n.Kind != "source" {
			count(rowsDesc, n.RowsIn, n.Name, "in")
			count(batchesDesc, n.BatchesIn, n.Name, "in")
			count(bytesDesc, n.BytesIn, n.Name, "in")
		}
		if n.Kind != "sink" {
			count(rowsDesc, n.RowsOut, n.Name, "out")
			count(batchesDesc, n.BatchesOut, n.Name, "out")
			count(bytesDesc, n.BytesOut, n.Name, "out")
		}
		one(prometheus.CounterValue, secondsDesc, n.WorkingSeconds, n.Name, "working")
		one(prometheus.CounterValue, secondsDesc, n.StarvedSeconds, n.Name, "starved")
		one(prometheus.CounterValue, secondsDesc, n.BlockedSeconds, n.Name, "blocked")
		if n.Durations != nil {
			out <- histogram(n.Durations, now.Graph, n.Name)
		}
		for code, errors := range n.Errors {
			count(errorsDesc, errors, n.Name, code)
		}
		for cause, retries := range n.Retries {
			count(retriesDesc, retries, n.Name, cause)
		}
		if n.Workers > 0 {
			for _, cause := range causes {
				count(restartsDesc, n.Restarts[cause], n.Name, cause)
			}
		}
		switch n.Kind {
		case "step":
			count(lettersDesc, n.DeadLetters, n.Name)
		case "source":
			count(brokenDesc, n.Broken, n.Name)
		}
		if n.Backend != nil && n.Backend.Expires != nil {
			gauge(expiryDesc, float64(n.Backend.Expires.Unix()), n.Name)
		}
	}
	for i := range now.Edges {
		e := &now.Edges[i]
		labels := []string{e.From, e.To, strconv.Itoa(e.Input)}
		gauge(queueDesc, float64(e.QueueBatches), labels...)
		gauge(queueBytesDesc, float64(e.QueueBytes), labels...)
		gauge(limitDesc, float64(e.LimitBatches), labels...)
		gauge(limitBytesDesc, float64(e.LimitBytes), labels...)
		count(growthsDesc, e.Growths, labels...)
	}
	if f := now.Files; f != nil {
		count(filesDesc, f.Done, "done")
		count(filesDesc, f.Ignored, "ignored")
		count(fileBytesDesc, f.Bytes)
		count(fileRowsDesc, f.Rows)
	}
	for _, state := range graphStates {
		is := 0.0
		if state == now.State {
			is = 1
		}
		gauge(stateDesc, is, string(state))
	}
	gauge(buildDesc, 1, c.options.Version, runtime.Version())
}

// histogram adds up the classes: those of Prometheus count everything below their bound.
func histogram(h *status.Histogram, labels ...string) prometheus.Metric {
	below, classes := uint64(0), map[float64]uint64{}
	for i, bound := range status.Bounds {
		below += uint64(h.Counts[i])
		classes[bound] = below
	}
	all := below + uint64(h.Counts[len(status.Bounds)])
	return prometheus.MustNewConstHistogram(durationDesc, all, h.Sum, classes, labels...)
}
