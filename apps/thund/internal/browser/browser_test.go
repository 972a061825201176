// SPDX-License-Identifier: MIT

package browser

import (
	"strings"
	"testing"
	"time"
)

// Without a browser a test fails, and says what to install.
func TestAMissingChromiumIsAnError(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	t.Setenv("THUND_CHROMIUM", "")
	if b, err := Start(); err == nil {
		b.Close()
		t.Error("it starts")
	} else if !strings.Contains(err.Error(), "tools/setup test") {
		t.Error(err)
	}
	t.Setenv("THUND_CHROMIUM", "/nothing/here")
	if _, err := Start(); err == nil || !strings.Contains(err.Error(), "/nothing/here does not start") {
		t.Error(err)
	}
}

// What goes wrong on a page is seen, and so is what it asks for.
func TestProblemsOfAPageAreSeen(t *testing.T) {
	b, err := Start()
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	p, err := b.Open("data:text/html,<script>console.error('one'); setTimeout(() => { throw new Error('two'); }); fetch('http://127.0.0.1:9/three');</script>", 100, 100, true)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Await("matchMedia('(prefers-color-scheme: dark)').matches"); err != nil {
		t.Error(err)
	}
	for _, word := range []string{"one", "two", "three"} {
		for begin := time.Now(); !strings.Contains(strings.Join(p.Problems(), "\n"), word); time.Sleep(10 * time.Millisecond) {
			if time.Since(begin) > answerTime {
				t.Fatalf("%s is not in %q", word, p.Problems())
			}
		}
	}
	if all := strings.Join(p.Requests(), " "); !strings.Contains(all, "http://127.0.0.1:9/three") {
		t.Error(all)
	}
	if err := p.Eval("nothing.at.all", nil); err == nil || !strings.Contains(err.Error(), "nothing is not defined") {
		t.Error(err)
	}
}
