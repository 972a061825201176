// SPDX-License-Identifier: MIT

// Package show makes texts of a snapshot: the tables of a terminal, and the lines of a log.
package show

import (
	"fmt"
	"math"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/ignalina/alloy/apps/thund/internal/status"
)

// Columns says which columns a table has.
type Columns struct {
	Shares    bool // all three shares of time; otherwise only working
	Durations bool // of a batch
	Retries   bool
}

// Table shows a snapshot as lines: one for the graph, a head, and one for each node.
func Table(s *status.Snapshot, c Columns) []string {
	head := []string{"NODE", "STATE", "ROWS", "ROWS/S", "WORKING"}
	if c.Shares {
		head = append(head, "STARVED", "BLOCKED")
	}
	head = append(head, "QUEUE") // behind the shares, which a terminal of 80 columns has room for
	if c.Durations {
		head = append(head, "P50", "P99")
	}
	if c.Retries {
		head = append(head, "RETRIES", "DEAD")
	}
	table := [][]string{head}
	for i := range s.Nodes {
		n := &s.Nodes[i]
		percent := Percents(n)
		row := []string{n.Name, string(n.State), rows(n), status.Rate(n.RowsPerSecond), percent[0]}
		if c.Shares {
			row = append(row, percent[1], percent[2])
		}
		row = append(row, queue(s, n.Name))
		if c.Durations {
			row = append(row, quantile(n, 0.5), quantile(n, 0.99))
		}
		if c.Retries {
			row = append(row, causes(n.Retries), status.Grouped(n.DeadLetters))
		}
		table = append(table, row)
	}
	lines := append([]string{Title(s)}, aligned(table, 0, len(status.Retrying), 10, 9)...)
	for i, n := range s.Nodes {
		if n.Name == s.Bottleneck {
			lines[i+2] += "  <- bottleneck"
		}
	}
	return lines
}

// aligned gives each column its width, at least that which is given: so a table stands still
// while it is redrawn. The first two columns are at the left, and the others at the right.
func aligned(table [][]string, least ...int) (lines []string) {
	widths := make([]int, max(len(table[0]), len(least)))
	copy(widths, least)
	for _, row := range table {
		for i, cell := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	for _, row := range table {
		var b strings.Builder
		for i, cell := range row {
			space := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell))
			if i > 0 {
				b.WriteString("  ")
			}
			if i < 2 {
				b.WriteString(cell + space)
			} else {
				b.WriteString(space + cell)
			}
		}
		lines = append(lines, b.String())
	}
	return lines
}

// Title is one line about the whole graph.
func Title(s *status.Snapshot) string {
	text := fmt.Sprintf("%s: %s, %.1f s", s.Graph, s.State, s.Seconds)
	if s.Bottleneck != "" {
		text += ", bottleneck " + s.Bottleneck // a narrow terminal cuts the mark at the end of a line
	}
	text += fmt.Sprintf(", queues %s of %s", status.Size(s.Memory), status.Size(s.MemoryLimit))
	if s.DeadLetters > 0 {
		text += fmt.Sprintf(", %s dead letters", status.Grouped(s.DeadLetters))
	}
	if s.Files != nil {
		text += fmt.Sprintf(", %s files done, %s ignored", status.Grouped(s.Files.Done), status.Grouped(s.Files.Ignored))
	}
	return text
}

// rows shows the rows of a node, with the part of the total if it is known.
func rows(n *status.Node) string {
	text := status.Grouped(n.Rows())
	if n.TotalRows > 0 {
		text += fmt.Sprintf(" of %s (%d %%)", status.Grouped(n.TotalRows), int64(100*float64(n.Rows())/float64(n.TotalRows)))
	}
	return text
}

const barWidth = 10

// queue shows the fullest queue before a node as a bar.
func queue(s *status.Snapshot, node string) string {
	fill, has := s.InputFill(node)
	if !has {
		return ""
	}
	full := min(barWidth, int(math.Ceil(fill*barWidth)))
	return "[" + strings.Repeat("#", full) + strings.Repeat(".", barWidth-full) + "]"
}

// Percents are the shares of time of a node: working, starved and blocked. They add up to 100,
// because the greatest remainders are rounded up. A node that has not run has none.
func Percents(n *status.Node) (texts [3]string) {
	working, starved, blocked := n.Shares()
	shares := [3]float64{100 * working, 100 * starved, 100 * blocked}
	if working+starved+blocked == 0 {
		return [3]string{"-", "-", "-"}
	}
	var whole [3]int
	left := 100
	for i, share := range shares {
		whole[i] = int(share)
		left -= whole[i]
	}
	for ; left > 0; left-- {
		most := 0
		for i := range shares {
			if shares[i]-float64(whole[i]) > shares[most]-float64(whole[most]) {
				most = i
			}
		}
		whole[most]++
	}
	for i := range texts {
		texts[i] = fmt.Sprintf("%d %%", whole[i])
	}
	return texts
}

func quantile(n *status.Node, q float64) string {
	if n.Durations == nil || n.BatchesIn == 0 {
		return "-"
	}
	return short(n.Durations.Quantile(q))
}

// short shows seconds with two digits that say something.
func short(seconds float64) string {
	d := time.Duration(seconds * float64(time.Second))
	switch {
	case d >= 10*time.Second:
		return d.Round(time.Second).String()
	case d >= time.Second:
		return d.Round(100 * time.Millisecond).String()
	case d >= time.Millisecond:
		return d.Round(100 * time.Microsecond).String()
	}
	return d.Round(time.Microsecond).String()
}
