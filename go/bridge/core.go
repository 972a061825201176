// SPDX-License-Identifier: MIT

package bridge

import (
	"context"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/ignalina/alloy/go/engine"
)

// core is a bridge that copies of a GoBridge share.
type core struct {
	memory memory.Allocator

	// now serves every use; calls read it without a lock and stay with what they found.
	now atomic.Pointer[generation]

	// setup is held while a generation is made, never on the way of a call.
	setup  sync.Mutex
	host   *engine.Host // of all that is loaded: the policy, frozen by the first load
	closed bool
}

// generation is a bridge of the engine with what is bound on it, or the failure that
// every use answers. Each load begins one, and none ever changes its backend: a result is
// read by the plan of the schema that the same backend gave.
type generation struct {
	bridge  *engine.Bridge
	bound   cache
	failure error
}

// current gives the generation, and makes the first one, which runs the echo.
func (c *core) current(b *GoBridge) (*generation, error) {
	if g := c.now.Load(); g != nil {
		return g, g.failure
	}
	c.setup.Lock()
	defer c.setup.Unlock()
	if g := c.now.Load(); g != nil {
		return g, g.failure
	}
	// A policy has nothing to say of the echo, and is not read yet.
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
	if slices.ContainsFunc(loading.MayNeed, func(entry string) bool { return strings.IndexByte(entry, 0) >= 0 }) {
		return nil, callers(Invalid, "an entry of MayNeed contains a NUL")
	}
	var lines engine.Logger
	if logger != nil {
		lines = func(level slog.Level, language, text string) {
			logger.Log(context.Background(), level, text, slog.String("language", language))
		}
	}
	host, fault := engine.NewHost(loading, lines)
	return host, fromFault(fault)
}

func newGeneration(host *engine.Host, b *GoBridge) (*generation, error) {
	bridge, fault := host.NewBridge(engine.Checks{Inputs: uint32(b.CheckInputs), Results: uint32(b.CheckResults)})
	if fault != nil {
		return nil, fromFault(fault)
	}
	return &generation{bridge: bridge}, nil
}

// load begins the next generation, also when it fails: whatever the cause, the backend
// before, or the echo, must not serve in its place.
func (c *core) load(b *GoBridge, library, certificate string) error {
	c.setup.Lock()
	defer c.setup.Unlock()
	if c.closed {
		return c.now.Load().failure
	}
	g, err := c.open(b, library, certificate)
	if err != nil {
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
	if strings.IndexByte(library, 0) >= 0 || strings.IndexByte(certificate, 0) >= 0 {
		return nil, callers(Invalid, "a path or a certificate contains a NUL")
	}
	g, err := newGeneration(c.host, b)
	if err != nil {
		return nil, err
	}
	if fault := g.bridge.Load(library, certificate); fault != nil {
		return nil, fromFault(fault)
	}
	return g, nil
}

func (c *core) close() {
	c.setup.Lock()
	defer c.setup.Unlock()
	if c.closed {
		return
	}
	c.closed = true
	closed := &Error{Code: Closed, Column: -1, Side: SideEngine, Input: -1, Text: "the bridge is closed; open another"}
	if g := c.now.Swap(&generation{failure: closed}); g != nil && g.bridge != nil {
		g.bridge.Close() // calls under way end with it
	}
}
