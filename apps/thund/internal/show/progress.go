// SPDX-License-Identifier: MIT

package show

import (
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/ignalina/alloy/apps/thund/internal/status"
)

// Modes are the values of --progress.
var Modes = []string{"auto", "plain", "json", "none"}

// The times between two lines.
const (
	plainEvery = 5 * time.Second
	jsonEvery  = time.Second
)

// Progress shows a run until it is closed.
type Progress struct {
	sampler  *status.Sampler
	terminal *Terminal // nil: lines
	out      io.Writer
	asJSON   bool
	always   bool // a last line also if the run was short
	every    time.Duration
	written  time.Time
	stop     chan struct{}
	done     chan struct{}
}

// NewProgress starts to show a run: on a terminal as a table, and otherwise as lines. Mode is one
// of [Modes]. It returns nil for none.
func NewProgress(sampler *status.Sampler, mode string, out io.Writer) *Progress {
	p := &Progress{sampler: sampler, out: out, every: plainEvery, written: time.Now(), stop: make(chan struct{}), done: make(chan struct{})}
	switch mode {
	case "none":
		return nil
	case "json":
		p.asJSON, p.always, p.every = true, true, jsonEvery
	case "plain":
		p.always = true
	default:
		p.terminal = NewTerminal(out)
	}
	p.start()
	return p
}

func (p *Progress) start() {
	go func() {
		defer close(p.done)
		for {
			now, newer := p.sampler.Next()
			p.show(&now)
			select {
			case <-newer:
			case <-p.stop:
				return
			}
		}
	}()
}

// Out is where other texts go while the progress is shown.
func (p *Progress) Out() io.Writer {
	if p.terminal != nil {
		return p.terminal
	}
	return p.out
}

// Close shows how the run has ended. Close the sampler before.
func (p *Progress) Close() {
	close(p.stop)
	<-p.done
	last := p.sampler.Snapshot()
	switch {
	case p.terminal != nil:
		p.terminal.Draw(Table(&last, Columns{}))
		p.terminal.Leave()
	case p.always:
		p.line(&last)
	}
}

func (p *Progress) show(now *status.Snapshot) {
	if p.terminal != nil {
		p.terminal.Draw(Table(now, Columns{}))
		return
	}
	if time.Since(p.written) < p.every {
		return
	}
	p.written = time.Now()
	p.line(now)
}

func (p *Progress) line(now *status.Snapshot) {
	if !p.asJSON {
		fmt.Fprintln(p.out, Line(now))
		return
	}
	text, err := json.Marshal(now)
	if err != nil {
		text = fmt.Appendf(nil, `{"error":%q}`, err)
	}
	_, _ = p.out.Write(append(text, '\n')) // a reader that has gone changes nothing for the run
}
