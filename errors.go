// SPDX-License-Identifier: MIT

package alloy

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/ignalina/alloy/go/cdata"
	"github.com/ignalina/alloy/go/engine"
)

// Code is the part of an [Error] that states what the caller can do next. The numbers are
// frozen.
type Code int32

// The codes of an [Error]. A number that is not listed here comes from a newer engine;
// treat it like Internal.
const (
	Invalid     Code = 1  // Correct the arguments or options of this call.
	BadData     Code = 2  // Correct the Arrow data. Reason, Input and Column say where.
	NoMatch     Code = 3  // Choose another function: it does not apply to these schemas.
	NotFound    Code = 4  // Correct the name.
	Refused     Code = 5  // Correct the installation: the library may not be loaded.
	Failed      Code = 6  // Read the text: it is the backend's own error.
	Retry       Code = 7  // Try again: the backend says that it may work later.
	Cancelled   Code = 8  // Nothing to do: the caller cancelled.
	Timeout     Code = 9  // Allow more time: the caller's deadline passed.
	Lost        Code = 10 // Call again: the worker died, and the next call starts another.
	Exhausted   Code = 11 // Release results, or raise a limit.
	Busy        Code = 12 // Wait: someone else uses it now.
	Closed      Code = 13 // Open it again.
	Unsupported Code = 14 // Use another type, mode, machine or version.
	Internal    Code = 15 // Report it: this is a defect of Alloy.
)

// String returns the name of the code, such as BAD_DATA.
func (c Code) String() string { return engine.CodeName(int32(c)) }

// Reason is the part of an [Error] that names the exact fault, such as OFFSETS. The numbers
// are frozen.
type Reason int32

// String returns the name of the reason, such as OFFSETS.
func (r Reason) String() string { return engine.ReasonName(int32(r)) }

// The reasons of an [Error] with the code Lost: how the worker of the call has ended. An error
// with the code Timeout or Cancelled has one as well if the worker was lost with the call.
const (
	ReasonWorkerSignal    Reason = 5001 // The worker died by a signal.
	ReasonWorkerExit      Reason = 5002 // The worker ended itself.
	ReasonWorkerHang      Reason = 5003 // The worker was killed: it did not stop or answer in time.
	ReasonWorkerMemory    Reason = 5004 // The worker ran out of memory.
	ReasonWorkerViolation Reason = 5005 // The worker was killed: it sent what no honest worker sends.
)

// The reasons that this package uses, with the numbers of the C ABI.
const (
	reasonStreamSchema   Reason = 1062
	reasonInputFailed    Reason = 1063
	reasonCertificateDER Reason = 2002
	reasonCannotOpen     Reason = 3001
	reasonNilArgument    Reason = 4001
	reasonNULByte        Reason = 4002
	reasonOutOfRange     Reason = 4003
	reasonSameStream     Reason = 4004
	reasonHostArray      Reason = cdata.HostArray
	reasonHostType       Reason = 4006
	reasonHostCode       Reason = 4007
	reasonIPC            Reason = cdata.BadIPC
)

// Side is the part of an [Error] that names who failed.
type Side uint16

// The sides of an [Error].
const (
	SideCaller  Side = iota // the program that uses this package
	SideEngine              // Alloy
	SideBackend             // the library that is called
	SideWorker              // the process that runs the library in isolated mode
)

// String returns the name of the side, such as backend.
func (s Side) String() string {
	names := [...]string{"caller", "engine", "backend", "worker"}
	if int(s) < len(names) {
		return names[s]
	}
	return fmt.Sprintf("side %d", uint16(s))
}

// Errors to compare with by errors.Is. Each stands for all errors of its code.
var (
	ErrRefused error = &Error{Code: Refused, Column: -1, Input: -1, Text: "the library may not be loaded"}
	ErrLost    error = &Error{Code: Lost, Column: -1, Input: -1, Side: SideWorker, Text: "the worker died, and the next call starts another"}
)

