// SPDX-License-Identifier: MIT

//go:build linux && cgo && (amd64 || arm64)

package engine

// #include <stdlib.h>
import "C"

import "unsafe"

// stringList is a NULL-terminated list of strings in C memory. A nil list is NULL in C.
type stringList []*C.char

func newStrings(from []string) stringList {
	if len(from) == 0 {
		return nil
	}
	memory := C.calloc(C.size_t(len(from)+1), C.size_t(unsafe.Sizeof((*C.char)(nil))))
	list := unsafe.Slice((**C.char)(memory), len(from)+1)
	for i, text := range from {
		list[i] = C.CString(text)
	}
	return list
}

func (l stringList) pointer() **C.char { return unsafe.SliceData(l) }

func (l stringList) free() {
	for _, text := range l {
		C.free(unsafe.Pointer(text))
	}
	C.free(unsafe.Pointer(l.pointer()))
}
