// SPDX-License-Identifier: MIT

// Package bridge is Alloy for Go programs: native functions that someone else wrote and
// compiled, called on Arrow data of which only pointers cross. Programs import it as
// github.com/ignalina/alloy, or as its package api.
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
)

// Options are those of one function, by name; Functions lists them.
type Options map[string]string

// Check is how far the gate looks into Arrow data that crosses.
type Check uint32

// The levels of the gate. Whatever the level, C data has no sizes: that buffers are as
// long as they must be is believed.
const (
	CheckDefault Check = iota // shape for what the program passes, safe for results
	CheckShape                // no rows are read: nothing is dereferenced that was not checked
	CheckSafe                 // no offset, view or index that the rows lead to leaves its buffer
	CheckFull                 // nor any that no row leads to; text is UTF-8, null counts are right
)

// GoBridge calls the functions of one backend. The zero value is ready, on the built-in
// echo; set the fields before the first use.
//
// A copy made after the first use is the same bridge. Any goroutine may use it, also
// while another loads a library; calls under way stay with the backend they began on.
type GoBridge struct {
	// GoAllocator serves what is allocated on the Go side; nil: arrow-go's default. The data
	// that crosses may lie on the Go heap or in C memory.
	GoAllocator memory.Allocator

	// AllowUnsigned lets SetImplLib load libraries without a certificate. It is read at the
	// first SetImplLib, and stays as it was then.
	AllowUnsigned bool

	// MayNeed names what libraries may need beside the runtimes of C and C++, on the program's
	// own trust: SONAMEs, or absolute paths of files, which are loaded before whoever needs
	// one. It is read at the first SetImplLib, and stays as it was then.
	MayNeed []string

	// LoadPlainly lets SetImplLib load by the file's own path, so that gdb, perf and valgrind
	// find the library: for debugging alone, since whoever can write the file decides what
	// runs. It implies AllowUnsigned, and is read when that is.
	LoadPlainly bool

	// Logger receives the lines of host and backend, whatever the backend; nil: standard
	// output, and only while the backend is an echo. It is read at the first use, and again
	// at the first SetImplLib.
	Logger *slog.Logger

	// CheckInputs and CheckResults say how far the gate looks into what the program passes,
	// and into what the backend returns. They are read at the first use, and again at each
	// SetImplLib.
	CheckInputs, CheckResults Check

	// BatchTimeout is how long each batch of a Stream may take, less the time in its inputs;
	// 0: any time. It is read by each Stream, and a copy may have another.
	BatchTimeout time.Duration

	// shared is what copies have in common; made by the first use, by compare and swap, so
	// that a GoBridge holds no lock and may be copied.
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

// SetImplLib puts a library in the place of the backend. Certificate is base64 of the DER
// certificate whose owner, or whom its owner certified, must have signed the library; empty:
// unsigned, which AllowUnsigned must allow.
//
// A failure sticks: every later use answers it, until a SetImplLib succeeds.
func (b *GoBridge) SetImplLib(library, certificate string) error {
	return b.core().load(b, library, certificate)
}

// FromChunks gives arrays of any types and lengths to the backend's function from_chunks
// and returns its answer: from the echo, how many there were.
func (b *GoBridge) FromChunks(arrays []arrow.Array) (int, error) {
	return b.core().fromChunks(b, arrays)
}

// From_chunks is FromChunks by its first name.
func (b *GoBridge) From_chunks(arrays []arrow.Array) (int, error) { //nolint:revive
	return b.FromChunks(arrays)
}

// Call runs a function on batches. The result lies in the backend's memory, which is
// given back when the last part of it is released, by any goroutine.
//
// The batches are borrowed; what the backend keeps of them beyond the call, Call retains.
// A context that ends reaches the backend, and the call returns when the backend does.
func (b *GoBridge) Call(ctx context.Context, function string, options Options, in ...arrow.RecordBatch) (arrow.RecordBatch, error) {
	return b.core().call(ctx, b, function, options, in)
}

// Stream runs a function on streams of batches, and answers a stream of results. A function
// on batches is run on each; it has one input then. Nothing is read before Next asks for it,
// and no batch is kept longer than the backend does.
//
// The readers are retained until the result is released; nobody else may use them until
// then. A result that is given to another Stream is pulled by the engine, without Go. What
// Next gives is valid until the next Next, unless it is retained.
//
// Next answers false at the end and after an error, which Err then repeats: a reader's own
// error is that very value, and a panic of a reader is an error. A context that ends
// reaches the backend, and the error is the context's; BatchTimeout is for each batch.
//
// Release may come at any time, from any goroutine. Everything else is for one goroutine
// at a time. A goroutine that exits inside of its own reader, as by testing's FailNow,
// leaves a stream that fails as Busy and is never freed.
func (b *GoBridge) Stream(ctx context.Context, function string, options Options, in ...array.RecordReader) (array.RecordReader, error) {
	return b.core().stream(ctx, b, function, options, in)
}

// Functions lists what the backend offers. Of two functions of one name, Call takes the
// first that applies.
func (b *GoBridge) Functions() ([]Function, error) {
	return b.core().functions(b)
}

// Close makes every later use answer Closed, for all copies. Results stay valid. A bridge
// that is not closed is freed when it is unreachable.
func (b *GoBridge) Close() { b.core().close() }

// Info writes a line of the program's own to standard output, in the form of the log.
func Info(text string) {
	fmt.Fprintf(os.Stdout, "[%s] [INFO] [Go]\t%s\n", time.Now().Format(time.DateTime), text)
}
