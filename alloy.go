// SPDX-License-Identifier: MIT

// Package alloy calls native functions that someone else wrote in Rust, C++ or C. The
// functions work on Apache Arrow data, and only pointers cross: nothing is copied.
//
//	goBridge := alloy.GoBridge{GoAllocator: mem, AllowUnsigned: true}
//	if err := goBridge.SetImplLib("libscore.so", ""); err != nil { … }
//	scored, err := goBridge.Call(ctx, "score", alloy.Options{"scale": "2"}, batch)
//
// Start with [GoBridge].
//
// Alloy needs Linux on x86-64 or arm64 with glibc, cgo and g++ 12 or later. To build for the
// other of the two architectures, set CGO_ENABLED=1, GOARCH, and CC and CXX to compilers for
// it, such as CC=aarch64-linux-gnu-gcc and CXX=aarch64-linux-gnu-g++. Elsewhere programs build
// as well, but each use of a bridge returns Unsupported. So does a load in a program that is
// linked statically.
package alloy

import (
	"io"

	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/ipc"

	"github.com/ignalina/alloy/go/bridge"
)

// GoBridge calls the functions of one backend. The zero value is ready to use: it calls
// the built-in echo. Set the fields before the first use. Any goroutine may use it at any
// time. `go doc github.com/ignalina/alloy/go/bridge.GoBridge` explains its fields and methods:
//
//	SetImplLib(library, certificate string) error
//		load a library, verify its signature, and make it the backend
//	Functions() ([]Function, error)
//		list the functions of the backend
//	Call(ctx context.Context, function string, options Options, in ...arrow.RecordBatch) (arrow.RecordBatch, error)
//		run a function on batches
//	Stream(ctx context.Context, function string, options Options, in ...array.RecordReader) (array.RecordReader, error)
//		run a function on streams of batches
//	FromChunks(arrays []arrow.Array) (int, error)
//		pass arrays to the function from_chunks
//	Close()
//		close the bridge and all its copies
type GoBridge = bridge.GoBridge

// Options are the option values of one function, by name.
type Options = bridge.Options

// Error is the type of every error of this module. Use errors.As to get it.
type Error = bridge.Error

// Code is the part of an [Error] that tells the caller what to do next.
type Code = bridge.Code

// Reason is the part of an [Error] that names the exact fault, such as OFFSETS.
type Reason = bridge.Reason

// Side is the part of an [Error] that names who failed.
type Side = bridge.Side

// Function describes one function of a backend.
type Function = bridge.Function

// Option describes one option of a function.
type Option = bridge.Option

// Column describes one column that a function reads.
type Column = bridge.Column

// Backend describes the backend of a bridge: its name, version and language, and the file
// that was loaded. See [GoBridge].Backend.
type Backend = bridge.Backend

// Outstanding counts the results and the streams that are not released yet. See
// [GoBridge].Outstanding.
type Outstanding = bridge.Outstanding

// Operation is one use of a bridge, as the field Observe of [GoBridge] gets it.
type Operation = bridge.Operation

// Outcome is how an [Operation] ended.
type Outcome = bridge.Outcome

// The kinds of an [Operation].
const (
	CallOperation   = bridge.CallOperation   // a Call or a FromChunks
	StreamOperation = bridge.StreamOperation // a Stream
	LoadOperation   = bridge.LoadOperation   // a SetImplLib or a Replace
)

// Check is how thoroughly Alloy checks the Arrow data that crosses.
type Check = bridge.Check

// The levels of a [Check]. Each level includes the one before it. The C data interface
// carries no buffer sizes, so no level can find a buffer that is shorter than it must be.
const (
	// CheckDefault is CheckShape for the program's data and CheckSafe for results. The data for
	// a function that trusts its values (see [Function]) is always checked as by CheckFull.
	CheckDefault = bridge.CheckDefault
	// CheckShape checks the structs and reads no rows. It costs the same for any number of rows.
	CheckShape = bridge.CheckShape
	// CheckSafe also checks every offset, view, index, type id and run end that a row can reach.
	CheckSafe = bridge.CheckSafe
	// CheckFull also checks what no row can reach, UTF-8, and null counts.
	CheckFull = bridge.CheckFull
	// CheckUnsafeShape is only for the program's data: CheckShape for every function, also for
	// one that trusts the values of its inputs. If the data is malformed, such a backend may
	// crash, or read and write any memory of the program.
	CheckUnsafeShape = bridge.CheckUnsafeShape
)

