// SPDX-License-Identifier: MIT

// Package bridge implements package alloy, which programs import as
// github.com/ignalina/alloy. [GoBridge] is the type to start with.
package bridge

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"sync/atomic"
	"time"
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/ignalina/alloy/go/engine"
)

// Options are the option values of one function, by name. GoBridge.Functions lists the
// options that each function has.
type Options map[string]string

// Check is how thoroughly Alloy checks the Arrow data that crosses.
type Check uint32

// The levels of a Check. Package alloy explains each of them.
const (
	CheckDefault Check = iota
	CheckShape
	CheckSafe
	CheckFull
	CheckUnsafeShape Check = 0x101
)

// Function describes one function of a backend.
type Function = engine.Function

// Option describes one option of a function.
type Option = engine.Option

// Column describes one column that a function reads.
type Column = engine.Column

// GoBridge calls the functions of one backend. The zero value is ready to use: it calls
// the built-in echo. Set the fields before the first use.
//
// A copy that is made after the first use is the same bridge. Any goroutine may use it at
// any time, even while another goroutine loads a library. A call stays with the backend
// with which it began.
type GoBridge struct {
	// GoAllocator allocates memory on the Go side. Nil is arrow-go's default allocator. The
	// data of the program may lie on the Go heap or in C memory.
	GoAllocator memory.Allocator

	// AllowUnsigned lets SetImplLib load libraries without a certificate. The first SetImplLib
	// reads it; later changes have no effect.
	AllowUnsigned bool

	// MayNeed lists shared libraries that a backend may need, besides the runtimes of C and
	// C++. The program takes responsibility for them: Alloy does not verify them. An entry is a
	// SONAME, or the absolute path of a file, which is loaded before the library that needs it.
	// The first SetImplLib reads it; later changes have no effect.
	MayNeed []string

	// LoadPlainly makes SetImplLib load a library by its path, so that gdb, perf and valgrind
	// find it. Use it only for debugging: anyone who can write the file decides what runs. It
	// includes AllowUnsigned, and is read at the same time.
	LoadPlainly bool

	// Logger receives the log lines of the host and of every backend. If it is nil, the lines
	// of an echo go to standard output, and those of other backends nowhere. It is read at the
	// first use, and again by the first SetImplLib.
	Logger *slog.Logger

	// CheckInputs is how thoroughly the program's data is checked, and CheckResults the
	// backend's. They are read at the first use, and again by each SetImplLib.
	CheckInputs, CheckResults Check

	// BatchTimeout limits the time for each batch of a Stream, without the time that its inputs
	// take. 0 is no limit. Each Stream reads it, so copies of a bridge may differ in it.
	BatchTimeout time.Duration

	// shared is common to all copies. The first use sets it by compare-and-swap; a GoBridge
	// therefore holds no lock, and may be copied.
	shared *core
}

func (b *GoBridge) core() *core {
	place := (*unsafe.Pointer)(unsafe.Pointer(&b.shared))
	if c := (*core)(atomic.LoadPointer(place)); c != nil {
		return c
	}
	mem := b.GoAllocator
	if mem == nil {
		mem = memory.DefaultAllocator
	}
	atomic.CompareAndSwapPointer(place, nil, unsafe.Pointer(&core{memory: mem}))
	return (*core)(atomic.LoadPointer(place))
}

// SetImplLib loads a library, a .so or .a file, and makes it the backend.
//
// Certificate is an X.509 certificate as base64 of its DER bytes. The library must be
// signed with the key of this certificate, or of a code-signing certificate that it
// issued. An empty certificate loads the library unsigned, which AllowUnsigned must allow.
//
// A failure is a sticky error: every later use of the bridge returns it, until a
// SetImplLib succeeds. The bridge never falls back to another backend.
func (b *GoBridge) SetImplLib(library, certificate string) error {
	return b.core().load(b, library, certificate)
}

// FromChunks passes arrays of any types and lengths to the function from_chunks of the
// backend, and returns the number that the function returns. The echo counts the arrays.
//
// The arrays are borrowed for the call.
func (b *GoBridge) FromChunks(arrays []arrow.Array) (int, error) {
	return b.core().fromChunks(b, arrays)
}

// From_chunks is the first name of FromChunks.
func (b *GoBridge) From_chunks(arrays []arrow.Array) (int, error) { //nolint:revive
	return b.FromChunks(arrays)
}

// Call runs a function on batches and returns one batch. The result lies in the memory of
// the backend. Release it; any goroutine may release any part of it.
//
// The batches are borrowed for the call. If the backend keeps a part of a batch longer,
// Call retains the batch until the backend releases that part.
//
// When ctx ends, the backend is asked to stop, and Call returns as soon as the backend
// does. A result that arrives after the deadline is still returned.
func (b *GoBridge) Call(ctx context.Context, function string, options Options, in ...arrow.RecordBatch) (arrow.RecordBatch, error) {
	return b.core().call(ctx, b, function, options, in)
}

// Stream runs a function on streams of batches and returns a stream of results. It runs a
// function on batches once for each batch; such a function has exactly one input.
//
// Nothing is read before the caller asks for a batch with Next, and no batch is kept
// longer than the backend keeps it. A batch that Next gives is valid until the following
// Next; retain it to keep it longer.
//
// The readers are retained until the result is released. Do not use them until then. A
// result may be the input of another Stream; C code then pulls from it without entering Go.
//
// After an error, Next returns false and Err returns the error, again and again. An error
// of an input reader is returned unchanged. A panic of a reader becomes an error. When
// ctx ends, the backend is asked to stop, and the error is that of the context.
// BatchTimeout limits the time for each batch.
//
// Release may be called at any time, by any goroutine. Everything else is for one
// goroutine at a time. If a goroutine exits inside its own reader (testing's FailNow does
// that), the stream fails with Busy from then on and is never freed.
func (b *GoBridge) Stream(ctx context.Context, function string, options Options, in ...array.RecordReader) (array.RecordReader, error) {
	return b.core().stream(ctx, b, function, options, in)
}

// Functions lists the functions of the backend. If several have the same name, Call takes
// the first one that accepts the schemas.
func (b *GoBridge) Functions() ([]Function, error) {
	return b.core().functions(b)
}

// Close closes the bridge and all copies of it. Every later use returns Closed. Results
// stay valid. A bridge that is not closed is freed when it becomes unreachable.
func (b *GoBridge) Close() { b.core().close() }

// Info writes one line of the program to standard output, in the form of Alloy's log.
func Info(text string) {
	fmt.Fprintf(os.Stdout, "[%s] [INFO] [Go]\t%s\n", time.Now().Format(time.DateTime), text)
}
