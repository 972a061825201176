// SPDX-License-Identifier: MIT

package engine

import (
	"log/slog"
	"time"

	"github.com/ignalina/alloy/go/abi"
)

// The structs that cross the boundary are those of package abi.
type (
	Array        = abi.Array
	WrittenArray = abi.WrittenArray
	Schema       = abi.Schema
	Owner        = abi.Owner
)

// Fault is an error of the engine, field by field. Package alloy makes an Error of it.
type Fault struct {
	Code, Reason, Input, Column int32
	Side                        uint16
	Text                        string
}

// Loading is the policy of a host for libraries. The header alloy.h explains each part.
type Loading struct {
	AllowUnsigned, Plainly bool
	MayNeed                []string // no entry contains a NUL byte
}

// BridgeOptions are the settings for one library. The header alloy.h explains each of them.
// No text contains a NUL byte.
type BridgeOptions struct {
	CheckInputs, CheckResults uint32
	Name, Sidecar, SHA256     string
	MinSequence               uint64

	Isolated, CopyResults              bool
	MaxWorkers, Retries                uint32
	InputBytes, OutputBytes, HeapBytes int64
	Grace, Setup                       time.Duration
}

// Function, Option, Column and Backend are the types of package alloy with the same names,
// which explains the fields.
type Function struct {
	Name, Summary                             string
	Options                                   []Option
	MinInputs, MaxInputs                      int
	Columns                                   [][]Column
	Idempotent, Rowwise, Stream, TrustsValues bool
}

type Option struct {
	Name, Summary, Fallback string
	Required                bool
}

type Column struct{ Name, Summary, Accepts string }

type Backend struct {
	Name, Version, Language, Library, SHA256, Signer, SignerSHA256 string
	Sequence                                                       uint64
}

// Line is a log line with its origin.
type Line struct {
	Level             slog.Level
	Language, Text    string
	Backend, Function string // empty: it is about none
	// Call is what the lines of the call carry; nil outside of calls. See Call.SetLog.
	Call any
}

// Logger receives the log lines of a host. Any thread calls it, several at the same time.
type Logger func(line *Line)

// Source serves one input stream. One thread at a time calls Next.
type Source interface {
	// Next writes the next batch to out. At the end it leaves out released.
	Next(out *WrittenArray) error
	// Failed is called when a stream that was passed on has failed.
	Failed()
	// Done is called when the input is released. Any thread.
	Done()
}
