// SPDX-License-Identifier: MIT

package show

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/ignalina/alloy/apps/thund/internal/status"
)

// causes shows counts by cause, such as 33 (signal).
func causes(counts map[string]int64) string {
	if len(counts) == 0 {
		return "0"
	}
	var parts []string
	for _, cause := range slices.Sorted(maps.Keys(counts)) {
		parts = append(parts, fmt.Sprintf("%s (%s)", status.Grouped(counts[cause]), cause))
	}
	return strings.Join(parts, " ")
}

// Line shows a snapshot as one line of a log: what comes in, what goes out, and who is slow.
func Line(s *status.Snapshot) string {
	parts := []string{Title(s)}
	for i := range s.Nodes {
		n := &s.Nodes[i]
		if n.Kind != "step" {
			parts = append(parts, fmt.Sprintf("%s %s rows %s", n.Name, rows(n), status.Rate(n.RowsPerSecond)))
		}
		if n.State == status.Failed || n.State == status.Retrying {
			parts = append(parts, fmt.Sprintf("%s is %s", n.Name, n.State))
		}
	}
	return strings.Join(parts, "; ")
}

// Since is a snapshot whose shares of time are only those since an earlier one.
func Since(now, before *status.Snapshot) status.Snapshot {
	made := *now
	if len(before.Nodes) != len(now.Nodes) {
		return made
	}
	made.Nodes = slices.Clone(now.Nodes)
	for i := range made.Nodes {
		n, was := &made.Nodes[i], &before.Nodes[i]
		// A node that has ended keeps the shares of its whole time.
		working, starved, blocked := n.WorkingSeconds-was.WorkingSeconds, n.StarvedSeconds-was.StarvedSeconds, n.BlockedSeconds-was.BlockedSeconds
		if working+starved+blocked > 0 {
			n.WorkingSeconds, n.StarvedSeconds, n.BlockedSeconds = working, starved, blocked
		}
	}
	return made
}
