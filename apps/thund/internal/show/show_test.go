// SPDX-License-Identifier: MIT

package show

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/ignalina/alloy/apps/thund/internal/status"
)

func sample() *status.Snapshot {
	s := &status.Snapshot{
		Graph: "flights", State: status.GraphRunning, Seconds: 12.34, Memory: 3_000_000, MemoryLimit: 1 << 30, Bottleneck: "km", DeadLetters: 2,
		Nodes: []status.Node{
			{Name: "flights", Kind: "source", State: status.Blocked, RowsOut: 84_194, TotalRows: 336_776, RowsPerSecond: 1234.5, WorkingSeconds: 1, BlockedSeconds: 2},
			{Name: "km", Kind: "step", State: status.Working, RowsOut: 80_000, BatchesIn: 3, RowsPerSecond: 7.25, WorkingSeconds: 3, Durations: &status.Histogram{}, Retries: map[string]int64{"signal": 33, "LOST": 1}, DeadLetters: 2},
			{Name: "ä", Kind: "sink", State: status.Starved, RowsIn: 5, StarvedSeconds: 3},
		},
		Edges: []status.Edge{{From: "flights", To: "km", QueueBatches: 6, LimitBatches: 8, LimitBytes: 1}, {From: "km", To: "ä", LimitBatches: 8, LimitBytes: 1}},
	}
	s.Nodes[1].Durations.Add(0.002)
	return s
}

func TestATableIsAligned(t *testing.T) {
	got := strings.Join(Table(sample(), Columns{Shares: true, Durations: true, Retries: true}), "\n")
	want := `flights: running, 12.3 s, bottleneck km, queues 3.0 MB of 1.1 GB, 2 dead letters
NODE STATE ROWS ROWS/S WORKING STARVED BLOCKED QUEUE P50 P99 RETRIES DEAD
flights blocked 84,194 of 336,776 (25 %) 1,235/s 33 % 0 % 67 % - - 0 0
km working 80,000 7.2/s 100 % 0 % 0 % [########..] 1.8ms 2.5ms 1 (LOST) 33 (signal) 2 <- bottleneck
ä starved 5 0/s 0 % 100 % 0 % [..........] - - 0 0`
	if squeezed(got) != want {
		t.Errorf("got:\n%s\nwanted:\n%s", got, want)
	}
	for i, line := range strings.Split(got, "\n")[1:] {
		if at := strings.Index(line, "  <-"); at >= 0 {
			line = line[:at]
		}
		if width := len([]rune(line)); width != len([]rune(strings.Split(got, "\n")[1])) {
			t.Errorf("line %d has %d signs", i+1, width)
		}
	}
}

// squeezed has one space for several.
func squeezed(text string) string {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		lines[i] = strings.Join(strings.Fields(line), " ")
	}
	return strings.Join(lines, "\n")
}

// Acceptance 14: the shares of each row add up to 100 %.
func TestPercentsAddUpToAHundred(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 10_000 {
		n := status.Node{WorkingSeconds: r.ExpFloat64(), StarvedSeconds: r.ExpFloat64() * float64(r.IntN(2)), BlockedSeconds: r.ExpFloat64() * float64(r.IntN(3))}
		sum := 0
		for _, text := range Percents(&n) {
			var one int
			if _, err := fmt.Sscanf(text, "%d %%", &one); err != nil || one < 0 || one > 100 {
				t.Fatalf("%q: %v", text, err)
			}
			sum += one
		}
		if sum != 100 {
			t.Fatalf("%v: %v", n, Percents(&n))
		}
	}
}

func TestALineSaysWhatComesInAndGoesOut(t *testing.T) {
	s := sample()
	s.Nodes[1].State = status.Retrying
	s.Files = &status.Files{Done: 3}
	want := "flights: running, 12.3 s, bottleneck km, queues 3.0 MB of 1.1 GB, 2 dead letters, 3 files done, 0 ignored; flights 84,194 of 336,776 (25 %) rows 1,235/s; km is retrying; ä 5 rows 0/s"
	if got := Line(s); got != want {
		t.Errorf("got:\n%s\nwanted:\n%s", got, want)
	}
}

