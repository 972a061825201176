// SPDX-License-Identifier: MIT

package show

import (
	"fmt"
	"io"
	"strings"
	"sync"

	"golang.org/x/term"
)

// Terminal shows lines that are redrawn in place. What is written to it in between, such as an
// error, goes above them. Any goroutine may use it.
type Terminal struct {
	out  io.Writer
	size func() (width, height int)

	mutex sync.Mutex
	lines []string
	drawn int // lines on the screen
}

// NewTerminal returns a terminal on a file; nil if the file is none.
func NewTerminal(out io.Writer) *Terminal {
	file, isFile := out.(interface{ Fd() uintptr })
	if !isFile || !term.IsTerminal(int(file.Fd())) {
		return nil
	}
	return &Terminal{out: out, size: func() (int, int) {
		width, height, err := term.GetSize(int(file.Fd()))
		if err != nil || width <= 0 || height <= 0 {
			return 80, 24
		}
		return width, height
	}}
}

// Draw replaces the lines.
func (t *Terminal) Draw(lines []string) {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	t.lines = lines
	t.draw("")
}

// Write writes text above the lines.
func (t *Terminal) Write(text []byte) (int, error) {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	t.draw(string(text))
	return len(text), nil
}

// Leave lets what is drawn stay, and draws no more over it.
func (t *Terminal) Leave() {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	t.lines, t.drawn = nil, 0
}

// draw is one write, so that the terminal does not flicker. Lines are cut to the width, because
// one that wraps would move all others; and to the height, because what has left the screen
// cannot be redrawn.
func (t *Terminal) draw(above string) {
	width, height := t.size()
	var b strings.Builder
	if t.drawn > 0 {
		fmt.Fprintf(&b, "\x1b[%dA", t.drawn)
	}
	b.WriteString("\r\x1b[J" + above)
	if above != "" && !strings.HasSuffix(above, "\n") {
		b.WriteString("\n")
	}
	lines := t.lines
	if most := max(1, height-1); len(lines) > most {
		lines = append(lines[:most-1:most-1], fmt.Sprintf("... and %d more lines", len(lines)-most+1))
	}
	for _, line := range lines {
		if runes := []rune(line); len(runes) >= width {
			line = string(runes[:max(0, width-1)])
		}
		b.WriteString(line + "\n")
	}
	t.drawn = len(lines)
	_, _ = io.WriteString(t.out, b.String()) // a terminal that has gone changes nothing for the run
}
