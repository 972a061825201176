// SPDX-License-Identifier: MIT

package server

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/ignalina/alloy/apps/thund/internal/status"
)

// All viewers get the same snapshots, which are made once, and numbers that move.
func TestEventsAreMadeOnceForAllViewers(t *testing.T) {
	g := newGraph()
	_, _, url := serve(t, g, nil)
	var viewers []*bufio.Reader
	for range mostStreams {
		answer, body := viewer(t, url)
		if answer.StatusCode != 200 || answer.Header.Get("Content-Type") != "text/event-stream" {
			t.Fatal(answer)
		}
		viewers = append(viewers, body)
	}
	before, begin := g.looks.Load(), time.Now()
	g.change(func(s *status.Snapshot) { s.Nodes[0].RowsOut = 5000 })
	for i, body := range viewers {
		var seen status.Snapshot
		for seen.Nodes == nil || seen.Nodes[0].RowsOut != 5000 {
			_, data := event(t, body)
			if err := json.Unmarshal([]byte(data), &seen); err != nil {
				t.Fatalf("viewer %d: %v", i, err)
			}
		}
	}
	if looks, most := g.looks.Load()-before, int64(time.Since(begin)/(10*time.Millisecond))+2; looks > most {
		t.Errorf("%d snapshots in %v for %d viewers", looks, time.Since(begin), mostStreams)
	}
}

func TestTooManyViewersAreRefused(t *testing.T) {
	_, _, url := serve(t, newGraph(), nil)
	var first *http.Response
	for i := range mostStreams {
		if answer, _ := viewer(t, url); i == 0 {
			first = answer
		}
	}
	if code, text, _ := get(t, url+"/events"); code != 503 || !strings.Contains(text, "16 viewers are there already") {
		t.Error(code, text)
	}
	first.Body.Close()
	for begin := time.Now(); ; {
		answer, err := http.Get(url + "/events")
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		if answer.StatusCode == 200 {
			return
		}
		if time.Since(begin) > 10*time.Second {
			t.Fatal("a place that is free is not given again")
		}
	}
}

// The last thing that a viewer gets is the end of the run.
func TestTheLastSnapshotIsSent(t *testing.T) {
	g := newGraph()
	s, sampler, url := serve(t, g, nil)
	_, body := viewer(t, url)
	event(t, body)
	g.change(func(s *status.Snapshot) { s.State, s.Error = status.GraphFailed, "the disk is full" })
	sampler.Close()
	go s.Close()
	last := ""
	for {
		name, data := event(t, body)
		if name == "end" {
			break
		}
		last = data
	}
	if !strings.Contains(last, `"state":"failed"`) || !strings.Contains(last, "the disk is full") {
		t.Error(last)
	}
	if rest, err := io.ReadAll(body); err != nil || len(rest) != 0 {
		t.Errorf("after the end come %q and %v", rest, err)
	}
}

// A stream without news says that it is there.
func TestAQuietStreamHasComments(t *testing.T) {
	defer func(before time.Duration) { aliveTime = before }(aliveTime)
	aliveTime = 20 * time.Millisecond
	_, sampler, url := serve(t, newGraph(), nil)
	sampler.Close() // no snapshot comes any more
	_, body := viewer(t, url)
	for range 3 {
		for line := ""; line != ": here\n"; {
			var err error
			if line, err = body.ReadString('\n'); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// A viewer that never reads costs nobody anything: snapshots, other viewers and the end go on.
func TestASlowViewerStallsNobody(t *testing.T) {
	g := newGraph()
	g.now.Nodes[0].LastError = strings.Repeat("a long text ", 100_000) // fills the buffers of the kernel
	s, sampler, url := serve(t, g, nil)
	for range 4 {
		conn, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		fmt.Fprintf(conn, "GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n")
	}
	_, body := viewer(t, url)
	for range 20 {
		event(t, body)
	}
	begin := time.Now()
	sampler.Close()
	s.Close()
	if took := time.Since(begin); took > goodbyeTime+2*time.Second {
		t.Errorf("the end took %v", took)
	}
}

func TestTap(t *testing.T) {
	g, tapped := newGraph(), make(chan struct{})
	tap := func(ctx context.Context, node string, limit int64, out io.Writer) error {
		fmt.Fprintf(out, "%s %d", node, limit)
		if limit == 0 {
			<-ctx.Done()
			close(tapped)
		}
		return nil
	}
	s, _, url := serve(t, g, func(o *Options) { o.Tap = tap })
	if code, text, _ := get(t, url+"/tap?node=km"); code != 403 || !strings.Contains(text, "--allow-tap") {
		t.Error(code, text)
	}
	control := httptest.NewServer(s.Handler())
	defer control.Close()
	_, _, url = serve(t, g, func(o *Options) { o.Tap, o.AllowTap = tap, true })
	for _, at := range []string{control.URL, url} {
		if code, text, h := get(t, at+"/tap?node=km&limit=3"); code != 200 || text != "km 3" || h.Get("Content-Type") != "application/vnd.apache.arrow.stream" {
			t.Error(code, text, h)
		}
		if code, text, _ := get(t, at+"/tap?node=kilo"); code != 404 || !strings.Contains(text, `no node "kilo"`) {
			t.Error(code, text)
		}
		for _, limit := range []string{"-1", "0", "x"} {
			if code, _, _ := get(t, at+"/tap?node=km&limit="+limit); code != 400 {
				t.Error(limit, code)
			}
		}
	}
	answer, err := http.Get(control.URL + "/tap?node=km") // until the end
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	s.Close()
	select {
	case <-tapped:
	case <-time.After(10 * time.Second):
		t.Error("a tap goes on after the end")
	}
}

func TestHealth(t *testing.T) {
	for state, want := range map[status.GraphState][2]int{status.GraphStarting: {200, 503}, status.GraphRunning: {200, 200},
		status.GraphDraining: {200, 200}, status.GraphDone: {200, 503}, status.GraphFailed: {503, 503}} {
		g := newGraph()
		g.now.State = state
		_, _, url := serve(t, g, nil)
		for i, path := range []string{"/healthz", "/readyz"} {
			if code, text, _ := get(t, url+path); code != want[i] || text != string(state)+"\n" {
				t.Errorf("%s of a graph that is %s: %d %q", path, state, code, text)
			}
		}
	}
}
