// SPDX-License-Identifier: MIT

//go:build linux && cgo && (amd64 || arm64)

package engine

// #include "host.h"
import "C"

import (
	"log/slog"
	"runtime/cgo"
	"unsafe"
)

//export alloyGoLog
func alloyGoLog(handle C.uintptr_t, line *C.alloy_log_line, call C.uintptr_t) {
	defer func() { _ = recover() }()
	levels := [...]slog.Level{slog.LevelDebug, slog.LevelInfo, slog.LevelWarn, slog.LevelError}
	made := Line{
		Level: slog.LevelInfo, Language: C.GoString(line.language),
		Text:    string(unsafe.Slice((*byte)(unsafe.Pointer(line.text)), int(line.length))),
		Backend: C.GoString(line.backend), Function: C.GoString(line.function),
	}
	if at := int(line.level); at >= 0 && at < len(levels) {
		made.Level = levels[at]
	}
	if call != 0 {
		made.Call = cgo.Handle(call).Value()
	}
	cgo.Handle(handle).Value().(Logger)(&made)
}
