// SPDX-License-Identifier: MIT

package show

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/ignalina/alloy/apps/thund/internal/status"
)

// What is shown of a batch.
const (
	mostRows  = 20
	mostWidth = 40
)

// Rows shows the first rows of a batch as a table.
func Rows(batch arrow.RecordBatch, number int) []string {
	lines := []string{fmt.Sprintf("batch %d: %s rows", number, status.Grouped(batch.NumRows()))}
	table := make([][]string, 1+min(mostRows, batch.NumRows()))
	for i, column := range batch.Columns() {
		table[0] = append(table[0], plain(fmt.Sprintf("%s %s", batch.ColumnName(i), column.DataType())))
		for row := range len(table) - 1 {
			text := "null"
			if column.IsValid(row) {
				text = column.ValueStr(row)
			}
			table[row+1] = append(table[row+1], plain(text))
		}
	}
	if batch.NumCols() > 0 {
		lines = append(lines, aligned(table)...)
	}
	if more := batch.NumRows() - mostRows; more > 0 {
		lines = append(lines, fmt.Sprintf("... and %s more rows", status.Grouped(more)))
	}
	return lines
}

// plain is a text that changes nothing on a terminal: rows may have any signs.
func plain(text string) string {
	runes := []rune(text)
	for i, r := range runes {
		if !strconv.IsPrint(r) {
			text = strings.Trim(strconv.Quote(text), `"`)
			runes = []rune(text)
			break
		}
		if i > mostWidth {
			break
		}
	}
	if len(runes) > mostWidth {
		return string(runes[:mostWidth-1]) + "…"
	}
	return text
}
