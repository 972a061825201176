// SPDX-License-Identifier: MIT

package server

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ignalina/alloy/apps/thund/internal/browser"
	"github.com/ignalina/alloy/apps/thund/internal/draw"
	"github.com/ignalina/alloy/apps/thund/internal/status"
)

// many is a graph of this many nodes, with long names and the largest numbers.
func many(count int) (*graph, []draw.Node, []draw.Edge) {
	random, g := rand.New(rand.NewPCG(uint64(count), 1)), newGraph()
	expires := time.Now().Add(900 * 24 * time.Hour)
	g.now.Graph, g.now.Nodes, g.now.Edges = "a graph of many nodes", nil, nil
	var nodes []draw.Node
	var edges []draw.Edge
	for i := range count {
		kind := "step"
		if i < 1+count/8 {
			kind = "source"
		} else if i >= count-1-count/8 {
			kind = "sink"
		}
		n := status.Node{Name: fmt.Sprintf("node %d of a great many", i), Kind: kind, What: "backend.function", State: status.Blocked, RowsPerSecond: 888_888, RowsIn: 123_456_789}
		if kind == "step" {
			n.Workers = i % 3 * 8
			n.Backend = &status.Backend{Library: "library.so", SHA256: "0123456789abcdef0123456789abcdef", Expires: &expires}
			if i%7 != 0 {
				n.Backend.Signer = "CN=The team of natives steps"
			}
		}
		g.now.Nodes = append(g.now.Nodes, n)
		nodes = append(nodes, draw.Node{Name: n.Name, Kind: kind, What: n.What, Mode: "in process"})
		if kind == "source" {
			continue
		}
		readers := 1
		if kind == "step" {
			readers += random.IntN(2)
		}
		for input := range readers {
			from := nodes[max(0, i-1-random.IntN(min(i, 6)))]
			if from.Kind == "sink" {
				from = nodes[random.IntN(count-1-count/8)]
			}
			edges = append(edges, draw.Edge{From: from.Name, To: n.Name, Input: input, Queue: fmt.Sprintf("%s>%s:%d", from.Name, n.Name, input), Weak: i%5 == 4})
			g.now.Edges = append(g.now.Edges, status.Edge{From: from.Name, To: n.Name, Input: input, BytesPerSecond: 8.88e8,
				QueueBatches: input * 5, LimitBatches: 8, LimitBytes: 1 << 20, Growths: int64(i % 3 * 44)})
		}
	}
	return g, nodes, edges
}

// overlaps lists the pairs of things on the page that meet: boxes, labels and bars with each
// other, texts in a box, and lines with boxes and labels that they do not belong to.
const overlaps = `(() => {
  const meet = (a, b) => a.left < b.right - 0.5 && b.left < a.right - 0.5 && a.top < b.bottom - 0.5 && b.top < a.bottom - 0.5;
  const all = [], found = [];
  for (const node of document.querySelectorAll('main .node')) {
    const box = node.querySelector('.box').getBoundingClientRect();
    all.push({ of: node.dataset.node, what: 'box', rect: box });
    const texts = [...node.querySelectorAll('text, .lock rect')].filter((t) => t.textContent || t.tagName === 'rect').map((t) => ({ t, r: t.getBoundingClientRect() }));
    texts.forEach(({ t, r }, i) => {
      if (r.left < box.left || r.right > box.right + 0.5 || r.top < box.top || r.bottom > box.bottom + 0.5) found.push(node.dataset.node + ': ' + t.textContent + ' leaves its box');
      for (const other of texts.slice(i + 1)) if (meet(r, other.r) && t.getAttribute('y') === other.t.getAttribute('y')) found.push(node.dataset.node + ': ' + t.textContent + ' meets ' + other.t.textContent);
    });
  }
  for (const edge of document.querySelectorAll('main .edge:not(.twin)')) {
    for (const what of ['label', 'bar']) all.push({ of: edge.dataset.queue, what, rect: edge.querySelector('.' + what).getBoundingClientRect() });
  }
  all.forEach((a, i) => { for (const b of all.slice(i + 1)) if (meet(a.rect, b.rect)) found.push(a.what + ' of ' + a.of + ' meets ' + b.what + ' of ' + b.of); });
  for (const edge of document.querySelectorAll('main .edge')) {
    const line = edge.querySelector('.line'), at = line.getScreenCTM(), length = line.getTotalLength();
    for (let i = 2; i < 198; i++) {
      const p = line.getPointAtLength(length * i / 200).matrixTransform(at);
      for (const { of, what, rect } of all) {
        if (what !== 'bar' && of !== edge.dataset.queue && p.x > rect.left && p.x < rect.right && p.y > rect.top && p.y < rect.bottom) found.push('the line of ' + edge.dataset.queue + ' crosses the ' + what + ' of ' + of);
      }
    }
  }
  return [...new Set(found)];
})()`

