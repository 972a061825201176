// SPDX-License-Identifier: MIT

package show

import (
	"bytes"
	"encoding/json"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ignalina/alloy/apps/thund/internal/status"
)

// page is text that several goroutines write and read.
type page struct {
	mutex sync.Mutex
	text  bytes.Buffer
}

func (p *page) Write(text []byte) (int, error) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	return p.text.Write(text)
}

func (p *page) String() string {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	return p.text.String()
}

// lines waits for so many lines.
func (p *page) lines(t *testing.T, count int) []string {
	t.Helper()
	for begin := time.Now(); ; time.Sleep(time.Millisecond) {
		if lines := strings.Split(p.String(), "\n"); len(lines) > count {
			return lines[:len(lines)-1]
		}
		if time.Since(begin) > 10*time.Second {
			t.Fatalf("there are not %d lines: %s", count, p)
		}
	}
}

func TestALongRunWritesALineFromTimeToTime(t *testing.T) {
	s := status.NewSampler(func() status.Snapshot { s := *sample(); s.Time = time.Now(); return s }, time.Millisecond)
	for _, asJSON := range []bool{false, true} {
		out := &page{}
		p := &Progress{sampler: s, out: out, asJSON: asJSON, every: 20 * time.Millisecond, written: time.Now(), stop: make(chan struct{}), done: make(chan struct{})}
		begin := time.Now()
		p.start()
		lines := out.lines(t, 3)
		if took := time.Since(begin); took < 60*time.Millisecond {
			t.Errorf("three lines after %v", took)
		}
		p.Close()
		for _, line := range lines {
			var now status.Snapshot
			if asJSON {
				if err := json.Unmarshal([]byte(line), &now); err != nil || now.Graph != "flights" {
					t.Errorf("%v: %s", err, line)
				}
			} else if !strings.HasPrefix(line, "flights: running, ") {
				t.Errorf("a line: %s", line)
			}
		}
		after := out.String()
		time.Sleep(30 * time.Millisecond)
		if out.String() != after {
			t.Error("it goes on after its end")
		}
	}
	s.Close()
}

// A short run is not spoken about, unless somebody has asked.
func TestAShortRunWritesALastLineOnlyIfAsked(t *testing.T) {
	for mode, want := range map[string]int{"auto": 0, "plain": 1, "json": 1} {
		s := status.NewSampler(func() status.Snapshot { return *sample() }, time.Hour)
		out := &page{}
		p := NewProgress(s, mode, out)
		if p.Out() != out {
			t.Errorf("%s: other texts go elsewhere", mode)
		}
		p.Close()
		if got := strings.Count(out.String(), "\n"); got != want {
			t.Errorf("%s: %d lines: %s", mode, got, out)
		}
		s.Close()
	}
	if NewProgress(nil, "none", nil) != nil {
		t.Error("none shows something")
	}
}

// Two goroutines may write to a terminal at the same time.
func TestATerminalIsForSeveralWriters(t *testing.T) {
	out := &page{}
	terminal := &Terminal{out: out, size: func() (int, int) { return 80, 24 }}
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for range 50 {
				terminal.Draw([]string{"one", "two"})
				_, _ = terminal.Write([]byte("text\n"))
			}
		})
	}
	all.Wait()
	if got := screen(out.String()); got != strings.Repeat("text\n", 200)+"one\ntwo" {
		t.Errorf("it shows %q", got[:200])
	}
}
