// SPDX-License-Identifier: MIT

package graph

// Nearest returns the known name that is most similar to a misspelled one; empty: none is.
func Nearest(name string, known []string) string {
	best, least := "", 1+len(name)/3
	if len(name) < 2 {
		return "" // each name of one letter is as near
	}
	for _, candidate := range known {
		if d := distance(name, candidate); d <= least && candidate != name {
			best, least = candidate, d-1
		}
	}
	return best
}

// distance counts the letters to insert, to delete or to change.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		before := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := before
			if a[i] != b[j] {
				cost = 1 + min(before, row[j], row[j+1])
			}
			before, row[j+1] = row[j+1], cost
		}
	}
	return row[len(b)]
}
