// SPDX-License-Identifier: MIT

package backend

import (
	"context"
	"log/slog"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

// Call is one call of a function, or one stream.
//
// Threads: shared. It is valid until Run returns, or until the iterator of Stream ends. After
// that its methods do nothing.
type Call struct {
	// Output is the schema of the output, as Bind has returned it.
	Output *arrow.Schema
	// State is what Bind has set.
	State any

	options map[string]string
	scope   *scope
	context callContext
}

// Option returns the value of an option, or its default.
func (c *Call) Option(name string) string { return c.options[name] }

// Context ends when the caller cancels the call or its deadline passes. Err asks the engine,
// which costs about as much as a call of C. Done is closed within a millisecond.
func (c *Call) Context() context.Context { return &c.context }

// Progress reports how far the call is, in any unit. Total 0: unknown.
func (c *Call) Progress(done, total int64) { c.scope.progress(done, total) }

// Log writes a line to the log of the host.
func (c *Call) Log(level slog.Level, text string) { c.scope.log(level, text) }

// Logs reports whether a line of this level would be written. Ask before you format a costly
// one.
func (c *Call) Logs(level slog.Level) bool { return c.scope.logs(level) }

// NewBuilder makes a builder of the output. The collector frees its memory.
func (c *Call) NewBuilder() *array.RecordBuilder {
	return array.NewRecordBuilder(memory.DefaultAllocator, c.Output)
}
