// SPDX-License-Identifier: MIT

package run

import (
	"sync"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/util"
)

// holder keeps the input of a stream, until the first output, for a new run of the function.
// It gives up if the input is larger than its limit, or if a queue needs the memory. A nil
// holder keeps nothing.
type holder struct {
	run        *run
	limit      int64
	generation int64 // of run.givenUp

	mutex   sync.Mutex // a reader and the end of the stream may be on different threads
	batches [][]arrow.RecordBatch
	bytes   int64
	gone    bool
}

// add keeps a batch that the function gets.
func (h *holder) add(input int, batch arrow.RecordBatch) {
	if !h.isWhole() {
		return
	}
	size := util.TotalRecordSize(batch)
	h.mutex.Lock()
	fits := h.bytes+size <= h.limit && h.run.net.Hold(size)
	if fits {
		batch.Retain()
		h.batches[input] = append(h.batches[input], batch)
		h.bytes += size
	}
	h.mutex.Unlock()
	if !fits {
		h.drop()
	}
}

// again returns a batch that a function got before; nil: there is no such batch.
func (h *holder) again(input, number int) arrow.RecordBatch {
	if h == nil {
		return nil
	}
	h.mutex.Lock()
	defer h.mutex.Unlock()
	if h.gone || number >= len(h.batches[input]) {
		return nil
	}
	batch := h.batches[input][number]
	batch.Retain()
	return batch
}

// isWhole reports whether all input so far is kept.
func (h *holder) isWhole() bool {
	if h == nil {
		return false
	}
	if h.run.givenUp.Load() != h.generation {
		h.drop()
	}
	h.mutex.Lock()
	defer h.mutex.Unlock()
	return !h.gone
}

// drop keeps nothing from here on.
func (h *holder) drop() {
	if h == nil {
		return
	}
	h.mutex.Lock()
	defer h.mutex.Unlock()
	if h.gone {
		return
	}
	h.gone = true
	if h.run.givenUp.Load() == h.generation { // otherwise it is not counted any more
		h.run.net.Unhold(h.bytes)
	}
	for _, batches := range h.batches {
		for _, batch := range batches {
			batch.Release()
		}
	}
	h.batches = make([][]arrow.RecordBatch, len(h.batches))
}
