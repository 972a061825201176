// SPDX-License-Identifier: MIT

package alloy

import (
	"context"
	"log/slog"

	"github.com/ignalina/alloy/go/cdata"
)

// resultsOf makes the results of a function.
func (g *generation) resultsOf(function string) cdata.Results {
	return cdata.NewResults(g.core.memory, &g.core.account, func(int) { g.reportForgotten(function, "result") })
}

// reportForgotten writes a warning, once for each function and each of its two kinds: a
// program that forgets one thing forgets many.
func (g *generation) reportForgotten(function, what string) {
	if g.logger == nil {
		return
	}
	if _, reported := g.forgot.LoadOrStore(what+" "+function, true); reported {
		return
	}
	g.logger.LogAttrs(context.Background(), slog.LevelWarn,
		"a "+what+" of "+function+" was never released, and the garbage collector has released it now; "+
			"call Release on each "+what+", because memory of a backend grows unnoticed until a collection",
		slog.String("language", "Go"), slog.String("function", function))
}
