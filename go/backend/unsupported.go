// SPDX-License-Identifier: MIT

//go:build !linux || !cgo || (!amd64 && !arm64)

package backend

import (
	"log/slog"

	"github.com/apache/arrow-go/v18/arrow/memory"
)

// Here a backend cannot be built, but its functions can be compiled, and tested by Try.
type scope struct{}

func (*scope) end()                   {}
func (*scope) cancelled() bool        { return false }
func (*scope) progress(_, _ int64)    {}
func (*scope) log(slog.Level, string) {}
func (*scope) logs(slog.Level) bool   { return false }

// Allocator is the allocator of arrow-go, because there is no engine.
var Allocator memory.Allocator = memory.DefaultAllocator
