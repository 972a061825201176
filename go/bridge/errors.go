// SPDX-License-Identifier: MIT

package bridge

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/ignalina/alloy/go/cdata"
	"github.com/ignalina/alloy/go/engine"
)

// Code says what the caller can do next. The numbers are frozen.
type Code int32

// The codes. A number that is not listed here comes from a newer engine: report it.
const (
	Invalid     Code = 1  // correct the arguments or options of this call
	BadData     Code = 2  // correct the Arrow data: Reason is the fault, Column the place
	NoMatch     Code = 3  // choose another function: it does not apply to these schemas
	NotFound    Code = 4  // correct the name
	Refused     Code = 5  // correct the installation: Reason is the class of refusal
	Failed      Code = 6  // the backend's own error
	Retry       Code = 7  // the backend's own error, worth repeating
	Cancelled   Code = 8  // the caller asked for it
	Timeout     Code = 9  // the caller's deadline passed
	Lost        Code = 10 // the worker died: this call is lost, the next one starts a worker
	Exhausted   Code = 11 // release results, or raise a limit
	Busy        Code = 12 // in use by another
	Closed      Code = 13 // open it again
	Unsupported Code = 14 // not in this mode, on this machine, by this version
	Internal    Code = 15 // report it
)

// String is the name of the code, such as BAD_DATA.
func (c Code) String() string { return engine.CodeName(int32(c)) }

// Reason is the exact cause of an error. The numbers are frozen.
type Reason int32

// String is the name of the reason, such as OFFSETS.
func (r Reason) String() string { return engine.ReasonName(int32(r)) }

// Side is who spoke.
type Side uint16

// The sides.
const (
	SideCaller Side = iota
	SideEngine
	SideBackend
	SideWorker
)

// String is the name of the side.
func (s Side) String() string {
	names := [...]string{"caller", "engine", "backend", "worker"}
	if int(s) < len(names) {
		return names[s]
	}
	return fmt.Sprintf("side %d", uint16(s))
}

// Error is every error of this module; errors.As finds it. Errors.Is with
// context.Canceled and context.DeadlineExceeded finds what the context caused.
type Error struct {
	Code   Code
	Reason Reason
	// Column is the place in the schema, in preorder: the batch is -1, its first column 0,
	// then what is below that; a dictionary follows its index.
	Column int
	Side   Side
	// Input is the batch or the stream, from 0; -1: none of them, or the result.
	Input int
	Text  string

	cause error // what Unwrap tells
}

// Unwrap gives the cause of a context that ended, or the error that a reader panicked with.
func (e *Error) Unwrap() error { return e.cause }

// Error is one line: what happened, and where.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString("alloy: ")
	b.WriteString(e.Code.String())
	if e.Reason != 0 {
		fmt.Fprintf(&b, " (%s)", e.Reason)
	}
	if e.Input >= 0 {
		fmt.Fprintf(&b, ", input %d", e.Input)
	}
	if e.Column >= 0 {
		fmt.Fprintf(&b, ", column %d", e.Column)
	}
	fmt.Fprintf(&b, ", from the %s: %s", e.Side, e.Text)
	return b.String()
}

// Is lets errors.Is ask for the context's own errors.
func (e *Error) Is(target error) bool {
	return target == context.Canceled && e.Code == Cancelled ||
		target == context.DeadlineExceeded && e.Code == Timeout
}

func fromFault(f *engine.Fault) error {
	if f == nil {
		return nil
	}
	return &Error{
		Code: Code(f.Code), Reason: Reason(f.Reason), Column: int(f.Column),
		Side: Side(f.Side), Input: int(f.Input), Text: f.Text,
	}
}

// callers is a mistake that Go notices before the engine is entered.
func callers(code Code, format string, a ...any) *Error {
	return &Error{Code: code, Column: -1, Side: SideCaller, Input: -1, Text: fmt.Sprintf(format, a...)}
}

func fromMismatch(err error) *Error {
	e := callers(BadData, "%v", err)
	var mismatch *cdata.MismatchError
	if errors.As(err, &mismatch) {
		e.Input, e.Column = mismatch.Input, mismatch.Column
	}
	return e
}
