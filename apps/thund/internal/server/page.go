// SPDX-License-Identifier: MIT

package server

import (
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/ignalina/alloy/apps/thund/internal/draw"
	"github.com/ignalina/alloy/apps/thund/internal/status"
)

//go:embed page.html
var pageText string

// page is the page of a graph. Its drawing is made once: a graph does not change while it runs.
type page struct {
	text   string
	policy string
}

func newPage(o Options) page {
	now, _ := o.Snapshots.Next()
	nodes := slices.Clone(o.Nodes)
	for i := range nodes {
		for _, n := range now.Nodes {
			if n.Name == nodes[i].Name {
				nodes[i] = describe(nodes[i], &n, now.Time)
			}
		}
	}
	text := strings.NewReplacer("%TITLE%", html.EscapeString(now.Graph), "%STYLE%", draw.Style(),
		"%GRAPH%", draw.Inline(now.Graph, nodes, o.Edges)).Replace(pageText)
	return page{text, "default-src 'none'; connect-src 'self'; img-src data:; style-src '" + hashOf(text, "style") +
		"'; script-src '" + hashOf(text, "script") + "'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"}
}

// describe adds what the graph file does not say: who signed the library of a step.
func describe(made draw.Node, n *status.Node, now time.Time) draw.Node {
	if n.Workers == 1 {
		made.Mode = "1 worker"
	} else if n.Workers > 1 {
		made.Mode = fmt.Sprintf("%d workers", n.Workers)
	}
	if b := n.Backend; b != nil {
		made.Lock, made.Mark = strings.TrimPrefix(b.Signer, "CN="), fmt.Sprintf("%.8s", b.SHA256)
		if b.Expires != nil {
			made.Mark += fmt.Sprintf(" · %d days left", int(b.Expires.Sub(now).Hours()/24))
		}
	}
	return made
}

// hashOf names the only style or script that the page may have. The browser refuses every other,
// so that a name in a graph file can never become one.
func hashOf(text, element string) string {
	_, after, _ := strings.Cut(text, "<"+element+">")
	inside, _, _ := strings.Cut(after, "</"+element+">")
	sum := sha256.Sum256([]byte(inside))
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}

func (p page) serve(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", p.policy)
	_, _ = w.Write([]byte(p.text)) // a viewer that has gone needs no answer
}