// small lists texts that are hard to read: below 8.5 pixels of their letters, or with little contrast.
const small = `(() => {
  const light = (c) => { const [r, g, b] = c.match(/[\d.]+/g).slice(0, 3).map((v) => (v /= 255) <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4); return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
  const found = [];
  for (const text of document.querySelectorAll('main text')) {
    if (!text.textContent) continue;
    const size = parseFloat(getComputedStyle(text).fontSize) * text.getScreenCTM().a;
    if (size < 7.6) found.push(text.textContent + ' has ' + size.toFixed(1) + ' pixels');
    const box = text.closest('.node'), under = box ? getComputedStyle(box.querySelector('.box')).fill : getComputedStyle(document.body).backgroundColor;
    const [a, b] = [light(getComputedStyle(text).fill), light(under)].sort((x, y) => y - x);
    if ((a + 0.05) / (b + 0.05) < 4.5) found.push(text.textContent + ' has the contrast ' + ((a + 0.05) / (b + 0.05)).toFixed(1));
  }
  return found;
})()`

// The page is readable with 5 and with 25 nodes, in both themes and in each state: nothing lies on
// another thing, and every text has a size and a contrast that people can read.
func TestThePageIsReadable(t *testing.T) {
	b, err := browser.Start()
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	for _, count := range []int{5, 25} {
		g, nodes, edges := many(count)
		now := &still{now: g.now, newer: make(chan struct{})}
		now.now.Time = time.Now()
		_, _, url := serve(t, g, func(o *Options) { o.Nodes, o.Edges, o.Snapshots = nodes, edges, now })
		for _, isDark := range []bool{false, true} {
			p, err := b.Open(url, 1600, 1000, isDark)
			if err != nil {
				t.Fatal(err)
			}
			states := []status.NodeState{status.Starved, status.Working, status.Blocked, status.Retrying, status.Failed, status.Done}
			if count == 5 {
				states = states[2:] // for time
			}
			for _, state := range states {
				now.become(state)
				if err := p.Await(fmt.Sprintf("[...document.querySelectorAll('main .state')].every((t) => t.textContent === '%s')", state)); err != nil {
					t.Fatal(err)
				}
				for what, script := range map[string]string{"overlaps": overlaps, "cannot be read": small} {
					var found []string
					if err := p.Eval(script, &found); err != nil {
						t.Fatal(err)
					}
					if len(found) > 0 {
						t.Errorf("%d nodes that are %s, dark %v: this %s:\n%s", count, state, isDark, what, strings.Join(found, "\n"))
					}
				}
			}
			if folder := os.Getenv("THUND_PICTURES"); folder != "" {
				picture, err := p.Picture()
				if err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(filepath.Join(folder, fmt.Sprintf("%d-%v.png", count, isDark)), picture, 0o666); err != nil {
					t.Fatal(err)
				}
			}
			if found := p.Problems(); len(found) > 0 {
				t.Error(found)
			}
		}
	}
}