// The codes of an [Error]. A number that is not listed here comes from a newer engine;
// treat it like Internal.
const (
	Invalid     = bridge.Invalid     // Correct the arguments or options of this call.
	BadData     = bridge.BadData     // Correct the Arrow data. Reason, Input and Column say where.
	NoMatch     = bridge.NoMatch     // Choose another function: it does not apply to these schemas.
	NotFound    = bridge.NotFound    // Correct the name.
	Refused     = bridge.Refused     // Correct the installation: the library may not be loaded.
	Failed      = bridge.Failed      // Read the text: it is the backend's own error.
	Retry       = bridge.Retry       // Try again: the backend says that it may work later.
	Cancelled   = bridge.Cancelled   // Nothing to do: the caller cancelled.
	Timeout     = bridge.Timeout     // Allow more time: the caller's deadline passed.
	Lost        = bridge.Lost        // Call again: the worker died, and the next call starts another.
	Exhausted   = bridge.Exhausted   // Release results, or raise a limit.
	Busy        = bridge.Busy        // Wait: someone else uses it now.
	Closed      = bridge.Closed      // Open it again.
	Unsupported = bridge.Unsupported // Use another type, mode, machine or version.
	Internal    = bridge.Internal    // Report it: this is a defect of Alloy.
)

// The sides of an [Error].
const (
	SideCaller  = bridge.SideCaller  // the program that uses this package
	SideEngine  = bridge.SideEngine  // Alloy
	SideBackend = bridge.SideBackend // the library that is called
	SideWorker  = bridge.SideWorker  // the process that runs the library in isolated mode
)

// Version returns the version of Alloy's engine, such as 0.1.0.
func Version() string { return bridge.Version() }

// ReadCertificate reads an X.509 certificate from a file, and returns it in the form that
// SetImplLib takes. The file holds one certificate as PEM, as base64 of its DER bytes, or as
// DER.
func ReadCertificate(path string) (string, error) { return bridge.ReadCertificate(path) }

// Info writes one line of the program to standard output, in the form of Alloy's log.
func Info(text string) { bridge.Info(text) }

// ReadIPC reads an Arrow IPC stream from a file, a pipe or a socket, batch by batch. The
// result is an input for [GoBridge].Stream, like any other reader.
//
// Nothing after the end marker of the stream is read. The options are those of arrow-go.
// Three limits stop damaged or hostile input from asking for too much memory. A batch may
// have 256 MiB in the stream, unless ipc.WithBodySizeLimit sets another limit. A compressed
// buffer may not claim more bytes than its codec can make of so few. After decompression, a
// batch may have 1 GiB, and so may all dictionaries of the stream together: see
// [ReadIPCWithin].
//
// Errors are of type [*Error]. The text names the batch and the byte where the stream is
// damaged, and errors.Unwrap gives the error of arrow-go. A stream without an end marker
// is an error too, because its writer may have failed. Use arrow-go's ipc.NewReader for
// streams that never have an end marker.
func ReadIPC(r io.Reader, options ...ipc.Option) (array.RecordReader, error) {
	return bridge.ReadIPC(r, options...)
}

// ReadIPCWithin is [ReadIPC] with another limit for the bytes of a batch after
// decompression, and for the bytes of all dictionaries of the stream together. A larger one
// is an error with the code [Exhausted].
func ReadIPCWithin(limit int64, r io.Reader, options ...ipc.Option) (array.RecordReader, error) {
	return bridge.ReadIPCWithin(limit, r, options...)
}

// WriteIPC writes all batches of a reader as an Arrow IPC stream. It writes each batch as
// soon as the reader returns it, and the end marker after the last one. The options are
// those of arrow-go.
//
// If the reader fails, WriteIPC returns the reader's error unchanged and writes no end
// marker. A program that reads the output, with [ReadIPC] for example, then gets an error
// as well. The caller closes the writer, and removes incomplete output. If a batch cannot
// be written, the error names it by its number.
func WriteIPC(w io.Writer, r array.RecordReader, options ...ipc.Option) error {
	return bridge.WriteIPC(w, r, options...)
}
