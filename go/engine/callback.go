// SPDX-License-Identifier: MIT

//go:build linux && cgo && (amd64 || arm64)

package engine

// #include <stdint.h>
import "C"

import (
	"log/slog"
	"runtime/cgo"
	"unsafe"
)

//export alloyGoBlockReleased
func alloyGoBlockReleased(handle C.uintptr_t) {
	// A panic must not cross into C. There is nobody to report it to.
	defer func() { _ = recover() }()
	cgo.Handle(handle).Value().(BlockOwner).Released()
}

//export alloyGoLog
func alloyGoLog(handle C.uintptr_t, level C.int32_t, language, text *C.char, length C.int64_t) {
	defer func() { _ = recover() }()
	levels := [...]slog.Level{slog.LevelDebug, slog.LevelInfo, slog.LevelWarn, slog.LevelError}
	at := slog.LevelInfo
	if int(level) >= 0 && int(level) < len(levels) {
		at = levels[level]
	}
	line := string(unsafe.Slice((*byte)(unsafe.Pointer(text)), int(length)))
	cgo.Handle(handle).Value().(Logger)(at, C.GoString(language), line)
}
