// SPDX-License-Identifier: MIT

package bridge_test

import "log/slog"

var silent = slog.New(slog.DiscardHandler)
