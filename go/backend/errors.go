// SPDX-License-Identifier: MIT

package backend

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
)

// Code is what the caller of a function can do next.
type Code int32

// The codes that a function may return, with the numbers of the C ABI.
const (
	Invalid     Code = 1  // correct the arguments or options
	BadData     Code = 2  // correct the Arrow data
	NoMatch     Code = 3  // choose another function: this one does not accept these schemas
	NotFound    Code = 4  // correct the name
	Failed      Code = 6  // report it to the author of the backend
	Retry       Code = 7  // try the same call again
	Cancelled   Code = 8  // nothing: the caller cancelled the call, or its deadline passed
	Exhausted   Code = 11 // release results, or raise a limit
	Unsupported Code = 14 // use another mode, machine or version
)

// Error is an error with a code. Any other error of a function gets the code Failed.
type Error struct {
	Code  Code
	Text  string
	cause error
}

// Error returns the text.
func (e *Error) Error() string { return e.Text }

// Unwrap returns the error that %w named.
func (e *Error) Unwrap() error { return e.cause }

// Errorf makes an error with a code. The format is that of fmt.Errorf.
func Errorf(code Code, format string, a ...any) error {
	made := fmt.Errorf(format, a...)
	return &Error{Code: code, Text: made.Error(), cause: errors.Unwrap(made)}
}

// InputError is the error of an input stream: the host's own. Pass it on, and the host gets
// back what it gave.
type InputError struct {
	Input int    // the number of the stream, from 0
	Text  string // as far as the host has one
	errno int32
}

// Error returns the text and the number of the input.
func (e *InputError) Error() string {
	return fmt.Sprintf("input %d: %s", e.Input, e.Text)
}

// codeOf returns the code and the text of an error. An error whose methods panic is an error
// too.
func codeOf(err error) (code Code, text string) {
	defer func() {
		if cause := recover(); cause != nil {
			code, text = Failed, fmt.Sprintf("the function returned an error of type %T, which panicked when its text was read", err)
		}
	}()
	code, text = Failed, err.Error()
	var typed *Error
	switch {
	case errors.As(err, &typed):
		code = typed.Code
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		code = Cancelled
	}
	return code, text
}

// caught turns a panic into an error with the place of the panic. Defer it.
func caught(err *error) {
	cause := recover()
	if cause == nil {
		return
	}
	var typed *Error
	if thrown, ok := cause.(error); ok && errors.As(thrown, &typed) && typed.Code == Exhausted {
		*err = typed // of the Allocator, which cannot return errors
		return
	}
	// fmt survives a value whose methods panic.
	*err = &Error{Code: Failed, Text: fmt.Sprintf("panic: %v%s", cause, panicPlace())}
}

// panicPlace returns the file and line that panicked: the first frame below those of the
// runtime. Call it below a deferred function.
func panicPlace() string {
	var callers [64]uintptr
	frames := runtime.CallersFrames(callers[:runtime.Callers(2, callers[:])])
	seen := false
	for {
		frame, more := frames.Next()
		switch {
		case strings.HasPrefix(frame.Function, "runtime."):
			seen = true
		case seen:
			return fmt.Sprintf(" (%s:%d)", frame.File[strings.LastIndexByte(frame.File, '/')+1:], frame.Line)
		}
		if !more {
			return ""
		}
	}
}
