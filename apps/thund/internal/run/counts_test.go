// SPDX-License-Identifier: MIT

package run

import (
	"errors"
	"fmt"
	"testing"

	"github.com/ignalina/alloy"
)

// Every way to lose a worker is counted by its name, and nothing else is a restart.
func TestCausesHaveTheNamesOfTheMetrics(t *testing.T) {
	c := newCounts(&taps{})
	for want, err := range map[string]error{
		"signal":    &alloy.Error{Code: alloy.Lost, Reason: alloy.ReasonWorkerSignal},
		"exit":      &alloy.Error{Code: alloy.Lost, Reason: alloy.ReasonWorkerExit},
		"hang":      &alloy.Error{Code: alloy.Timeout, Reason: alloy.ReasonWorkerHang},
		"memory":    &alloy.Error{Code: alloy.Lost, Reason: alloy.ReasonWorkerMemory},
		"violation": fmt.Errorf("wrapped: %w", &alloy.Error{Code: alloy.Lost, Reason: alloy.ReasonWorkerViolation}),
		"TIMEOUT":   &alloy.Error{Code: alloy.Timeout},
		"RETRY":     &alloy.Error{Code: alloy.Retry},
		"FAILED":    errors.New("not of Alloy"),
	} {
		if got := causeOf(err); got != want {
			t.Errorf("%v: %s, not %s", err, got, want)
		}
		c.failed(err)
	}
	for _, cause := range causes {
		if c.restarts[cause] != 1 {
			t.Errorf("restarts: %v", c.restarts)
		}
	}
	if len(c.restarts) != 5 || c.errors["E5003"] != 1 || c.lastError == "" {
		t.Errorf("restarts %v, errors %v", c.restarts, c.errors)
	}
}