func TestSharesSinceAnEarlierSnapshot(t *testing.T) {
	before, now := sample(), sample()
	now.Nodes[0].BlockedSeconds++
	s := Since(now, before)
	if got := Percents(&s.Nodes[0]); got != [3]string{"0 %", "0 %", "100 %"} {
		t.Error(got)
	}
	if got := Percents(&s.Nodes[2]); got != [3]string{"0 %", "100 %", "0 %"} {
		t.Errorf("a node that has ended: %v", got)
	}
}

// screen is what a terminal shows, as far as the drawing uses it.
func screen(text string) string {
	var lines []string
	row, column := 0, 0
	for text != "" {
		var up int
		switch {
		case strings.HasPrefix(text, "\x1b[J"):
			lines, text = append(lines[:min(row, len(lines)):min(row, len(lines))], ""), text[3:]
		case strings.HasPrefix(text, "\x1b["):
			if _, err := fmt.Sscanf(text, "\x1b[%dA", &up); err != nil {
				return "not known: " + text
			}
			row, text = row-up, text[strings.Index(text, "A")+1:]
		case text[0] == '\r':
			column, text = 0, text[1:]
		case text[0] == '\n':
			row, column, text = row+1, 0, text[1:]
		default:
			for len(lines) <= row {
				lines = append(lines, "")
			}
			end := strings.IndexAny(text, "\x1b\r\n")
			if end < 0 {
				end = len(text)
			}
			lines[row] = lines[row][:column] + text[:end]
			column, text = column+end, text[end:]
		}
	}
	return strings.TrimRight(strings.Join(lines, "\n"), "\n")
}

func TestATerminalIsRedrawnInPlace(t *testing.T) {
	var out bytes.Buffer
	terminal := &Terminal{out: &out, size: func() (int, int) { return 21, 5 }}
	see := func(want string) {
		t.Helper()
		if got := screen(out.String()); got != want {
			t.Errorf("it shows:\n%s\nand not:\n%s", got, want)
		}
	}
	terminal.Draw([]string{"one", "two"})
	terminal.Draw([]string{"three", "four", "five"})
	see("three\nfour\nfive")
	fmt.Fprintln(terminal, "an error")
	see("an error\nthree\nfour\nfive")
	terminal.Draw([]string{"six"})
	see("an error\nsix")
	terminal.Draw([]string{strings.Repeat("long", 10), "b", "c", "d", "e", "f"})
	see("an error\nlonglonglonglonglong\nb\nc\n... and 3 more lines")
	terminal.Leave()
	fmt.Fprintln(terminal, "the end")
	see("an error\nlonglonglonglonglong\nb\nc\n... and 3 more lines\nthe end")
}

func TestAFileIsNoTerminal(t *testing.T) {
	if NewTerminal(&bytes.Buffer{}) != nil {
		t.Error("a buffer is a terminal")
	}
}

// Rows cannot send commands to a terminal, and a wide or long batch stays readable.
func TestRowsAreShownAsTheyAreSafe(t *testing.T) {
	mem := memory.NewGoAllocator()
	texts := array.NewStringBuilder(mem)
	texts.AppendValues([]string{"plain", "\x1b[2Jgone", strings.Repeat("x", 100), "a\nb"}, nil)
	texts.AppendNull()
	for range 20 {
		texts.Append("more")
	}
	column := texts.NewArray()
	batch := array.NewRecordBatch(arrow.NewSchema([]arrow.Field{{Name: "t", Type: arrow.BinaryTypes.String, Nullable: true}}, nil), []arrow.Array{column}, int64(column.Len()))
	got := strings.Join(Rows(batch, 3), "\n")
	for _, want := range []string{"batch 3: 25 rows\nt utf8", "\nplain", `\x1b[2Jgone`, strings.Repeat("x", 39) + "…", `a\nb`, "\nnull", "... and 5 more rows"} {
		if !strings.Contains(got, want) {
			t.Errorf("there is no %q in\n%s", want, got)
		}
	}
	if strings.Contains(got, "\x1b") || strings.Count(got, "\n") != 22 {
		t.Errorf("%q", got)
	}
}
