// SPDX-License-Identifier: MIT

package bridge

import (
	"maps"
	"runtime"
	"sort"
	"strings"
	"sync"
	"sync/atomic"
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/ignalina/alloy/go/cdata"
	"github.com/ignalina/alloy/go/engine"
)

// maxKeys bounds the cache; a program that makes a new schema for each batch binds anew
// each time, and must not pile them up.
const maxKeys = 256

// maxIdle bounds how many calls of one key wait for the next user.
const maxIdle = 64

// key names what is bound. The schemas are known by their addresses, which entries keep
// from being used again.
type key struct {
	function, options string
	count             int
	first, second     *arrow.Schema
	rest              string // the addresses beyond the second
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

// cache finds what is bound, without a lock from the third use on: the map that is read
// then is never changed, only replaced. What is used once never gets into it.
type cache struct {
	often atomic.Pointer[map[key]*entry]

	mutex sync.Mutex
	once  map[key]*entry
}

func (c *cache) find(k key) *entry {
	if often := c.often.Load(); often != nil {
		if e := (*often)[k]; e != nil {
			return e
		}
	}
	c.mutex.Lock()
	defer c.mutex.Unlock()
	e := c.once[k]
	if e != nil {
		delete(c.once, k)
		c.promote(k, e)
	}
	return e
}

func (c *cache) promote(k key, e *entry) {
	after := map[key]*entry{k: e}
	// A full map is left behind: what is still in use comes back with its next calls.
	if often := c.often.Load(); often != nil && len(*often) < maxKeys {
		maps.Copy(after, *often)
	}
	c.often.Store(&after)
}

// add gives the entry of a key, which is made unless another goroutine was faster.
func (c *cache) add(k key, made *entry) *entry {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if often := c.often.Load(); often != nil {
		if e := (*often)[k]; e != nil {
			return e
		}
	}
	if e := c.once[k]; e != nil {
		return e
	}
	if c.once == nil || len(c.once) >= maxKeys {
		c.once = map[key]*entry{}
	}
	c.once[k] = made
	return made
}

// entry is a function bound to schemas and options, with the calls nobody uses now. A
// call serves one user at a time, so there are as many as there were users at once.
type entry struct {
	schemas []*arrow.Schema // kept, since the key has their addresses
	inputs  []*cdata.Plan
	output  *cdata.Plan
	idle    [maxIdle]atomic.Pointer[bound]
}

// bound is one user's call.
type bound struct {
	entry    *entry
	call     *engine.Call
	exporter *cdata.Exporter
	ticket   uint64
}

func (e *entry) take() *bound {
	for i := range e.idle {
		if b := e.idle[i].Load(); b != nil && e.idle[i].CompareAndSwap(b, nil) {
			return b
		}
	}
	return nil
}

func (e *entry) give(b *bound) {
	for i := range e.idle {
		if e.idle[i].Load() == nil && e.idle[i].CompareAndSwap(nil, b) {
			return
		}
	}
}

// acquire finds or makes a call for one user.
func (g *generation) acquire(function string, options Options, schemas []*arrow.Schema) (*bound, error) {
	list, text, err := flatten(options)
	if err != nil {
		return nil, err
	}
	k := keyOf(function, text, schemas)
	e := g.bound.find(k)
	if e != nil {
		if b := e.take(); b != nil {
			return b, nil
		}
	}
	return g.bind(k, e, list, schemas)
}

// flatten lists options by name, and as one text that no other options have.
func flatten(options Options) (list []string, text string, err error) {
	if len(options) == 0 {
		return nil, "", nil
	}
	names := make([]string, 0, len(options))
	for name, value := range options {
		if strings.IndexByte(name, 0) >= 0 || strings.IndexByte(value, 0) >= 0 {
			return nil, "", callers(Invalid, "the option %q contains a NUL", name)
		}
		names = append(names, name)
	}
	sort.Strings(names)
	list = make([]string, 0, 2*len(names))
	for _, name := range names {
		list = append(list, name, options[name])
	}
	return list, strings.Join(list, "\x00"), nil
}

// bind binds once more; e is nil when nobody did before.
func (g *generation) bind(k key, e *entry, options []string, schemas []*arrow.Schema) (*bound, error) {
	if strings.IndexByte(k.function, 0) >= 0 {
		return nil, callers(NotFound, "the name %q of a function contains a NUL", k.function)
	}
	exported, err := cdata.ExportSchemas(schemas)
	if err != nil {
		return nil, callers(BadData, "%v", err)
	}
	call, fault := g.bridge.Bind(k.function, exported.First, len(schemas), options)
	exported.Free()
	if fault != nil {
		return nil, fromFault(fault)
	}
	if e == nil {
		made, err := newEntry(schemas, call)
		if err != nil {
			return nil, err
		}
		e = g.bound.add(k, made)
	}
	b := &bound{entry: e, call: call, exporter: cdata.NewExporter(e.inputs)}
	runtime.AddCleanup(b, func(x *cdata.Exporter) { x.Close() }, b.exporter)
	return b, nil
}

func newEntry(schemas []*arrow.Schema, call *engine.Call) (*entry, error) {
	e := &entry{schemas: append([]*arrow.Schema(nil), schemas...), inputs: make([]*cdata.Plan, len(schemas))}
	var err error
	for i, schema := range schemas {
		if e.inputs[i], err = cdata.NewPlan(schema); err != nil {
			return nil, callers(BadData, "%v", err)
		}
	}
	out, err := cdata.ImportSchema(call.Schema())
	if err == nil {
		e.output, err = cdata.NewPlan(out)
	}
	runtime.KeepAlive(call)
	if err != nil {
		return nil, &Error{Code: Unsupported, Column: -1, Side: SideBackend, Input: -1, Text: err.Error()}
	}
	return e, nil
}
