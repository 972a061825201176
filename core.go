// SPDX-License-Identifier: MIT

package alloy

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/ignalina/alloy/go/cdata"
	"github.com/ignalina/alloy/go/engine"
)

// core is what all copies of a GoBridge share.
type core struct {
	memory  memory.Allocator
	account cdata.Account // of results that are not released
	streams atomic.Int64  // that are not released

	// now serves every use. Calls read it without a lock, and stay with what they found.
	now atomic.Pointer[generation]

	// setup is held while a generation is made, and never by a call.
	setup  sync.Mutex
	host   *engine.Host // with the policy of the first load, and all loaded libraries
	closed bool
}

// generation is one open backend with everything that is bound on it, or the failure that
// every use returns. Each load begins a new generation. The backend of a generation never
// changes, so a result is always read with the schema that the same backend gave.
type generation struct {
	core     *core
	bridge   *engine.Bridge
	bindings cache
	chunks   chunkSchemas
	library  string // the path with which it was loaded; empty: the echo
	logger   *slog.Logger
	failure  error

	forgot  sync.Map // the functions of which the program has forgotten results, or streams
	entered sync.Map // the functions that were bound before
	kinds   sync.Once
	streams map[string]bool // by name: whether a function works on whole streams
}

// current returns the generation. It makes the first one, which calls the built-in echo.
func (c *core) current(b *GoBridge) (*generation, error) {
	if g := c.now.Load(); g != nil {
		return g, g.failure
	}
	c.setup.Lock()
	defer c.setup.Unlock()
	if g := c.now.Load(); g != nil {
		return g, g.failure
	}
	// The echo is part of the engine. The policy for libraries is not read yet.
	host, err := newHost(b.Logger, engine.Loading{})
	if err != nil {
		return nil, err
	}
	g, err := newGeneration(host, b)
	if err != nil {
		return nil, err
	}
	c.now.Store(g)
	return g, nil
}

func newHost(logger *slog.Logger, loading engine.Loading) (*engine.Host, error) {
	if i := slices.IndexFunc(loading.MayNeed, hasNUL); i >= 0 {
		return nil, nulError(fmt.Sprintf("MayNeed[%d]", i))
	}
	var lines engine.Logger
	if logger != nil {
		lines = logTo(logger)
	}
	host, fault := engine.NewHost(loading, lines)
	return host, fromFault(fault)
}

func newGeneration(host *engine.Host, b *GoBridge) (*generation, error) {
	if hasNUL(b.Name) || hasNUL(b.Sidecar) || hasNUL(b.SHA256) {
		return nil, nulError("the Name, the Sidecar or the SHA256 of the bridge")
	}
	if b.Limits.Setup < 0 {
		return nil, callerError(Invalid, "Limits.Setup is negative; set it to a duration, or to 0")
	}
	bridge, fault := host.NewBridge(engine.BridgeOptions{
		CheckInputs: uint32(b.CheckInputs), CheckResults: uint32(b.CheckResults),
		Name: b.Name, MinSequence: b.MinSequence, Sidecar: b.Sidecar, SHA256: b.SHA256,
		Isolated: b.Isolated, CopyResults: b.Limits.CopyResults,
		MaxWorkers: b.Limits.Workers, Retries: b.Limits.Retries,
		InputBytes: b.Limits.InputBytes, OutputBytes: b.Limits.OutputBytes,
		HeapBytes: b.Limits.HeapBytes, Grace: b.Limits.Grace, Setup: b.Limits.Setup,
	})
	if fault != nil {
		return nil, fromFault(fault)
	}
	return &generation{core: b.core(), bridge: bridge, logger: b.Logger}, nil
}

// load begins the next generation. If it fails, the failure is the next generation: the
// previous backend must not serve instead of the library that was asked for. With keep, a
// library that serves goes on.
func (c *core) load(b *GoBridge, library, certificate string, keep bool) error {
	_, ended := b.begin(context.Background(), Operation{Kind: LoadOperation, Library: library})
	err := c.loadNow(b, library, certificate, keep)
	ended.report(err)
	return err
}

func (c *core) loadNow(b *GoBridge, library, certificate string, keep bool) error {
	c.setup.Lock()
	defer c.setup.Unlock()
	before := c.now.Load()
	if c.closed {
		return before.failure
	}
	// A certificate of blanks is not a missing one: the engine refuses it.
	if trimmed := strings.TrimSpace(certificate); trimmed != "" {
		certificate = trimmed
	}
	g, err := c.open(b, library, certificate)
	if err != nil {
		if keep && before != nil && before.failure == nil && before.library != "" {
			return err
		}
		g = &generation{failure: err}
	}
	c.now.Store(g)
	return err
}

func (c *core) open(b *GoBridge, library, certificate string) (*generation, error) {
	if c.host == nil {
		host, err := newHost(b.Logger, engine.Loading{
			AllowUnsigned: b.AllowUnsigned,
			Plainly:       b.LoadPlainly,
			MayNeed:       b.MayNeed,
		})
		if err != nil {
			return nil, err
		}
		c.host = host
	}
	if hasNUL(library) {
		return nil, nulError(fmt.Sprintf("the path %q of the library", library))
	}
	if hasNUL(certificate) {
		return nil, nulError("the certificate")
	}
	g, err := newGeneration(c.host, b)
	if err != nil {
		return nil, err
	}
	var fault *engine.Fault
	repaired := engine.WatchSignals(func() { fault = g.bridge.Load(library, certificate) })
	warnOfSignals(context.Background(), b.Logger, library, "its load", repaired)
	if fault != nil {
		return nil, fromFault(fault)
	}
	g.library = library
	return g, nil
}

// hasNUL reports whether C would see only a part of a string.
func hasNUL(s string) bool { return strings.IndexByte(s, 0) >= 0 }

func (c *core) bind(b *GoBridge, function string, options Options, schemas []*arrow.Schema) (*arrow.Schema, error) {
	g, err := c.current(b)
	if err != nil {
		return nil, err
	}
	for i, schema := range schemas {
		if schema == nil {
			return nil, nilInput(i, "the schema is nil; pass the schema of each input")
		}
	}
	call, err := g.acquire(context.Background(), function, options, schemas)
	if err != nil {
		return nil, err
	}
	call.giveBack()
	return call.binding.output.Schema, nil
}

func (c *core) outstanding() Outstanding {
	return Outstanding{Results: c.account.Results(), Streams: c.streams.Load()}
}

func (c *core) close() {
	c.setup.Lock()
	defer c.setup.Unlock()
	if c.closed {
		return
	}
	c.closed = true
	failure := newError(SideEngine, Closed, "the bridge is closed; make another GoBridge")
	if g := c.now.Swap(&generation{failure: failure}); g != nil && g.bridge != nil {
		g.bridge.Close() // stops the calls that are running
	}
}
