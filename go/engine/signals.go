// SPDX-License-Identifier: MIT

//go:build linux && cgo && (amd64 || arm64)

package engine

// #include "signals.h"
import "C"

import "runtime"

// WatchSignals runs a body that enters a backend for the first time, and repairs what the
// backend has done to the handlers of signals. It returns what was repaired; empty: nothing.
func WatchSignals(body func()) (repaired string) {
	// The mask and the stack for signals belong to the thread.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	before := C.alloy_go_signals_read()
	body()
	var text [1024]C.char
	C.alloy_go_signals_repair(before, &text[0], C.size_t(len(text)))
	return C.GoString(&text[0])
}
