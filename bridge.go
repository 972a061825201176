// SPDX-License-Identifier: MIT

package alloy

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

// Options are the option values of one function, by name. [GoBridge.Functions] lists the
// options that each function has.
type Options map[string]string

// Check is how thoroughly Alloy checks the Arrow data that crosses. See the fields
// CheckInputs and CheckResults of [GoBridge].
type Check uint32

// The levels of a [Check]. Each level includes the one before it. The C data interface
// carries no buffer sizes, so no level can find a buffer that is shorter than it must be.
const (
	// CheckDefault is CheckShape for the program's data and CheckSafe for results. The data for
	// a function that trusts its values (see [Function]) is always checked as by CheckFull.
	CheckDefault Check = iota
	// CheckShape checks the structs and reads no rows. It costs the same for any number of rows.
	CheckShape
	// CheckSafe also checks every offset, view, index, type id and run end that a row can reach.
	CheckSafe
	// CheckFull also checks what no row can reach, UTF-8, and null counts.
	CheckFull
	// CheckUnsafeShape is only for the program's data: CheckShape for every function, also for
	// one that trusts the values of its inputs. If the data is malformed, such a backend may
	// crash, or read and write any memory of the program.
	CheckUnsafeShape Check = 0x101
)

// Limits are the limits of a bridge whose backend is isolated. A zero field is the default.
type Limits struct {
	// Workers is how many calls and streams can run at the same time, at most 64. The default
	// is 16. They are started when they are needed.
	Workers uint32

	// Retries is how often a call of a function that is idempotent (see [Function]) is tried
	// again, in a new worker, after its worker died. The default is 0.
	Retries uint32

	// InputBytes and OutputBytes limit the shared memory for inputs and for results, of all
	// workers together. Results that are not released count, also those of dead workers. The
	// default is 1 GiB each.
	InputBytes, OutputBytes int64

	// HeapBytes limits the other memory of one worker. The default is 2 GiB.
	HeapBytes int64

	// Grace is how long a worker may go on after its call was cancelled or its deadline has
	// passed, before it is killed. The default is half a second.
	Grace time.Duration

	// Setup is the time that a worker has to load the library, to bind a function, and to
	// open a stream, each, in whole milliseconds. Then it is killed. The default is 60
	// seconds.
	Setup time.Duration

	// CopyResults copies each result out of the memory of its worker. Without it, a hostile
	// backend can change the values of a result (not its structure) until it is released.
	CopyResults bool
}

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

	// Logger receives the log lines of the engine and of every backend. A line has the
	// attributes language, backend and function, and the context of the Call or the Stream
	// that it is about. With an echo, the lines about each call have the level INFO, and with
	// other backends DEBUG. Lines that the logger does not want are not made. Several
	// goroutines may use the logger at the same time.
	//
	// If it is nil, the lines of an echo go to standard output, those of other backends
	// nowhere. It is read at the first use, and again by the first SetImplLib.
	Logger *slog.Logger

	// Name is the name that the backend and its signature file must have, such as
	// "acme.score". Empty is any name. Each SetImplLib and each Replace reads it.
	Name string

	// MinSequence is the lowest sequence number that the signature file may have. A signer
	// raises the number with each release, so a host that sets it refuses older releases. If
	// it is not 0, each load needs a certificate. It is read together with Name.
	MinSequence uint64

	// Sidecar is the path of the signature file. Empty is the path of the library with
	// ".alloysig" after it. It is read together with Name.
	Sidecar string

	// SHA256 is the digest that the library must have, as 64 hexadecimal digits. Empty is any
	// digest. The bytes that are loaded are compared, with or without a certificate; other
	// bytes are [ErrRefused] with the reason DIGEST. It is read together with Name.
	SHA256 string

	// Isolated runs each library in worker processes, so that it cannot take the program down.
	// If a worker dies, the call that was in it returns [ErrLost], and the next call starts a new
	// worker. The program itself is started again as the worker, so nothing has to be
	// installed. It is read at the first use, and again by each SetImplLib, together with
	// Limits. The file docs/isolation.md explains what differs from a library in this process.
	Isolated bool

	// Limits are the limits of the workers. They are ignored if Isolated is false.
	Limits Limits

	// Observe is called when a Call, a FromChunks, a Stream, a SetImplLib or a Replace begins.
	// It is the place for metrics and traces. The context that it returns is used for this
	// operation, so it may carry a span. The function that it returns is called once, when the
	// operation has ended; it may be nil. A stream ends when its last batch was read, when it
	// fails, or when it is released. Any goroutine may call Observe at any time.
	Observe func(ctx context.Context, operation Operation) (context.Context, func(Outcome))

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
// Certificate is an X.509 certificate as base64 of its DER bytes; blanks and line feeds
// around it are ignored. ReadCertificate reads it from a file. The library must be
// signed with the key of this certificate, or of a code-signing certificate that it
// issued. An empty certificate loads the library unsigned, which AllowUnsigned must allow.
//
// A failure is a sticky error: every later use of the bridge returns it, until a
// SetImplLib or a Replace succeeds. The bridge never falls back to another backend. Use
// Replace for a service that should go on with the library that it has.
func (b *GoBridge) SetImplLib(library, certificate string) error {
	return b.core().load(b, library, certificate, false)
}

// Replace is SetImplLib for a program that is running: if the new library fails to load,
// the library that serves now goes on serving, and Replace returns why. If no library
// serves yet, a failure is a sticky error, as in SetImplLib: the echo never serves in place
// of a library that was asked for.
//
// A call or a stream that has begun stays with its own library. The next one uses the new
// library.
//
// A version costs memory for good, because no library is ever unloaded: results of it may
// live anywhere in the program. Each different file that was loaded keeps one file
// descriptor, a sealed copy of the file, the memory that the loader needs for it (about
// the size of its data), and its threads and global variables. A file that was loaded
// before is found again by its bytes, and costs nothing more. So replace a library for
// each release, not for each request.
func (b *GoBridge) Replace(library, certificate string) error {
	return b.core().load(b, library, certificate, true)
}

// Backend describes the backend that serves the next call.
func (b *GoBridge) Backend() (Backend, error) { return b.core().backend(b) }

// Bind checks a call without running it: it binds the function to options and to the
// schemas of its inputs, and returns the schema of its result. It fails as Call would. A
// following Call with the same options and schemas is then as fast as a second one.
func (b *GoBridge) Bind(function string, options Options, schemas ...*arrow.Schema) (*arrow.Schema, error) {
	return b.core().bind(b, function, options, schemas)
}

// Outstanding counts the results and the streams that are not released yet. A number that
// only grows shows a forgotten Release.
func (b *GoBridge) Outstanding() Outstanding { return b.core().outstanding() }

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
// A result that the program forgets is released by the garbage collector, some time after
// nobody can reach it, and Logger reports it once. Until then the memory of the backend
// grows, and the collector does not know about it. Strings and slices that point into a
// result do not keep it: they are valid while the batch, a column or a slice of it is
// reachable and not released. Copy what has to live longer.
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
// Readers run on the goroutine that asks for a batch, as they would without Alloy. So they
// may use coroutines (iter.Pull, array.ReaderFromIter), lock their thread, call Alloy again,
// or end their goroutine (testing's FailNow does that; the stream then fails). Only if a
// thread of the backend asks while nobody is inside the stream, a reader runs on a goroutine
// of its own. For a function on whole streams this costs two switches of threads for each
// batch, about 10 µs; readers that are known to be plain, and those of PlainReader, cost
// nothing.
//
// Release may be called at any time, by any goroutine. Everything else is for one
// goroutine at a time.
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
