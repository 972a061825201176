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
	pause := "2ms"
	if os.Getenv("THUND_PICTURES") != "" {
		pause = "100us" // the queues of a picture are not empty
	}
	l.meters = exec.Command(l.file("meters"), "-pause", pause, l.path)
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

// picture writes a picture of the documentation, if the environment says where:
// THUND_PICTURES=$PWD/../../docs go test ./internal/cli -run Acceptance15
func (l *live) picture(b *browser.Browser, name string, width, height int, isDark bool, chosen, ready string) {
	folder := os.Getenv("THUND_PICTURES")
	if folder == "" {
		return
	}
	p, err := b.Open(l.page, width, height, isDark)
	must(l.t, err)
	if chosen != "" {
		must(l.t, p.Await(part(chosen, "rate")+`.textContent.match(/[1-9].*rows\/s/)`))
		must(l.t, p.Click(`main [data-node="`+chosen+`"] .box`))
	}
	must(l.t, p.Await(ready))
	picture, err := p.Picture()
	must(l.t, err)
	if len(picture) > 150_000 {
		l.t.Errorf("%s has %d bytes", name, len(picture))
	}
	must(l.t, os.WriteFile(filepath.Join(folder, name), picture, 0o666))
}
