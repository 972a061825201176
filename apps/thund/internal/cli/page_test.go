// SPDX-License-Identifier: MIT

package cli

import (
	"fmt"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/ignalina/alloy/apps/thund/internal/browser"
)

// Acceptance 15: the page of a running graph, in a real browser. Numbers move, queues fill and
// empty, a step whose worker is killed turns red and recovers, and the last state is shown.
func TestAcceptance15ThePageOfARunningGraph(t *testing.T) {
	l := startLive(t)
	b, err := browser.Start()
	must(t, err)
	defer b.Close()
	p, err := b.Open(l.page, 1400, 640, false)
	must(t, err)

	// Nobody reads the feed, so its queue fills, then those before it, up to the producer.
	const bar = `document.querySelector('main [data-queue="peaks>feed:0"] .fill')`
	must(t, p.Await(bar+`.classList.contains('full') && `+bar+`.getAttribute('width') === '30.0'`))
	must(t, p.Await(part("peaks", "state")+`.textContent === 'blocked'`))
	l.picture(b, "thund-page-dark.png", 1100, 400, true, "", part("meters", "state")+`.textContent === 'blocked'`)
	count := l.drain()
	must(t, p.Await(`!`+bar+`.classList.contains('full')`))
	must(t, p.Await(part("watts", "rate")+`.textContent.match(/[1-9].*rows\/s/)`))
	must(t, p.Await(`parseFloat(getComputedStyle(document.querySelector('main [data-queue="meters>watts:0"] .line')).strokeWidth) > 2`))

	// Locks, modes and signers.
	var locks []string
	must(t, p.Eval(`[...document.querySelectorAll('main .node')].filter((g) => g.querySelector('.lock')).map((g) => g.dataset.node + ': ' + g.querySelector('.mode').textContent + ', ' + [...g.querySelectorAll('.signed')].map((s) => s.textContent).join(', '))`, &locks))
	if text := strings.Join(locks, "\n"); !regexp.MustCompile(`^watts: 2 workers, Alloy development, [0-9a-f]{8} · \d+ days left\npeaks: 1 worker, Alloy development, [0-9a-f]{8} · \d+ days left$`).MatchString(text) {
		t.Errorf("the locks are:\n%s", text)
	}

	// A click opens what a node did; the numbers there move. So does the keyboard.
	must(t, p.Click(`main [data-node="watts"] .box`))
	const passed = `[...document.querySelectorAll('aside tr')].find((r) => r.textContent.startsWith('in')).textContent`
	var before string
	must(t, p.Await(`[...document.querySelectorAll('aside tr')].some((r) => r.textContent.startsWith('in'))`))
	must(t, p.Eval(passed, &before))
	must(t, p.Await(fmt.Sprintf("%s !== %q", passed, before)))
	for _, text := range []string{"% working", "A batch takes", "p99", "Alloy development", "aggregate_rust.so"} {
		must(t, p.Await(fmt.Sprintf("document.querySelector('aside').textContent.includes(%q)", text)))
	}
	must(t, p.Press("Escape", "Escape", 27))
	must(t, p.Await(`document.querySelector('aside').hidden && document.activeElement.dataset.node === 'watts'`))
	must(t, p.Press("Enter", "Enter", 13))
	must(t, p.Await(`!document.querySelector('aside').hidden`))

	// A killed step turns red, and recovers.
	for begin := 0; ; begin++ {
		for _, worker := range children(l.graph.Process.Pid) {
			_ = syscall.Kill(worker, syscall.SIGKILL) // it may have ended
		}
		var red bool
		must(t, p.Eval(`new Promise((ok) => setTimeout(() => ok(`+isRed("watts")+` && `+part("watts", "state")+`.textContent === 'retrying'), 600))`, &red))
		if red {
			break
		}
		if begin > 10 {
			t.Fatal("a step whose workers are killed does not turn red")
		}
	}
	must(t, p.Await(`[...document.querySelectorAll('aside h3')].some((h) => h.textContent === 'Tried again, by cause') && document.querySelector('aside').textContent.includes('signal')`))
	must(t, p.Await(`!(`+isRed("watts")+`) && `+part("watts", "rate")+`.textContent.match(/[1-9].*rows\/s/)`))

	l.picture(b, "thund-page.png", 1400, 600, false, "watts", `!document.querySelector('aside').hidden && `+part("watts", "state")+`.textContent === 'working'`)
	l.guards()

	// The end: the producer stops, the run drains, and the page keeps the last state.
	must(t, l.meters.Process.Signal(syscall.SIGTERM))
	must(t, l.meters.Wait())
	_, sent, _ := strings.Cut(strings.TrimSpace(strings.ReplaceAll(l.sent.String(), " rows", "")), " ")
	eventually(t, "all rows are read", func() bool { // the rest of a socket is lost when a run is asked to end
		_, text := l.ask("GET", "snapshot", "")
		return regexp.MustCompile(`"name":"meters","kind":"source"[^{}]*"rows_out":` + sent + `,`).Match(text.Bytes())
	})
	must(t, l.graph.Process.Signal(syscall.SIGTERM))
	must(t, l.graph.Wait())
	must(t, p.Await(`document.querySelector('#note').textContent.includes('This is its last state') && document.querySelector('#state').textContent === 'done'`))
	must(t, p.Await(part("archive", "state")+`.textContent === 'done'`))
	var shown string
	must(t, p.Eval(`document.querySelector('main [data-node="archive"]').getAttribute('aria-label')`, &shown))
	if !strings.HasPrefix(l.sent.String(), "sent ") || !strings.HasPrefix(count(), "read ") || !strings.Contains(read(t, l.file("log")), ", 0 dead letters") {
		t.Errorf("%s\n%s", l.sent, read(t, l.file("log")))
	}
	if log := strings.ReplaceAll(read(t, l.file("log")), ",", ""); !strings.Contains(log, "meters "+sent+" rows") || !strings.Contains(log, "archive "+sent+" rows") {
		t.Errorf("%s rows were sent\n%s", sent, log)
	}

	for _, address := range p.Requests() {
		if !strings.HasPrefix(address, l.page) && !strings.HasPrefix(address, "data:") {
			t.Errorf("the page asks for %s", address)
		}
	}
	for _, problem := range p.Problems() {
		if !strings.Contains(problem, "ERR_CONNECTION_REFUSED") { // the run has ended, and the page tries again
			t.Errorf("the console has: %s", problem)
		}
	}
}
