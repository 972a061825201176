// SPDX-License-Identifier: MIT

package cdata

import (
	"runtime"
	"weak"

	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/ignalina/alloy/go/abi"
)

// groupSize is how many results share one cleanup, which costs as much as a part of a call.
const groupSize = 16

// Results makes results that are released even if the program forgets them: once nobody can
// reach a result any more, the collector releases it.
//
// Results are made in groups. A forgotten one is released when no result of its group can be
// reached. One user at a time.
type Results struct {
	memory    memory.Allocator
	account   *Account
	forgotten func(results int)

	// Weak, so that the group is collected although more results could come from it.
	now    weak.Pointer[group]
	owners *owners
	used   int
}

type group [groupSize]Result

// owners has what the cleanup of a group needs. It lies apart from the group, which must not
// be reachable from it.
type owners struct {
	lent      [groupSize]abi.Owner
	account   *Account
	forgotten func(results int)
}

// NewResults makes results as NewResult does. Forgotten is called after results have been
// released by the collector, on a goroutine of the runtime.
func NewResults(mem memory.Allocator, account *Account, forgotten func(results int)) Results {
	return Results{memory: mem, account: account, forgotten: forgotten}
}

// Next makes room for a result.
func (r *Results) Next() *Result {
	g := r.now.Value()
	if g == nil || r.used == groupSize {
		g = new(group)
		r.owners = &owners{account: r.account, forgotten: r.forgotten}
		r.used = 0
		r.now = weak.Make(g)
		runtime.AddCleanup(g, (*owners).release, r.owners)
	}
	result := &g[r.used]
	result.Owner = &r.owners.lent[r.used]
	result.memory, result.account = r.memory, r.account
	r.used++
	return result
}

// release releases what the program has forgotten. Nobody can reach the results any more.
func (o *owners) release() {
	count := 0
	for i := range o.lent {
		if o.lent[i].Array.Release != nil {
			o.lent[i].Release()
			count++
		}
	}
	if count == 0 {
		return
	}
	o.account.results.Add(-int64(count))
	if o.forgotten != nil {
		o.forgotten(count)
	}
}
