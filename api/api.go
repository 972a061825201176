// SPDX-License-Identifier: MIT

// Package api has the names of package alloy, for programs that import it by its first
// name.
package api

import (
	"io"

	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/ipc"

	"github.com/ignalina/alloy/go/bridge"
)

// The types; see each for its use.
type (
	GoBridge = bridge.GoBridge
	Options  = bridge.Options
	Error    = bridge.Error
	Code     = bridge.Code
	Reason   = bridge.Reason
	Side     = bridge.Side
	Function = bridge.Function
	Option   = bridge.Option
	Column   = bridge.Column
	Check    = bridge.Check
)

// The levels of the gate.
const (
	CheckDefault = bridge.CheckDefault
	CheckShape   = bridge.CheckShape
	CheckSafe    = bridge.CheckSafe
	CheckFull    = bridge.CheckFull
)

// The codes of an Error.
const (
	Invalid     = bridge.Invalid
	BadData     = bridge.BadData
	NoMatch     = bridge.NoMatch
	NotFound    = bridge.NotFound
	Refused     = bridge.Refused
	Failed      = bridge.Failed
	Retry       = bridge.Retry
	Cancelled   = bridge.Cancelled
	Timeout     = bridge.Timeout
	Lost        = bridge.Lost
	Exhausted   = bridge.Exhausted
	Busy        = bridge.Busy
	Closed      = bridge.Closed
	Unsupported = bridge.Unsupported
	Internal    = bridge.Internal
)

// The sides of an Error.
const (
	SideCaller  = bridge.SideCaller
	SideEngine  = bridge.SideEngine
	SideBackend = bridge.SideBackend
	SideWorker  = bridge.SideWorker
)

// Info writes a line of the program's own to standard output, in the form of the log.
func Info(text string) { bridge.Info(text) }

// ReadIPC reads an Arrow IPC stream from a file, a pipe or a socket, batch by batch; a
// broken one, or one without its end marker, is an error that says where.
func ReadIPC(r io.Reader, options ...ipc.Option) (array.RecordReader, error) {
	return bridge.ReadIPC(r, options...)
}

// WriteIPC writes what a reader gives as an Arrow IPC stream, each batch at once. An error
// of the reader is returned as it is, and leaves the output without its end marker.
func WriteIPC(w io.Writer, r array.RecordReader, options ...ipc.Option) error {
	return bridge.WriteIPC(w, r, options...)
}
