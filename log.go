// SPDX-License-Identifier: MIT

package alloy

import (
	"context"
	"log/slog"
	"sync/atomic"

	"github.com/ignalina/alloy/go/engine"
)

// callLines is what the log lines of a call carry: the context of the run or the stream that
// the call serves now.
type callLines struct {
	ctx atomic.Pointer[context.Context]
}

func (l *callLines) context() context.Context {
	if l != nil {
		if ctx := l.ctx.Load(); ctx != nil {
			return *ctx
		}
	}
	return context.Background()
}

// logTo returns a function that passes the lines of the engine and of backends on.
func logTo(logger *slog.Logger) engine.Logger {
	return func(line *engine.Line) {
		lines, _ := line.Call.(*callLines)
		attributes := make([]slog.Attr, 0, 3)
		attributes = append(attributes, slog.String("language", line.Language))
		if line.Backend != "" {
			attributes = append(attributes, slog.String("backend", line.Backend))
		}
		if line.Function != "" {
			attributes = append(attributes, slog.String("function", line.Function))
		}
		logger.LogAttrs(lines.context(), line.Level, line.Text, attributes...)
	}
}

// lowestLevel returns the number of the lowest level that a logger writes, for the engine.
func lowestLevel(ctx context.Context, logger *slog.Logger) int32 {
	for number, level := range [...]slog.Level{slog.LevelDebug, slog.LevelInfo, slog.LevelWarn, slog.LevelError} {
		if logger.Enabled(ctx, level) {
			return int32(number)
		}
	}
	return noLevel
}

// noLevel is above all levels of the engine.
const noLevel = 4

// startLog prepares the log lines of a run or a stream. Lines that nobody wants are not made.
func (c *boundCall) startLog(ctx context.Context) {
	level := lowestLevel(ctx, c.binding.logger)
	if c.lines == nil {
		c.lines = &callLines{}
	}
	if level != c.level || !c.logs {
		c.level, c.logs = level, true
		c.call.SetLog(level, c.lines)
	}
	if level < noLevel {
		held := ctx // a copy, so that no memory is allocated if no line is written
		c.lines.ctx.Store(&held)
	}
}

func (c *boundCall) endLog() {
	if c.lines != nil {
		c.lines.ctx.Store(nil)
	}
}
