// SPDX-License-Identifier: MIT

// Package fault has the errors of Thund. Each says what happened, where, and what to do next.
package fault

import (
	"errors"
	"fmt"
	"strings"

	"github.com/ignalina/alloy"
)

// The exit codes of the program. They are frozen; arrowalloy has the same ones.
const (
	ExitOK          = 0
	ExitStep        = 1 // a step's own error, or the memory limit
	ExitUsage       = 2 // the command line or the graph file
	ExitMachine     = 3 // a file or program is missing or unusable
	ExitDeadLetters = 4
	ExitLate        = 5 // a deadline, or the time of a graceful shutdown
	ExitCrash       = 20
	ExitHang        = 21
	ExitOutOfMemory = 22
	ExitViolation   = 23
	ExitInterrupted = 130
	ExitBrokenPipe  = 141 // the program that reads the output has ended
	ExitTerminated  = 143
)

// The codes of Thund. Errors of the engine keep the engine's numbers.
const (
	Syntax  = "E0401"
	Name    = "E0402"
	Cycle   = "E0403"
	Shape   = "E0404"
	Types   = "E0405"
	Rule    = "E0406"
	Source  = "E0407"
	Sink    = "E0408"
	Memory  = "E0409"
	Cluster = "E0410" // what Ray cannot do
	Letters = "E0411"
	Ended   = "E0412"
	Defect  = "E0413"
	Step    = "E0414" // a Go step, task or event
	Listen  = "E0415" // the address of --listen, or the place of a trace
)

// Fault is one error. Its fields are those of `--json`.
type Fault struct {
	Code   string   `json:"code"`
	Text   string   `json:"text"`
	File   string   `json:"file,omitempty"`
	Line   int      `json:"line,omitempty"`
	Node   string   `json:"node,omitempty"`
	At     string   `json:"at,omitempty"`     // the place in words, after file and line
	Detail []string `json:"detail,omitempty"` // more lines, such as the backend's own text
	Help   string   `json:"help,omitempty"`
	Reason string   `json:"reason,omitempty"` // the engine's name of the exact fault
	Batch  int64    `json:"batch,omitempty"`  // counted from 1; 0: no batch
	Exit   int      `json:"-"`
	Cause  error    `json:"-"`
}

// Error returns the lines that people read.
func (f *Fault) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "error[%s]: %s", f.Code, f.Text)
	var at []string
	if f.File != "" && f.Line > 0 {
		at = append(at, fmt.Sprintf("%s:%d", f.File, f.Line))
	} else if f.File != "" {
		at = append(at, f.File)
	}
	if f.At != "" {
		at = append(at, f.At)
	}
	if len(at) > 0 {
		fmt.Fprintf(&b, "\n  at:   %s", strings.Join(at, ", "))
	}
	for _, line := range f.Detail {
		fmt.Fprintf(&b, "\n        %s", line)
	}
	if f.Help != "" {
		fmt.Fprintf(&b, "\n  help: %s", f.Help)
	}
	return b.String()
}

func (f *Fault) Unwrap() error { return f.Cause }

// List is the errors of one stage of the validation.
type List []*Fault

func (l List) Error() string {
	texts := make([]string, len(l))
	for i, f := range l {
		texts[i] = f.Error()
	}
	return strings.Join(texts, "\n\n")
}

// Err returns nil for an empty list.
func (l List) Err() error {
	if len(l) == 0 {
		return nil
	}
	return l
}

// All returns the faults in an error; another error becomes one of the machine.
func All(err error) List {
	var list List
	var one *Fault
	switch {
	case err == nil:
		return nil
	case errors.As(err, &list):
		return list
	case errors.As(err, &one):
		return List{one}
	}
	return List{{Code: Source, Text: err.Error(), Exit: ExitMachine, Cause: err}}
}

// FromEngine makes a fault of an error of Alloy, with the engine's code.
func FromEngine(err error, text string) *Fault {
	f := &Fault{Code: "E0006", Text: text, Detail: []string{err.Error()}, Exit: ExitStep, Cause: err}
	var e *alloy.Error
	if !errors.As(err, &e) {
		return f
	}
	number := int32(e.Reason)
	if f.Reason = e.Code.String(); number != 0 {
		f.Reason = e.Reason.String()
	} else {
		number = int32(e.Code)
	}
	f.Code, f.Detail, f.Exit = fmt.Sprintf("E%04d", number), []string{e.Text}, exitOf(e)
	return f
}

// exitOf is ExitOf of cmd/arrowalloy, with the codes of the isolated mode.
func exitOf(e *alloy.Error) int {
	switch int(e.Reason) {
	case 2010, 3015: // NO_SIDECAR, UNSIGNED
		return 10
	case 2012, 2013, 2014: // SIGNATURE, SIZE, DIGEST
		return 11
	case 2003, 2004, 2007, 2009: // the certificate does not cover the signer
		return 12
	case 2005, 2006, 2019, 2020: // expired, or not yet valid
		return 13
	case 2011: // SIDECAR_MALFORMED
		return 14
	case 2015, 2016, 2017, 2018, 2021, 2024: // signed for another name, platform, ABI or sequence
		return 15
	case 2023, 3007, 3008, 3009, 3010, 3011, 3012, 3013, 3014, 3017: // a form that no host loads
		return 16
	case 3001, 3002, 3003, 3004, 3005, 3006: // cannot be opened, read or copied
		return 17
	case 2001, 2002: // not a certificate
		return 18
	case 2025, 2026: // the static archive
		return 19
	case 2027, 3016, 3018: // no libcrypto, no /proc, no worker
		return ExitMachine
	}
	switch e.Reason {
	case alloy.ReasonWorkerHang:
		return ExitHang
	case alloy.ReasonWorkerMemory:
		return ExitOutOfMemory
	case alloy.ReasonWorkerViolation:
		return ExitViolation
	}
	switch e.Code {
	case alloy.Exhausted:
		return ExitMachine
	case alloy.Lost:
		return ExitCrash
	case alloy.Timeout:
		return ExitHang
	}
	return ExitStep
}
