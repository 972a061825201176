// SPDX-License-Identifier: MIT

package alloy

import (
	"log/slog"
	"maps"
	"sync"
	"sync/atomic"
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/ignalina/alloy/go/cdata"
)

// maxKeys bounds the bindings that are kept. A program that makes a new schema for each
// batch binds anew each time; without a bound, its bindings would pile up.
const maxKeys = 256

// maxIdle bounds the idle calls of one binding.
const maxIdle = 64

// key identifies a binding. It has the addresses of the schemas. The binding keeps the
// schemas alive, so that no other schema gets one of these addresses.
type key struct {
	function, options string
	count             int
	first, second     *arrow.Schema
	rest              string // the addresses of the third and later schemas
}

func keyOf(function, options string, schemas []*arrow.Schema) key {
	k := key{function: function, options: options, count: len(schemas)}
	if len(schemas) > 0 {
		k.first = schemas[0]
	}
	if len(schemas) > 1 {
		k.second = schemas[1]
	}
	if len(schemas) > 2 {
		rest := schemas[2:]
		k.rest = string(unsafe.Slice((*byte)(unsafe.Pointer(&rest[0])), len(rest)*int(unsafe.Sizeof(rest[0]))))
	}
	return k
}

// cache finds bindings by their keys. From the third use of a key on it takes no lock: the
// map of frequent keys is never changed, only replaced. A key that is used once stays out
// of that map.
type cache struct {
	frequent atomic.Pointer[map[key]*binding]

	mutex sync.Mutex
	once  map[key]*binding
}

func (c *cache) find(k key) *binding {
	if frequent := c.frequent.Load(); frequent != nil {
		if found := (*frequent)[k]; found != nil {
			return found
		}
	}
	c.mutex.Lock()
	defer c.mutex.Unlock()
	found := c.once[k]
	if found != nil {
		delete(c.once, k)
		c.promote(k, found)
	}
	return found
}

func (c *cache) promote(k key, b *binding) {
	after := map[key]*binding{k: b}
	// A full map is dropped. Bindings that are still in use return with their next calls.
	if frequent := c.frequent.Load(); frequent != nil && len(*frequent) < maxKeys {
		maps.Copy(after, *frequent)
	}
	c.frequent.Store(&after)
}

// add returns the binding of a key: made, unless another goroutine added one first.
func (c *cache) add(k key, made *binding) *binding {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if frequent := c.frequent.Load(); frequent != nil {
		if found := (*frequent)[k]; found != nil {
			return found
		}
	}
	if found := c.once[k]; found != nil {
		return found
	}
	if c.once == nil || len(c.once) >= maxKeys {
		c.once = map[key]*binding{}
	}
	c.once[k] = made
	return made
}

// binding is a function bound to schemas and options, with its idle calls. A call serves
// one user at a time, so there are as many calls as there were users at the same time.
type binding struct {
	schemas []*arrow.Schema // kept alive, because the key has their addresses
	inputs  []*cdata.Plan
	output  *cdata.Plan

	// For warnings.
	function, library string
	logger            *slog.Logger

	isMap bool // a function that is run on batches; a stream of it asks for one at a time

	idle [maxIdle]atomic.Pointer[boundCall]
}

// takeIdle returns an idle call, or nil if there is none.
func (b *binding) takeIdle() *boundCall {
	for i := range b.idle {
		if call := b.idle[i].Load(); call != nil && b.idle[i].CompareAndSwap(call, nil) {
			return call
		}
	}
	return nil
}

// giveBack makes a call idle. If there are too many idle calls, the collector frees it.
func (c *boundCall) giveBack() {
	idle := &c.binding.idle
	for i := range idle {
		if idle[i].Load() == nil && idle[i].CompareAndSwap(nil, c) {
			return
		}
	}
}
