// SPDX-License-Identifier: MIT

package main

import (
	"fmt"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// progress is a bar on a terminal, and nothing anywhere else.
type progress struct {
	terminal *os.File
}

func newProgress(file *os.File) *progress {
	if _, err := unix.IoctlGetTermios(int(file.Fd()), unix.TCGETS); err != nil {
		return &progress{}
	}
	return &progress{terminal: file}
}

func (p *progress) show(share float64, rows int64) {
	if p.terminal == nil {
		return
	}
	const width = 40
	full := min(width, int(share*width+0.5))
	fmt.Fprintf(p.terminal, "\r%s%s %3.0f %%  %s rows", strings.Repeat("█", full),
		strings.Repeat("░", width-full), min(share, 1)*100, group(fmt.Sprint(rows)))
}

// done takes the bar away.
func (p *progress) done() {
	if p.terminal != nil {
		fmt.Fprint(p.terminal, "\r\x1b[K")
	}
}
