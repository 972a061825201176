// SPDX-License-Identifier: MIT

package bridge

import (
	"context"
	"log/slog"
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
	loaded bool // whether a load was tried, so that the host's policy is frozen
	closed bool
}

// generation is a bridge of the engine with what is bound on it. Each load begins one:
// what was bound before belongs to the backend before.
type generation struct {
	bridge *engine.Bridge
	bound  cache
}

// current gives the generation, and makes the first one, which runs the echo.
func (c *core) current(b *GoBridge) (*generation, error) {
	if g := c.now.Load(); g != nil {
		return g, nil
	}
	c.setup.Lock()
	defer c.setup.Unlock()
	return c.first(b, false)
}

func (c *core) first(b *GoBridge, allowUnsigned bool) (*generation, error) {
	if g := c.now.Load(); g != nil {
		return g, nil
	}
	g, err := newGeneration(b.Logger, allowUnsigned)
	if err != nil {
		return nil, err
	}
	if c.closed {
		g.bridge.Close()
	}
	c.now.Store(g)
	return g, nil
}

func newGeneration(logger *slog.Logger, allowUnsigned bool) (*generation, error) {
	var lines engine.Logger
	if logger != nil {
		lines = func(level slog.Level, language, text string) {
			logger.Log(context.Background(), level, text, slog.String("language", language))
		}
	}
	host, fault := engine.NewHost(allowUnsigned, lines)
	if fault != nil {
		return nil, fromFault(fault)
	}
	bridge, fault := host.NewBridge()
	if fault != nil {
		return nil, fromFault(fault)
	}
	return &generation{bridge: bridge}, nil
}

func (c *core) load(b *GoBridge, library, certificate string) error {
	if strings.IndexByte(library, 0) >= 0 || strings.IndexByte(certificate, 0) >= 0 {
		return callers(Invalid, "a path or a certificate contains a NUL")
	}
	c.setup.Lock()
	defer c.setup.Unlock()
	before := c.now.Load()
	if !c.loaded && !c.closed {
		// The echo may have run on a host without the policy that counts from now on.
		c.loaded = true
		g, err := newGeneration(b.Logger, b.AllowUnsigned)
		if err != nil {
			return err
		}
		c.now.Store(g)
	} else if before == nil {
		if _, err := c.first(b, false); err != nil {
			return err
		}
	}
	bridge := c.now.Load().bridge
	err := fromFault(bridge.Load(library, certificate))
	// Also after a failure: what is bound answers it, and need not be kept.
	c.now.Store(&generation{bridge: bridge})
	return err
}

func (c *core) close() {
	c.setup.Lock()
	defer c.setup.Unlock()
	c.closed = true
	if g := c.now.Load(); g != nil {
		g.bridge.Close()
		c.now.Store(&generation{bridge: g.bridge})
	}
}