// Error is the type of every error of this module. Use errors.As to get it.
//
// If a context caused the error, errors.Is finds context.Canceled or
// context.DeadlineExceeded in it.
type Error struct {
	// Code states what the caller can do next.
	Code Code
	// Reason is the exact fault; 0 if Code is enough.
	Reason Reason
	// Column is the place in the schema, counted from 0 in preorder: a column, then its
	// children, then the next column. A dictionary follows its index. -1 is the batch itself.
	Column int
	// Side is who failed.
	Side Side
	// Input is the batch or stream that was passed, counted from 0. -1 is the result, or no
	// input at all.
	Input int
	// Text states what happened, where, and what to do next.
	Text string

	cause error
}

// Unwrap returns the cause: the cause of a context that ended, the error of a reader or a
// writer, the error with which a reader panicked, or the error of arrow-go about a damaged IPC stream. It may be nil.
func (e *Error) Unwrap() error { return e.cause }

// Error returns one line with the code, the place and the text.
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

// Is lets errors.Is find the errors of package context, [ErrRefused] and [ErrLost].
func (e *Error) Is(target error) bool {
	return target == ErrLost && e.Code == Lost ||
		target == ErrRefused && e.Code == Refused ||
		target == context.Canceled && e.Code == Cancelled ||
		target == context.DeadlineExceeded && e.Code == Timeout
}

// newError makes an error that concerns no input and no column.
func newError(side Side, code Code, format string, a ...any) *Error {
	return &Error{Code: code, Column: -1, Side: side, Input: -1, Text: fmt.Sprintf(format, a...)}
}

// callerError reports a mistake of the caller that Go finds before it enters the engine.
func callerError(code Code, format string, a ...any) *Error {
	return newError(SideCaller, code, format, a...)
}

// inputError is callerError for one input.
func inputError(input int, code Code, format string, a ...any) *Error {
	e := newError(SideCaller, code, format, a...)
	e.Input = input
	return e
}

// resultError reports a result, or its schema, that arrow-go cannot hold.
func resultError(code Code, err error) *Error {
	e := newError(SideBackend, code, "%v", err)
	e.Reason = reasonHostType
	return e
}

// typeError reports a schema that cannot be passed.
func typeError(input int, err error) *Error {
	e := inputError(input, BadData, "%v", err)
	e.Reason = reasonHostType
	return e
}

// nulError reports a text that C would see only a part of.
func nulError(what string) *Error {
	e := callerError(Invalid, "%s contains a NUL byte; remove it", what)
	e.Reason = reasonNULByte
	return e
}

// nilInput reports an input that is nil.
func nilInput(input int, text string) *Error {
	e := inputError(input, Invalid, "%s", text)
	e.Reason = reasonNilArgument
	return e
}

// nilContext reports a context that is nil.
func nilContext() *Error {
	e := callerError(Invalid, "the context is nil; pass context.Background() if there is no other")
	e.Reason = reasonNilArgument
	return e
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

// fromMismatch reports an array that does not fit its schema.
func fromMismatch(err error) *Error {
	e := callerError(BadData, "%v", err)
	var mismatch *cdata.MismatchError
	if errors.As(err, &mismatch) {
		e.Input, e.Column, e.Reason = mismatch.Input, mismatch.Column, Reason(mismatch.Reason)
	}
	return e
}

// fromContext reports that a context has ended; when names the moment.
func fromContext(ctx context.Context, when string) *Error {
	err := callerError(Cancelled, "the context was cancelled %s", when)
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		err = deadlinePassed(when)
	}
	err.cause = context.Cause(ctx)
	if err.cause != ctx.Err() {
		err.Text += fmt.Sprintf(": %v", err.cause)
	}
	return err
}

// fromIO reports an I/O error. It is not the fault of the data.
func fromIO(err error) *Error {
	e := callerError(Failed, "%v", err)
	var ours *Error
	var timeout interface{ Timeout() bool }
	switch {
	case errors.As(err, &ours): // from the other end of a pipe, for example
		e.Code, e.Reason = ours.Code, ours.Reason
	case errors.Is(err, context.Canceled):
		e.Code = Cancelled
	case errors.As(err, &timeout) && timeout.Timeout():
		e.Code = Timeout
	}
	e.cause = err
	return e
}

func deadlinePassed(when string) *Error {
	return callerError(Timeout, "the deadline of the context passed %s; allow more time", when)
}
