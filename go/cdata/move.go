// SPDX-License-Identifier: MIT

package cdata

import (
	"unsafe"

	"github.com/ignalina/alloy/go/engine"
)

// Move writes one batch and moves it to out, as a stream gives it away: its owner is
// retained until the last part of it is released.
func (x *Exporter) Move(batch Batch, out *engine.WrittenArray) error {
	row := [1]Batch{batch}
	first, err := x.Export(row[:])
	if err != nil {
		return err
	}
	*out = *(*engine.WrittenArray)(unsafe.Pointer(first))
	x.Done(row[:])
	return nil
}
