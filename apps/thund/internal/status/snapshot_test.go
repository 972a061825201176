// SPDX-License-Identifier: MIT

package status

import (
	"math"
	"testing"
)

func TestAQuantileLiesInTheClassOfItsRank(t *testing.T) {
	var h Histogram
	if got := h.Quantile(0.5); got != 0 {
		t.Errorf("of nothing: %v", got)
	}
	for range 98 {
		h.Add(0.002)
	}
	h.Add(0.2)
	h.Add(60)
	for _, c := range []struct{ q, low, high float64 }{{0.5, 0.001, 0.0025}, {0.985, 0.1, 0.25}, {1, 10, 10}} {
		if got := h.Quantile(c.q); got < c.low || got > c.high {
			t.Errorf("quantile %v is %v, not from %v to %v", c.q, got, c.low, c.high)
		}
	}
	if want := 98*0.002 + 60.2; math.Abs(h.Sum-want) > 1e-9 {
		t.Errorf("the sum is %v, not %v", h.Sum, want)
	}
}

func TestADurationOnABoundBelongsToItsClass(t *testing.T) {
	for class, bound := range Bounds {
		var h Histogram
		h.Add(bound)
		if h.Counts[class] != 1 {
			t.Errorf("%v s: %v", bound, h.Counts)
		}
	}
}

func TestAQueueIsAsFullAsItsNearestLimit(t *testing.T) {
	e := Edge{QueueBatches: 1, LimitBatches: 8, QueueBytes: 30, LimitBytes: 40}
	if got := e.Fill(); got != 0.75 {
		t.Errorf("%v, not 0.75", got)
	}
	if got := (&Edge{}).Fill(); got != 0 {
		t.Errorf("without limits: %v", got)
	}
}
