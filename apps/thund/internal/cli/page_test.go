// SPDX-License-Identifier: MIT

package cli

import (
	"bytes"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"

	"github.com/ignalina/alloy/apps/thund/internal/browser"
)

// live is the graph live.toml that runs, with its page.
type live struct {
	folder
	graph  *exec.Cmd
	log    *bytes.Buffer
	page   string
	meters *exec.Cmd
	sent   *bytes.Buffer
}

// startLive runs live.toml and sends readings, which nobody reads from the feed yet.
func startLive(t *testing.T) *live {
	build(t)
	l := &live{folder: newFolder(t), log: &bytes.Buffer{}, sent: &bytes.Buffer{}}
	l.graph = process("run", "../../examples/live.toml", "--listen", "127.0.0.1:0", "--set", "out="+l.path)
	log := l.file("log")
	file, err := os.Create(log)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	l.graph.Stderr = file
	if err := l.graph.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.graph.Process.Kill() })
	eventually(t, "the run says where its page is", func() bool {
		l.page = regexp.MustCompile(`http://\S+`).FindString(read(t, log))
		return l.page != ""
	})
	if out, err := exec.Command("go", "build", "-o", l.file("meters"), "../../examples/meters").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	eventually(t, "the run listens", func() bool {
		_, err := os.Stat(l.file("live.sock"))
		return err == nil
	})
	l.meters = exec.Command(l.file("meters"), "-pause", "2ms", l.path)
	l.meters.Stdout, l.meters.Stderr = l.sent, l.sent
	if err := l.meters.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.meters.Process.Kill() })
	return l
}

// drain lets somebody read the feed until it ends, and returns how much that was.
func (l *live) drain() (count func() string) {
	c := exec.Command(l.file("meters"), "-read", l.path)
	var out bytes.Buffer
	c.Stdout, c.Stderr = &out, &out
	if err := c.Start(); err != nil {
		l.t.Fatal(err)
	}
	l.t.Cleanup(func() { _ = c.Process.Kill() })
	return func() string {
		if err := c.Wait(); err != nil {
			l.t.Errorf("%v\n%s", err, out.String())
		}
		return out.String()
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// part is the element of a node or an edge.
func part(node, class string) string {
	return fmt.Sprintf(`document.querySelector('main [data-node="%s"] .%s')`, node, class)
}

func isRed(node string) string {
	return fmt.Sprintf(`getComputedStyle(%s).fill === 'rgb(207, 34, 46)'`, part(node, "state"))
}

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
	for _, text := range []string{"% working", "half of them, at most", "Alloy development", "aggregate_rust.so"} {
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

	l.pictures(b)
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

// ask asks as curl would.
func (l *live) ask(method, path, host string) (int, *bytes.Buffer) {
	request, err := http.NewRequest(method, l.page+path, nil)
	must(l.t, err)
	request.Host = host
	answer, err := http.DefaultClient.Do(request)
	must(l.t, err)
	defer answer.Body.Close()
	var text bytes.Buffer
	_, err = text.ReadFrom(answer.Body)
	must(l.t, err)
	return answer.StatusCode, &text
}

// guards looks at what strangers get, and at the metrics.
func (l *live) guards() {
	if code, _ := l.ask("GET", "", "evil.example"); code != 403 {
		l.t.Errorf("Host evil.example: %d", code)
	}
	if code, _ := l.ask("POST", "", ""); code != 405 {
		l.t.Errorf("POST: %d", code)
	}
	if code, text := l.ask("GET", "tap?node=watts&limit=1", ""); code != 403 {
		l.t.Errorf("a tap without --allow-tap: %d %s", code, text)
	}
	code, text := l.ask("GET", "metrics", "")
	all := text.String()
	problems, err := promlint.New(text).Lint()
	if code != 200 || err != nil || len(problems) > 0 {
		l.t.Errorf("/metrics: %d %v %v", code, err, problems)
	}
	for _, part := range []string{`thund_rows_total{direction="out",graph="live",node="meters"} `, `thund_retries_total{cause="signal",graph="live",node="watts"} `,
		`thund_batch_duration_seconds_count{graph="live",node="watts"} `, `thund_certificate_expiry_timestamp_seconds{graph="live",node="peaks"} `} {
		if !strings.Contains(all, part) {
			l.t.Errorf("%s is missing in\n%s", part, all)
		}
	}
}

// pictures writes the pictures of the documentation, if the environment says where:
// THUND_PICTURES=$PWD/docs go test ./internal/cli -run Acceptance15
func (l *live) pictures(b *browser.Browser) {
	folder := os.Getenv("THUND_PICTURES")
	if folder == "" {
		return
	}
	for name, isDark := range map[string]bool{"page-light.png": false, "page-dark.png": true} {
		p, err := b.Open(l.page, 1400, 640, isDark)
		must(l.t, err)
		must(l.t, p.Await(part("watts", "rate")+`.textContent.match(/[1-9].*rows\/s/)`))
		must(l.t, p.Click(`main [data-node="watts"] .box`))
		must(l.t, p.Await(`!document.querySelector('aside').hidden && `+part("watts", "state")+`.textContent === 'working'`))
		picture, err := p.Picture()
		must(l.t, err)
		if len(picture) > 150_000 {
			l.t.Errorf("%s has %d bytes", name, len(picture))
		}
		must(l.t, os.WriteFile(filepath.Join(folder, name), picture, 0o666))
	}
}
