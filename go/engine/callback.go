// SPDX-License-Identifier: MIT

package engine

// #include <stdint.h>
import "C"

import (
	"log/slog"
	"runtime/cgo"
	"unsafe"
)

// Keeper is what must live until the last struct of a block is released. It is told when
// that is so, and has the block to itself again.
type Keeper interface{ GiveBack() }

// Logger receives the lines of a host, never two at once.
type Logger func(level slog.Level, language, text string)

//export alloyGoGiveBack
func alloyGoGiveBack(handle C.uintptr_t) {
	// A panic may not cross into C, and there is nobody to tell.
	defer func() { _ = recover() }()
	cgo.Handle(handle).Value().(Keeper).GiveBack()
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
