// SPDX-License-Identifier: MIT

package alloy

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/ignalina/alloy/go/engine"
)

// isFirst reports, once, that a function was never entered. A library may install handlers of
// signals when it is loaded, or when a part of it is used for the first time. To look at all
// handlers takes as long as several calls, so it is done only then.
func (g *generation) isFirst(function string) bool {
	if g.library == "" {
		return false // the echo
	}
	if _, known := g.entered.Load(function); known {
		return false
	}
	_, known := g.entered.LoadOrStore(function, true)
	return !known
}

// watch enters the backend, and repairs what it has done to the handlers of signals.
func (c *boundCall) watch(ctx context.Context, enter func()) {
	repaired := engine.WatchSignals(enter)
	warnOfSignals(ctx, c.binding.logger, c.binding.library, "the first use of "+c.binding.function, repaired)
}

// warnOfSignals writes a warning, unless nothing was repaired.
func warnOfSignals(ctx context.Context, logger *slog.Logger, library, when, repaired string) {
	if repaired == "" {
		return
	}
	text := fmt.Sprintf("%s: %s changed the handling of signals in a way that corrupts Go programs; repaired: %s. "+
		"A backend should install no handlers, or those that backend.h allows", library, when, repaired)
	if logger != nil {
		logger.WarnContext(ctx, text, slog.String("language", "Go"))
		return
	}
	fmt.Fprintf(os.Stdout, "[%s] [WARN] [Go]\t%s\n", time.Now().Format(time.DateTime), text)
}
