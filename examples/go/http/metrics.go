// SPDX-License-Identifier: MIT
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sort"
	"sync"

	"github.com/ignalina/alloy"
)

// metrics counts what a bridge does. Its method observe is the bridge's Observe.
type metrics struct {
	mutex   sync.Mutex
	running int
	ended   map[series]*totals
}

type series struct{ kind, function, code string }

type totals struct {
	operations, batches, rows int64
	seconds                   float64
}

func (m *metrics) observe(ctx context.Context, operation alloy.Operation) (context.Context, func(alloy.Outcome)) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	m.running++
	return ctx, func(outcome alloy.Outcome) { m.end(operation, outcome) }
}

func (m *metrics) end(operation alloy.Operation, outcome alloy.Outcome) {
	code := "OK"
	if outcome.Err != nil {
		code = "FAILED"
		var e *alloy.Error
		if errors.As(outcome.Err, &e) {
			code = e.Code.String()
		}
	}
	function := operation.Function
	if code == alloy.NotFound.String() || code == alloy.Invalid.String() {
		function = "" // a client may send any name, and each would stay in memory
	}
	m.mutex.Lock()
	defer m.mutex.Unlock()
	m.running--
	if m.ended == nil {
		m.ended = map[series]*totals{}
	}
	key := series{operation.Kind, function, code}
	t := m.ended[key]
	if t == nil {
		t = &totals{}
		m.ended[key] = t
	}
	t.operations++
	t.batches += outcome.Batches
	t.rows += outcome.Rows
	t.seconds += outcome.Time.Seconds()
}

// write writes the counters in the text format of Prometheus.
func (m *metrics) write(w io.Writer, outstanding alloy.Outstanding) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	var lines []string
	for key, t := range m.ended {
		labels := fmt.Sprintf("{kind=%q,function=%q,code=%q}", key.kind, key.function, key.code)
		lines = append(lines,
			fmt.Sprintf("alloy_operations_total%s %d", labels, t.operations),
			fmt.Sprintf("alloy_result_batches_total%s %d", labels, t.batches),
			fmt.Sprintf("alloy_result_rows_total%s %d", labels, t.rows),
			fmt.Sprintf("alloy_seconds_total%s %g", labels, t.seconds))
	}
	lines = append(lines,
		fmt.Sprintf("alloy_operations_running %d", m.running),
		fmt.Sprintf("alloy_results_outstanding %d", outstanding.Results),
		fmt.Sprintf("alloy_streams_outstanding %d", outstanding.Streams))
	sort.Strings(lines)
	for _, line := range lines {
		fmt.Fprintln(w, line)
	}
}
