// SPDX-License-Identifier: MIT

package bridge

import "github.com/ignalina/alloy/go/engine"

// Function is what a backend says of one of its functions.
type Function = engine.Function

// Option is one of a function's options.
type Option = engine.Option

// Column is one of the columns that a function reads.
type Column = engine.Column

func (c *core) functions(b *GoBridge) ([]Function, error) {
	g, err := c.current(b)
	if err != nil {
		return nil, err
	}
	list, fault := g.bridge.Functions()
	return list, fromFault(fault)
}
