// SPDX-License-Identifier: MIT

package server

import (
	"regexp"
	"strings"
	"testing"

	"github.com/ignalina/alloy/apps/thund/internal/draw"
)

// The page is one file: it names no other host, and has only the scripts that its policy allows.
func TestThePageIsOneFile(t *testing.T) {
	_, _, url := serve(t, newGraph(), nil)
	code, text, h := get(t, url)
	if code != 200 || h.Get("Content-Type") != "text/html; charset=utf-8" {
		t.Fatal(code, h)
	}
	for _, address := range regexp.MustCompile(`https?:/?/?[^'" ]*`).FindAllString(text, -1) {
		if address != "http://www.w3.org/2000/svg" {
			t.Errorf("the page names %s", address)
		}
	}
	if found := regexp.MustCompile(`(?i)(\son[a-z]+=|\sstyle=|\ssrc=|javascript:|@import|innerHTML|document\.write|eval\()`).FindString(text); found != "" {
		t.Errorf("the page has %q", found)
	}
	policy := h.Get("Content-Security-Policy")
	for element, key := range map[string]string{"script": "script-src", "style": "style-src"} {
		if strings.Count(text, "<"+element) != 1 || !strings.Contains(policy, key+" '"+hashOf(text, element)+"';") {
			t.Errorf("%s: %s", element, policy)
		}
	}
	for _, part := range []string{`data-node="km"`, `data-queue="late&gt;km:0"`, "2 workers", ">Alloy &lt;dev&gt;<", ">01234567 · 100 days left<"} {
		if !strings.Contains(text, part) {
			t.Errorf("%q is missing", part)
		}
	}
	if lines := strings.Count(pageText, "\n"); lines > 240 {
		t.Errorf("the page has %d lines", lines)
	}
}

// Names are text, whatever they are.
func TestStrangeNamesStayText(t *testing.T) {
	g := newGraph()
	name := `</script><script>alert(1)</script><img src=x onerror="alert(1)">%STYLE%`
	g.now.Graph, g.now.Nodes[1].Name, g.now.Nodes[1].Backend.Signer = name, name, name
	_, _, url := serve(t, g, func(o *Options) {
		o.Nodes = []draw.Node{{Name: "late"}, {Name: name, Kind: "step", What: name}, {Name: "out"}}
		o.Edges = []draw.Edge{{From: "late", To: name, Queue: "late>" + name + ":0"}}
	})
	_, text, _ := get(t, url)
	if strings.Count(text, "<script") != 1 || strings.Contains(text, "<img") || strings.Count(text, "<style") != 1 {
		t.Error(text)
	}
}
