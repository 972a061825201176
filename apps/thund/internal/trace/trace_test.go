// SPDX-License-Identifier: MIT

package trace

import (
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"net/http"
	"net/http/httptest"

	"github.com/ignalina/alloy/apps/thund/internal/run"
)

func TestParentsAreThoseOfW3C(t *testing.T) {
	trace, span := strings.Repeat("0a", 16), strings.Repeat("b1", 8)
	for text, want := range map[string]bool{
		"00-" + trace + "-" + span + "-01":                    true,
		"00-" + trace + "-" + span + "-00\n":                  true,
		"01-" + trace + "-" + span + "-01-later":              true, // a later version may have more
		"00-" + trace + "-" + span + "-01-more":               false,
		"ff-" + trace + "-" + span + "-01":                    false,
		"00-" + strings.Repeat("0", 32) + "-" + span + "-01":  false,
		"00-" + trace + "-" + strings.Repeat("0", 16) + "-01": false,
		"00-" + strings.ToUpper(trace) + "-" + span + "-01":   false,
		"00-" + trace[1:] + "-" + span + "-01":                false,
		"00-" + trace + "-" + span:                            false,
		"":                                                    false,
		"0g-" + trace + "-" + span + "-01":                    false,
	} {
		parent, known := ParseParent(text)
		if known != want || known && (parent.trace != trace || parent.span != span) {
			t.Errorf("%q: %v %v", text, parent, known)
		}
	}
}

// A collector that hangs stops no run: what is too much is dropped, and the end comes in time.
func TestASlowCollectorStopsNobody(t *testing.T) {
	release := make(chan struct{})
	slow := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }))
	defer slow.Close()
	defer close(release)
	var warnings atomic.Int64
	e, err := Open(slow.URL, "", "1", func(string) { warnings.Add(1) })
	if err != nil {
		t.Fatal(err)
	}
	begin := time.Now()
	for range mostWaiting + 10 {
		e.Add(&run.Traced{Graph: "g", Begin: begin, End: begin})
	}
	if took := time.Since(begin); took > time.Second {
		t.Errorf("adding took %v", took)
	}
	if warnings.Load() < 9 {
		t.Errorf("%d warnings", warnings.Load())
	}
	e.cancel() // as Close does after a while
	e.Close()
	if took := time.Since(begin); took > tryTime {
		t.Errorf("the end took %v", took)
	}
}
