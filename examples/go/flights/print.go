// SPDX-License-Identifier: MIT

package main

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// bar shows the progress on a terminal.
func bar(share float64, rows int64) string {
	const width = 40
	full := min(width, int(share*width+0.5))
	return fmt.Sprintf("\r%s%s %3.0f %%  %s rows", strings.Repeat("█", full),
		strings.Repeat("░", width-full), min(share, 1)*100, group(strconv.FormatInt(rows, 10)))
}

// table shows the columns, and the time that each part of the work took.
func (d *description) table() string {
	rows := [][]string{{"column", "type", "rows", "nulls", "min", "max", "mean", "sum"}, nil}
	for _, c := range d.Columns {
		rows = append(rows, []string{
			c.Name, c.Type, group(strconv.FormatInt(c.Rows, 10)), group(strconv.FormatInt(c.Nulls, 10)),
			number(c.Min, -1), number(c.Max, -1), number(c.Mean, 2), number(c.Sum, -1),
		})
	}
	widths := make([]int, len(rows[0]))
	for _, row := range rows {
		for i, cell := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	for _, width := range widths {
		rows[1] = append(rows[1], strings.Repeat("─", width))
	}
	var b strings.Builder
	fmt.Fprintf(&b, "\n%s flights in %d records\n\n", group(strconv.FormatInt(d.Rows, 10)), d.Records)
	for _, row := range rows {
		fmt.Fprintf(&b, "%-*s  %-*s", widths[0], row[0], widths[1], row[1])
		for i, cell := range row[2:] {
			fmt.Fprintf(&b, "  %*s", widths[2+i], cell)
		}
		b.WriteByte('\n')
	}
	fmt.Fprintf(&b, "\nreading %.2f s, crossing %.3f ms, computing %.2f ms\n",
		d.Seconds.Reading, d.Seconds.Crossing*1e3, d.Seconds.Computing*1e3)
	fmt.Fprintf(&b, "(crossing: the same %d calls on no rows)\n", d.Records)
	return b.String()
}

// number shows a value with this many decimals; -1 is as many as it has.
func number(value *float64, decimals int) string {
	if value == nil {
		return "·"
	}
	return group(strconv.FormatFloat(*value, 'f', decimals, 64))
}

// group puts a comma between every three digits before the point.
func group(digits string) string {
	whole, _, _ := strings.Cut(digits, ".")
	first := len(whole) - len(strings.TrimLeft(whole, "-"))
	for i := len(whole) - 3; i > first; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}
