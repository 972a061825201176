// SPDX-License-Identifier: MIT

package main

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"
)

// print writes the table and where the time went.
func (r *result) print(out io.Writer) error {
	rows := [][]string{{"column", "type", "rows", "nulls", "min", "max", "mean", "sum"}}
	for _, c := range r.Columns {
		rows = append(rows, []string{
			c.Name, c.Type, group(strconv.FormatInt(c.Rows, 10)), group(strconv.FormatInt(c.Nulls, 10)),
			number(c.Min, -1), number(c.Max, -1), number(c.Mean, 2), number(c.Sum, -1),
		})
	}
	var b strings.Builder
	fmt.Fprintf(&b, "\n%s flights in %d records\n\n", group(strconv.FormatInt(r.Rows, 10)), r.Records)
	align(&b, rows)
	fmt.Fprintf(&b, "\nreading %.2f s, crossing %.3f ms, computing %.2f ms\n",
		r.Seconds.Reading, r.Seconds.Crossing*1e3, r.Seconds.Computing*1e3)
	fmt.Fprintf(&b, "(crossing: the same %d calls on no rows)\n", r.Records)
	_, err := io.WriteString(out, b.String())
	return err
}

// align writes words to the left and numbers to the right.
func align(b *strings.Builder, rows [][]string) {
	const words = 2
	widths := make([]int, len(rows[0]))
	for _, row := range rows {
		for i, cell := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	line := func(row []string) {
		for i, cell := range row {
			blanks := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell))
			if i > 0 {
				b.WriteString("  ")
			}
			if i < words {
				b.WriteString(cell + blanks)
			} else {
				b.WriteString(blanks + cell)
			}
		}
		b.WriteByte('\n')
	}
	line(rows[0])
	rule := make([]string, len(widths))
	for i, width := range widths {
		rule[i] = strings.Repeat("─", width)
	}
	line(rule)
	for _, row := range rows[1:] {
		line(row)
	}
}

// number writes a value with as many digits as it has, or as many as are asked for.
func number(value *float64, digits int) string {
	if value == nil {
		return "·"
	}
	return group(strconv.FormatFloat(*value, 'f', digits, 64))
}

// group puts a comma between every three digits before the point.
func group(digits string) string {
	whole, rest, _ := strings.Cut(digits, ".")
	sign := ""
	if strings.HasPrefix(whole, "-") {
		sign, whole = "-", whole[1:]
	}
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + "," + whole[i:]
	}
	if rest != "" {
		rest = "." + rest
	}
	return sign + whole + rest
}
